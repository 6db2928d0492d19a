/** What a parameter may be, and the way from the unit interval to its values. */
import type { Params, ParamValue } from "../definition.ts";

/**
 * One parameter's space, both ends included. A log space begins above 0; its
 * step is 1 for an int, and a float has none. A `high` that no step meets
 * ends at the last step before it.
 */
export type Space =
  | { kind: "choices"; choices: readonly ParamValue[] }
  | { kind: "float"; low: number; high: number; log: boolean; step?: number }
  | { kind: "int"; low: number; high: number; log: boolean; step: number };
export type Spaces = Record<string, Space>;
export type NumberSpace = Exclude<Space, { kind: "choices" }>;

/** What a finished or pruned point taught; `value` is finite or ±Infinity. */
export interface Observation {
  params: Params;
  value: number;
  /** Its last epoch, of a pruned point. */
  prunedAt?: number;
}

/** How many values a space has; Infinity for a float without steps. */
export function countOfValues(space: Space): number {
  if (space.kind === "choices") return space.choices.length;
  if (space.low === space.high) return 1;
  if (space.step === undefined) return Infinity;
  // 0.3 / 0.1 is 2.9999999999999996: such a quotient still holds 3 steps.
  return Math.floor((space.high - space.low) / space.step + 1e-9) + 1;
}

/** How many points spaces have together. */
export function countOfPoints(spaces: Spaces): number {
  return Object.values(spaces).reduce(
    (n, space) => n * countOfValues(space),
    1,
  );
}

/** Whether `value` lies within the space; between two steps is within. */
export function isInSpace(
  space: Space,
  value: ParamValue | undefined,
): boolean {
  if (value === undefined) return false;
  if (space.kind === "choices") return space.choices.includes(value);
  return typeof value === "number" && space.low <= value && value <= space.high;
}

/**
 * The interval on which numbers are drawn evenly: half a step beyond both
 * ends, so that the ends are as likely as the rest; its logarithms if `log`.
 */
export function interval(space: NumberSpace): { low: number; high: number } {
  const { low, step } = space;
  const high = step === undefined
    ? space.high
    : low + (countOfValues(space) - 1) * step;
  const half = (step ?? 0) / 2;
  const ends = { low: low - half, high: high + half };
  return space.log
    ? { low: Math.log(ends.low), high: Math.log(ends.high) }
    : ends;
}

/** Decimal places of a number: 2 for 0.05. */
function places(x: number): number {
  const [digits, exponent] = x.toExponential().split("e");
  return Math.max(0, digits.replace(/^-?\d\.?/, "").length - Number(exponent));
}

/** The space's value that is nearest to `x`, a number of its `interval`. */
export function fromInterval(space: NumberSpace, x: number): number {
  const { low, high, step } = space;
  const value = space.log ? Math.exp(x) : x;
  if (step === undefined) return Math.min(high, Math.max(low, value));
  const last = countOfValues(space) - 1;
  const k = Math.min(last, Math.max(0, Math.round((value - low) / step)));
  // low + k step in decimals, as low and step are meant: 0.3, not 0.1 + 2 · 0.1.
  const decimals = Math.max(places(low), places(step));
  const exact = low + k * step;
  return decimals > 100 ? exact : Number(exact.toFixed(decimals));
}

/** The value of a finite space that is `moves` after another, round its end. */
export function valueAfter(
  space: Space,
  value: ParamValue,
  moves: number,
): ParamValue {
  const size = countOfValues(space);
  if (space.kind === "choices") {
    return space.choices[(space.choices.indexOf(value) + moves) % size];
  }
  const { low, step = 1 } = space;
  const place = Math.round((Number(value) - low) / step);
  return fromInterval(
    { ...space, log: false },
    low + (place + moves) % size * step,
  );
}

/** The value at `u` of [0, 1): each value, or each equal stretch, alike. */
export function valueInSpace(space: Space, u: number): ParamValue {
  if (space.kind === "choices") {
    return space.choices[Math.floor(u * space.choices.length)];
  }
  const { low, high } = interval(space);
  return fromInterval(space, low + u * (high - low));
}
