/** Weights & Biases' CSV exports as trials: a table of runs. */
import {
  type CsvRow,
  type CsvTable,
  numberOf,
  readerOf,
  readRows,
} from "./csv.ts";
import type { Params, ParamValue } from "../definition.ts";
import { StudyError } from "../errors.ts";
import { contentKey } from "../identity.ts";
import type { ImportedTrial, TrialSource } from "./import_trials.ts";
import { distributionOf, type FailKind, type Outcome } from "../store/mod.ts";

/** Columns of W&B's table that are neither settings nor results. */
const ABOUT =
  /^(name|id|state|notes|user|tags|created|updated|end time|runtime|sweep|agent|group|job type|project|entity|host(name)?|[cg]pu (count|type)|commit|github|os|python version|_.*)$/i;

/** How a run's state ends its trial; null for a run that has not ended. */
const ENDS: Record<string, "COMPLETE" | FailKind | null> = {
  finished: "COMPLETE",
  failed: "error",
  crashed: "crashed",
  killed: "interrupted",
  preempted: "interrupted",
  running: null,
  pending: null,
  preempting: null,
};

/** Names of results, the surest first. */
const VALUES = [
  /^(best[_/. ])?(val|valid|validation|eval|test)[_/. ]?acc(uracy)?$/i,
  /acc/i,
  /^(val|valid|validation|eval|test)[_/. ]?loss$/i,
];

/** Results of which less is better. */
const LOSS = /loss|error|perplexity|(^|[^a-z])(err|r?mse|mae)([^a-z]|$)/i;

const SEED = /(^|[._/])seed$/i;

/** Names that attributes of ours have. */
const OURS = /^(repeat|seed|(fail|prune)_(kind|reason))$/;

/** Names, of many the first. */
export const nameList = (names: readonly string[], limit = 12) =>
  names.length > limit
    ? `${names.slice(0, limit).join(", ")} and ${names.length - limit} more`
    : names.join(", ") || "none";

export interface RunColumns {
  /** Columns of settings. */
  params: string[];
  /** The column of the result. */
  value: string;
  direction: "maximize" | "minimize";
}

/**
 * W&B writes its own columns, then the settings and then the results, both in
 * alphabetical order; undefined where a table is in another order.
 */
function settingsAndResults(names: readonly string[]) {
  const falls = names.flatMap((name, i) =>
    i > 0 && name.toLowerCase() < names[i - 1].toLowerCase() ? [i] : []
  );
  return falls.length === 1
    ? { settings: names.slice(0, falls[0]), results: names.slice(falls[0]) }
    : undefined;
}

/**
 * The columns of a table of runs, as given or guessed: parameters are the
 * settings that vary, but for seeds; the value is the one column that is called
 * like a validation or test accuracy, or else loss. `notes` tells each guess.
 *
 * @throws StudyError when a column is not there or cannot be guessed
 */
export function runColumns(
  { file, columns, rows }: CsvTable,
  given: Partial<RunColumns>,
): RunColumns & { notes: string[] } {
  for (const name of [...given.params ?? [], given.value ?? columns[0]]) {
    if (columns.includes(name)) continue;
    throw new StudyError(
      `${file}: no column "${name}": it has ${nameList(columns)}`,
    );
  }
  const notes: string[] = [];
  const others = columns.filter((name) => !ABOUT.test(name));
  const parts = settingsAndResults(others);
  let { value, params, direction } = given;
  if (value === undefined) {
    const names = (parts?.results ?? others)
      .filter((name) => !params?.includes(name));
    const found = VALUES.map((like) => names.filter((n) => like.test(n)))
      .find((list) => list.length > 0) ?? [];
    if (found.length !== 1) {
      throw new StudyError(
        `${file}: which column is the result? Name it with --value: ` +
          `${nameList(found.length ? found : names)}`,
      );
    }
    value = found[0];
    notes.push(`the value is ${value}; --value names another column`);
  }
  if (params === undefined) {
    const varies = (name: string) =>
      new Set(rows.map((r) => r.cells[name]).filter(Boolean)).size > 1;
    params = (parts?.settings ?? []).filter((name) =>
      name !== value && !SEED.test(name) && varies(name)
    );
    if (params.length === 0) {
      throw new StudyError(
        `${file}: which columns are parameters? Name them with ` +
          `--param: ${nameList(others)}`,
      );
    }
    notes.push(
      `parameters are the settings that vary: ${nameList(params)}; ` +
        `--param names others`,
    );
  }
  if (params.includes(value)) {
    throw new StudyError(
      `${file}: ${value} is a parameter and the result: give one of them`,
    );
  }
  if (direction === undefined) {
    direction = LOSS.test(value) ? "minimize" : "maximize";
    notes.push(`${value} is to ${direction}; --direction says otherwise`);
  }
  return { params, value, direction, notes };
}

function outcomeOfRun(run: CsvRow["cells"], value: string): Outcome | null {
  const state = run.State ?? "finished";
  const end = ENDS[state.toLowerCase()];
  if (end === undefined) {
    throw new StudyError(
      `State is "${state}", known are ${nameList(Object.keys(ENDS))}`,
    );
  }
  if (end === null) return null;
  const fail = (kind: FailKind, what: string): Outcome => ({
    state: "FAIL",
    kind,
    reason: what,
  });
  if (end !== "COMPLETE") return fail(end, `${state.toLowerCase()} in W&B`);
  if (run[value] === "") return fail("error", `no ${value} in W&B`);
  const number = numberOf(run[value]);
  if (number === undefined) {
    throw new StudyError(`${value} is "${run[value]}", not a number`);
  }
  return Number.isNaN(number)
    ? fail("diverged", `${value} is NaN`)
    : { state: "COMPLETE", value: number };
}

/** When a run started and ended; W&B's times are UTC, its runtimes seconds. */
function timesOf({ Created = "", Runtime = "" }: CsvRow["cells"]) {
  if (Created === "") return { start: null, complete: null };
  const zoned = /(z|[+-]\d\d:?\d\d)$/i.test(Created);
  const start = new Date(zoned ? Created : `${Created}Z`);
  // 01/02/2026 is one day here and another there.
  if (!/^\d{4}-/.test(Created) || Number.isNaN(+start)) {
    throw new StudyError(
      `Created is "${Created}", not a time as 2026-01-31T12:00Z`,
    );
  }
  if (Runtime === "") return { start, complete: null };
  const seconds = numberOf(Runtime) ?? NaN;
  const complete = new Date(+start + 1000 * seconds);
  if (!(seconds >= 0 && complete.getFullYear() < 10_000)) {
    throw new StudyError(`Runtime is "${Runtime}", not in seconds`);
  }
  return { start, complete };
}

/** Whether a run has what names it, whatever its result. */
const hasName = ({ ID, Name, Created }: CsvRow["cells"]) =>
  Boolean(ID || Name && Created);

/** What names the nth of the runs of a setting that nothing else names. */
function keyOfNth(
  { Name, Created }: CsvRow["cells"],
  setting: readonly unknown[],
  n: number,
): string {
  const counted = n === 1 ? setting : [...setting, n];
  return Name
    ? contentKey(["wandb run", Name, counted])
    : contentKey(["wandb row", Created ?? "", counted]);
}

/** What named runs without id and time before, and names equal rows. */
function contentOfRun({ ID, Name, Created, ...rest }: CsvRow["cells"]): string {
  const content = ID || (Name && Created ? [Name, Created] : { Name, ...rest });
  return contentKey(["wandb", content]);
}

export interface WandbSource extends TrialSource {
  /** The name of each trial's run. */
  names: string[];
}

/**
 * The trials of a table of runs. A finished run is COMPLETE; one that failed,
 * crashed or was killed, or whose value is blank or NaN, is FAIL; one that still
 * runs is left out. All other columns become attributes under their names.
 *
 * @throws StudyError that names the bad rows by line
 */
export function readRuns(
  table: CsvTable,
  { params, value, direction }: RunColumns,
): WandbSource {
  const { columns, rows } = table;
  const readers = Object.fromEntries(
    columns.map((name) => [name, readerOf(rows.map((r) => r.cells[name]))]),
  );
  const seedColumn = columns.find((name) => SEED.test(name));
  const settingsOf = (cells: CsvRow["cells"]): Params =>
    Object.fromEntries(
      params.filter((name) => cells[name] !== "").map((name) => {
        const setting = readers[name](cells[name]);
        if (typeof setting === "number" && !Number.isFinite(setting)) {
          throw new StudyError(`${name} is ${setting}, not a finite number`);
        }
        return [name, setting];
      }),
    );
  const attributesOf = (cells: CsvRow["cells"], read: readonly string[]) =>
    Object.fromEntries(
      columns.filter((name) =>
        cells[name] !== "" && !params.includes(name) && !read.includes(name) &&
        !(name === "Notes" && cells[name] === "-")
      ).map((name) => [
        OURS.test(name) ? `W&B ${name}` : name,
        readers[name](cells[name]),
      ]),
    );

  const notes: string[] = [];
  const running: string[] = [];
  const names: string[] = [];
  let unnamed = 0;
  const contents = new Set<string>();
  const trials = readRows(table, ({ line, cells }): ImportedTrial[] => {
    const outcome = outcomeOfRun(cells, value);
    const times = timesOf(cells);
    const settings = settingsOf(cells);
    const name = cells.Name || `of line ${line}`;
    if (!outcome) {
      running.push(name);
      return [];
    }
    const content = contentOfRun(cells);
    if (contents.has(content)) {
      notes.push(`left out: line ${line} is run ${name} again`);
      return [];
    }
    contents.add(content);
    const setting = [settings, (seedColumn && cells[seedColumn]) ?? null];
    // Several runs of one setting that nothing names are its repeats.
    const nth = hasName(cells)
      ? undefined
      : (n: number) => keyOfNth(cells, setting, n);
    if (nth) unnamed++;
    names.push(name);
    const number = seedColumn ? numberOf(cells[seedColumn]) : undefined;
    const seed = Number.isSafeInteger(number) ? number : undefined;
    const read = [
      ...["State", "Created", ...times.complete ? ["Runtime"] : []],
      ...outcome.state === "COMPLETE" ? [value] : [],
      ...seed === undefined ? [] : [seedColumn!],
    ];
    return [{
      key: nth?.(1) ?? content,
      nth,
      earlierKey: content,
      name: cells.Name || `line ${line}`,
      params: settings,
      seed,
      outcome: { ...outcome, attrs: attributesOf(cells, read) },
      epochs: [],
      ...times,
    }];
  }).flat();
  if (unnamed > 0) {
    const many = unnamed === 1 ? "1 run has" : `${unnamed} runs have`;
    notes.push(
      `${many} no ID, nor a Name with Created: known again by parameters, ` +
        `seed${columns.includes("Name") ? ", name" : ""} and result, so that ` +
        `one with another result is a changed one`,
    );
  }
  if (running.length > 0) {
    notes.push(`left out, still running: ${nameList(running, 5)}`);
  }
  const distributions = Object.fromEntries(
    params.flatMap((name) => {
      const values = trials.flatMap((t) => t.params[name] ?? []);
      const different = [...new Set<ParamValue>(values)];
      return values.length ? [[name, distributionOf(name, different)]] : [];
    }),
  );
  return { direction, metric: value, trials, distributions, notes, names };
}
