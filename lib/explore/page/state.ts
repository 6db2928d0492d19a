/** What a reader changed, in words and in the page's address. */
import { channels } from "../../charts/mod.ts";
import type { Testing } from "../../reports/mod.ts";
import type { Row, Trial } from "../../rows/mod.ts";
import { isPlain } from "../item_keys.ts";

/** What accuracy stands for. */
export const NUMBERS: Record<
  string,
  { name: string; of: (trial: Trial) => number | null | undefined }
> = {
  test: {
    name: "test accuracy at the validation-chosen epoch",
    of: (t) => t.accuracy,
  },
  max: {
    name: "maximum over the epochs on test, as published",
    of: (t) => t.maxTestAccuracy,
  },
  last: {
    name: "test accuracy of the last epoch",
    of: (t) => t.history.at(-1)?.testAccuracy,
  },
  balanced: { name: "balanced test accuracy", of: (t) => t.balanced },
  f1: { name: "macro-F1 on test", of: (t) => t.testMacroF1 },
};

/** How a report is asked; every field as written without it. */
export interface State {
  number?: string;
  level?: number;
  correction?: "none";
  unpaired?: true;
  /** Of a claim by its place, in points. */
  margins: Record<number, number>;
  /** Numbers in a range, of a parameter. */
  ranges: Record<string, [low: number, high: number]>;
  /** Values of a parameter that are left out, as text. */
  values: Record<string, string[]>;
  seeds: number[];
  states: string[];
  /** Of a study only these trials, by their numbers. */
  only: Record<string, number[]>;
}

export const asWritten = (): State => ({
  ...{ margins: {}, ranges: {}, values: {}, seeds: [], states: [] },
  only: {},
});

export const isAsWritten = (state: State): boolean =>
  changesInWords(state).length === 0;

/** How tests are made, as the library's options. */
export const testingOf = ({ level, correction, unpaired }: State): Testing => ({
  ...level === undefined ? {} : { level },
  ...correction ? { correction } : {},
  ...unpaired ? { paired: false } : {},
});

/** A parameter's value as one of those that are left out. */
export const valueKey = (value: unknown) => String(value);

/** Whether a trial counts. */
export const keeps =
  ({ ranges, values, seeds, states, only }: State) => (trial: Row): boolean =>
    (only[trial.study]?.includes(trial.number) ?? true) &&
    !seeds.includes(trial.repeat) && !states.includes(trial.state) &&
    Object.entries(ranges).every(([name, [low, high]]) =>
      trial[name] === undefined ||
      (trial[name] >= low && trial[name] <= high)
    ) &&
    Object.entries(values).every(([name, left]) =>
      trial[name] === undefined || !left.includes(valueKey(trial[name]))
    );

/** "95 %" */
export const levelText = (level: number): string =>
  `${Number((100 * level).toPrecision(4))} %`;

/** What differs from the report as written, a line each. */
export function changesInWords(state: State, claims: string[] = []): string[] {
  const { number, level, correction, unpaired } = state;
  return [
    ...number && number !== "test"
      ? [`judged by the ${NUMBERS[number].name}`]
      : [],
    ...level !== undefined ? [`confidence level ${levelText(level)}`] : [],
    ...correction ? ["no correction for the number of tests"] : [],
    ...unpaired ? ["seeds do not pair runs"] : [],
    ...Object.entries(state.margins).map(([i, points]) =>
      `margin ${points} points of ${
        claims[Number(i)] ? `“${claims[Number(i)]}”` : `claim ${Number(i) + 1}`
      }`
    ),
    ...Object.entries(state.ranges).map(([name, [low, high]]) =>
      `${name} from ${low} to ${high}`
    ),
    ...Object.entries(state.values).map(([name, left]) =>
      `without ${name} ${left.join(", ")}`
    ),
    ...state.seeds.length > 0
      ? [`without repeat ${state.seeds.map((seed) => seed + 1).join(", ")}`]
      : [],
    ...state.states.map((s) => `without trials that are ${s}`),
    ...Object.entries(state.only).map(([study, numbers]) =>
      `only ${numbers.length} trials of ${study}, picked in a chart`
    ),
  ];
}

const PREFIX = "#ask=";

export const toHash = (state: State): string =>
  isAsWritten(state) ? "" : PREFIX + encodeURIComponent(
    JSON.stringify(state, (_, value) => isEmpty(value) ? undefined : value),
  );

const isEmpty = (value: unknown) =>
  typeof value === "object" && value !== null &&
  Object.keys(value).length === 0;

/** Longer addresses say nothing. */
const MOST_CHARACTERS = 100_000;
/** A margin of accuracies has no more points. */
export const MOST_POINTS = 100;

/** What of a report an address may name. */
export interface Known {
  trials: readonly Trial[];
  /** How many claims it has. */
  claims: number;
}

/**
 * What an address says, as far as the report has it, and in a few words what
 * it does not have.
 */
export function fromHash(
  hash: string,
  { trials, claims }: Known,
): { state: State; odd: string[] } {
  const state = asWritten(), odd = new Set<string>();
  if (!hash.startsWith(PREFIX)) return { state, odd: [] };
  let given: Row | undefined;
  try {
    if (hash.length <= MOST_CHARACTERS) {
      given = JSON.parse(decodeURIComponent(hash.slice(PREFIX.length)));
    }
  } catch { /* it cannot be read */ }
  if (!isPlain(given)) return { state, odd: ["what cannot be read"] };

  /** Whether a part makes sense; it is told where it does not. */
  const makes = (isRight: boolean, what: string) => {
    if (!isRight) odd.add(what.slice(0, 40));
    return isRight;
  };
  const list = <T>(name: string, of: unknown = [], isOne: (v: T) => boolean) =>
    makes(Array.isArray(of), name)
      ? [...new Set(of as T[])].filter((v) => makes(isOne(v), name))
      : [];
  const record = <T>(
    name: string,
    of: unknown = {},
    isOne: (v: T, key: string) => boolean,
  ): Record<string, T> =>
    makes(isPlain(of), name)
      ? Object.fromEntries(
        Object.entries(of as Record<string, T>)
          .filter(([key, v]) => makes(isOne(v, key), `${name} of ${key}`)),
      )
      : {};
  const isNumber = (v: unknown): v is number => Number.isFinite(v);
  const values = new Map<string, Set<string>>();
  for (const trial of trials) {
    for (const name of parametersIn(trial)) {
      if (!values.has(name)) values.set(name, new Set());
      values.get(name)!.add(valueKey(trial[name]));
    }
  }

  for (const [name, v] of Object.entries(given)) {
    const isRight = name === "number"
      ? typeof v === "string" && Object.hasOwn(NUMBERS, v)
      : name === "level"
      ? isNumber(v) && v >= 0.5 && v <= 0.9999
      : name === "correction"
      ? v === "none"
      : name === "unpaired"
      ? v === true
      : Object.hasOwn(state, name);
    const isOne = !Object.hasOwn(state, name);
    if (makes(isRight, name) && isOne) Object.assign(state, { [name]: v });
  }
  state.margins = record<number>(
    "margin",
    given.margins,
    (v, i) =>
      isNumber(v) && v >= 0 && v <= MOST_POINTS &&
      Number.isInteger(Number(i)) && Number(i) >= 0 && Number(i) < claims,
  );
  state.ranges = record(
    "range",
    given.ranges,
    (v: [number, number], name) =>
      values.has(name) && Array.isArray(v) && v.length === 2 &&
      v.every(isNumber),
  );
  state.values = record(
    "values",
    given.values,
    (v: string[], name) =>
      Array.isArray(v) && v.every((one) => values.get(name)?.has(one)),
  );
  const repeats = new Set(trials.map((t) => t.repeat));
  state.seeds = list("repeat", given.seeds, (v: number) => repeats.has(v));
  state.states = list("state", given.states, (v: string) => STATES.includes(v));
  const numbers = Map.groupBy(trials, (t) => t.study);
  state.only = record("trials", given.only, (v: number[], study) => {
    const own = new Set(numbers.get(study)?.map((t) => t.number));
    return Array.isArray(v) && v.every((number) => own.has(number));
  });
  return { state, odd: [...odd] };
}

/** Optuna's words for a trial's state. */
const STATES = ["COMPLETE", "FAIL", "PRUNED", "RUNNING", "WAITING"];

/** The names of a trial's parameters. */
export const parametersIn = (trial: Trial): readonly string[] =>
  (trial as unknown as Record<symbol, string[]>)[channels.PARAMETERS] ?? [];
