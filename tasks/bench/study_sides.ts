/** The two sides of `deno task bench study`: our engine, and Optuna. */
import {
  type Distribution,
  type FinishedTrial,
  openStore,
  runStudy,
  type StudyInput,
  type TrainTrial,
} from "../../lib/study/mod.ts";
import { PythonPeer } from "./parts.ts";

/** How long a job took, and how much of it was found in the records after. */
export interface Answer {
  ms: number;
  done: number;
}

/** What Optuna's process does; tasks/bench/study_peer.py reads it. */
export interface Job {
  what: "trials" | "report" | "load";
  sampler?: "random" | "tpe";
}

const NAME = "bench";
const OPTIMIZERS = ["sgd", "adam", "adamw"];

/** Optuna in a process that stays, as this one does. */
export class Optuna extends PythonPeer {
  constructor(python: string) {
    super(python, "study_peer.py");
  }

  /** @param size trials or epochs; those of a load are in the records */
  async run(job: Job, url: string, size: number): Promise<Answer> {
    const all = { name: NAME, sampler: "random", url, size, ...job };
    return await this.ask(JSON.stringify(all)) as unknown as Answer;
  }
}

/** A study from start to end, opening and making its tables included. */
async function study(
  url: string,
  input: Omit<StudyInput, "name">,
  train: TrainTrial,
): Promise<Answer> {
  const dir = await Deno.makeTempDir();
  try {
    const start = performance.now();
    const { complete } = await runStudy(
      { name: NAME, direction: "minimize", ...input },
      train,
      { dir, store: url },
    );
    return { ms: performance.now() - start, done: complete };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** That many trials of a search over three parameters. */
export function ourTrials(
  url: string,
  points: number,
  kind: "random" | "tpe",
): Promise<Answer> {
  const parameters: StudyInput["parameters"] = {
    lr: { low: 1e-5, high: 0.1, log: true },
    depth: { low: 1, high: 8, int: true },
    optimizer: OPTIMIZERS,
  };
  return study(
    url,
    { parameters, search: { kind, points } },
    ({ params: { lr, depth, optimizer } }) =>
      Promise.resolve({
        value: Number(lr) * Number(depth) + String(optimizer).length,
      }),
  );
}

/** One trial that reports that many epochs one by one. */
export async function ourReports(
  url: string,
  epochs: number,
  attrs?: Record<string, number>,
): Promise<Answer> {
  const { ms } = await study(
    url,
    { parameters: { lr: [0.1] } },
    async (_, { report }) => {
      for (let epoch = 1; epoch <= epochs; epoch++) {
        await report({ epoch, value: 1 / epoch, attrs });
      }
      return { value: 1 };
    },
  );
  return { ms, done: (await ourLoad(url)).done };
}

/** Opens records and reads all trials; counts intermediate values. */
export async function ourLoad(url: string): Promise<Answer> {
  const start = performance.now();
  await using store = await openStore(url);
  const [{ studyId }] = await store.studies();
  const trials = await store.trials(studyId);
  const ms = performance.now() - start;
  const done = trials.reduce((sum, t) => sum + t.intermediate.length, 0);
  return { ms, done };
}

/** Epochs of each trial that `fill` makes. */
export const FILLED_EPOCHS = 10;

/** Makes a study of that many finished trials. */
export async function fill(url: string, count: number): Promise<void> {
  const distributions: Record<string, Distribution> = {
    lr: {
      name: "FloatDistribution",
      attributes: { step: null, low: 1e-5, high: 0.1, log: true },
    },
    depth: {
      name: "IntDistribution",
      attributes: { log: false, step: 1, low: 1, high: 8 },
    },
    optimizer: {
      name: "CategoricalDistribution",
      attributes: { choices: OPTIMIZERS },
    },
  };
  const trials = Array.from({ length: count }, (_, i): FinishedTrial => ({
    params: {
      lr: 1e-5 + 0.09 * i / count,
      depth: 1 + i % 8,
      optimizer: OPTIMIZERS[i % 3],
    },
    distributions,
    repeat: 0,
    seed: i,
    outcome: { state: "COMPLETE", value: i / count },
    epochs: Array.from(
      { length: FILLED_EPOCHS },
      (_, e) => ({ epoch: e + 1, value: 1 / (1 + i + e) }),
    ),
    start: new Date(0),
    complete: new Date(1000),
  }));
  await using store = await openStore(url);
  const { studyId } = await store.createStudy({
    name: NAME,
    direction: "minimize",
    metric: "value",
  });
  await store.addFinished(studyId, trials);
}
