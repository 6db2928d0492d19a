/** Tables of trials. */
import { percent } from "../charts/mod.ts";
import {
  duration,
  historyOf,
  paramsOf,
  resultAt,
  rowsOf,
  trainedSeconds,
  type Trial,
  valueText,
} from "../rows/mod.ts";
import type { Params } from "../study/mod.ts";
import { type Shown, table } from "./markdown_and_tables.ts";

/** What trials cost, a row a study: how many, how many failed, how long. */
export function costTable(trials: Iterable<Trial>): Shown {
  const studies = Map.groupBy(rowsOf("costTable", trials), (t) => t.study);
  return table([...studies].map(([study, own]) => {
    const speeds = own.flatMap((t, i) => historyOf("costTable", t, i))
      .map((e) => e.imagesPerSecond).filter(Number.isFinite)
      .sort((a, b) => a - b);
    const median = speeds[Math.floor(speeds.length / 2)];
    return {
      study,
      trials: own.length,
      failed: own.filter((t) => t.state === "FAIL").length,
      "time of its trials": duration(trainedSeconds(own)),
      ...median && { "images/s (median epoch)": median.toFixed(0) },
    };
  }));
}

/** Parameters in order, name by name; 0 where they are equal. */
const inOrder = (a: Params, b: Params): number =>
  Object.entries(a).map(([name, value]) =>
    typeof value === "number"
      ? value - Number(b[name])
      : String(value).localeCompare(String(b[name]))
  ).find((difference) => difference !== 0) ?? 0;

/** A number as text; "–" for what is none. */
const numberText = (value: unknown, digits = 0): string =>
  Number.isFinite(value) ? Number(value).toFixed(digits) : "–";

/**
 * Every trial with its accuracies: at the epoch that validation chose, over
 * all images and as the mean of the classes, and the maximum over the epochs
 * on the test split.
 *
 * @throws StudyError for an accuracy that is no share from 0 to 1
 */
export function trialTable(trials: Iterable<Trial>): Shown {
  const rows = rowsOf("trialTable", trials).map((trial, i) => {
    const share = (field: string, none = "–") => {
      const at = `trialTable: row ${i + 1}`;
      const value = resultAt(at, field, trial[field]);
      return value === null ? none : percent(value);
    };
    const { state } = trial, params = paramsOf(trial);
    const isOpen = state && !["COMPLETE", "FAIL"].includes(state);
    const why = isOpen ? state.toLowerCase() : trial.failKind ?? "diverged";
    const [low, high] = [share("low"), share("high")];
    const repeat = trial.repeat == null ? NaN : Number(trial.repeat);
    const cells = {
      ...Object.fromEntries(
        Object.entries(params).map(([n, v]) => [n, valueText(n, v)]),
      ),
      repeat: numberText(repeat + 1),
      "test accuracy": share("accuracy", why),
      "95 % interval": low === "–" ? low : `${low} to ${high}`,
      "balanced accuracy": share("balanced"),
      epoch: numberText(trial.chosenEpoch),
      "max on test": share("maxTestAccuracy"),
      seconds: numberText(trial.seconds, 1),
    };
    return { params, repeat, cells };
  });
  const ordered = rows.toSorted((a, b) =>
    inOrder(a.params, b.params) || a.repeat - b.repeat
  );
  return table(ordered.map((row) => row.cells), "Every trial");
}
