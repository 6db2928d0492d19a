/** `deno task study run FILE`: runs what is missing of a study file. */
import {
  type CostEstimate,
  estimateCost,
  loadPlanData,
  readStudyFile,
  runStudyFile,
  StudyError,
  studyFolder,
  type TrainingPlan,
} from "../../lib/study/mod.ts";
import { clock } from "../../lib/study/commands.ts";
import type { Dataset } from "../../lib/data/mod.ts";
import { ensureLibrary } from "../../lib/tensorflow/commands.ts";
import { path } from "../../lib/notebook/commands/mod.ts";
import { describeParams } from "./values.ts";
import { json, numbers, plural, roomOf, table, words } from "../text.ts";
import { command, refuseFolder, say, UsageError, withOptions } from "../cli.ts";
import {
  addWatchOptions,
  launchOptions,
  watch,
  type WatchOptions,
} from "./watch.ts";

/** An estimate as a table, one line a setting, and the sum. */
function estimateText(cost: CostEstimate, jobs: number): string {
  const settings = cost.settings.filter((s) => s.missing > 0);
  const rows = table([
    words("setting", settings.map((s) => describeParams(s.params))),
    numbers("to run", settings.map((s) => String(s.missing))),
    numbers("each", settings.map((s) => clock(s.seconds))),
    words(
      "known from",
      settings.map((s) => s.recorded ? "its record" : "timed steps"),
      { spare: true },
    ),
  ], roomOf(Deno.stdout));
  const { imagesPerSecond } = cost.measured ?? {};
  const speed = imagesPerSecond
    ? ` (measured: ${imagesPerSecond.toFixed(1)} images/s in ` +
      "training)"
    : "";
  const sum = cost.missing === 0
    ? `nothing to do: all ${plural(cost.total, "trial")} are on record`
    : `${cost.missing} of ${plural(cost.total, "trial")} to run, about ${
      clock(cost.seconds)
    } one after the other${speed}`;
  // Trials at once share the machine's cores, so that the sum is about the same.
  const shared = jobs > 1 && cost.missing
    ? `; ${jobs} at once share this machine's cores`
    : "";
  return settings.length ? `${rows}\n\n${sum}${shared}` : sum;
}

/** Prints what a plan's missing trials would cost; trains nothing. */
async function dryRun(
  plan: TrainingPlan,
  data: Dataset,
  o: {
    dir: string;
    store?: string;
    jobs: number;
    retries?: number;
    json?: boolean;
  },
): Promise<void> {
  await ensureLibrary({ onProgress: say });
  const cost = await estimateCost(plan, data, o);
  console.log(o.json ? json(cost) : estimateText(cost, o.jobs));
}

async function run(
  file: string,
  o: WatchOptions & { dryRun?: boolean },
): Promise<number> {
  if (file.endsWith(".ipynb")) {
    throw new UsageError(
      `${file} is a notebook: \`deno task study NAME\` runs one of FERLab's, ` +
        "`deno task nb run FILE` any",
    );
  }
  const study = await readStudyFile(path(file)).catch((error: Error) => {
    throw new UsageError(error.message);
  });
  if (study.kind === "plan" && study.plan.data?.name === "synthetic") {
    refuseFolder(o.dataDir, `name its format under "data" in ${file}`);
  }
  const { name } = study.kind === "plan" ? study.plan.study : study.study;
  const dir = path(o.dir ?? studyFolder(name));
  if (study.kind === "plan") await ensureLibrary({ onProgress: say });
  if (o.dryRun) {
    if (study.kind !== "plan") {
      throw new StudyError(
        `${file}: --dry-run can estimate the cost of a training ` +
          "plan only, not of a module",
      );
    }
    const { dataDir, ...options } = launchOptions(o);
    const data = await loadPlanData(study.plan, dataDir);
    await dryRun(study.plan, data, { dir, ...options, json: o.json });
    return 0;
  }
  return await watch(
    o,
    (watched) => runStudyFile(study, { dir, ...launchOptions(o), ...watched }),
  );
}

export const runCommand = command("run", {
  about:
    "Runs what is missing of a study: a training plan (.json) or a module\n" +
    "with an objective (.ts). Several processes may run one study at once.",
  examples: ["study run lr.json --jobs 2 --dir runs/lr"],
  takes: (c) =>
    addWatchOptions(
      withOptions(c.argument("<file>", "the plan or module"), {
        "--dry-run": "show what would run and about how long it takes",
      }),
    ),
}, run);
