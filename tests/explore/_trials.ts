/** A study of made-up trials, as a record has them. */
import { charts, type Trial } from "../../lib/lab.ts";

/** Reproducible noise about 0, in shares. */
const noise = (i: number) => 0.03 * Math.sin(12.9898 * (i + 1));

/** Depths 2, 4 and 8 at three rates with that many repeats; one run failed. */
export const trialsOfStudy = (repeats = 4, epochs = 3): Trial[] =>
  [2, 4, 8].flatMap((depth, d) =>
    [3e-4, 1e-3, 3e-3].flatMap((lr, l) =>
      Array.from({ length: repeats }, (_, repeat) => {
        const number = (d * 3 + l) * repeats + repeat;
        const accuracy = 0.5 + 0.01 * d - 0.02 * Math.abs(l - 1) +
          noise(number);
        const failed = number === 5;
        const history = Array.from({ length: epochs }, (_, e) => ({
          ...{ epoch: e + 1, trainLoss: 2 - 0.1 * e + noise(e + number) },
          validationAccuracy: accuracy - 0.05 * (epochs - e),
          testAccuracy: accuracy - 0.04 * (epochs - 1 - e) + noise(number + e),
        }));
        return {
          ...{ [charts.channels.PARAMETERS]: ["depth", "lr"], depth, lr },
          ...{ study: "made-up", number, repeat, seed: 100 + repeat },
          state: failed ? "FAIL" : "COMPLETE",
          accuracy: failed ? null : accuracy,
          ...failed
            ? {
              failKind: "error",
              reason: "cannot open /home/someone/secret/weights.pth",
            }
            : { balanced: accuracy - 0.1, testMacroF1: accuracy - 0.12 },
          maxTestAccuracy: failed ? undefined : accuracy + 0.02,
          chosenEpoch: failed ? undefined : epochs,
          ...{
            seconds: 60 + number,
            start: 1e12 + number,
            end: 1e12 + number + 1,
          },
          recipe: {
            model: "baseline",
            depth,
            lr,
            weights: { file: "/home/a/b.pth" },
          },
          provenance: { code: "abc", host: "secret-host", cpu: "a processor" },
          predictions: new Uint8Array(4),
          confusion: [[5, 1], [2, 4]],
          history,
        } as unknown as Trial;
      })
    )
  );
