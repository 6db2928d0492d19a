/** Parameters, settings and results as text. */
import {
  canonicalNumber,
  type Params,
  type ParamValue,
} from "../../lib/study/commands.ts";
import { clean, short } from "../text.ts";

/** Digits by which numbers are told apart at all. */
const ALL_DIGITS = 12;

/**
 * A text for each of several numbers, with as few digits, from four on, as tell
 * different ones apart.
 */
export function apart(
  values: readonly (number | null)[],
  text: (value: number, digits: number) => string,
): (value: number | null) => string {
  const known = new Set(values.filter((v) => v !== null).map(canonicalNumber));
  const texts = (digits: number) =>
    new Set([...known].map((value) => text(value, digits)));
  let digits = 4;
  while (digits < ALL_DIGITS && texts(digits).size < known.size) digits++;
  return (value) => value === null ? "" : text(value, digits);
}

/** A hash as far as it tells it from others; other texts as they are. */
export const cutHash = (text: string): string =>
  text.replace(/^([0-9a-f]{12})[0-9a-f]{20,}$/, "$1…");

/** The longest number that stands as it is among words. */
const LONGEST = 12;

/**
 * A parameter's value; a text that reads as another one is in quotes. A
 * learning rate has its exponent, as reports have it;
 * of a long number without `digits` four are shown.
 */
export function shownParam(
  value: ParamValue,
  name = "",
  digits?: number,
): string {
  if (typeof value === "string") {
    const isOther = /^(true|false|null)?$/.test(value) ||
      !Number.isNaN(Number(value));
    return isOther ? JSON.stringify(value) : value;
  }
  if (typeof value !== "number" || Number.isInteger(value)) {
    return String(value);
  }
  if (digits === undefined) {
    const all = shownParam(value, name, ALL_DIGITS);
    return all.length <= LONGEST ? all : shownParam(value, name, 4);
  }
  return name === "lr" && Number.isFinite(value)
    ? Number(value.toPrecision(digits)).toExponential()
    : short(value, digits);
}

/** A setting as words: `depth 2, lr 1e-3`. */
export function describeParams(params: Params): string {
  return Object.entries(params)
    .map(([name, value]) => clean(`${name} ${shownParam(value, name)}`))
    .join(", ");
}

const isShare = (value: number, metric: string) =>
  /accuracy/i.test(metric) && Math.abs(value) <= 1;

/** An objective's value without its unit, but for an accuracy in percent. */
export function shownValue(
  value: number | null,
  metric: string,
  digits = 4,
): string {
  if (value === null) return "";
  return isShare(value, metric)
    ? `${(100 * value).toFixed(Math.max(1, digits - 3))} %`
    : short(value, digits);
}

/** An objective's value with what it is of: `2171 images/s`, `53.2 %`. */
export function withUnit(
  value: number | null,
  metric: string,
  digits = 4,
): string {
  const text = shownValue(value, metric, digits);
  return value === null || metric === "value" || isShare(value, metric)
    ? text
    : `${text} ${clean(metric)}`;
}

/** Each of several values of one objective, so that they are told apart. */
export const valueTexts = (
  values: readonly (number | null)[],
  metric: string,
) => apart(values, (value, digits) => shownValue(value, metric, digits));
