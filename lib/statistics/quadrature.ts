/** Numerical integration of smooth functions. */

// Gauss–Legendre, 10 points: nodes and weights (DLMF table 3.5.2).
const NODES = [
  [0.1488743389816312, 0.2955242247147529],
  [0.4333953941292472, 0.2692667193099964],
  [0.6794095682990244, 0.219086362515982],
  [0.8650633666889845, 0.1494513491505806],
  [0.9739065285171717, 0.0666713443086881],
];

/** ∫ f from `low` to `high`, in panels no wider than `width`. */
export function integrate(
  f: (x: number) => number,
  low: number,
  high: number,
  width: number,
): number {
  const panels = Math.max(1, Math.ceil((high - low) / width));
  const half = (high - low) / panels / 2;
  let sum = 0;
  for (let i = 0; i < panels; i++) {
    const middle = low + (2 * i + 1) * half;
    for (const [node, weight] of NODES) {
      sum += weight * (f(middle - half * node) + f(middle + half * node));
    }
  }
  return sum * half;
}

/** The standard normal density. */
export function normalDensity(z: number): number {
  return Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI);
}
