/** `deno task study show`: one study, or one of its trials. */
import {
  identityOf,
  type ParamValue,
  type TrialRow,
} from "../../lib/study/commands.ts";
import { apart, shownParam, valueTexts } from "./values.ts";
import { clean, json, numbers, roomOf, table, words } from "../text.ts";
import {
  type FoundStudy,
  type RecordOptions,
  trialNumber,
  warn,
  withName,
  withStudy,
} from "./records.ts";
import { bestSetting, lackingRepeats, settingResults } from "./settings.ts";
import { progressIn, studyText } from "./show_study.ts";
import { trialText } from "./show_trial.ts";
import { failedPoints, findTrial, reasonOf, trialSeconds } from "./trials.ts";
import { command, UsageError } from "../cli.ts";

function trialLines(trials: readonly TrialRow[], metric: string): string {
  const names = [...new Set(trials.flatMap((t) => Object.keys(t.params)))];
  const repeats = trials.map((t) => Number(t.attrs.repeat ?? 0));
  const values = trials.map((t) => t.value);
  const paramText = (name: string) => {
    const numbers = trials.map((t) => t.params[name])
      .filter((v) => typeof v === "number");
    const text = apart(numbers, (v, digits) => shownParam(v, name, digits));
    return (v: ParamValue) => typeof v === "number" ? text(v) : shownParam(v);
  };
  const of = (text: (t: TrialRow) => string) => trials.map(text);
  const spare = { spare: true };
  return table([
    numbers("trial", of((t) => String(t.number))),
    words("state", of((t) => t.state)),
    ...names.map((name) => ({
      head: name,
      cells: of((t) => name in t.params ? paramText(name)(t.params[name]) : ""),
      right: trials.every((t) => typeof t.params[name] !== "string"),
    })),
    numbers(
      "repeat",
      repeats.map((r) => repeats.some(Boolean) ? String(r) : ""),
    ),
    numbers("value", values.map(valueTexts(values, metric))),
    numbers("epochs", of((t) => String(t.intermediate.length || "")), spare),
    numbers("seconds", of((t) => trialSeconds(t)?.toFixed(1) ?? ""), spare),
    words("reason", of(reasonOf), { cut: true }),
  ], roomOf(Deno.stdout));
}

async function showStudy(found: FoundStudy, asJson = false): Promise<number> {
  const { row, store, name, record } = found;
  const trials = await store.trials(row.studyId);
  const progress = progressIn(row, await store.results(row.studyId));
  const settings = settingResults(trials);
  const best = bestSetting(settings, row.direction);
  const leftOut = lackingRepeats(settings, best);
  const failed = failedPoints(trials);
  if (asJson) {
    const { direction, metric, attrs, trials: states, start, end } = row;
    console.log(json({
      ...{ name, record, direction, metric, key: identityOf(row)?.key },
      ...{ definition: attrs.definition, fixed: identityOf(row)?.fixed },
      ...{ start, end, states, progress, best, leftOut },
      failed: failed.map((t) => ({ number: t.number, reason: reasonOf(t) })),
      trials,
    }));
    return 0;
  }
  console.log(studyText(found, progress, best, leftOut, roomOf(Deno.stdout)));
  if (trials.length) console.log(`\n${trialLines(trials, row.metric)}`);
  const objectives = Math.max(0, ...trials.map((t) => t.values.length));
  if (objectives > 1) {
    warn(
      `the values are of the first of ${objectives} objectives; an export as JSON has all`,
    );
  }
  for (
    const [reason, same] of Map.groupBy(
      failed,
      (t) => reasonOf(t) || "no reason is recorded",
    )
  ) {
    const numbers = same.map((t) => t.number).join(", ");
    warn(
      `${same.length > 1 ? "trials" : "trial"} ${numbers} failed: ${reason}`,
    );
  }
  return 0;
}

interface Options extends RecordOptions {
  trial?: number;
  json?: boolean;
}

function show(given: string, o: Options): Promise<number> {
  return withStudy(given, { ...o, trial: true }, async (found) => {
    const { number = o.trial } = found;
    if (o.trial !== undefined && o.trial !== number) {
      throw new UsageError(
        `${
          clean(given)
        } and --trial ${o.trial} are two trials: give one of them`,
      );
    }
    if (number === undefined) return await showStudy(found, o.json);
    const trials = await found.store.trials(found.row.studyId);
    const trial = findTrial(found, trials, number);
    console.log(
      o.json
        ? json(trial)
        : trialText(found, trial, trials, roomOf(Deno.stdout)),
    );
    return 0;
  });
}

export const showCommand = command("show", {
  summary: "show a study and its trials",
  about:
    "Show a study's settings, its progress, its best setting (by the mean " +
    "over repeats, if there are any) and all its trials; of one trial " +
    "(NAME#NUMBER) all that is on record. Changes nothing.",
  examples: ["study show lr-search", "study show lr-search#3"],
  takes: withName,
  options: {
    "--trial <n>": [
      "show everything about one trial: parameters, epochs, recipe, hashes, " +
      "machine, times",
      { read: trialNumber },
    ],
    "--json": "print everything as JSON",
  },
}, show);
