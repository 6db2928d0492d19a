/** The range of k standard normals: the studentized range with df = ∞. */

import { beyond, bisect, normalSf } from "./distributions.ts";
import { integrate, normalDensity } from "./quadrature.ts";

/**
 * P(range of `k` independent standard normals > q): one less
 * k ∫ φ(z) [Φ(z) - Φ(z - q)]^(k-1) dz, in a form that keeps the tail exact.
 */
export function rangeSf(q: number, k: number): number {
  if (q <= 0) return 1;
  const integrand = (z: number) => {
    const below = normalSf(-z);
    const share = normalSf(q - z) / below;
    return normalDensity(z) * below ** (k - 1) *
      -Math.expm1((k - 1) * Math.log1p(-Math.min(1, share)));
  };
  const sf = k * integrate(integrand, q / 2 - 9, q / 2 + 9, 0.5);
  return Math.min(1, sf);
}

/**
 * The p-quantile of the range of `k` independent standard normals.
 *
 * @throws RangeError unless 0 < p < 1 and k >= 2.
 */
export function rangeQuantile(p: number, k: number): number {
  if (!(p > 0 && p < 1 && k >= 2)) {
    throw new RangeError(
      `rangeQuantile: p ${p}, k ${k}: give 0 < p < 1 and k >= 2`,
    );
  }
  const sf = (q: number) => rangeSf(q, k);
  return bisect((q) => -sf(q), p - 1, 0, beyond(sf, 1 - p));
}
