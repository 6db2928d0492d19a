/** `deno task study retry`: queues failed trials again. */
import { StudyError, type TrialRow } from "../../lib/study/commands.ts";
import { plural } from "../text.ts";
import {
  type RecordOptions,
  withName,
  withStudy,
  withTrialNumbers,
} from "./records.ts";
import { byPoint, failedPoints, findTrial } from "./trials.ts";
import { command } from "../cli.ts";

/** Of a point's trials, why the failed one needs no copy. */
function refusal(trial: TrialRow, point: readonly TrialRow[]): string | null {
  if (trial.state !== "FAIL") return `is ${trial.state}, not FAIL`;
  const other = point.find((t) => t !== trial && t.state !== "FAIL");
  if (!other) return null;
  return other.state === "COMPLETE" || other.state === "PRUNED"
    ? `has its result in trial ${other.number}`
    : `goes on in trial ${other.number}, which is ${other.state}`;
}

function retry(
  name: string,
  numbers: number[] = [],
  o: RecordOptions,
): Promise<number> {
  return withStudy(name, { ...o, write: true }, async (found) => {
    const { store, row } = found;
    const trials = await store.trials(row.studyId);
    const points = byPoint(trials);
    const chosen = numbers.length
      ? numbers.map((number) => findTrial(found, trials, number))
      : failedPoints(trials);
    for (const trial of chosen) {
      const why = refusal(trial, points.find((p) => p.includes(trial))!);
      if (why) {
        throw new StudyError(
          `trial ${trial.number} of "${found.name}" ${why}: leave it out`,
        );
      }
    }
    const ids = chosen.map((t) => t.trialId);
    const added = await store.retry(row.studyId, ids);
    console.log(
      added
        ? `${plural(added, "trial")} of "${found.name}" wait${
          added === 1 ? "s" : ""
        } again (${
          chosen.map((t) => t.number).join(", ")
        }); the next run starts ${added === 1 ? "it" : "them"}`
        : `no trial of "${found.name}" has failed without a result since`,
    );
    return 0;
  });
}

export const retryCommand = command("retry", {
  summary: "queue failed trials again",
  about: "Queue a copy of failed trials, which continues from the last " +
    "checkpoint. Without numbers: of all points without a result, " +
    "including those that diverged or ran out of memory, which a run does " +
    "not retry by itself.",
  examples: ["study retry lr-search 3 7"],
  takes: (c) => withTrialNumbers(withName(c)),
}, retry);
