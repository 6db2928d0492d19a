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
 * Categorical. Optuna wants kind, log flag and choices constant for a name
 * within a study, so those of `stored` are kept.
 *
 * @throws StudyError when the values do not fit the stored distribution.
 */
export function distributionOf(
  param: string,
  values: readonly ParamValue[],
  stored?: Distribution,
): Distribution {
  const refuse = (kind: string, value: ParamValue) =>
    new StudyError(
      `grid.${param}: ${JSON.stringify(value)} does not fit the ${kind} ` +
        `of the recorded trials: give the study a new name`,
    );
  const numbers = values.filter((v) => typeof v === "number");
  const numeric = numbers.length === values.length;
  const whole = numeric && numbers.every(Number.isSafeInteger);
  const kind = stored?.name ??
    (whole
      ? "IntDistribution"
      : numeric
      ? "FloatDistribution"
      : "CategoricalDistribution");
  if (kind === "CategoricalDistribution") {
    const choices = stored?.name === kind
      ? stored.attributes.choices
      : [...values];
    const odd = values.find((v) => !choices.includes(v));
    if (odd !== undefined) throw refuse("choices", odd);
    return { name: kind, attributes: { choices } };
  }
  const odd = values.find((v) =>
    typeof v !== "number" ||
    (kind === "IntDistribution" && !Number.isSafeInteger(v))
  );
  if (odd !== undefined) throw refuse(kind, odd);
  let low = Math.min(...numbers);
  let high = Math.max(...numbers);
  if (stored && stored.name !== "CategoricalDistribution") {
    low = Math.min(low, stored.attributes.low);
    high = Math.max(high, stored.attributes.high);
  }
  if (kind === "IntDistribution") {
    const log = stored?.name === kind && stored.attributes.log;
    if (log && low < 1) throw refuse("log scale", low);
    return { name: kind, attributes: { log, step: 1, low, high } };
  }
  const log = stored?.name === kind
    ? stored.attributes.log
    : low > 0 && high / low >= 10 * (1 - 1e-12);
  if (log && low <= 0) throw refuse("log scale", low);
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

/** Standard JSON; NaN and ±Infinity are written as strings of that name. */
export function encodeJson(value: unknown): string {
  return JSON.stringify(
    value ?? null,
    (_, v) => typeof v === "number" && !Number.isFinite(v) ? String(v) : v,
  );
}

/** Reads JSON of ours and of Python, whose NaN and ±Infinity are bare. */
export function decodeJson(text: string): unknown {
  if (!text.includes("NaN") && !text.includes("Infinity")) {
    return JSON.parse(text);
  }
  const standard = text.replace(
    /"(?:[^"\\]|\\.)*"|-?Infinity|NaN/g,
    (token) => token.startsWith('"') ? token : `"${token}"`,
  );
  return JSON.parse(
    standard,
    (_, v) =>
      typeof v === "string" && Object.hasOwn(SPECIAL, v) ? SPECIAL[v] : v,
  );
}

/** A time as `YYYY-MM-DD HH:MM:SS.ffffff`, naive UTC. */
export function encodeTime(time: Date): string {
  return time.toISOString().replace("T", " ").replace("Z", "000");
}

/** The inverse of `encodeTime`. */
export function decodeTime(text: string | null): Date | null {
  return text === null ? null : new Date(text.replace(" ", "T") + "Z");
}
