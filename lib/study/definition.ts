/** What a study is: its parameters and their roles, search, repeats, budget. */
import { z } from "zod";
import { StudyError } from "./errors.ts";
import { PrunerSchema } from "./pruners.ts";

export { StudyError };
export type ParamValue = number | string | boolean;
export type Params = Record<string, ParamValue>;

const LONG_NUMBER = "holds a whole number beyond 2^53, of which a number " +
  "keeps not all digits: give it as a text";

const Value = z.union([
  z.number({ error: "use finite numbers, strings or booleans" }),
  z.string(),
  z.boolean(),
]);

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
  error: (issue) => {
    if (Array.isArray(issue.input) && issue.input.length === 0) {
      return "is empty: list its values";
    }
    const values = Array.isArray(issue.input)
      ? issue.input
      : (issue.input as { values?: unknown } | null)?.values;
    if (Array.isArray(values) && values.some((v) => typeof v === "bigint")) {
      return LONG_NUMBER;
    }
    return "give a list of finite numbers, strings or booleans, " +
      "{ values, role } or { low, high, log, int, step, role }";
  },
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
    .regex(/^[^@\p{Cc}]+$/u, "may not hold @ or control characters"),
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
  fixed: z.record(z.string(), z.unknown()).default({}),
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

/** A path as a user writes it: `parameters.lr[2]`. */
function dotted(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, key) =>
      typeof key === "number"
        ? `${text}[${key}]`
        : `${text}${text ? "." : ""}${String(key)}`,
    "",
  );
}

const quoted = (value: unknown) => JSON.stringify(value);

function checkParameter(
  where: string,
  name: string,
  parameter: Parameter,
  search: Study["search"]["kind"],
): void {
  const refuse = (text: string): never => {
    throw new StudyError(`${where}: parameters.${name}${text}`);
  };
  if ("values" in parameter) {
    const seen = new Set<ParamValue>();
    for (const value of parameter.values) {
      const same = typeof value === "number" ? canonicalNumber(value) : value;
      if (seen.has(same)) {
        refuse(` lists ${value} twice: use repeats instead`);
      }
      seen.add(same);
    }
    return;
  }
  const { low, high, log, int, step } = parameter;
  if (search === "grid") {
    refuse(` is a range, a grid needs values: list them, or choose a search`);
  }
  if (low >= high) refuse(`: low ${low} has to be below high ${high}`);
  if (log && low <= 0) refuse(`.low is ${low}: a log range starts above 0`);
  if (log && step) refuse(` has log and step: leave one out`);
  if (int && ![low, high, step ?? 1].every(Number.isSafeInteger)) {
    refuse(` is int: give whole numbers`);
  }
}

/**
 * The study that `input` describes, the default where it says nothing.
 *
 * @throws StudyError `study "<name>": <path>: <what>; <what to do>`
 */
export function parseStudy(input: unknown): Study {
  const given = (input as { name?: unknown } | null)?.name;
  const where = `study ${quoted(given) ?? "without a name"}`;
  const parsed = StudySchema.safeParse(input);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const path = issue.code === "unrecognized_keys"
      ? [...issue.path, issue.keys[0]]
      : issue.path;
    const message = issue.code === "unrecognized_keys"
      ? `unknown field; known are ${Object.keys(StudySchema.shape).join(", ")}`
      : issue.message;
    throw new StudyError(`${where}: ${dotted(path) || "it"}: ${message}`);
  }
  const study = parsed.data;
  const names = Object.keys(study.parameters);
  for (const name of names) {
    checkParameter(where, name, study.parameters[name], study.search.kind);
  }
  if (plannedTrials(study) > MAX_TRIALS) {
    throw new StudyError(
      `${where}: ${
        plannedTrials(study)
      } trials are planned, and a study has at ` +
        `most ${MAX_TRIALS}: give fewer values, points or repeats`,
    );
  }
  if (study.search.kind === "list") {
    study.search.points.forEach((point, i) => {
      const wanted = names.length
        ? names
        : Object.keys((study.search as { points: Params[] }).points[0]);
      const odd = wanted.find((n) => !(n in point)) ??
        Object.keys(point).find((n) => !wanted.includes(n));
      if (odd !== undefined) {
        throw new StudyError(
          `${where}: search.points[${i}] has ${
            odd in point ? `${odd}, which others lack` : `no ${odd}`
          }: name the same parameters in all points`,
        );
      }
    });
  } else if (study.search.kind !== "grid" && names.length === 0) {
    throw new StudyError(
      `${where}: parameters: a ${study.search.kind} search needs some`,
    );
  }
  return study;
}

/** A number to 12 significant digits, so that 10 ** -3 and 0.001 are one. */
export function canonicalNumber(value: number): number {
  return Number.isFinite(value) ? Number(value.toPrecision(12)) + 0 : value;
}

/** Whether two values name the same setting. */
export function sameValue(a: ParamValue, b: ParamValue): boolean {
  return typeof a === "number" && typeof b === "number"
    ? canonicalNumber(a) === canonicalNumber(b)
    : a === b;
}
