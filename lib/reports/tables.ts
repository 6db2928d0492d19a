/** Tables of trials. */
import { percent } from "../charts/mod.ts";
import { paramsOf, rowsOf, type Trial, valueText } from "../rows/mod.ts";
import { duration, type Shown, table } from "./show.ts";

const total = (trials: readonly Trial[]) =>
  trials.reduce((sum, t) => sum + (t.seconds ?? 0), 0);

/** What trials cost, a row a study: how many, how many failed, how long. */
export const costTable = (trials: Iterable<Trial>): Shown =>
  table(
    [...Map.groupBy(rowsOf("costTable", trials), (t) => t.study)].map(
      ([study, own]) => {
        const speeds = own
          .flatMap((t) =>
            (t.history ?? []).flatMap((e) => e.imagesPerSecond ?? [])
          )
          .sort((a, b) => a - b);
        return {
          study,
          trials: own.length,
          failed: own.filter((t) => t.state === "FAIL").length,
          "time of its trials": duration(total(own)),
          ...speeds.length > 0
            ? {
              "images/s (median epoch)": speeds[Math.floor(speeds.length / 2)]
                .toFixed(0),
            }
            : {},
        };
      },
    ),
  );

/**
 * Every trial with its accuracies: at the epoch that validation chose, over
 * all images and as the mean of the classes, and the maximum over the epochs
 * on the test split.
 */
export function trialTable(trials: Iterable<Trial>): Shown {
  const order = (a: Trial, b: Trial) =>
    Object.entries(paramsOf(a)).map(([name, value]) =>
      typeof value === "number"
        ? value - Number(b[name])
        : String(value).localeCompare(String(b[name]))
    ).find((d) => d !== 0) ?? a.repeat - b.repeat;
  const share = (value: number | null | undefined, none = "–") =>
    value === null || value === undefined ? none : percent(value);
  return table(
    rowsOf("trialTable", trials).toSorted(order).map((t) => ({
      ...Object.fromEntries(
        Object.entries(paramsOf(t)).map(([n, v]) => [n, valueText(n, v)]),
      ),
      repeat: t.repeat === undefined ? null : t.repeat + 1,
      "test accuracy": share(t.accuracy, t.failKind ?? "diverged"),
      "95 % interval": t.low === undefined
        ? "–"
        : `${percent(t.low)} – ${percent(t.high!)}`,
      "balanced accuracy": share(t.balanced),
      epoch: t.chosenEpoch ?? "–",
      "max on test": share(t.maxTestAccuracy),
      seconds: t.seconds?.toFixed(1) ?? "–",
    })),
  );
}
