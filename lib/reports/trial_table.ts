/** Trials as a table. */
import { percent } from "../charts/mod.ts";
import type { TrainingRow } from "../study/mod.ts";
import { type Shown, table } from "./show.ts";

/** Mean recall of the test split's classes at the chosen epoch. */
function balancedAccuracy({ epochs, chosenEpoch }: TrainingRow): string {
  const chosen = epochs.find((e) => e.epoch === chosenEpoch);
  return chosen ? percent(chosen.testBalancedAccuracy) : "–";
}

/** A table of trials; see `OpenReport.trials`. */
export function trialTable(rows: readonly TrainingRow[]): Shown {
  const names = Object.keys(rows[0]?.params ?? {});
  const sorted = [...rows].sort((a, b) =>
    names.map((n) =>
      typeof a.params[n] === "number"
        ? Number(a.params[n]) - Number(b.params[n])
        : String(a.params[n]).localeCompare(String(b.params[n]))
    ).find((d) => d !== 0) ?? a.repeat - b.repeat
  );
  return table(sorted.map((r) => ({
    ...Object.fromEntries(names.map((n) => [n, String(r.params[n])])),
    "test accuracy": r.accuracy === null ? "diverged" : percent(r.accuracy),
    "95 % interval": r.interval
      ? `${percent(r.interval.low)} – ${percent(r.interval.high)}`
      : "–",
    "balanced accuracy": balancedAccuracy(r),
    epoch: r.chosenEpoch ?? "–",
    "max on test": r.maxTestAccuracy === undefined
      ? "–"
      : percent(r.maxTestAccuracy),
    seconds: r.seconds?.toFixed(1) ?? "–",
  })));
}
