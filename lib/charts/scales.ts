/** Scales that charts share: sequential colours, ticks and words of values. */
import * as d3 from "d3";
import { powerOfTen } from "./theme.ts";

/** A colour of viridis, which colour-blind people can read; `t` from 0 to 1. */
export function sequential(t: number): string {
  return d3.interpolateViridis(Math.min(1, Math.max(0, t)));
}

/** The scale's middle, which a thin line shows on white and on black. */
export function lineColor(t: number): string {
  return sequential(0.34 + 0.4 * Math.min(1, Math.max(0, t)));
}

/** Relative luminance (WCAG 2.2) of `color` at `opacity` on white. */
function luminance(color: string, opacity = 1): number {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const channel = parseInt(color.slice(i, i + 2), 16) / 255;
    const c = 1 - opacity * (1 - channel);
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** White or black, whichever has more contrast on `color`. */
export function textOn(color: string): string {
  const light = luminance(color) + 0.05;
  return 1.05 / light > light / 0.05 ? "white" : "black";
}

/** White where that has a contrast of 3.5 and more, else the page's colour. */
export function textOver(color: string, opacity: number): string {
  return 1.05 / (luminance(color, opacity) + 0.05) > 3.5
    ? "white"
    : "currentColor";
}

/** Whether a trial gave a number. */
export function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** A parameter's value in words: 0.0001 → "10⁻⁴", 8 → "8". */
export function valueText(value: number | string | null): string {
  return valueFormat([value])(value);
}

/** `valueText` for an axis: where one value needs a power of ten, all have. */
export function valueFormat(
  values: readonly (number | string | null)[],
): (value: number | string | null) => string {
  const isSmall = values.some((v) =>
    typeof v === "number" && v !== 0 && Math.abs(v) < 0.01
  );
  const isLarge = values.some((v) =>
    typeof v === "number" && Math.abs(v) >= 1e5
  );
  return (value) => {
    if (typeof value !== "number") return value ?? "none";
    if (!Number.isFinite(value) || value === 0) return String(value);
    const size = Math.abs(value);
    const rounded = Number(value.toPrecision(size >= 1000 ? 6 : 3));
    const isPlain = size >= (isSmall ? 1 : 0.01) &&
      size < (isLarge ? 1e3 : 1e5);
    return isPlain ? String(rounded) : powerOfTen(rounded);
  };
}

/** Different values: numbers in order, else as they come. */
export function levels<T extends number | string>(values: readonly T[]): T[] {
  const all = [...new Set(values)];
  return all.every((v) => typeof v === "number")
    ? all.sort((a, b) => Number(a) - Number(b))
    : all;
}

/** A share's tick: 0.55 → "55 %". */
export function percentTick(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`;
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
