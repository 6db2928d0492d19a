/** What a study is: its parameters and their roles, search, repeats, budget. */
import { z } from "zod";
import {
  atMost,
  dottedFrom,
  inMessage,
  notPlain,
  parsedBy,
} from "../faults/mod.ts";
import { printable } from "../weights/mod.ts";
import { StudyError } from "./errors.ts";
import { PrunerSchema } from "./pruners.ts";

export { StudyError };
export type ParamValue = number | string | boolean;
export type Params = Record<string, ParamValue>;

const Value = z.union([z.number(), z.string(), z.boolean()], {
  error: ({ input }) =>
    typeof input === "bigint"
      ? "a whole number beyond 2^53 loses digits as a number: give it " +
        "as a text"
      : `got ${inMessage(input)}; give a finite number, a text, true or false`,
});

/**
 * What a parameter is for (Google's tuning playbook): the question is asked
 * about scientific ones; nuisance ones are tuned for each value of those.
 */
const Role = z.enum(["scientific", "nuisance"]).default("scientific");

const Values = z.array(Value).min(1, "is empty: list its values");

const Listed = z.strictObject({ values: Values, role: Role });

const Range = z.strictObject({
  low: z.number(),
  high: z.number(),
  /** Whether the logarithm is searched evenly. */
  log: z.boolean().default(false),
  /** Whole numbers only. */
  int: z.boolean().default(false),
  /** Distance of neighbours; not with `log`. */
  step: z.number().positive().optional(),
  role: Role,
});

const Parameter = z.union([
  Values.transform((values) => ({ values, role: "scientific" as const })),
  Listed,
  Range,
], {
  error: ({ input }) =>
    `got ${
      inMessage(input)
    }; give a list of finite numbers, texts or booleans, ` +
    "{ values, role } or { low, high, log, int, step, role }",
});

const Points = z.int().min(1);

const Search = z.discriminatedUnion("kind", [
  /** Every combination of the listed values. */
  z.strictObject({ kind: z.literal("grid") }),
  /** These settings and no others. */
  z.strictObject({
    kind: z.literal("list"),
    points: z.array(z.record(z.string(), Value)).min(1, "list its points"),
  }),
  /** That many settings, drawn independently. */
  z.strictObject({ kind: z.literal("random"), points: Points }),
  /** That many settings, spread evenly (scrambled Sobol sequence). */
  z.strictObject({ kind: z.literal("sobol"), points: Points }),
  /** That many settings, each chosen by the results so far. */
  z.strictObject({
    kind: z.literal("tpe"),
    points: Points,
    /** Random settings at first. */
    startup: z.int().min(1).default(10),
  }),
]);

/** A study as a user writes it; everything but name and parameters has a default. */
export const StudySchema = z.strictObject({
  name: z.string().min(1, "has to have 1 to 480 characters")
    .max(480, "has to have 1 to 480 characters")
    .regex(
      /^(?![\s\p{Cf}])[^@\p{Cc}\p{Cs}\p{Zl}\p{Zp}]*(?<![\s\p{Cf}])$/u,
      "may not hold @, line breaks or control characters, nor begin or end " +
        "with a blank",
    ),
  /** Whether a higher or a lower value is better. */
  direction: z.enum(["maximize", "minimize"]).default("maximize"),
  /** The name of the value that each trial returns. */
  metric: z.string().min(1).default("value"),
  parameters: z.record(z.string().min(1).max(512), Parameter).default({}),
  search: Search.default({ kind: "grid" }),
  /** Runs of each setting; run r has the same seed in every setting. */
  repeats: z.int().min(1).default(1),
  /** From which the repeats' seeds and the random searches come. */
  seed: z.int().default(0),
  /** New trials are not started beyond it. */
  budget: z.strictObject({
    /** Trials that ended, failed ones included. */
    trials: z.int().min(1).optional(),
    /** Hours of trials that ended, summed over all machines. */
    hours: z.number().positive().optional(),
  }).default({}),
  pruner: PrunerSchema.default({ kind: "none" }),
  /**
   * What all trials share, as plain JSON data. With direction and metric it is
   * the study's identity: other fixed settings make another record.
   */
  fixed: z.record(z.string(), z.unknown()).superRefine((fixed, context) => {
    for (const { path, what: message } of notPlain(fixed)) {
      context.addIssue({ code: "custom", path, message });
    }
  }).default({}),
});

export type StudyInput = z.input<typeof StudySchema>;
export type Study = z.output<typeof StudySchema>;
export type Parameter = Study["parameters"][string];

/** More would fill the memory before the first of them runs. */
const MAX_TRIALS = 1e5;

/** How many trials a study plans. */
export function plannedTrials({ search, parameters, repeats }: Study): number {
  if (search.kind === "list") return search.points.length * repeats;
  if (search.kind !== "grid") return search.points * repeats;
  return Object.values(parameters).reduce(
    (n, parameter) => "values" in parameter ? n * parameter.values.length : n,
    repeats,
  );
}

/** Whether a trial is one that a study plans, not of a wider grid. */
export function isPlanned(
  { parameters, search, repeats }: Study,
  { params, repeat }: { params: Params; repeat: number },
): boolean {
  if (repeat >= repeats) return false;
  if (search.kind === "list") {
    return search.points.some((point) =>
      Object.entries(point).every(([name, v]) => sameValue(params[name], v))
    );
  }
  return Object.entries(parameters).every(([name, p]) => {
    const value = params[name];
    return "values" in p
      ? p.values.some((v) => sameValue(v, value))
      : typeof value === "number" && value >= p.low && value <= p.high;
  });
}

/** What is wrong with a parameter beside its single fields. */
function* parameterFaults(
  name: string,
  parameter: Parameter,
  search: Study["search"]["kind"],
): Generator<string> {
  const at = `parameters.${printable(name)}`;
  if ("values" in parameter) {
    const seen = new Set<ParamValue>();
    for (const value of parameter.values) {
      const same = typeof value === "number" ? canonicalNumber(value) : value;
      if (seen.has(same)) {
        yield `${at} lists ${inMessage(value)} twice: use repeats instead`;
      }
      seen.add(same);
    }
    return;
  }
  const { low, high, log, int, step } = parameter;
  if (search === "grid") {
    yield `${at} is a range, a grid needs values: list them, or choose a search`;
  }
  if (canonicalNumber(low) >= canonicalNumber(high)) {
    yield `${at}: low ${low} has to be below high ${high}`;
  }
  if (high - low === Infinity) {
    yield `${at}: ${low} to ${high} is too wide: narrow it`;
  }
  if (log && low <= 0) yield `${at}.low is ${low}: a log range starts above 0`;
  if (log && step) yield `${at} has log and step: leave one out`;
  if (int && ![low, high, step ?? 1].every(Number.isSafeInteger)) {
    yield `${at} is int: give whole numbers`;
  }
}

/** What is wrong with a study whose fields are sound by themselves. */
function* studyFaults(study: Study): Generator<string> {
  const { search } = study;
  const names = Object.keys(study.parameters);
  for (const name of names) {
    yield* parameterFaults(name, study.parameters[name], search.kind);
  }
  if (plannedTrials(study) > MAX_TRIALS) {
    yield `${plannedTrials(study)} trials are planned, and a study has at ` +
      `most ${MAX_TRIALS}: give fewer values, points or repeats`;
  }
  if (search.kind === "list") {
    const wanted = names.length ? names : Object.keys(search.points[0]);
    for (const [i, point] of search.points.entries()) {
      const odd = wanted.find((n) => !(n in point)) ??
        Object.keys(point).find((n) => !wanted.includes(n));
      if (odd === undefined) continue;
      const [no, lack] = odd in point
        ? ["", ", which others lack"]
        : ["no ", ""];
      yield `search.points[${i}] has ${no}${printable(odd)}${lack}: name the ` +
        "same parameters in all points";
    }
  } else if (search.kind !== "grid" && names.length === 0) {
    yield `parameters: a ${search.kind} search needs some`;
  }
}

/** The same of parameters that are sound by themselves, of a study that is not. */
function* soundParametersFaults(input: unknown): Generator<string> {
  const { parameters, search } = Object(input);
  for (const [name, given] of Object.entries(Object(parameters))) {
    const { data } = Parameter.safeParse(given);
    if (data) yield* parameterFaults(name, data, search?.kind ?? "grid");
  }
}

const dotted = dottedFrom();

/**
 * The study that `input` describes, the default where it says nothing.
 *
 * @throws StudyError `study "<name>": <path>: <what>; <what to do>`, a line a
 * fault
 */
export function parseStudy(input: unknown): Study {
  const given = (input as { name?: unknown } | null)?.name;
  const where = typeof given === "string"
    ? `study "${printable(given)}"`
    : "study without a name";
  const { data, faults } = parsedBy(StudySchema, input, {
    dotted: (path) => dotted(path) || "it",
  });
  const all = atMost(
    data
      ? [...studyFaults(data)]
      : [...faults!, ...soundParametersFaults(input)],
  );
  if (data && all.length === 0) return data;
  throw new StudyError(all.map((fault) => `${where}: ${fault}`).join("\n"));
}

/**
 * A number to 12 significant digits, so that 10 ** -3 and 0.001 are one; whole
 * ones keep all.
 */
export function canonicalNumber(value: number): number {
  return Number.isFinite(value) && !Number.isSafeInteger(value)
    ? Number(value.toPrecision(12))
    : value + 0;
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** JSON with sorted keys and numbers of 12 significant digits. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, v) => {
    if (typeof v === "number") return canonicalNumber(v);
    // One that is a number's text is read back as that number.
    if (typeof v === "bigint") {
      return `${Number(v)}` === `${v}` ? Number(v) : `${v}`;
    }
    if (!isObject(v)) return v;
    return Object.fromEntries(
      Object.entries(v).sort(([a], [b]) => a < b ? -1 : 1),
    );
  });
}

/** Whether two values name the same setting. */
export function sameValue(a: ParamValue, b: ParamValue): boolean {
  return typeof a === "number" && typeof b === "number"
    ? canonicalNumber(a) === canonicalNumber(b)
    : a === b;
}
