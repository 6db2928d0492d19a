/** What a notebook imports: one line gives it everything. */
export * from "./charts/mod.ts";
export * from "./data/mod.ts";
export * from "./models/mod.ts";
export * from "./study/mod.ts";
export * from "./train/mod.ts";
export { engineInfo, resolvePrecision } from "./tensorflow/mod.ts";
export { z } from "zod";

import { resolve } from "node:path";
import {
  type Chart,
  confusionMatrixChart,
  learningCurvesChart,
  lrAccuracyChart,
} from "./charts/mod.ts";
import { type Dataset, loadDataset } from "./data/mod.ts";
import {
  type EpochSummary,
  type LrSearch,
  readPublished,
  runTrainingStudy,
  type StudySummary,
  type TrainingEvent,
  trialRows,
  wilsonInterval,
} from "./study/mod.ts";

/** Folders are taken from the project's root, wherever the kernel started. */
function fromRoot(dir: string): string {
  return resolve(import.meta.dirname!, "..", dir);
}

/** A signal that Ctrl-C and the stop button abort. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = () =>
    controller.abort(new DOMException("interrupted", "AbortError"));
  Deno.addSignalListener("SIGINT", stop);
  return controller.signal;
}

/** Rich display in a notebook, nothing elsewhere. */
// deno-lint-ignore no-explicit-any
const jupyter = (globalThis as any).Deno.jupyter as any;
function inKernel(): boolean {
  try {
    return typeof jupyter?.broadcast === "function";
  } catch {
    return false;
  }
}

/** Shows `chart` where the last one with this `id` stood. */
async function display(chart: Chart, id: string, update: boolean) {
  if (!inKernel()) return;
  await jupyter.broadcast(update ? "update_display_data" : "display_data", {
    data: { "text/html": chart.html },
    metadata: {},
    transient: { display_id: id },
  });
}

/** The study's data set at the profile's size and limits. */
export function searchData(
  search: LrSearch,
  o: { data: "synthetic" | "fer2013"; dataDir?: string; seed?: number },
): Promise<Dataset> {
  return loadDataset({
    name: o.data,
    dir: o.dataDir,
    size: search.size,
    seed: o.seed,
    ...search.limits,
  });
}

const percent = (x: number) => `${(100 * x).toFixed(1)} %`;

/**
 * Runs what is missing of the search: a line a trial, and in a front end a
 * learning-curve chart that grows while it trains.
 */
export async function runSearch(
  search: LrSearch,
  data: Dataset,
  dir: string,
  signal = interruptSignal(),
): Promise<StudySummary> {
  const curves: Parameters<typeof learningCurvesChart>[0] = [];
  const chartId = "ferlab-lr-search-progress";
  let shown = false, chain = Promise.resolve();
  const onEvent = (event: TrainingEvent) => {
    if (event.type === "epoch") {
      const { depth, lr } = event.point.params;
      curves.push({
        trial: `depth ${depth}, LR ${lr}`,
        epoch: event.report.epoch,
        metric: "validation",
        value: event.report.value,
      });
      const rows = [...curves];
      chain = chain.then(() => {
        const chart = learningCurvesChart(rows, {
          yLabel: "validation accuracy",
        });
        const update = shown;
        shown = true;
        return display(chart, chartId, update);
      });
    }
    if (event.type === "trial-end") {
      const what = Object.entries(event.point.params)
        .map(([k, v]) => `${k} ${v}`).join(", ");
      const result = event.state === "COMPLETE"
        ? percent(event.value!)
        : `${event.state} (${event.reason})`;
      console.log(`trial ${event.number + 1}: ${what}: ${result}`);
    }
  };
  const summary = await runTrainingStudy(search.study, {
    recipe: search.recipe,
    data,
    dir: fromRoot(dir),
    signal,
    onEvent,
  });
  await chain;
  console.log(
    summary.ran === 0
      ? `nothing to do: all ${summary.total} trials are on record`
      : `${summary.ran} trials run, ${summary.complete} complete, ${summary.failed} failed, ${summary.remaining} left`,
  );
  return summary;
}

/** Finished trials of a search as rows for charts and tables. */
export function searchRows(search: LrSearch, dir: string) {
  return trialRows(fromRoot(dir), search.study.name)
    .filter((t) => t.state === "COMPLETE" || t.state === "FAIL")
    .map((t) => {
      const attrs = t.attrs as Record<string, unknown>;
      const correct = attrs.correct as number | undefined;
      const total = attrs.total as number | undefined;
      const interval = correct === undefined || total === undefined
        ? undefined
        : wilsonInterval(correct, total);
      return {
        number: t.number,
        depth: Number(t.params.depth),
        lr: Number(t.params.lr),
        repeat: Number(attrs.repeat ?? 0),
        accuracy: t.value,
        low: interval?.low,
        high: interval?.high,
        chosenEpoch: attrs.chosenEpoch as number | undefined,
        maxTestAccuracy: attrs.maxTestAccuracy as number | undefined,
        seconds: attrs.seconds as number | undefined,
        confusion: attrs.confusion as number[][] | undefined,
        epochs: (attrs.epochs ?? []) as EpochSummary[],
      };
    });
}

export type SearchRow = ReturnType<typeof searchRows>[number];

/** The best finished trial. */
export function bestRow(rows: readonly SearchRow[]): SearchRow {
  const done = rows.filter((r) => r.accuracy !== null);
  if (done.length === 0) throw new Error("no trial of the search is complete");
  return done.reduce((a, b) => b.accuracy! > a.accuracy! ? b : a);
}

/** LR against accuracy, the published searches beside ours. */
export async function searchChart(rows: readonly SearchRow[]): Promise<Chart> {
  const published = [];
  for (const depth of [4, 6, 8]) {
    const { records } = await readPublished(`lr-search-depth${depth}`);
    for (const r of records) {
      const accuracy = Number(r.acc) / 100, unc = Number(r.acc_unc) / 100;
      published.push({
        lr: Number(r.lr),
        depth,
        accuracy,
        low: accuracy - unc,
        high: accuracy + unc,
      });
    }
  }
  return lrAccuracyChart(
    rows.map(({ lr, depth, accuracy, low, high }) => ({
      lr,
      depth,
      accuracy: accuracy as number,
      low,
      high,
    })),
    { published, yLabel: "test accuracy" },
  );
}

/** Validation accuracy by epoch, one line a trial. */
export function searchCurves(rows: readonly SearchRow[]): Chart {
  return learningCurvesChart(
    rows.flatMap((r) =>
      r.epochs.map((e) => ({
        trial: `depth ${r.depth}, LR ${r.lr}`,
        epoch: e.epoch,
        metric: "validation" as const,
        value: e.validationAccuracy,
      }))
    ),
    { yLabel: "validation accuracy" },
  );
}

/** Confusion matrix of a trial on the test split at its chosen epoch. */
export function searchConfusion(row: SearchRow, data: Dataset): Chart {
  return confusionMatrixChart(row.confusion ?? [], data.classes);
}

/** A table a notebook shows as HTML. */
export function table(rows: Record<string, string | number>[]) {
  const escape = (s: unknown) =>
    String(s).replace(/[&<>]/g, (c) => `&#${c.charCodeAt(0)};`);
  const columns = Object.keys(rows[0] ?? {});
  const html = `<table><thead><tr>${
    columns.map((c) => `<th>${escape(c)}</th>`).join("")
  }</tr></thead><tbody>${
    rows.map((r) =>
      `<tr>${columns.map((c) => `<td>${escape(r[c])}</td>`).join("")}</tr>`
    ).join("")
  }</tbody></table>`;
  return { [Symbol.for("Jupyter.display")]: () => ({ "text/html": html }) };
}

/** Every trial with both accuracies: chosen on validation, and the maximum. */
export function searchTable(rows: readonly SearchRow[]) {
  const sorted = [...rows].sort((a, b) => a.depth - b.depth || a.lr - b.lr);
  return table(sorted.map((r) => ({
    depth: r.depth,
    LR: r.lr.toExponential(2),
    "test accuracy (epoch chosen on validation)": r.accuracy === null
      ? "diverged"
      : percent(r.accuracy),
    "95 % interval": r.low === undefined
      ? "–"
      : `${percent(r.low)} – ${percent(r.high!)}`,
    epoch: r.chosenEpoch ?? "–",
    "max over epochs on test (optimistic)": r.maxTestAccuracy === undefined
      ? "–"
      : percent(r.maxTestAccuracy),
    seconds: r.seconds?.toFixed(1) ?? "–",
  })));
}
