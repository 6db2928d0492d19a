// deno-lint-ignore-file no-explicit-any
/**
 * Channels: what a chart reads of its rows. A channel is a field's name (a key
 * of the row as it stands, such as "mixing.alpha", else a path into nested
 * objects, such as "recipe.depth") or a function of the row and its number.
 */

import { valueText } from "./value_text.ts";

/** A value of a channel; what is missing or no finite number is null. */
export type Value = number | string | null;
export type Channel<T = unknown> = string | ((row: any, i: number) => T);

/** The rows of a chart: any iterable of plain objects. */
export type Rows = Iterable<any>;

/** A default channel: the first of the fields that a row has. */
class Default {
  constructor(readonly fields: string[], readonly isNeeded: boolean) {}
}

/** The first of `fields` that the rows have; an error if they have none. */
export const firstOf = (...fields: string[]) => new Default(fields, true);
/** The same; without any of them the channel is not there. */
export const maybe = (...fields: string[]) => new Default(fields, false);

/** The same channel, which rows need not have. */
export const optional = (channel: Channel | undefined) =>
  typeof channel === "string" ? maybe(channel) : channel ?? maybe();

/** A value's interval, which rows need not have. */
export const INTERVAL = { low: maybe("low"), high: maybe("high") };

/** A row's values by channel, beside the row itself. */
export type Read<K extends string> = Record<K, Value> & { row: unknown };

/** Rows as read, and what their channels are called. */
export interface Table<K extends string> {
  chart: string;
  rows: Read<K>[];
  /** The channels of which a number is too large to be drawn. */
  large: Set<K>;
  /** The field's name as it stands in the rows; of a function, the channel's. */
  name(channel: K): string;
  /** The field in words, for an axis: "learning rate". */
  words(channel: K): string;
}

const WORDS = new Map(Object.entries({
  ...{ accuracy: "test accuracy", mean: "mean test accuracy" },
  ...{ lr: "learning rate", "schedule.gamma": "decay of the rate" },
  ...{ "mixing.alpha": "mixing's alpha", eps: "Adam's eps" },
  ...{ beta1: "Adam's beta 1", "betas.0": "Adam's beta 1" },
  ...{ beta2: "Adam's beta 2", "betas.1": "Adam's beta 2" },
}));

/** A field in words: "weightDecay" → "weight decay", "recipe.dim" → "dim". */
export function wordsOf(field: string): string {
  return WORDS.get(field) ?? field.split(".").at(-1)!
    .replace(/([a-z])([A-Z])/g, "$1 $2").replaceAll("_", " ").toLowerCase();
}

/** Under this key a row of a study keeps the names of its parameters. */
export const PARAMETERS = Symbol.for("ferlab.parameters");

/** Under this key a published row keeps the name of its data set. */
export const DATA_SET = Symbol.for("ferlab.dataSet");

/**
 * A trial in words: its parameters but those told, and its seed, if it has. A row
 * that stands for several trials has `values` that they have of parameters.
 */
export function trialWords(
  row: unknown,
  told: readonly string[] = [],
  values: Record<string, readonly unknown[]> = {},
): string {
  const own = (row ?? {}) as Record<string | symbol, any>;
  const names: string[] = own[PARAMETERS] ?? [];
  const isTrial = typeof own.study === "string" && Number.isInteger(own.number);
  const known = names.filter((name) => own[name] !== undefined)
    .map((name) => [name, [own[name]]]);
  const of = isTrial
    ? `${own.study}/${own.number}`
    : JSON.stringify({ ...values, ...Object.fromEntries(known) });
  const words = [...names, "seed"]
    .filter((name) => !told.includes(name) && own[name] != null)
    // A seed is a name, of which every digit counts.
    .map((name) =>
      name === "seed"
        ? `seed ${own.seed}`
        : `${wordsOf(name)} ${valueText(own[name])}`
    ).join(", ");
  return words + (of === "{}" ? "" : MARK + of + MARK);
}

/** A sign that nobody sees, about the trials that words are about. */
const MARK = "\u2063";

/**
 * A chart's markup in which a mark has its trial as `data-trial` ("depth/12"),
 * or the values of parameters that its trials have as `data-setting` (JSON), not
 * in words.
 */
export const withTrials = (svg: string): string =>
  svg.replace(
    /(<[a-z]+\b[^<>]*)>(<title>[^<]*?)\n?\u2063([^<\u2063]*)\u2063/g,
    (_, tag, title, of) =>
      `${tag} data-${of.startsWith("{") ? "setting" : "trial"}=` +
      `"${of.replace(/"/g, "&quot;")}">${title}`,
  ).replace(/\n?\u2063[^<>\u2063]*\u2063/g, "");

/** What an object has itself under a key, not what all objects inherit. */
export const ownValue = (of: any, key: string): unknown =>
  typeof of === "object" && of && Object.hasOwn(of, key) ? of[key] : undefined;

/** The row's field: its own key, else a path; undefined where it has none. */
const lookUp = (row: object, field: string): unknown =>
  Object.hasOwn(row, field)
    ? ownValue(row, field)
    : field.split(".").reduce(ownValue, row as unknown);

/** A number that a scale can bear; infinite and absurdly large ones are not. */
export const isNumber = (value: unknown): value is number =>
  typeof value === "number" && Math.abs(value) < 1e300;

/** Numbers stay, a BigInt becomes one, a date its milliseconds. */
function channelValue(value: unknown, where: string): Value {
  if (value === undefined || value === null) return null;
  if (typeof value === "bigint") value = Number(value);
  if (value instanceof Date) value = value.getTime();
  if (typeof value === "number") return isNumber(value) ? value : null;
  if (Array.isArray(value)) value = value.join(", ");
  if (typeof value === "object" || typeof value === "function") {
    const told = isPromise(value)
      ? "is a promise; await it before the chart"
      : 'holds objects; name a field of theirs, such as "recipe.depth"';
    throw new TypeError(`${where} ${told}`);
  }
  return String(value);
}

const isPromise = (value: unknown) =>
  typeof (value as PromiseLike<unknown> | null)?.then === "function";

/** What was given instead of rows, in a few words. */
export function whatIs(value: unknown): string {
  if (isPromise(value)) return "a promise (await it)";
  if (typeof value === "string") return `the text "${value.slice(0, 40)}"`;
  if (typeof value === "function") return "a function";
  return typeof value === "object" && value ? "one object" : String(value);
}

/** @throws {TypeError} for a call without its options, or with what is none */
export function checkOptions(
  name: string,
  o: unknown,
  example: string,
  what = "options",
) {
  if (isGroups(o)) return;
  throw new TypeError(`${name}: the ${what} are ${whatIs(o)}; give ${example}`);
}

/** What a function makes of a row. @throws {TypeError} that names both */
export function callAt<T>(
  what: string,
  of: (row: any, i: number) => T,
  row: unknown,
  i: number,
): T {
  try {
    return of(row, i);
  } catch (cause) {
    const [told] = String((cause as Error)?.message ?? cause).split("\n");
    throw new TypeError(`${what} fails at row ${i + 1}: ${told}`, { cause });
  }
}

export const isList = (of: unknown): of is unknown[] =>
  Array.isArray(of) || ArrayBuffer.isView(of);

/** @throws {TypeError} for what is no list, or has fewer than `least` */
export function checkList(what: string, of: unknown, least = 0) {
  if (isList(of) && of.length >= least) return;
  const few = least > 0 ? ` of ${least}` : "";
  throw new TypeError(`${what} are ${whatIs(of)}; give a list${few}`);
}

/** Whether `of` may be read as rows: a list, a polars frame. */
const isRows = (of: unknown): boolean =>
  typeof of === "object" && of !== null &&
  // A frame is a proxy, which has its methods but does not list them.
  (Symbol.iterator in of ||
    typeof (of as { toRecords?: unknown }).toRecords === "function");

/** Whether `of` are groups of rows by name, not one list. */
export const isGroups = <T>(
  of: T | Record<string, T>,
): of is Record<string, T> => whatIs(of) === "one object" && !isRows(of);

/**
 * The rows as an array; a polars frame is taken as its records.
 *
 * @throws {TypeError} for what is no list of objects, and for one of `fields`
 * that no row has
 */
export function listOf(
  chart: string,
  rows: unknown,
  fields: readonly string[] = [],
): object[] {
  if (!isRows(rows)) {
    const what = whatIs(rows);
    throw new TypeError(`${chart}: the rows are ${what}, not a list of rows`);
  }
  const frame = rows as { toRecords?: () => object[] };
  const all = frame.toRecords?.() ?? [...rows as Iterable<object>];
  const wrong = all.findIndex((r) => typeof r !== "object" || r === null);
  if (wrong >= 0) {
    const what = `${chart}: row ${wrong + 1} is ${whatIs(all[wrong])}`;
    throw new TypeError(`${what}, not an object with fields`);
  }
  for (const field of fields) {
    if (typeof field !== "string") {
      const what = `${chart}: a field is ${whatIs(field)}`;
      throw new TypeError(`${what}; give its name`);
    }
    const isHeld = all.some((row) => ownValue(row, field) !== undefined);
    if (all.length > 0 && !isHeld) lacks(chart, `"${field}"`, all);
  }
  return all;
}

/** @throws {TypeError} for fields that no row has, with those that there are */
function lacks(chart: string, fields: string, rows: object[]): never {
  const known = [...new Set(rows.slice(0, 100).flatMap(Object.keys))];
  const more = known.length > 30 ? ` and ${known.length - 30} more` : "";
  const names = `${known.slice(0, 30).join(", ") || "none"}${more}`;
  throw new TypeError(`${chart}: no row has ${fields}: there are ${names}`);
}

/**
 * Reads `channels` of `rows` for the chart of that name.
 *
 * @throws {TypeError} that names chart, channel and row: for what is no channel,
 * a field that no row has, a function that fails, and objects as values.
 */
export function readChannels<K extends string>(
  chart: string,
  rows: Rows,
  channels: Record<K, Channel | Default | undefined>,
): Table<K> {
  const list = listOf(chart, rows);
  const isHeld = (field: string) =>
    list.some((row) => lookUp(row, field) !== undefined);
  /** The first field that is held, or the function. */
  const resolve = (key: K): Channel | undefined => {
    const channel = channels[key];
    if (typeof channel === "function") return channel;
    const { fields, isNeeded } = channel instanceof Default
      ? channel
      : firstOf(channel as string);
    if (!fields.every((f) => typeof f === "string")) {
      const what = `${chart}: the channel ${key} is ${whatIs(fields[0])}; give`;
      throw new TypeError(`${what} a field's name or a function of a row`);
    }
    const field = fields.find(isHeld);
    if (field !== undefined || !isNeeded) return field;
    const names = fields.map((f) => `"${f}"`).join(" or ");
    if (list.length > 0) lacks(chart, `${names} (channel ${key})`, list);
    return fields[0];
  };
  const keys = Object.keys(channels) as K[];
  const large = new Set<K>();
  const resolved = new Map(keys.map((key) => [key, resolve(key)]));
  const valueAt = (row: object, i: number, key: K): Value => {
    const channel = resolved.get(key);
    if (channel === undefined) return null;
    const isField = typeof channel === "string";
    const where = isField
      ? `${chart}: the channel ${key} (${channel})`
      : `${chart}: the function of the channel ${key}`;
    const value = isField
      ? lookUp(row, channel)
      : callAt(where, channel, row, i);
    if (Number.isFinite(value) && !isNumber(value)) large.add(key);
    return channelValue(value, where);
  };
  const name = (key: K) => {
    const channel = resolved.get(key);
    return typeof channel === "string" ? channel : key;
  };
  return {
    ...{ chart, large, name, words: (key) => wordsOf(name(key)) },
    rows: list.map((row, i) => {
      const values = keys.map((key) => [key, valueAt(row, i, key)]);
      return { ...Object.fromEntries(values), row } as Read<K>;
    }),
  };
}
