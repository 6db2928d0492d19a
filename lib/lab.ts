/** What a notebook imports: one line gives it everything. */
export * from "./charts/mod.ts";
export * from "./data/mod.ts";
export * from "./models/mod.ts";
export * from "./profile/mod.ts";
export * as statistics from "./statistics/mod.ts";
export * from "./study/mod.ts";
export * from "./train/mod.ts";
export * from "./weights/mod.ts";
export { engineInfo, resolvePrecision } from "./tensorflow/mod.ts";
export { z } from "zod";

import { join, resolve } from "node:path";
import {
  type Chart,
  confusionMatrixChart,
  escapeMarkup,
  faceGridChart,
  type LearningCurveRow,
  learningCurvesChart,
  lrAccuracyChart,
  percent,
} from "./charts/mod.ts";
import { type Dataset, loadDataset, type SplitName } from "./data/mod.ts";
import {
  analysis,
  analysisRows,
  epochsFrame,
  exportStudy,
  readPublished,
  type RecordPlace,
  runPlanned,
  type StudySummary,
  type TrainingEvent,
  type TrainingPlan,
  type TrainingRow,
  trainingRows,
  type TrialPoint,
  trialRows,
  trialsFrame,
} from "./study/mod.ts";

/** Folders are taken from the project's root, wherever the kernel started. */
const fromRoot = (dir: string) => resolve(import.meta.dirname!, "..", dir);

/** A signal that Ctrl-C and a front end's stop button abort. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  Deno.addSignalListener(
    "SIGINT",
    () => controller.abort(new DOMException("interrupted", "AbortError")),
  );
  return controller.signal;
}

/** The kernel's display channel; outside a kernel `Deno.jupyter` throws. */
// deno-lint-ignore no-explicit-any
function jupyter(): any {
  try {
    // deno-lint-ignore no-explicit-any
    return (Deno as any).jupyter;
  } catch {
    return undefined;
  }
}

/** One place in the output of a cell whose chart can be replaced. */
class LiveChart {
  #id = crypto.randomUUID();
  #shown = false;
  /** Charts are sent one after the other. */
  #sent: Promise<unknown> = Promise.resolve();

  show(make: () => Chart): void {
    this.#sent = this.#sent.then(() => {
      const message = this.#shown ? "update_display_data" : "display_data";
      this.#shown = true;
      return jupyter()?.broadcast(message, {
        data: { "text/html": make().html },
        metadata: {},
        transient: { display_id: this.#id },
      });
    });
  }

  done(): Promise<unknown> {
    return this.#sent;
  }
}

/**
 * The data set of a plan, at its size and limits. A folder is the machine's
 * business, not the notebook's: where none is given, `FERLAB_DATA_DIR` is it.
 */
export function planData(
  plan: TrainingPlan,
  o: { data: string; dataDir?: string; seed?: number },
): Promise<Dataset> {
  return loadDataset({
    ...plan.data,
    name: o.data,
    dir: o.dataDir || Deno.env.get("FERLAB_DATA_DIR"),
    size: plan.recipe.size,
    seed: o.seed ?? plan.data?.seed,
    ...plan.limits,
  });
}

const describe = (params: TrialPoint["params"]) =>
  Object.entries(params).map(([name, value]) => `${name} ${value}`).join(", ");

/**
 * Runs what is missing of a plan: a line a trial, and in a front end a chart
 * of the learning curves that grows while it trains. Ctrl-C and the stop
 * button keep every finished epoch. At the end the record is written as
 * Parquet too (`trials.parquet`, `trials.epochs.parquet` in `dir`).
 */
export async function runPlan(
  plan: TrainingPlan,
  data: Dataset,
  { dir, signal = interruptSignal() }: { dir: string; signal?: AbortSignal },
): Promise<StudySummary> {
  const curves: LearningCurveRow[] = [];
  const live = new LiveChart();
  let total = 0, done = 0;
  const onEvent = (event: TrainingEvent) => {
    switch (event.type) {
      case "start":
        total = event.total;
        done = total - event.missing;
        console.log(
          event.missing === 0
            ? `nothing to do: all ${total} trials are on record`
            : `${event.missing} of ${total} trials to run`,
        );
        break;
      case "warning":
      case "changed":
      case "budget":
        console.warn(event.message);
        break;
      case "epoch":
        curves.push({
          trial: describe(event.point.params),
          epoch: event.report.epoch,
          metric: "validation",
          value: event.report.value,
        });
        live.show(() =>
          learningCurvesChart(curves, { yLabel: "validation accuracy" })
        );
        break;
      case "complete":
        console.log(
          `trial ${++done} of ${total}: ${describe(event.point.params)}: ${
            percent(event.value)
          }`,
        );
        break;
      case "pruned":
      case "failed":
      case "lost":
        console.log(
          `trial ${++done} of ${total}: ${
            describe(event.point.params)
          }: ${event.type}, ${event.reason}`,
        );
        break;
      case "interrupted":
        console.log(
          `interrupted in ${
            describe(event.point.params)
          }: run the cell again to go on from its last epoch`,
        );
        break;
    }
  };
  const folder = fromRoot(dir);
  const summary = await runPlanned(plan, data, {
    dir: folder,
    store: Deno.env.get("FERLAB_STORE"),
    jobs: Number(Deno.env.get("FERLAB_JOBS") ?? 1),
    dataDir: Deno.env.get("FERLAB_DATA_DIR"),
    signal,
    onEvent,
  });
  await live.done();
  const { study, rows } = await trialRows(placeOf(dir), plan.study.name);
  const file = join(folder, "trials.parquet");
  await exportStudy(study, rows, { format: "parquet", file });
  return summary;
}

/** The records of a folder, or the store that FERLAB_STORE names. */
function placeOf(dir: string): RecordPlace {
  const store = Deno.env.get("FERLAB_STORE");
  return store ? { store } : { dir: fromRoot(dir) };
}

/** A plan's record as frames: a row a trial, and a row an epoch of each. */
export async function planFrames(plan: TrainingPlan, dir: string) {
  const { rows } = await trialRows(placeOf(dir), plan.study.name);
  return { trials: trialsFrame(rows), epochs: epochsFrame(rows) };
}

/** What is on record of a plan's trials. */
export function planRows(
  plan: TrainingPlan,
  dir: string,
): Promise<TrainingRow[]> {
  return trainingRows(placeOf(dir), plan.study.name);
}

/** The pooled sd of repeats' test accuracies; null without repeats. */
const noiseOf = (rows: readonly TrainingRow[]) =>
  analysis.noiseFloor(analysisRows(rows));

/** LR against accuracy by depth, the published searches beside ours. */
export async function lrSearchChart(
  rows: readonly TrainingRow[],
): Promise<Chart> {
  const published = [];
  for (const depth of [4, 6, 8]) {
    const { records } = await readPublished(`lr-search-depth${depth}`);
    for (const r of records) {
      const accuracy = Number(r.acc) / 100, half = Number(r.acc_unc) / 100;
      published.push({
        lr: Number(r.lr),
        depth,
        accuracy,
        low: accuracy - half,
        high: accuracy + half,
      });
    }
  }
  return lrAccuracyChart(
    rows.map(({ params, accuracy, interval }) => ({
      lr: Number(params.lr),
      depth: Number(params.depth),
      accuracy,
      low: interval?.low,
      high: interval?.high,
    })),
    { published, yLabel: "test accuracy", noise: noiseOf(rows) },
  );
}

/** Validation accuracy by epoch, one line a trial. */
export function curvesChart(rows: readonly TrainingRow[]): Chart {
  return learningCurvesChart(
    rows.flatMap((r) =>
      r.epochs.map((e) => ({
        trial: describe(r.params),
        epoch: e.epoch,
        metric: "validation" as const,
        value: e.validationAccuracy,
      }))
    ),
    { yLabel: "validation accuracy", noise: noiseOf(rows) },
  );
}

/** Confusion matrix of a trial on the test split at its chosen epoch. */
export function confusionChart(row: TrainingRow, data: Dataset): Chart {
  return confusionMatrixChart(row.confusion ?? [], data.classes);
}

/**
 * The first faces of each class of a split. Faces of real people stay at home:
 * a notebook that is committed shows synthetic ones only.
 */
export function facesChart(
  data: Dataset,
  { split = "train", perClass = 10, title }: {
    split?: SplitName;
    perClass?: number;
    title?: string;
  } = {},
): Chart {
  const { images, labels, n } = data[split], { size, channels } = data;
  const width = images.length / n;
  const rows = data.classes.map((label) => ({
    label,
    faces: [] as Uint8Array[],
  }));
  labels.forEach((label, i) => {
    const { faces } = rows[label];
    if (faces.length < perClass) {
      faces.push(images.subarray(i * width, (i + 1) * width));
    }
  });
  return faceGridChart(rows, { size, channels, title });
}

/** A table that a notebook shows as HTML. */
export function table(rows: Record<string, string | number>[]) {
  const row = (cells: unknown[], tag: string) =>
    `<tr>${
      cells.map((c) => `<${tag}>${escapeMarkup(String(c))}</${tag}>`).join("")
    }</tr>`;
  const columns = Object.keys(rows[0] ?? {});
  const html = `<table><thead>${row(columns, "th")}</thead><tbody>${
    rows.map((r) => row(columns.map((c) => r[c]), "td")).join("")
  }</tbody></table>`;
  return { [Symbol.for("Jupyter.display")]: () => ({ "text/html": html }) };
}

/** Mean recall of the test split's classes at the chosen epoch. */
function balancedAccuracy({ epochs, chosenEpoch }: TrainingRow): string {
  const chosen = epochs.find((e) => e.epoch === chosenEpoch);
  return chosen ? percent(chosen.testBalancedAccuracy) : "–";
}

/**
 * Every trial with its accuracies: at the epoch that validation chose, over
 * all images and as the mean of the classes, and the maximum over the epochs
 * on the test split.
 */
export function trialTable(rows: readonly TrainingRow[]) {
  const names = Object.keys(rows[0]?.params ?? {});
  const sorted = [...rows].sort((a, b) =>
    names.map((n) => Number(a.params[n]) - Number(b.params[n]))
      .find((d) => d !== 0) ?? 0
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
