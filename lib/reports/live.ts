/** Runs a study in a cell: progress and curves in place, a line a trial. */
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { escapeMarkup, lineChart, percent } from "../charts/mod.ts";
import type { Dataset } from "../data/mod.ts";
import {
  exportStudy,
  type RecordPlace,
  runPlanned,
  runStudy,
  type StudyInput,
  Tally,
  type TrainingEvent,
  type TrainingPlan,
  type TrainTrial,
  trialRows,
} from "../study/mod.ts";
import { paramsText } from "../rows/mod.ts";
import { duration } from "./show.ts";

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
export function placeOf(dir: string): RecordPlace {
  const store = Deno.env.get("FERLAB_STORE");
  return store ? { store } : { dir: fromRoot(dir) };
}

let controller: AbortController | undefined;

/** A signal that Ctrl-C and a front end's stop button abort. */
function interruptSignal(): AbortSignal {
  if (!controller) {
    controller = new AbortController();
    Deno.addSignalListener("SIGINT", () => {
      controller?.abort(new DOMException("interrupted", "AbortError"));
      controller = new AbortController();
    });
  }
  return controller.signal;
}

/** Shows something in the cell that runs; false outside a kernel. */
export async function broadcast(
  message: "display_data" | "update_display_data",
  content: Record<string, unknown>,
): Promise<boolean> {
  let channel;
  try {
    // deno-lint-ignore no-explicit-any
    channel = (Deno as any).jupyter; // throws outside a kernel
  } catch { /* there is no cell */ }
  await channel?.broadcast(message, content);
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

/** Lines beyond these are thinned out to the newest trials. */
const LIVE_TRIALS = 12;

/** Tells a run's events: lines, a bar, and the newest trials' curves. */
class Teller {
  #tally: Tally;
  #curves: { trial: string; epoch: number; accuracy: number }[] = [];
  /** The place in the cell's output where the newest bar replaces the last. */
  #place = { display_id: crypto.randomUUID() };
  #message: "display_data" | "update_display_data" = "display_data";
  /** What is shown is sent one after the other. */
  #sent: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly study: StudyInput,
    private readonly valueText: (value: number) => string,
  ) {
    const { direction = "maximize" } = study;
    this.#tally = new Tally(direction, () => performance.now());
  }

  #progress(): StudyProgress {
    const { done, total, failed, best: value } = this.#tally;
    const { name, metric = "value" } = this.study;
    const secondsLeft = this.#tally.secondsLeft();
    return {
      ...{ study: name, done, total, failed, secondsLeft },
      ...value !== undefined &&
        { best: { metric, value, text: this.valueText(value) } },
    };
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
      (curves.length === 0
        ? ""
        : lineChart(curves, { x: "epoch", series: "trial", yLabel }).html);
  }

  #show(): void {
    this.#sent = this.#sent.then(async () => {
      const data = {
        "text/html": this.#html(),
        [PROGRESS_TYPE]: this.#progress(),
      };
      const content = { data, metadata: {}, transient: this.#place };
      await broadcast(this.#message, content);
      this.#message = "update_display_data";
    });
  }

  tell(event: TrainingEvent): void {
    this.#tally.take(event);
    const { done, total } = this.#tally;
    const setting = "point" in event
      ? paramsText(event.point.params) || "the only setting"
      : "";
    const ended = (how: string) => {
      console.log(`trial ${done} of ${total}: ${setting}: ${how}`);
      this.#show();
    };
    switch (event.type) {
      case "start":
        console.log(
          `${this.study.name}: ` +
            (event.missing === 0
              ? `nothing to do: all ${total} trials are on record`
              : `${event.missing} of ${total} trials to run`),
        );
        return event.missing === 0 ? undefined : this.#show();
      case "warning":
      case "changed":
      case "budget":
        return console.warn(event.message);
      case "epoch":
        this.#curves.push({
          trial: `${setting}, repeat ${event.point.repeat + 1}`,
          epoch: event.report.epoch,
          accuracy: event.report.value,
        });
        return this.#show();
      case "complete":
        return ended(this.valueText(event.value));
      case "pruned":
      case "failed":
        return ended(`${event.type}, ${event.reason}`);
      case "lost":
        return console.log(`lost: ${setting}: ${event.reason}`);
      case "interrupted":
        return console.log(
          `interrupted in ${setting}: run the cell again to go on from its ` +
            "last epoch",
        );
    }
  }

  done(): Promise<unknown> {
    return this.#sent;
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
  const { name, metric = "" } = job.study;
  const isTraining = "recipe" in job;
  const teller = new Teller(
    job.study,
    isTraining
      ? percent
      : (value) => `${Number(value.toPrecision(4))} ${metric}`.trim(),
  );
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
  await teller.done();
  const { study, rows } = await trialRows(placeOf(dir), name);
  mkdirSync(fromRoot(dir), { recursive: true });
  const file = join(fromRoot(dir), `${name}.parquet`);
  await exportStudy(study, rows, { format: "parquet", file });
}
