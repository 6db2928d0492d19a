/** The trials of a training study as rows, for tables and charts. */
import { wilsonInterval } from "../statistics/mod.ts";
import { StudyError } from "./errors.ts";
import { lastRecord, recordsOf } from "./identity.ts";
import { recordedStore } from "./settled_precision.ts";
import { recordsPath } from "./runner.ts";
import {
  type FailKind,
  openStore,
  type StudyRow,
  type TrialRow,
} from "./store/mod.ts";
import {
  type EpochSummary,
  PREDICTIONS,
  type TrainingOutcome,
} from "./training.ts";

/**
 * A settled trial; what a failed one never reached is undefined. `accuracy` is
 * that on test at the reported epoch (of a measurement its value), null for a
 * failed trial.
 */
export interface TrainingRow
  extends
    Partial<TrainingOutcome>,
    Pick<TrialRow, "number" | "state" | "params"> {
  repeat: number;
  seed: number;
  accuracy: number | null;
  /** 95 % Wilson interval of `accuracy`. */
  low?: number;
  high?: number;
  /** At the same epoch: mean recall of the classes on test, and validation. */
  balanced?: number;
  validation?: number;
  /** Of a failed trial: what kind of failure, and its one line. */
  failKind?: FailKind;
  reason?: string;
  /** One entry an epoch. */
  history: EpochSummary[];
  /** When it started and ended, in ms since 1970. */
  start?: number;
  end?: number;
  /** SHA-256 of the weights that it started from. */
  weightsHash?: string;
  /** Predicted class of each test image at the reported epoch. */
  predictions?: Uint8Array;
  /** Names its folder of checkpoints. */
  key?: string;
}

const keyOf = (row: TrialRow) =>
  (row.system["ferlab:point"] as { key?: string } | undefined)?.key;

/** A study's record as it is read for tables and charts. */
export interface RecordedTrials {
  study: StudyRow;
  /** By number. */
  rows: TrialRow[];
  /** Test predictions by trial id. */
  predictions: Map<number, Uint8Array>;
}

/** Where a study's records are. */
export type RecordPlace = { dir: string } | { store: string };

/**
 * A study's record: of several of its name the one that was run last, or the
 * last that `isOf` takes; undefined where that takes none.
 *
 * @throws StudyError without `isOf` when there is none
 */
async function readRecord(
  from: RecordPlace,
  study: string,
  isOf?: (row: StudyRow) => boolean,
): Promise<RecordedTrials | undefined> {
  const url = "store" in from ? from.store : recordsPath(from.dir);
  await using store = isOf
    ? await recordedStore(url)
    : await openStore(url, { readOnly: true });
  if (!store) return undefined;
  const record = isOf
    ? (await recordsOf(store, study)).findLast(isOf)
    : await lastRecord(store, study);
  if (!record) return undefined;
  const { studyId } = record;
  return {
    study: record,
    rows: await store.trials(studyId),
    predictions: await store.artifacts(studyId, PREDICTIONS),
  };
}

/**
 * All trials of a study's record: of several of its name the one that was run
 * last, or the last that `isOf` takes.
 *
 * @throws StudyError when there is none
 */
export async function trialRows(
  from: RecordPlace,
  study: string,
  isOf?: (row: StudyRow) => boolean,
): Promise<RecordedTrials> {
  const found = await readRecord(from, study, isOf);
  if (found) return found;
  throw new StudyError(`study "${study}": no record is of this plan`);
}

/**
 * Every point's last trial that ended, by number; see `trialRows`. None where
 * `isOf` takes no record.
 */
export async function trainingRows(
  from: RecordPlace,
  study: string,
  isOf?: (row: StudyRow) => boolean,
): Promise<TrainingRow[]> {
  const record = await readRecord(from, study, isOf);
  if (!record) return [];
  const { rows, predictions } = record;
  const ended = rows.filter((t) =>
    t.state === "COMPLETE" || t.state === "FAIL" || t.state === "PRUNED"
  );
  const last = new Map(ended.map((t) => [keyOf(t) ?? t.number, t]));
  return [...last.values()].map((t) => {
    const { fail_kind, fail_reason, ...attrs } = t.attrs as
      & Partial<TrainingOutcome>
      & { repeat?: number; seed?: number }
      & { fail_kind?: FailKind; fail_reason?: string };
    const { correct, total } = attrs;
    const interval = correct === undefined || total === undefined
      ? undefined
      : wilsonInterval(correct, total);
    const history = t.epochs as EpochSummary[];
    const chosen = history.find((e) => e.epoch === attrs.chosenEpoch);
    return {
      ...attrs,
      number: t.number,
      state: t.state,
      repeat: attrs.repeat ?? 0,
      seed: attrs.seed ?? 0,
      start: t.start?.getTime(),
      end: t.complete?.getTime(),
      predictions: predictions.get(t.trialId),
      key: keyOf(t),
      accuracy: t.state === "COMPLETE" ? attrs.testAccuracy ?? t.value : null,
      low: interval?.low,
      high: interval?.high,
      balanced: chosen?.testBalancedAccuracy,
      validation: chosen?.validationAccuracy,
      failKind: fail_kind,
      reason: fail_reason,
      history,
      params: t.params,
    };
  });
}
