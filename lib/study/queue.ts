/** A study's queue: what is to be done next, by this process or another. */
import { canonical, type Study } from "./definition.ts";
import { type OpenedRecord, repeatSeed } from "./identity.ts";
import {
  distributionsOf,
  pointOf,
  pointsOf,
  sampledSettings,
  type TrialPoint,
} from "./points.ts";
import {
  givenUp,
  type Progress,
  progressOf,
  sampledKeys,
  spentBudget,
} from "./progress.ts";
import { nextSetting } from "./sampling.ts";
import type {
  Claim,
  Distribution,
  NewTrial,
  ResultRow,
  Store,
} from "./store/mod.ts";

/** Fits recorded distributions to the study's; choices and ranges grow. */
export async function fitDistributions(
  store: Store,
  study: Study,
  studyId: number,
): Promise<Record<string, Distribution>> {
  const stored = await store.distributions(studyId);
  const wanted = distributionsOf(study, stored);
  for (const [name, distribution] of Object.entries(wanted)) {
    const before = stored[name];
    if (before && canonical(before) !== canonical(distribution)) {
      await store.setDistribution(studyId, name, distribution);
    }
  }
  return wanted;
}

/** What of a study is to be done next, and how far it is. */
export class StudyQueue {
  readonly #points: Map<string, TrialPoint>;
  /** Undefined where the points follow from results. */
  readonly #keys?: ReadonlySet<string>;
  /** Trials that ended and change no more, up to the first that has not. */
  #ended: ResultRow[] = [];
  #reaped = -Infinity;
  /** Points of the definition. */
  readonly total: number;

  constructor(
    readonly store: Store,
    readonly study: Study,
    readonly record: OpenedRecord,
    readonly distributions: Record<string, Distribution>,
    readonly graceSeconds: number,
    /** That a point which fails has in all. */
    readonly tries: number,
  ) {
    const points = pointsOf(study, record.key);
    this.#points = new Map(points.map((p) => [p.key, p]));
    const sampled = sampledSettings(study);
    if (sampled !== undefined) this.total = sampled * study.repeats;
    else {
      this.#keys = new Set(this.#points.keys());
      this.total = this.#points.size;
    }
  }

  get studyId(): number {
    return this.record.row.studyId;
  }

  #trial = (point: TrialPoint): NewTrial => ({
    ...point,
    distributions: this.distributions,
  });

  /**
   * Queues what is missing of the points that are known before the run;
   * returns how many.
   */
  enqueue(): Promise<number> {
    const points = [...this.#points.values()];
    const trials = points.map(this.#trial);
    return this.store.enqueue(this.studyId, trials, this.tries);
  }

  /** Whether the study is still on record. */
  async isThere(): Promise<boolean> {
    return (await this.store.studies())
      .some(({ studyId }) => studyId === this.studyId);
  }

  /** The last trial of each point that failed too often to be run again. */
  async givenUp(): Promise<ResultRow[]> {
    const rows = await this.#results();
    return givenUp(
      rows.filter(({ point }) => this.#keys?.has(point?.key ?? "") ?? true),
      this.tries,
    );
  }

  async progress(): Promise<Progress> {
    const rows = await this.#results();
    const keys = this.#keys ?? sampledKeys(rows, this.study);
    return progressOf(rows, keys, this.total);
  }

  /** All results; those of most trials are read once. */
  async #results(): Promise<ResultRow[]> {
    const known = this.#ended;
    const last = known.at(-1)?.trialId;
    const rows = await this.store.results(this.studyId, last);
    const open = rows.findIndex(({ state }) =>
      state === "WAITING" || state === "RUNNING"
    );
    const all = [...known, ...rows];
    this.#ended = open < 0 ? all : all.slice(0, known.length + open);
    return all;
  }

  /** Why nothing more is to be started, if there is a budget. */
  async spent(): Promise<string | null> {
    if (Object.keys(this.study.budget).length === 0) return null;
    return spentBudget(this.study, await this.store.spent(this.studyId));
  }

  /** The next trial, this process's to run; null when none is left to start. */
  async next(): Promise<{ claim: Claim; point: TrialPoint } | null> {
    // A dead process's trial is not to wait for all others.
    const look = Math.min(15, this.graceSeconds / 4);
    if (performance.now() - this.#reaped > 1000 * look) await this.reap();
    let claim = await this.#claim();
    if (!claim && (await this.reap()) > 0) claim = await this.#claim();
    while (!claim && await this.#sample()) claim = await this.#claim();
    return claim && { claim, point: this.#pointOf(claim) };
  }

  #claim(): Promise<Claim | null> {
    const { studyId, distributions } = this;
    return this.store.claim(studyId, { keys: this.#keys, distributions });
  }

  /** How many trials of dead processes were put back. */
  async reap(): Promise<number> {
    this.#reaped = performance.now();
    const dead = await this.store.reap(this.studyId, this.graceSeconds);
    return dead.filter((trial) => trial.again).length;
  }

  /** Adds the next setting that results tell; false when all are added. */
  async #sample(): Promise<boolean> {
    const { study, store, studyId, record } = this;
    const sampled = sampledSettings(study);
    if (sampled === undefined) return false;
    const index = await store.settings(studyId);
    if (index >= sampled) return false;
    const params = nextSetting(study, await this.#results(), index);
    const trials = Array.from(
      { length: study.repeats },
      (_, repeat) => this.#trial(pointOf(study, record.key, params, repeat)),
    );
    await store.addSetting(studyId, index, trials);
    return true;
  }

  #pointOf({ key, params, repeat, seed, number }: Claim): TrialPoint {
    return this.#points.get(key ?? "") ?? {
      params,
      repeat,
      seed: seed ?? repeatSeed(this.study.seed, repeat),
      key: key ?? `${this.record.key.slice(0, 8)}-trial${number}`,
    };
  }
}
