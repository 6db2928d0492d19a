/** Domains, ticks and label places that charts share. */

export { spread } from "./place_labels.ts";

/** A domain a little wider than `values`; shares stay within 0 and 1. */
export function valueDomain(
  values: readonly number[],
  isShare: boolean,
): [number, number] {
  if (values.length === 0) return [0, 1];
  const low = Math.min(...values), high = Math.max(...values);
  const pad = high > low ? (high - low) * 0.06 : isShare ? 0.05 : 0.5;
  const [bottom, top] = [low - pad, high + pad];
  if (isShare) return [Math.max(0, bottom), Math.min(1, top)];
  return [low >= 0 ? Math.max(0, bottom) : bottom, top];
}

/** Multiples of 1, 2 or 5 × 10ⁿ from 0 to `high`, about `most` of them. */
export function ticksTo(high: number, most: number): number[] {
  if (!(high > 0)) return [0];
  const power = 10 ** Math.floor(Math.log10(high / most));
  const step = [1, 2, 5, 10].map((m) => m * power)
    .find((s) => high / s <= most + 1e-9)!;
  const count = Math.floor(high / step + 1e-9);
  // Decimal arithmetic: 3 × 0.1 is shown as 0.3.
  return Array.from(
    { length: count + 1 },
    (_, i) => Number((i * step).toPrecision(12)),
  );
}

/** Whole epochs from `first` to `last`, about `most` of them. */
export function epochTicks(
  first: number,
  last: number,
  most: number,
): number[] {
  const step = [1, 2, 5, 10, 20, 25, 50, 100, 200, 500]
    .find((s) => (last - first) / s <= most) ?? 1000;
  const ticks = [];
  for (let e = Math.ceil(first / step) * step; e <= last; e += step) {
    ticks.push(e);
  }
  return ticks;
}
