/** What a study will cost before it runs: some steps are timed, the rest scaled. */
import type { Dataset } from "../data/mod.ts";
import { modelOf } from "../models/mod.ts";
import { count, flops } from "../profile/mod.ts";
import { type Recipe, train } from "../train/mod.ts";
import { canonical, type Params } from "./definition.ts";
import { recordsOf, repeatSeed } from "./identity.ts";
import {
  type CheckedPlan,
  parsePlan,
  recipeOf,
  type TrainingPlan,
} from "./plan.ts";
import { sampledSettings, settingsOf, spacesOf } from "./points.ts";
import {
  recordedStore,
  recordOfPlan,
  settlePlan,
} from "./settled_precision.ts";
import { givenUp, isSettled, RETRIES } from "./progress.ts";
import { recordsPath } from "./runner.ts";
import { randomPoint } from "./search/random_search.ts";
import type { ResultRow } from "./store/mod.ts";

/** One setting of a study and what it costs. */
export interface SettingCost {
  params: Params;
  /** Repeats of it without a result yet. */
  missing: number;
  /** Of one training, on this machine. */
  seconds: number;
  /** Whether `seconds` are of recorded trials, or estimated. */
  recorded: boolean;
}

export interface CostEstimate {
  settings: SettingCost[];
  /** Trials without a result. */
  missing: number;
  /** Of all trials. */
  total: number;
  /** Of all missing trials, one after the other. */
  seconds: number;
  /** What was timed: images/s in training, and seconds up to the first step. */
  measured?: { imagesPerSecond: number; startSeconds: number };
}

/** Seconds that the timing may take, after the first step. */
const TIMING_SECONDS = 4;

/** Times a training's steps; nothing is kept. */
async function timeTrainingSteps(recipe: Recipe, data: Dataset) {
  const stop = new AbortController();
  const begin = performance.now();
  const marks: number[] = [];
  const epochs = train(recipe, data, {
    signal: stop.signal,
    onStep: () => {
      marks.push(performance.now());
      if (
        marks.length > 2 && marks.at(-1)! - marks[0] > 1000 * TIMING_SECONDS
      ) {
        stop.abort();
      }
    },
  });
  try {
    await epochs.next();
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    await epochs.return(undefined);
  }
  // The first step traces and compiles.
  const steps = Math.max(1, marks.length - 1);
  const seconds = marks.length > 1
    ? (marks.at(-1)! - marks[0]) / 1000
    : (marks[0] - begin) / 1000;
  return {
    imagesPerSecond: steps * recipe.batchSize / seconds,
    startSeconds: (marks[0] - begin) / 1000,
  };
}

/** Multiply-accumulates of one image's forward pass. */
function work(recipe: Recipe, { size, channels }: Dataset): number {
  return flops(count(modelOf(recipe), [size, size, channels]), "macs").total;
}

/** The mean seconds of the complete ones of a setting's trials. */
function recordedSeconds(rows: readonly ResultRow[]): number | undefined {
  const timed = rows.filter((r) =>
    r.state === "COMPLETE" && r.start && r.complete
  );
  const seconds = timed.map((r) => (+r.complete! - +r.start!) / 1000);
  return seconds.length
    ? seconds.reduce((a, b) => a + b, 0) / seconds.length
    : undefined;
}

/** The trials that are on record for a plan; none where there is no record. */
async function recordedResults(
  plan: CheckedPlan,
  data: Dataset,
  url: string,
): Promise<ResultRow[]> {
  await using store = await recordedStore(url);
  if (!store) return [];
  const records = await recordsOf(store, plan.study.name);
  const found = recordOfPlan(plan, data, records);
  return found ? await store.results(found.studyId) : [];
}

/**
 * What a plan's missing trials cost on this machine: trials on record tell
 * their own settings' time; for the others some steps of one training are
 * timed (about 5 s and its start) and scaled by the multiply-accumulates of
 * their models, an evaluation counting a third of a training step.
 */
export async function estimateCost(
  input: TrainingPlan,
  data: Dataset,
  { dir, store, retries = RETRIES }: {
    dir: string;
    store?: string;
    retries?: number;
  },
): Promise<CostEstimate> {
  const url = store || recordsPath(dir);
  const { plan } = await settlePlan(parsePlan(input), data, { url });
  const { study } = plan;
  const rows = await recordedResults(plan, data, url);
  const sampled = sampledSettings(study) ?? 0;
  const settings = settingsOf(study) ??
    Array.from(
      { length: sampled },
      (_, index) => randomPoint(spacesOf(study), study.seed, index),
    );
  const seed = repeatSeed(study.seed, 0);
  let measured: CostEstimate["measured"];
  let first: { recipe: Recipe; work: number } | undefined;
  const costs: SettingCost[] = [];
  const settled = rows.filter(isSettled);
  const bySetting = Map.groupBy(rows, (row) => canonical(row.params));
  for (const params of settings) {
    const same = bySetting.get(canonical(params)) ?? [];
    const done = sampled > 0
      ? 0
      : same.filter(isSettled).length + givenUp(same, retries + 1).length;
    const missing = Math.max(0, study.repeats - done);
    const known = recordedSeconds(same);
    if (known !== undefined || missing === 0) {
      costs.push({ params, missing, seconds: known ?? 0, recorded: true });
      continue;
    }
    const recipe = recipeOf(plan, { params, seed });
    if (!first || !measured) {
      first = { recipe, work: work(recipe, data) };
      measured = await timeTrainingSteps(recipe, data);
    }
    const rate = measured.imagesPerSecond * first.work / work(recipe, data);
    const images = data.train.n + (data.validation.n + data.test.n) / 3;
    const seconds = measured.startSeconds + recipe.epochs * images / rate;
    costs.push({ params, missing, seconds, recorded: false });
  }
  let missing = costs.reduce((sum, c) => sum + c.missing, 0);
  let seconds = costs.reduce((sum, c) => sum + c.missing * c.seconds, 0);
  if (sampled > 0 && missing > 0) {
    const left = Math.max(0, missing - settled.length);
    seconds *= left / missing;
    missing = left;
  }
  return {
    settings: costs,
    missing,
    total: settings.length * study.repeats,
    seconds,
    measured,
  };
}
