/** How Optuna's tables spell values, distributions, attributes and times. */
import type { ParamValue } from "../definition.ts";
import { StudyError } from "../errors.ts";

export type Distribution =
  | {
    name: "FloatDistribution";
    attributes: {
      step: number | null;
      low: number;
      high: number;
      log: boolean;
    };
  }
  | {
    name: "IntDistribution";
    attributes: { log: boolean; step: number; low: number; high: number };
  }
  | {
    name: "CategoricalDistribution";
    attributes: { choices: (ParamValue | null)[] };
  };

/**
 * The distribution that covers a parameter's grid values: whole numbers are
 * Int, other numbers Float (log from a span of 10 times), the rest
 * Categorical. What is `stored` for the trials so far is kept where it
 * can be and widened else: Optuna wants one distribution of a name in a study.
 *
 * @throws StudyError for numbers among choices, or choices among numbers.
 */
export function distributionOf(
  param: string,
  values: readonly ParamValue[],
  stored?: Distribution,
): Distribution {
  const numbers = values.filter((v) => typeof v === "number");
  const numeric = numbers.length === values.length;
  const whole = numeric && numbers.every(Number.isSafeInteger);
  const fresh = whole
    ? "IntDistribution"
    : numeric
    ? "FloatDistribution"
    : "CategoricalDistribution";
  const kind = stored?.name === "IntDistribution" && numeric
    ? fresh
    : stored?.name ?? fresh;
  if (kind === "CategoricalDistribution") {
    const known = stored?.name === kind ? stored.attributes.choices : [];
    const choices = [...known, ...values.filter((v) => !known.includes(v))];
    return { name: kind, attributes: { choices } };
  }
  const odd = values.find((v) => typeof v !== "number");
  if (odd !== undefined) {
    throw new StudyError(
      `parameters.${param}: ${JSON.stringify(odd)} does not fit the ${kind} ` +
        `of the recorded trials: give the study a new name`,
    );
  }
  let low = Math.min(...numbers);
  let high = Math.max(...numbers);
  if (stored && stored.name !== "CategoricalDistribution") {
    low = Math.min(low, stored.attributes.low);
    high = Math.max(high, stored.attributes.high);
  }
  if (kind === "IntDistribution") {
    const log = stored?.name === kind && stored.attributes.log && low > 0;
    return { name: kind, attributes: { log, step: 1, low, high } };
  }
  const log = low > 0 &&
    (stored?.name === kind
      ? stored.attributes.log
      : high / low >= 10 * (1 - 1e-12));
  return { name: kind, attributes: { step: null, low, high, log } };
}

/**
 * A parameter as Optuna stores it: a number, or the index of its choice.
 *
 * @throws StudyError for a value that is not among the choices.
 */
export function encodeParam(
  name: string,
  value: ParamValue,
  d: Distribution,
): number {
  const stored = d.name === "CategoricalDistribution"
    ? d.attributes.choices.indexOf(value)
    : typeof value === "number"
    ? value
    : NaN;
  if (stored === -1 && d.name === "CategoricalDistribution") {
    throw new StudyError(
      `parameter ${name}: ${JSON.stringify(value)} is not among its choices ` +
        JSON.stringify(d.attributes.choices),
    );
  }
  if (!Number.isFinite(stored)) {
    throw new StudyError(
      `parameter ${name}: ${JSON.stringify(value)} is not a finite number`,
    );
  }
  return stored;
}

/** The inverse of `encodeParam`. */
export function decodeParam(stored: number, d: Distribution): ParamValue {
  if (d.name !== "CategoricalDistribution") return stored;
  return d.attributes.choices[stored] as ParamValue;
}

/** A float as Optuna stores it: [column value, column type]. */
export function encodeValue(value: number): [number | null, string] {
  if (Number.isNaN(value)) return [null, "NAN"];
  if (value === Infinity) return [null, "INF_POS"];
  if (value === -Infinity) return [null, "INF_NEG"];
  return [value, "FINITE"];
}

/** The inverse of `encodeValue`. */
export function decodeValue(value: number | null, type: string): number {
  if (type === "INF_POS") return Infinity;
  if (type === "INF_NEG") return -Infinity;
  return type === "NAN" || value === null ? NaN : value;
}

const SPECIAL: Record<string, number> = {
  NaN: NaN,
  Infinity: Infinity,
  "-Infinity": -Infinity,
};

const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

/**
 * JSON as Python writes and reads it: NaN and ±Infinity are bare words, a
 * BigInt is a whole number with all its digits.
 */
export function encodeJson(value: unknown): string {
  const text = JSON.stringify(value ?? null, (_, v) => {
    if (typeof v === "bigint") return rawJSON(String(v));
    return typeof v === "number" && !Number.isFinite(v) ? `\0${v}` : v;
  });
  return text.replace(/"\\u0000(NaN|-?Infinity)"/g, "$1");
}

/** A whole number that may have more digits than a number keeps. */
const LONG = /(?:^|[\s:,[])-?\d{16,}(?=[\s,\]}]|$)/;

/** `JSON.parse`, which a number's source tells of. */
const parse = JSON.parse as (
  text: string,
  reviver: (key: string, v: unknown, context: { source: string }) => unknown,
) => unknown;

/** What JSON.parse's reviver makes of whole numbers that lose digits: BigInts. */
function keepDigits(
  _key: string,
  v: unknown,
  { source }: { source: string },
): unknown {
  // What a number of ours looks like is one again, such as a loss of 1e17.
  return Number.isInteger(v) && !Number.isSafeInteger(v) &&
      /^-?\d+$/.test(source) && source !== String(v)
    ? BigInt(source)
    : v;
}

/** `JSON.parse` that keeps the digits of whole numbers, as BigInts. */
export function parseJson(text: string): unknown {
  return LONG.test(text) ? parse(text, keepDigits) : JSON.parse(text);
}

/**
 * Reads JSON of ours and of Python, bare NaN and ±Infinity included; a whole
 * number that would lose digits is a BigInt.
 */
export function decodeJson(text: string): unknown {
  if (!text.includes("NaN") && !text.includes("Infinity")) {
    return parseJson(text);
  }
  const standard = text.replace(
    /"(?:[^"\\]|\\.)*"|-?Infinity|NaN/g,
    (token) => token.startsWith('"') ? token : `"\\u0000${token}"`,
  );
  return parse(
    standard,
    (key, v, context) =>
      typeof v === "string" && v.startsWith("\0")
        ? SPECIAL[v.slice(1)] ?? v
        : keepDigits(key, v, context),
  );
}

/** A time as `YYYY-MM-DD HH:MM:SS.ffffff`, naive UTC. */
export function encodeTime(time: Date): string {
  return time.toISOString().replace("T", " ").replace("Z", "000");
}

/** The inverse of `encodeTime`; null for a text that is no time. */
export function decodeTime(text: string | null): Date | null {
  const time = new Date(text === null ? NaN : text.replace(" ", "T") + "Z");
  return Number.isNaN(Number(time)) ? null : time;
}
