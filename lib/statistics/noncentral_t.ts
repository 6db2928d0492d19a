/** The noncentral t distribution, for the power of t tests. */

import { normalSf } from "./distributions.ts";
import { integrate, normalDensity } from "./quadrature.ts";
import { incompleteGamma } from "./special.ts";

/**
 * P(T > t) for T = (Z + δ) / √(χ²/df), t > 0: the integral over z of
 * φ(z) P(χ² < df (z + δ)² / t²), to about 1e-13.
 */
export function noncentralTSf(t: number, df: number, delta: number): number {
  const root = Math.sqrt(df);
  // χ lies within 9 of √df but for 1e-17, and so does z within 9 of 0.
  const from = t * Math.max(0, root - 9) / root - delta;
  const to = t * (root + 9) / root - delta;
  const low = Math.max(-9, from);
  const high = Math.min(9, to);
  const sure = normalSf(high);
  if (low >= high) return sure;
  const within = (z: number) =>
    normalDensity(z) *
    incompleteGamma(df / 2, df * ((z + delta) / t) ** 2 / 2)[0];
  return sure + integrate(within, low, high, Math.min(0.5, t / root / 2));
}
