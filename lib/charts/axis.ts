/** Axes from values: which scale, from where to where, ticks and their words. */
import * as d3 from "d3";
import type { Read, Table, Value } from "./channels.ts";
import { isNumber, whatIs } from "./channels.ts";
import * as values from "./value_text.ts";

export type Scale = "log" | "linear" | "category";
export type Format = (value: number | string) => string;

export interface Axis {
  label: string;
  type: Scale;
  /** From low to high, or the categories in order. */
  domain: (number | string)[];
  ticks: (number | string)[];
  format: Format;
  /** Its values are shares, shown as percentages. */
  isShare: boolean;
  /** A value in a sentence or a tooltip: "53.2 %". */
  say: Format;
  /** Why a value has no place on the axis; null if it has one. */
  why(value: Value): string | null;
}

export interface AxisOptions {
  /** Default: the channel's field in words. */
  label?: string;
  scale?: Scale;
  format?: Format;
  /** Where the default scale becomes log: highest by lowest. */
  logFrom?: number;
  /** Ticks at the values themselves where they are few. */
  hasLevels?: boolean;
  /** Beyond the lowest and the highest value, a share of what lies between. */
  pad?: number;
  /** The least length of a linear domain. */
  least?: number;
}

/** Read on a log axis from a factor of 5; 0 is no rate. */
const RATES = /(^|\.)(lr|eps|weightDecay)$/;
/** What is a share by its name. */
export const SHARES = /accuracy|share/i;
/** Numbers of more levels have round ticks, or become no categories. */
const MOST_LEVELS = 8, MOST_CATEGORIES = 12;
/** What is closer than this to 0 is no place of its own on an axis. */
const LEAST = 1e-300;
/** No axis has room for more words. */
const MOST_TICKS = 400;

/**
 * The scale that shows most: log if all numbers are positive and span a factor
 * of 20 (a rate: of 5, and without its values of 0 or less), else linear. Words
 * need categories, and so does 0 among numbers that would be log without it.
 */
function scaleOf(values: Value[], name: string, logFrom?: number): Scale {
  if (values.some((v) => typeof v === "string")) return "category";
  if (/epoch|step$/i.test(name)) return "linear";
  const numbers = values.filter((v) => v !== null) as number[];
  const positive = numbers.filter((v) => v > 0);
  const [low = 1, high = 1] = d3.extent(positive) as [number?, number?];
  const isWide = high / low >= (logFrom ?? (RATES.test(name) ? 5 : 20));
  if (!isWide) return "linear";
  if (positive.length === numbers.length || /(^|\.)lr$/.test(name)) {
    return "log";
  }
  const isFew = logFrom === undefined && numbers.every((v) => v >= 0) &&
    new Set(numbers).size <= MOST_CATEGORIES;
  return isFew ? "category" : "linear";
}

/** The axis of a channel; `more` holds values beside the rows' own. */
export function axisOf<K extends string>(
  table: Table<K>,
  channels: K | readonly K[],
  o: AxisOptions = {},
  more: readonly Value[] = [],
): Axis {
  const keys = [channels].flat() as K[];
  const own = table.rows.flatMap((r) => keys.map((k) => r[k] as Value));
  const name = table.name(keys[0]), label = o.label ?? table.words(keys[0]);
  const { scale = "log", format = String } = o;
  const wrong = typeof label !== "string"
    ? `label is ${whatIs(label)}; give a text`
    : !["log", "linear", "category"].includes(scale)
    ? `scale is ${whatIs(scale)}; give log, linear or category`
    : typeof format !== "function" &&
      `format is ${whatIs(format)}; give a function`;
  if (wrong) throw new TypeError(`${table.chart}: of ${name} the ${wrong}`);
  const axis = axisFor([...own, ...more], { ...o, label, name });
  if (axis.isShare) checkShares(`${table.chart}: ${label}`, own);
  return axis;
}

/** @throws {TypeError} for values in percent: most of them are above 1 */
export function checkShares(what: string, all: readonly Value[]) {
  const sizes = all.filter((v) => typeof v === "number").map(Math.abs);
  const middle = d3.median(sizes) ?? 0;
  if (middle <= 1 || middle > 100) return;
  throw new TypeError(`${what} is ${middle}: give shares from 0 to 1`);
}

export function axisFor(
  all: Value[],
  o: AxisOptions & { label: string; name?: string },
): Axis {
  const isShare = SHARES.test(o.label);
  const type = o.scale ??
    scaleOf(all, o.name ?? "", isShare ? Infinity : o.logFrom);
  const asShare = (of: (v: number) => string, other: Format): Format =>
    o.format ?? ((v) => isShare && isNumber(v) ? of(v) : other(v));
  const say = asShare(values.percent, values.valueText);
  const why = (value: Value) =>
    value === null
      ? "is missing or not a number"
      : type === "category"
      ? null
      : typeof value === "string"
      ? `is no number on a ${type} axis`
      : type !== "log" || value > LEAST
      ? null
      : value > 0
      ? `is less than ${LEAST}`
      : "is 0 or negative on a log axis";
  const shown = values.levels(
    all.filter((v): v is number | string => why(v) === null),
  );
  const numbers = shown as number[];
  const domain = type === "category"
    ? shown
    : domainOf(numbers, type === "log", isShare, o);
  const isFew = o.hasLevels && shown.length > 0 && shown.length <= MOST_LEVELS;
  const ticks = type === "category" || isFew
    ? values.evenlySpaced(shown, MOST_TICKS)
    : type === "log"
    ? logTicks(domain as number[])
    : linearTicks(domain as number[], numbers.every(Number.isInteger));
  const format = type === "linear" && !isFew
    ? o.format ?? roundFormat(ticks as number[], isShare)
    : asShare(values.percentTick, values.valueFormat(ticks));
  return { label: o.label, type, domain, ticks, format, isShare, say, why };
}

/** Round ticks with as many decimals as tell them apart. */
function roundFormat(ticks: number[], isShare: boolean): Format {
  const factor = isShare ? 100 : 1, most = d3.max(ticks, Math.abs);
  const isOdd = most < 0.01 || most >= 1e5;
  if (isOdd && !isShare) return values.valueFormat(ticks);
  const step = factor * (ticks[1] - ticks[0]) || 1;
  const fixed = d3.format(`.${d3.precisionFixed(step)}f`);
  return (v) => fixed(factor * Number(v)) + (isShare ? " %" : "");
}

/** From the lowest to the highest number and `pad` beyond. */
function domainOf(
  numbers: number[],
  isLog: boolean,
  isShare: boolean,
  { pad = 0.06, least = 0 }: AxisOptions,
): [number, number] {
  if (numbers.length === 0) return isLog ? [1, 10] : [0, 1];
  const low = numbers[0], high = numbers.at(-1)!;
  if (isLog) {
    const factor = high > low ? ratioOf([low, high]) ** pad : 2;
    return [Math.max(low / factor, LEAST), Math.min(high * factor, 1 / LEAST)];
  }
  const alone = isShare ? 0.05 : Math.abs(low) / 10 || 0.5;
  // d3's ticks need a step that is no subnormal number.
  const more = (Math.max(least, 1e9 * LEAST) - (high - low)) / 2;
  const apart = Math.max(high > low ? pad * (high - low) : alone, more);
  const [from, to] = [low - apart, high + apart];
  // What is never negative begins at 0, and shares end at 1.
  const most = isShare && high <= 1 ? 1 : Infinity;
  if (low >= 0 && from < 0) return [0, Math.min(most, Math.max(to, least))];
  if (to > most) return [Math.min(from, most - least), most];
  return [from, to];
}

/** Round numbers within the domain, whole ones for whole values. */
function linearTicks([low, high]: number[], isWhole: boolean): number[] {
  const ticks: number[] = d3.ticks(low, high, 6);
  const whole = isWhole ? ticks.filter(Number.isInteger) : [];
  return whole.length > 0 ? whole : ticks;
}

const ratioOf = ([low, high]: number[]) =>
  Math.min(high / low, Number.MAX_VALUE);

/** Whole decades, with 2 and 5 of each or all multiples where they are few. */
function logTicks([low, high]: number[]): number[] {
  // As many as there are decades: d3 then gives every multiple of them.
  const many = Math.ceil(Math.log10(ratioOf([low, high]))) + 1;
  const all: number[] = d3.scaleLog([low, high], [0, 1]).ticks(many);
  const of = (digits: string) =>
    all.filter((t) => digits.includes(t.toExponential(0)[0]));
  const most = [of("1"), of("125"), all]
    .find((ticks, i) => ticks.length > [1, 3, 0][i]);
  return most ?? [low, high];
}

/**
 * The rows that all axes can show; those left out are counted in `notes` by the
 * reason: "2 rows left out: learning rate is 0 or negative on a log axis". Rows
 * without a value of the channel `value` are not left out but have failed.
 */
export function onAxes<K extends string>(
  table: Table<K>,
  axes: Partial<Record<NoInfer<K>, Axis>>,
  value: NoInfer<K>,
) {
  const nameOf = (key: K) => axes[key]?.label || table.words(key);
  const bound = (key: K) => table.large.has(key) ? " below 1e300" : "";
  const failure = `without ${nameOf(value)}${bound(value)} (failed)`;
  const whyNot = (row: Read<K>) => {
    for (const [key, axis] of Object.entries(axes) as [K, Axis][]) {
      const why = axis.why(row[key]),
        isLost = key === value && row[key] === null;
      if (why === null || isLost) continue;
      const most = row[key] === null ? bound(key) : "";
      return `left out: ${nameOf(key)} ${why}${most}`;
    }
    return typeof row[value] === "number" ? "" : failure;
  };
  const { "": rows = [], ...others } = Object.groupBy(table.rows, whyNot);
  const notes = Object.entries(others)
    .map(([reason, own]) => `${pluralOf(own!.length, "row")} ${reason}`);
  return { rows, failed: others[failure] ?? [], notes };
}

/** An interval in words: "50.1 % to 53.2 %"; empty where there is none. */
export const intervalWords = (
  { say }: Axis,
  low?: Value,
  high?: Value,
): string =>
  isNumber(low) && isNumber(high) && low < high
    ? `${say(low)} to ${say(high)}`
    : "";

/** 1 → "1 row", 2000 → "2,000 rows". */
export function pluralOf(n: number, noun: string): string {
  return `${d3.format(",")(n)} ${noun}${n === 1 ? "" : "s"}`;
}

/** The axis over pixels. */
export function pixels(
  { type, domain }: Axis,
  range: [number, number],
): (value: number | string) => number {
  if (type === "log") return d3.scaleLog(domain, range);
  if (type === "linear") return d3.scaleLinear(domain, range);
  const scale = d3.scaleBand(domain, range);
  return (v) => scale(v) + scale.bandwidth() / 2;
}
