/** `deno task study prune`: ends trials by hand, or removes checkpoints. */
import { rmSync } from "node:fs";
import {
  type FailKind,
  isSettled,
  StudyError,
  type TrialRow,
} from "../../lib/study/commands.ts";
import { bytes, plural } from "../text.ts";
import {
  type FoundStudy,
  type RecordOptions,
  withName,
  withStudy,
  withTrialNumbers,
} from "./records.ts";
import { command, UsageError } from "../cli.ts";
import {
  byPoint,
  bytesBelow,
  checkpointsOf,
  findTrial,
  pointKey,
} from "./trials.ts";

/** Ends one waiting or running trial. */
async function end(found: FoundStudy, trial: TrialRow): Promise<void> {
  const { store, row } = found;
  const key = pointKey(trial);
  if (trial.state === "WAITING") {
    // Only a running trial can be ended, so it is taken first.
    const claim = key === undefined
      ? null
      : await store.claim(row.studyId, { keys: new Set([key]) });
    if (claim?.trialId !== trial.trialId) {
      throw new StudyError(
        `trial ${trial.number} of "${found.name}" ${
          key === undefined
            ? "was queued by another tool: end it there"
            : "was started meanwhile: give the command again"
        }`,
      );
    }
  }
  await store.finish(trial.trialId, {
    state: "PRUNED",
    reason: "ended by hand",
  });
}

async function endTrials(
  found: FoundStudy,
  numbers: readonly number[],
): Promise<void> {
  const trials = await found.store.trials(found.row.studyId);
  const chosen = [...new Set(numbers)].map((n) => findTrial(found, trials, n));
  const over = chosen.find((t) =>
    t.state !== "WAITING" && t.state !== "RUNNING"
  );
  if (over) {
    throw new StudyError(
      `trial ${over.number} of "${found.name}" is ${over.state}: ` +
        "only waiting and running trials can be pruned",
    );
  }
  for (const trial of chosen) {
    await end(found, trial);
    console.log(
      trial.state === "RUNNING"
        ? `trial ${trial.number} is pruned; its process stops at its next epoch`
        : `trial ${trial.number} is pruned and will not be started`,
    );
  }
}

/** Removes the checkpoints of points that are not run again. */
async function removeCheckpoints(found: FoundStudy): Promise<void> {
  const { store, row, dir, name } = found;
  if (dir === undefined) {
    throw new UsageError(
      "--checkpoints: say where they are with --dir FOLDER, the study's folder",
    );
  }
  const settled = byPoint(await store.trials(row.studyId)).filter((point) =>
    point.every((t) => t.state !== "WAITING" && t.state !== "RUNNING") &&
    point.some((t) =>
      isSettled({
        state: t.state,
        failKind: t.attrs.fail_kind as FailKind | undefined,
      })
    )
  );
  const folders = checkpointsOf(dir, row, settled.flat());
  const size = folders.reduce((sum, folder) => sum + bytesBelow(folder), 0);
  for (const folder of folders) rmSync(folder, { recursive: true });
  console.log(
    folders.length
      ? `removed the checkpoints of ${
        plural(folders.length, "finished point")
      } of "${name}": ${bytes(size)}`
      : `no finished trial of "${name}" has checkpoints`,
  );
}

function prune(
  name: string,
  numbers: number[] = [],
  o: RecordOptions & { checkpoints?: boolean },
): Promise<number> {
  if (!numbers.length && !o.checkpoints) {
    throw new UsageError(
      "nothing to prune: give the numbers of trials, or --checkpoints",
    );
  }
  return withStudy(name, { ...o, write: numbers.length > 0 }, async (found) => {
    if (numbers.length) await endTrials(found, numbers);
    if (o.checkpoints) await removeCheckpoints(found);
    return 0;
  });
}

export const pruneCommand = command("prune", {
  summary: "end trials early, or remove checkpoints",
  about:
    "End waiting or running trials: they are recorded as PRUNED, and no run " +
    "starts their points again. With --checkpoints, remove the " +
    "checkpoints of points that have a result or will never get one; " +
    "checkpoints that a run would continue from stay.",
  examples: [
    "study prune lr-search 4 5",
    "study prune lr-search --checkpoints",
  ],
  takes: (c) => withTrialNumbers(withName(c)),
  options: {
    "--checkpoints": "remove the checkpoints of finished trials",
  },
}, prune);
