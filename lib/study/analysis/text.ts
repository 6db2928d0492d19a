/** How analyses write numbers, settings and p-values. */
import type { Params, ParamValue } from "../definition.ts";

/**
 * What values are: shares that are written as percent and points (accuracy),
 * or plain numbers.
 */
export type Unit = "points" | "plain";

/** 0.00316 → "3.16e-3". */
export const rateText = (lr: number): string =>
  Number(lr.toPrecision(3)).toExponential();

/** 0.00001 → "1e-5", 0.25 → "0.25"; a learning rate with its exponent. */
export function showValue(value: ParamValue, name = ""): string {
  if (typeof value !== "number") return String(value);
  if (name === "lr" && value < 1) return rateText(value);
  const short = Number(value.toPrecision(4));
  return short !== 0 && Math.abs(short) < 1e-3
    ? short.toExponential()
    : String(short);
}

/** `depth 4, lr 1e-2` */
export function describe(params: Params): string {
  return Object.entries(params)
    .map(([name, value]) => `${name} ${showValue(value, name)}`).join(", ") ||
    "the only setting";
}

/** A value: "84.6 %", or as it is. */
export function showMetric(value: number, unit: Unit): string {
  return unit === "points"
    ? `${(100 * value).toFixed(1)} %`
    : String(Number(value.toPrecision(4)));
}

/** A size without its unit: −0.0123 → "−1.2" in points. */
export function showSize(size: number, unit: Unit): string {
  const text = unit === "points"
    ? (100 * size).toFixed(1)
    : String(Number(size.toPrecision(3)));
  return text === "-0.0" ? "0.0" : text.replace(/^-/, "−");
}

/** A size with its unit: "1.2 points". */
export function showAmount(size: number, unit: Unit): string {
  return showSize(size, unit) + (unit === "points" ? " points" : "");
}

/** A difference with its sign: "+0.8 points". */
export function showDifference(difference: number, unit: Unit): string {
  const text = showAmount(difference, unit);
  return text.startsWith("−") ? text : `+${text}`;
}

/** "p = .048", "p < .001" */
export function showP(p: number): string {
  if (p < 0.001) return "p < .001";
  return `p = ${p.toFixed(3).replace(/^0/, "")}`;
}

/** `1 run`, `3 runs`, `2 to 5 runs` */
export function counted(n: number | string, noun: string): string {
  return `${n} ${noun}${String(n) === "1" ? "" : "s"}`;
}
