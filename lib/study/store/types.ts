/** What a trial store is: the calls that SQLite and PostgreSQL both answer. */
import type { Params } from "../definition.ts";
import type { Distribution } from "./encoding.ts";

export type TrialState = "WAITING" | "RUNNING" | "COMPLETE" | "FAIL" | "PRUNED";

export type FailKind =
  | "diverged"
  | "out of memory"
  | "error"
  | "crashed"
  | "interrupted"
  | "dead";

/** One epoch: its value is Optuna's intermediate value, the rest is ours. */
export interface EpochReport {
  /** Optuna's step; ours count from 1. */
  epoch: number;
  value: number;
  attrs?: Record<string, unknown>;
}

/** How a trial ended. */
export type Outcome =
  | { state: "COMPLETE"; value: number; attrs?: Record<string, unknown> }
  | { state: "PRUNED"; reason: string; attrs?: Record<string, unknown> }
  | {
    state: "FAIL";
    kind: FailKind;
    reason: string;
    attrs?: Record<string, unknown>;
    /** Adds a WAITING copy that goes on from the checkpoint. */
    again?: boolean;
  };

/** A study as it is recorded. */
export interface StudyRow {
  studyId: number;
  /** Optuna's study name. */
  name: string;
  direction: "maximize" | "minimize";
  /** The name of the objective; "value" where none is recorded. */
  metric: string;
  /** User attributes, `definition` and `ferlab` among them. */
  attrs: Record<string, unknown>;
  system: Record<string, unknown>;
  trials: Record<TrialState, number>;
  /** Start of the first and end of the last trial. */
  start: Date | null;
  end: Date | null;
}

/**
 * A trial as it is recorded. Other rows are cuts of it: `ResultRow` without
 * epochs and attributes, `TrainingRow` with a training's attributes by their
 * names, `AnalysisRow` with what comparisons take, `Draft` of a new trial.
 */
export interface TrialRow {
  trialId: number;
  /** From 0 within its study. */
  number: number;
  state: TrialState;
  params: Params;
  distributions: Record<string, Distribution>;
  values: number[];
  /** The first of `values`; null without one. */
  value: number | null;
  /** User attributes: `seed`, `repeat`, `fail_kind`, … */
  attrs: Record<string, unknown>;
  system: Record<string, unknown>;
  /** By epoch. */
  intermediate: { epoch: number; value: number }[];
  /** Each epoch's `attrs` with `epoch` and `value`, by epoch. */
  epochs: Record<string, unknown>[];
  start: Date | null;
  complete: Date | null;
}

/** Which repeat of which setting a trial of ours is. */
export interface Point {
  /** Names the point within its study: 16 hex digits. */
  key: string;
  /** From 0. */
  repeat: number;
  /** 31-bit, from the study's seed and the repeat alone. */
  seed: number;
}

/** Of a trial what a sampler, a budget and a count want; quick to read. */
export interface ResultRow extends
  Pick<
    TrialRow,
    "trialId" | "number" | "state" | "params" | "value" | "start" | "complete"
  > {
  /** `ferlab:point`; undefined for a trial that another tool made. */
  point?: Point;
  failKind?: FailKind;
}

/** A trial to be added: one repeat of one setting. */
export interface NewTrial extends Point {
  params: Params;
  distributions: Record<string, Distribution>;
}

/** A trial that ended elsewhere, to be taken in as it is. */
export interface FinishedTrial extends Omit<NewTrial, "key"> {
  /** Without one the trial belongs to no point of ours. */
  key?: string;
  outcome: Outcome;
  epochs: EpochReport[];
  start: Date | null;
  complete: Date | null;
}

export interface Claim {
  trialId: number;
  number: number;
  /** Undefined for a trial that another tool queued. */
  key?: string;
  params: Params;
  repeat: number;
  seed: number | null;
  /** The number of the trial that this one goes on from. */
  continues?: number;
}

/** Who runs a trial. */
export interface Worker {
  pid: number;
  host: string;
  /** Boot id, process-id namespace and start tick; null where not known. */
  start: string | null;
}

export interface Reaped {
  trialId: number;
  number: number;
  /** False when it was given up: dead too often without an epoch between. */
  again: boolean;
}

/** One curve point of a study, for pruners. */
export interface CurvePoint {
  trialId: number;
  state: TrialState;
  epoch: number;
  value: number;
}

export interface StoreOptions {
  /** Makes and changes nothing; works on a read-only disk. */
  readOnly?: boolean;
  /**
   * How long a lock (60 s by default) or a lost server (300 s) is waited for
   * before a call fails with StoreUnavailableError.
   */
  waitSeconds?: number;
  /** What the user should know but nothing stops for. */
  onWarning?: (message: string) => void;
}

/** Trial records in Optuna's RDB schema; `await using` closes them. */
export interface Store extends AsyncDisposable {
  /** For messages: a path, or a URL without its password. */
  readonly name: string;
  readonly kind: "sqlite" | "postgres";

  studies(): Promise<StudyRow[]>;

  /**
   * Makes a study, or returns the one of this name.
   *
   * @throws StudyError when it is there with another direction or several.
   */
  createStudy(study: {
    name: string;
    direction: "maximize" | "minimize";
    metric: string;
  }): Promise<StudyRow>;

  setStudyAttribute(
    studyId: number,
    key: string,
    value: unknown,
  ): Promise<void>;

  /** Removes a study with all its trials. */
  deleteStudy(studyId: number): Promise<void>;

  /** All trials of a study, by number. */
  trials(studyId: number): Promise<TrialRow[]>;

  /**
   * All trials by number, without epochs and attributes.
   *
   * @param after only those with an id above it.
   */
  results(studyId: number, after?: number): Promise<ResultRow[]>;

  /** How many trials ended, and the hours that they took in all. */
  spent(studyId: number): Promise<{ trials: number; hours: number }>;

  /** The distribution of each parameter, as the latest trial has it. */
  distributions(studyId: number): Promise<Record<string, Distribution>>;

  /**
   * Gives all trials of a study this distribution of a parameter: Optuna wants
   * it equal in all, and choices and ranges grow when values are added. Choices
   * are only appended, so that stored indices stay right.
   */
  setDistribution(
    studyId: number,
    param: string,
    distribution: Distribution,
  ): Promise<void>;

  /** All intermediate values of a study, by trial and epoch. */
  curves(studyId: number): Promise<CurvePoint[]>;

  /**
   * Adds a WAITING trial for each point that has none to run and no result;
   * returns how many. A point whose last trial failed for a passing reason
   * (error, crashed, interrupted, dead) gets a copy of it, one that diverged,
   * ran out of memory or was pruned does not.
   *
   * @param tries that a point has in all (`vainTries`); without it any
   * number.
   */
  enqueue(
    studyId: number,
    points: readonly NewTrial[],
    tries?: number,
  ): Promise<number>;

  /**
   * Adds the trials of the study's next sampled setting, unless another
   * process added one meanwhile: false then, and nothing was added.
   *
   * @param index how many settings were sampled before this one.
   */
  addSetting(
    studyId: number,
    index: number,
    trials: readonly NewTrial[],
  ): Promise<boolean>;

  /** How many settings `addSetting` added. */
  settings(studyId: number): Promise<number>;

  /**
   * Adds trials that ended elsewhere; one whose key is there is left out.
   *
   * @param instead ids of trials that go, in the same transaction.
   */
  addFinished(
    studyId: number,
    trials: readonly FinishedTrial[],
    instead?: readonly number[],
  ): Promise<number>;

  /** Adds a WAITING copy of each of these trials; returns how many. */
  retry(studyId: number, trialIds: readonly number[]): Promise<number>;

  /**
   * Takes the next WAITING trial, those that were broken off first; null when
   * none is left. Never given to two callers.
   *
   * @param keys of our points only these; without it all.
   * @param distributions where given, also trials that Optuna queued
   * (`enqueue_trial`) whose `fixed_params` name all of these parameters.
   */
  claim(
    studyId: number,
    o?: {
      keys?: ReadonlySet<string>;
      distributions?: Record<string, Distribution>;
    },
  ): Promise<Claim | null>;

  /** Says that a running trial lives. */
  heartbeat(trialId: number): Promise<void>;

  /** Whether a trial is still this store's to write. */
  owns(trialId: number): Promise<boolean>;

  /**
   * Records epochs; a later report of an epoch replaces the earlier.
   *
   * @throws LostTrialError when another process took the trial over.
   */
  report(trialId: number, epochs: readonly EpochReport[]): Promise<void>;

  /**
   * Ends a running trial. A value of NaN has no place in Optuna's tables, so
   * the trial fails as diverged. A pruned trial's value is its last
   * intermediate value, if that is a number.
   *
   * @throws LostTrialError when another process took the trial over.
   */
  finish(trialId: number, outcome: Outcome): Promise<void>;

  /**
   * Puts back the RUNNING trials of dead processes, also those of Optuna's
   * workers that send heartbeats: each is marked FAIL ("dead") and a WAITING
   * copy is added, in one transaction.
   *
   * @param graceSeconds without a heartbeat, after which a trial is dead; a
   * process of this machine that is gone is dead at once, one that runs only
   * after this store has waited for a heartbeat that long.
   */
  reap(studyId: number, graceSeconds: number): Promise<Reaped[]>;

  /** Keeps bytes with a trial, such as its test predictions. */
  saveArtifact(trialId: number, name: string, bytes: Uint8Array): Promise<void>;

  /** The bytes of one name, by trial id. */
  artifacts(studyId: number, name: string): Promise<Map<number, Uint8Array>>;

  close(): Promise<void>;
}
