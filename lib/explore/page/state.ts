/** What a reader changed, in words and in the page's address. */
import type { Testing } from "../../reports/mod.ts";
import type { Row, Trial } from "../../rows/mod.ts";

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
  differences(state).length === 0;

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

/** What differs from the report as written, a line each. */
export function differences(state: State, claims: string[] = []): string[] {
  const { number, level, correction, unpaired } = state;
  return [
    ...number && number !== "test"
      ? [`judged by the ${NUMBERS[number].name}`]
      : [],
    ...level !== undefined ? [`confidence level ${100 * level} %`] : [],
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
    ...state.seeds.map((seed) => `without repeat ${seed + 1}`),
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

/** What an address says, as far as it makes sense; nothing where it does not. */
export function fromHash(hash: string): State {
  const state = asWritten();
  if (!hash.startsWith(PREFIX)) return state;
  let given: Row;
  try {
    given = JSON.parse(decodeURIComponent(hash.slice(PREFIX.length)));
  } catch {
    return state;
  }
  const isNumber = (v: unknown): v is number =>
    typeof v === "number" && Number.isFinite(v);
  const record = <T>(of: unknown, isOne: (v: unknown) => v is T) =>
    Object.fromEntries(
      Object.entries(typeof of === "object" && of ? of : {})
        .filter((entry): entry is [string, T] => isOne(entry[1])),
    );
  const list = <T>(of: unknown, isOne: (v: unknown) => v is T): T[] =>
    Array.isArray(of) ? of.filter(isOne) : [];
  const isText = (v: unknown): v is string => typeof v === "string";
  if (given === null || typeof given !== "object") return state;
  if (isText(given.number) && Object.hasOwn(NUMBERS, given.number)) {
    state.number = given.number;
  }
  if (isNumber(given.level) && given.level > 0 && given.level < 1) {
    state.level = given.level;
  }
  if (given.correction === "none") state.correction = "none";
  if (given.unpaired === true) state.unpaired = true;
  const isMargin = (v: unknown): v is number => isNumber(v) && v >= 0;
  state.margins = record(given.margins, isMargin);
  state.ranges = record(
    given.ranges,
    (v): v is [number, number] =>
      Array.isArray(v) && v.length === 2 && v.every(isNumber),
  );
  state.values = record(
    given.values,
    (v): v is string[] => Array.isArray(v) && v.every(isText),
  );
  state.seeds = list(given.seeds, isNumber);
  state.states = list(given.states, isText);
  state.only = record(
    given.only,
    (v): v is number[] => Array.isArray(v) && v.every(isNumber),
  );
  return state;
}
