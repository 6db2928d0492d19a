/** A study that runs in a cell: what it costs, progress and curves, a line a trial. */
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { escapeMarkup, lineChart, percent } from "../charts/mod.ts";
import type { Dataset } from "../data/mod.ts";
import {
  type CostEstimate,
  eventLines,
  exportStudy,
  type RecordPlace,
  runPlanned,
  runStudy,
  type StudyInput,
  Tally,
  type TrainingEvent,
  type TrainingPlan,
  type TrainTrial,
  type TrialPoint,
  trialRows,
} from "../study/mod.ts";
import { duration, paramsText } from "../rows/mod.ts";

/** A study whose trials are no trainings, such as one of throughput. */
export interface Measurement {
  study: StudyInput;
  measure: TrainTrial;
  /** A trial's value in its row. */
  field: string;
  /** What is measured, in words, by the protocol's lines. */
  facts: Record<string, string>;
}

/** Folders are taken from the project's root, wherever the kernel started. */
export const fromRoot = (dir: string) =>
  resolve(import.meta.dirname!, "../..", dir);

/** The records of a folder, or the store that FERLAB_STORE names. */
export function recordPlace(dir: string): RecordPlace {
  const store = Deno.env.get("FERLAB_STORE");
  return store ? { store } : { dir: fromRoot(dir) };
}

let controller: AbortController | undefined;

/** A signal that Ctrl-C and a front end's stop button abort. */
function interruptSignal(): AbortSignal {
  if (controller) return controller.signal;
  controller = new AbortController();
  Deno.addSignalListener("SIGINT", () => {
    controller?.abort(new DOMException("interrupted", "AbortError"));
    controller = new AbortController();
  });
  return controller.signal;
}

/** Shows data in the cell that runs; false outside a kernel. */
async function broadcast(
  data: Record<string, unknown>,
  message = "display_data",
  transient = {},
): Promise<boolean> {
  let channel;
  try {
    // deno-lint-ignore no-explicit-any
    channel = (Deno as any).jupyter; // throws outside a kernel
  } catch { /* there is no cell */ }
  await channel?.broadcast(message, { data, metadata: {}, transient });
  return channel !== undefined;
}

/** The media type under which a cell shows how far its study is. */
export const PROGRESS_TYPE = "application/vnd.ferlab.progress+json";

/** How far a study is, for whoever runs the notebook. */
export interface StudyProgress {
  study: string;
  /** Trials that are settled, those of earlier runs included. */
  done: number;
  total: number;
  failed: number;
  secondsLeft?: number;
  /** Of this run: what the value is of, the value, and both as a text. */
  best?: { metric: string; value: number; text: string };
}

/** The same of a study's cost. */
export const COST_TYPE = "application/vnd.ferlab.cost+json";

/** What is missing of a study; of trainings also how long they take. */
export interface StudyCost {
  study: string;
  /** Trials without a result, of all. */
  missing: number;
  total: number;
  plan?: TrainingPlan;
  estimate?: CostEstimate;
}

/** "lr-search: 4 of 60 trials to run, about 20 s one after the other, …" */
export function costText({ study, missing, total, estimate }: StudyCost) {
  if (missing === 0) return `${study}: all ${total} trials are on record`;
  const what = `${study}: ${missing} of ${total} trials to run`;
  if (!estimate) return `${what}: measurements, whose time is what they find`;
  const { seconds, measured } = estimate;
  const by = measured
    ? `${measured.imagesPerSecond.toFixed(0)} images/s timed now`
    : "the trials on record";
  return `${what}, about ${duration(seconds)} one after the other, by ${by}`;
}

/** Shows a cost in the cell that runs; outside a kernel it is printed. */
export async function tellCost(cost: StudyCost): Promise<void> {
  const text = costText(cost);
  const data = { "text/plain": text, [COST_TYPE]: cost };
  if (!await broadcast(data)) console.log(text);
}

const settingOf = ({ params }: TrialPoint) =>
  paramsText(params) || "the only setting";

/** Lines beyond these are thinned out to the newest trials. */
const LIVE_TRIALS = 12;

/** Tells a run's events: lines, a bar, and the newest trials' curves. */
class Teller {
  readonly #tally: Tally;
  readonly #lineOf: ReturnType<typeof eventLines>;
  #curves: { trial: string; epoch: number; accuracy: number }[] = [];
  /** The place in the cell's output where the newest bar replaces the last. */
  #place = { display_id: crypto.randomUUID() };
  #message = "display_data";
  /** What is shown is sent one after the other. */
  done: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly study: StudyInput,
    private readonly value: (value: number) => string,
  ) {
    const { direction = "maximize" } = study;
    this.#tally = new Tally(direction, () => performance.now());
    this.#lineOf = eventLines(this.#tally, { setting: settingOf, value });
  }

  #progress(): StudyProgress {
    const { done, total, failed, best: value } = this.#tally;
    const { name: study, metric = "value" } = this.study;
    const secondsLeft = this.#tally.secondsLeft();
    const best = value === undefined
      ? undefined
      : { metric, value, text: this.value(value) };
    return { study, done, total, failed, secondsLeft, best };
  }

  #html(): string {
    const { done, total } = this.#tally, left = this.#tally.left();
    const time = done === total
      ? ` in ${duration(this.#tally.elapsed())}`
      : left && `, ${left}`;
    const words = escapeMarkup(
      `${this.study.name}: ${done} of ${total} trials${time ?? ""}`,
    );
    const newest = [...new Set(this.#curves.map((c) => c.trial))]
      .slice(-LIVE_TRIALS);
    const curves = this.#curves.filter((c) => newest.includes(c.trial));
    const yLabel = "validation accuracy";
    return `<div><progress max="${total}" value="${done}" ` +
      `style="width: 100%; max-width: 40em">${words}</progress><br>` +
      `${words}</div>` +
      (curves.length > 0
        ? lineChart(curves, { x: "epoch", series: "trial", yLabel }).html
        : "");
  }

  #show(): void {
    this.done = this.done.then(async () => {
      const html = this.#html(), progress = this.#progress();
      const data = { "text/html": html, [PROGRESS_TYPE]: progress };
      await broadcast(data, this.#message, this.#place);
      this.#message = "update_display_data";
    });
  }

  tell(event: TrainingEvent): void {
    this.#tally.take(event);
    const { type } = event, line = this.#lineOf(event)?.text;
    const begin = type === "start" ? `${this.study.name}: ` : "";
    const more = type === "interrupted"
      ? ": run the cell again to go on from its last epoch"
      : "";
    const isWarning = ["warning", "changed", "budget"].includes(type);
    if (line) console[isWarning ? "warn" : "log"](begin + line + more);
    if (type === "epoch") {
      this.#curves.push({
        trial: `${settingOf(event.point)}, repeat ${event.point.repeat + 1}`,
        epoch: event.report.epoch,
        accuracy: event.report.value,
      });
    }
    const isShown = type === "start"
      ? event.missing > 0
      : ["epoch", "complete", "pruned", "failed"].includes(type);
    if (isShown) this.#show();
  }
}

/**
 * Runs what is missing of trainings or measurements: a line a trial, and in a
 * front end a bar and the learning curves, which grow while it trains. Ctrl-C
 * and the stop button keep every finished epoch. At the end the record is
 * written as Parquet too (`STUDY.parquet`, `STUDY.epochs.parquet` in `dir`).
 */
export async function runJob(
  job: TrainingPlan | Measurement,
  data: () => Promise<Dataset>,
  dir: string,
): Promise<void> {
  const { name, metric = "" } = job.study, isTraining = "recipe" in job;
  const measured = (value: number) =>
    `${Number(value.toPrecision(4))} ${metric}`.trim();
  const teller = new Teller(job.study, isTraining ? percent : measured);
  const options = {
    dir: fromRoot(dir),
    store: Deno.env.get("FERLAB_STORE"),
    signal: interruptSignal(),
    onEvent: (event: TrainingEvent) => teller.tell(event),
  };
  if (isTraining) {
    await runPlanned(job, await data(), {
      ...options,
      jobs: Number(Deno.env.get("FERLAB_JOBS") ?? 1),
      dataDir: Deno.env.get("FERLAB_DATA_DIR"),
    });
  } else await runStudy(job.study, job.measure, options);
  await teller.done;
  const { study, rows } = await trialRows(recordPlace(dir), name);
  const file = join(options.dir, `${name}.parquet`);
  mkdirSync(options.dir, { recursive: true });
  await exportStudy(study, rows, { format: "parquet", file });
}
