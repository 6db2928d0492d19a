/** `deno task study compare`: two studies or two trials, settings and results. */
import {
  canonical,
  type Difference,
  differences,
  encodeJson,
  identityOf,
  type Params,
  type Study,
  type TrialRow,
} from "../../lib/study/commands.ts";
import { type Column, json, numbers, roomOf, table, words } from "../text.ts";
import { cutHash, describeParams, shownParam, valueTexts } from "./values.ts";
import {
  type FoundStudy,
  type RecordOptions,
  withRecordOptions,
  withStudy,
} from "./records.ts";
import { command, UsageError } from "../cli.ts";
import {
  bestSetting,
  type SettingResult,
  settingResults,
  settingResultText,
} from "./settings.ts";
import {
  definitionOf,
  parameterText,
  progressIn,
  progressText,
} from "./show_study.ts";
import { findTrial, reasonOf, trialSeconds } from "./trials.ts";

/** A number, and what it is of. */
interface Measured {
  value: number;
  metric: string;
}

/** One side of a comparison. */
interface Side {
  name: string;
  record: string;
  settings: Record<string, unknown>;
  /** Named results as text, and as data. */
  results: Record<string, string | Measured>;
  data: Record<string, unknown>;
  /** Of a study: the setting with the best mean. */
  best?: SettingResult;
  /** Of a study: each setting's text and mean. */
  means?: Map<string, { setting: string; mean: number; n: number }>;
  metric: string;
}

async function studySide(found: FoundStudy): Promise<Side> {
  const { row, store, name, record } = found;
  const { direction, metric } = row;
  const results = await store.results(row.studyId);
  const { name: _, fixed: __, ...definition } = definitionOf(row) ?? {};
  const all = settingResults(results);
  const best = bestSetting(all, direction);
  const progress = progressIn(row, results);
  return {
    ...{ name, record, metric },
    settings: {
      ...definition,
      ...{ direction, metric },
      fixed: identityOf(row)?.fixed ?? {},
    },
    results: { progress: progressText(row, progress) },
    ...best ? { best } : {},
    data: { progress, states: row.trials, best },
    means: new Map(all.map(({ params, mean, values }) => [
      canonical(params),
      { setting: describeParams(params), mean, n: values.length },
    ])),
  };
}

/** The value at a dotted path, as `betas.0`. */
function valueAtPath(value: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>(
    (inner, key) => (inner as Record<string, unknown> | undefined)?.[key],
    value,
  );
}

/** A trial's recipe; of one that recorded none, what its study gave it. */
function recipeOfTrial(own: unknown, shared: unknown, params: Params): unknown {
  if (!own && !shared) return undefined;
  const recipe = structuredClone(own ?? shared) as Record<string, unknown>;
  delete recipe.seed; // told beside the repeat
  for (const [path, value] of Object.entries(own ? {} : params)) {
    const keys = path.split(".");
    const last = keys.pop()!;
    const group = keys.reduce<Record<string, unknown>>(
      (inner, key) => (inner[key] ??= {}) as Record<string, unknown>,
      recipe,
    );
    group[last] = value;
  }
  return recipe;
}

/** Words of a trial's record that tell a result. */
const RESULTS = ["predictionsHash"];

/** Numbers of a trial's record are results, words and groups are settings. */
function trialSide(found: FoundStudy, trial: TrialRow): Side {
  const { row, name, record } = found;
  const {
    repeat,
    seed,
    fail_kind: _,
    fail_reason: __,
    prune_reason: ___,
    ...attrs
  } = trial.attrs;
  const settings: Record<string, unknown> = {};
  const measured: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(attrs)) {
    if (typeof value === "number" || RESULTS.includes(key)) {
      measured[key] = value;
    } else if (!Array.isArray(value)) settings[key] = value;
  }
  const fixed = identityOf(row)?.fixed ?? {};
  const recipe = recipeOfTrial(settings.recipe, fixed.recipe, trial.params);
  // The recipe holds those that it knows.
  const params = Object.fromEntries(
    Object.entries(trial.params).filter(([path, value]) =>
      canonical(valueAtPath(recipe, path) ?? null) !== canonical(value)
    ),
  );
  const seconds = trialSeconds(trial);
  return {
    name: `${name}#${trial.number}`,
    ...{ record, metric: row.metric },
    settings: {
      ...{ direction: row.direction, metric: row.metric, params, repeat, seed },
      ...fixed,
      ...settings,
      recipe,
    },
    results: {
      state: trial.state,
      reason: reasonOf(trial),
      value: trial.value === null
        ? ""
        : { value: trial.value, metric: row.metric },
      epochs: String(trial.intermediate.length || ""),
      ...Object.fromEntries(
        Object.entries(measured).map(([key, value]) => [
          key,
          typeof value === "number"
            ? { value, metric: key }
            : settingValue(value),
        ]),
      ),
      "seconds in all": seconds === null ? "" : seconds.toFixed(1),
    },
    data: {
      ...{ state: trial.state, reason: reasonOf(trial), value: trial.value },
      ...{ epochs: trial.intermediate.length, ...measured },
    },
  };
}

/** The side that a name on the command line means. */
async function sideOf(given: string, o: RecordOptions): Promise<Side> {
  return await withStudy(
    given,
    { ...o, trial: true },
    async (found) =>
      found.number === undefined ? await studySide(found) : trialSide(
        found,
        findTrial(
          found,
          await found.store.trials(found.row.studyId),
          found.number,
        ),
      ),
  );
}

const settingValue = (value: unknown, path = "") =>
  value === undefined
    ? "–"
    : typeof value === "string"
    ? cutHash(shownParam(value))
    : typeof value === "number"
    ? shownParam(value, path.split(".").at(-1), 17)
    : encodeJson(value);

/** A study's settings with its parameters in words. */
function inWords({ parameters, ...rest }: Side["settings"]) {
  const given = (parameters ?? {}) as Study["parameters"];
  const words = Object.entries(given)
    .map(([name, p]) => [name, parameterText(name, p)]);
  return { parameters: Object.fromEntries(words), ...rest };
}

function differenceTable(
  list: readonly Difference[],
  a: Side,
  b: Side,
): Column[] {
  return [
    words("setting", list.map((d) => d.path)),
    words(a.name, list.map((d) => settingValue(d.before, d.path))),
    words(b.name, list.map((d) => settingValue(d.after, d.path))),
  ];
}

function resultTable(a: Side, b: Side): Column[] {
  const names = Object.keys({ ...a.results, ...b.results })
    .filter((name) => a.results[name] || b.results[name]);
  const texts = names.map((name) => {
    const both = [a.results[name], b.results[name]];
    const numbers = both.flatMap((r) => typeof r === "object" ? [r.value] : []);
    return both.map((r) =>
      typeof r === "object" ? valueTexts(numbers, r.metric)(r.value) : r || "–"
    );
  });
  if (a.means) {
    names.push("best");
    texts.push(
      [[a, b], [b, a]].map(([own, other]) =>
        own.best
          ? settingResultText(
            own.best,
            own.metric,
            other.best ? [other.best] : [],
          )
          : "none yet"
      ),
    );
  }
  return [
    words("result", names),
    words(a.name, texts.map(([ours]) => ours)),
    words(b.name, texts.map(([, theirs]) => theirs)),
  ];
}

/** The settings that both studies ran, with their means. */
function commonSettings(a: Side, b: Side) {
  return [...a.means ?? []].flatMap(([key, ours]) => {
    const theirs = b.means?.get(key);
    if (!theirs || a.metric !== b.metric) return [];
    return [{
      setting: ours.setting,
      a: ours,
      b: theirs,
      difference: theirs.mean - ours.mean,
    }];
  });
}

function commonTable(
  rows: ReturnType<typeof commonSettings>,
  a: Side,
  b: Side,
): Column[] {
  const value = valueTexts(
    rows.flatMap((r) => [r.a.mean, r.b.mean, r.difference]),
    a.metric,
  );
  const several = rows.some((row) => row.a.n > 1 || row.b.n > 1);
  const count = (n: number) => several ? String(n) : "";
  return [
    words("both ran", rows.map((r) => r.setting || "the only setting")),
    numbers(a.name, rows.map((r) => value(r.a.mean))),
    numbers("repeats", rows.map((r) => count(r.a.n))),
    numbers(b.name, rows.map((r) => value(r.b.mean))),
    numbers("repeats", rows.map((r) => count(r.b.n))),
    numbers(
      "difference",
      rows.map((r) => (r.difference > 0 ? "+" : "") + value(r.difference)),
    ),
  ];
}

async function compare(
  first: string,
  second: string,
  o: RecordOptions & { json?: boolean },
): Promise<number> {
  const a = await sideOf(first, o), b = await sideOf(second, o);
  if (!a.means !== !b.means) {
    throw new UsageError(
      "compare two studies, or two trials as in lr-search#3 lr-search#4",
    );
  }
  if (a.name === b.name) [a.name, b.name] = [first, second];
  const differ = differences(a.settings, b.settings);
  const common = commonSettings(a, b);
  if (o.json) {
    const told = ({ name, record, data }: Side) => ({ name, record, ...data });
    console.log(json({
      ...{ a: told(a), b: told(b), same: differ.length === 0 },
      ...{ differences: differ, common },
    }));
    return 0;
  }
  const room = roomOf(Deno.stdout);
  const words = differences(inWords(a.settings), inWords(b.settings));
  const parts = [
    words.length
      ? table(differenceTable(words, a, b), room)
      : "all settings are the same",
    table(resultTable(a, b), room),
    ...(common.length ? [table(commonTable(common, a, b), room)] : []),
  ];
  console.log(parts.join("\n\n"));
  return 0;
}

export const compareCommand = command("compare", {
  summary: "compare two studies, or two trials",
  about:
    "Compare two studies, or two trials (NAME#NUMBER): first every setting " +
    "that differs, defaults included, then the results side by side. " +
    "FOLDER:NAME names the folder of a study's record. Changes nothing.",
  examples: [
    "study compare lr-search#3 lr-search#7",
    "study compare runs/quick:lr-search results/cpu:lr-search",
  ],
  takes: (c) =>
    withRecordOptions(c)
      .argument("<a>", "a study, or a trial as in lr-search#3")
      .argument("<b>", "the other one"),
  options: {
    "--json": "print the comparison as JSON",
  },
}, compare);
