/** Runs a study in a cell: progress and curves in place, a line a trial. */
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { escapeMarkup, lineChart, percent } from "../charts/mod.ts";
import type { Dataset } from "../data/mod.ts";
import {
  analysis,
  exportStudy,
  type Params,
  type RecordPlace,
  runPlanned,
  runStudy,
  type StudyInput,
  type TrainingEvent,
  type TrainingPlan,
  type TrainTrial,
  trialRows,
} from "../study/mod.ts";
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
export function interruptSignal(): AbortSignal {
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

/** One place in the output of a cell that can be replaced. */
class LivePlace {
  #id = crypto.randomUUID();
  #shown = false;
  /** What is shown is sent one after the other. */
  #sent: Promise<unknown> = Promise.resolve();

  show(html: () => string): void {
    this.#sent = this.#sent.then(() => {
      const message = this.#shown ? "update_display_data" : "display_data";
      this.#shown = true;
      return broadcast(message, {
        data: { "text/html": html() },
        metadata: {},
        transient: { display_id: this.#id },
      });
    });
  }

  done(): Promise<unknown> {
    return this.#sent;
  }
}

/** Lines beyond these are thinned out to the newest trials. */
const LIVE_TRIALS = 12;

/** Tells a run's events: lines, a bar, and the newest trials' curves. */
class Teller {
  #live = new LivePlace();
  #curves: { trial: string; epoch: number; accuracy: number }[] = [];
  #total = 0;
  #done = 0;
  #ran = 0;
  #began = performance.now();

  constructor(
    private readonly name: string,
    private readonly valueText: (value: number) => string,
  ) {}

  #bar(): string {
    const seconds = (performance.now() - this.#began) / 1000;
    const left = this.#ran > 0
      ? `, about ${
        duration(seconds / this.#ran * (this.#total - this.#done))
      } left`
      : "";
    const words = `${this.name}: ${this.#done} of ${this.#total} trials` +
      (this.#done < this.#total ? left : ` in ${duration(seconds)}`);
    return `<div><progress max="${this.#total}" value="${this.#done}" ` +
      `style="width: 100%; max-width: 40em">${words}</progress><br>` +
      `${escapeMarkup(words)}</div>`;
  }

  #show(): void {
    this.#live.show(() => {
      const newest = [...new Set(this.#curves.map((c) => c.trial))]
        .slice(-LIVE_TRIALS);
      const curves = this.#curves.filter((c) => newest.includes(c.trial));
      return this.#bar() + (curves.length === 0 ? "" : lineChart(curves, {
        x: "epoch",
        series: "trial",
        yLabel: "validation accuracy",
      }).html);
    });
  }

  #ended(params: Params, text: string): void {
    this.#done++;
    this.#ran++;
    console.log(
      `trial ${this.#done} of ${this.#total}: ${
        analysis.describe(params)
      }${text}`,
    );
    this.#show();
  }

  tell(event: TrainingEvent): void {
    switch (event.type) {
      case "start":
        this.#total = event.total;
        this.#done = event.total - event.missing;
        console.log(
          event.missing === 0
            ? `${this.name}: nothing to do: all ${event.total} trials are on record`
            : `${this.name}: ${event.missing} of ${event.total} trials to run`,
        );
        break;
      case "warning":
      case "changed":
      case "budget":
        console.warn(event.message);
        break;
      case "epoch":
        this.#curves.push({
          trial: `${analysis.describe(event.point.params)}, repeat ${
            event.point.repeat + 1
          }`,
          epoch: event.report.epoch,
          accuracy: event.report.value,
        });
        this.#show();
        break;
      case "complete":
        this.#ended(event.point.params, `: ${this.valueText(event.value)}`);
        break;
      case "pruned":
      case "failed":
      case "lost":
        this.#ended(event.point.params, `: ${event.type}, ${event.reason}`);
        break;
      case "interrupted":
        console.log(
          `interrupted in ${
            analysis.describe(event.point.params)
          }: run the cell again to go on from its last epoch`,
        );
        break;
    }
  }

  done(): Promise<unknown> {
    return this.#live.done();
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
    name,
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
