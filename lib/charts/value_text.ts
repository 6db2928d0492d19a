/** Values: their order, the highest of them, and their words. */

/** A share as a percentage: 0.5317 → "53.2 %". */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** A share's tick: 0.55 → "55 %". */
export function percentTick(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`;
}

/** 3.21 → "+3.2", −0.04 → "0". */
export function signed(value: number, digits: number): string {
  const size = Math.abs(value).toFixed(digits);
  return Number(size) === 0 ? "0" : `${value < 0 ? "−" : "+"}${size}`;
}

/** 0.0001 → "10⁻⁴", 0.0002 → "2×10⁻⁴". */
export function powerOfTen(value: number): string {
  const [mantissa, exponent] = value.toExponential().split("e");
  const raised = [...String(Number(exponent))]
    .map((c) => c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(c)]).join("");
  return mantissa === "1" ? `10${raised}` : `${mantissa}×10${raised}`;
}

/** A parameter's value in words: 0.0001 → "10⁻⁴", 8 → "8". */
export function valueText(value: number | string | null): string {
  return valueFormat([value])(value);
}

/** `valueText` for an axis: where one value needs a power of ten, all have. */
export function valueFormat(
  values: readonly (number | string | null)[],
): (value: number | string | null) => string {
  const sizes = values.filter((v) => typeof v === "number").map(Math.abs);
  const least = sizes.some((size) => size !== 0 && size < 0.01) ? 1 : 0.01;
  const most = sizes.some((size) => size >= 1e5) ? 1e3 : 1e5;
  return (value) => {
    if (typeof value !== "number") return String(value ?? "none");
    if (!Number.isFinite(value) || value === 0) return String(value);
    const size = Math.abs(value);
    const rounded = Number(value.toPrecision(size >= 1000 ? 6 : 3));
    return size >= least && size < most ? String(rounded) : powerOfTen(rounded);
  };
}

/** At most so many of `all`, at even distances. */
export const evenlySpaced = <T>(all: readonly T[], most: number): T[] =>
  Array.from(
    { length: Math.min(all.length, most) },
    (_, i) => all[Math.floor(i * Math.max(1, all.length / most))],
  );

/** Different values: numbers in order, else as they come. */
export function levels<T extends number | string>(values: readonly T[]): T[] {
  const all = [...new Set(values)];
  return all.every((v) => typeof v === "number")
    ? all.sort((a, b) => Number(a) - Number(b))
    : all;
}

/**
 * The first of those whose value is the highest; means that the rounding of
 * floats alone keeps apart are equal. Undefined where there is none.
 */
export function firstHighest<T>(
  rows: readonly T[],
  valueOf: (row: T) => number,
): T | undefined {
  const most = rows.reduce((m, row) => Math.max(m, valueOf(row)), -Infinity);
  return rows.find((row) => most - valueOf(row) <= 1e-12 * Math.abs(most));
}
