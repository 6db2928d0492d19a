/** Tables of trials. */
import { percent } from "../charts/mod.ts";
import {
  paramsOf,
  resultAt,
  rowsOf,
  secondsOf,
  type Trial,
  valueText,
} from "../rows/mod.ts";
import { duration, type Shown, table } from "./show.ts";

/** What trials cost, a row a study: how many, how many failed, how long. */
export function costTable(trials: Iterable<Trial>): Shown {
  const studies = Map.groupBy(rowsOf("costTable", trials), (t) => t.study);
  return table([...studies].map(([study, own]) => {
    const speeds = own.flatMap((t) => t.history ?? [])
      .flatMap((e) => e.imagesPerSecond ?? []).sort((a, b) => a - b);
    const median = speeds[Math.floor(speeds.length / 2)];
    return {
      study,
      trials: own.length,
      failed: own.filter((t) => t.state === "FAIL").length,
      "time of its trials": duration(secondsOf(own)),
      ...median && { "images/s (median epoch)": median.toFixed(0) },
    };
  }));
}

/** Trials by their parameters, then by repeat. */
function inOrder(a: Trial, b: Trial): number {
  const others = paramsOf(b);
  const differences = Object.entries(paramsOf(a)).map(([name, value]) =>
    typeof value === "number"
      ? value - Number(others[name])
      : String(value).localeCompare(String(others[name]))
  );
  return differences.find((d) => d !== 0) ?? a.repeat - b.repeat;
}

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
    const { state, repeat, seconds } = trial;
    const isOpen = state && !["COMPLETE", "FAIL"].includes(state);
    const why = isOpen ? state.toLowerCase() : trial.failKind ?? "diverged";
    const [low, high] = [share("low"), share("high")];
    const cells = {
      ...Object.fromEntries(
        Object.entries(paramsOf(trial)).map(([n, v]) => [n, valueText(n, v)]),
      ),
      repeat: repeat == null ? null : Number(repeat) + 1,
      "test accuracy": share("accuracy", why),
      "95 % interval": low === "–" ? low : `${low} – ${high}`,
      "balanced accuracy": share("balanced"),
      epoch: trial.chosenEpoch ?? "–",
      "max on test": share("maxTestAccuracy"),
      seconds: Number.isFinite(seconds) ? seconds!.toFixed(1) : seconds ?? "–",
    };
    return { trial, cells };
  });
  return table(
    rows.toSorted((a, b) => inOrder(a.trial, b.trial)).map((r) => r.cells),
  );
}
