/** Logarithms of the standard normal's probabilities, exact in the tails. */
import { normalCdf } from "../../statistics/mod.ts";

const LOG_SQRT_2PI = Math.log(2 * Math.PI) / 2;

/** log P(Z <= z). */
export function logNormalCdf(z: number): number {
  if (z > 3) return Math.log1p(-Math.exp(logNormalCdf(-z)));
  if (z > -3) return Math.log(normalCdf(z));
  // Laplace's continued fraction of Mills' ratio, from its tail to its head.
  let fraction = -z;
  for (let k = 80; k > 0; k--) fraction = -z + k / fraction;
  return logNormalDensity(z) - Math.log(fraction);
}

/** log of the density at z. */
export function logNormalDensity(z: number): number {
  return -z * z / 2 - LOG_SQRT_2PI;
}

/** log P(a <= Z <= b) for a < b, without loss where both are far out. */
export function logNormalMass(a: number, b: number): number {
  if (a > 0) return logNormalMass(-b, -a);
  const below = logNormalCdf(a);
  if (b > 0) return Math.log1p(-Math.exp(below) - Math.exp(logNormalCdf(-b)));
  const upTo = logNormalCdf(b);
  return upTo + Math.log1p(-Math.exp(below - upTo));
}
