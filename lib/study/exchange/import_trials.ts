/** Takes other records' trials into a study: each once, all of them or none. */
import {
  canonical,
  type ParamValue,
  parseStudy,
  type Study,
} from "../definition.ts";
import { StudyError } from "../errors.ts";
import {
  contentKey,
  identityOf,
  isNamed,
  openRecord,
  recordsOf,
} from "../identity.ts";
import {
  type Distribution,
  distributionOf,
  type FinishedTrial,
  type ResultRow,
  type Store,
  type StudyRow,
  type TrialRow,
} from "../store/mod.ts";

/** A trial that another tool ran. */
export interface ImportedTrial
  extends Omit<FinishedTrial, "distributions" | "repeat" | "seed"> {
  /** What names it, so that it is taken in once. */
  key: string;
  /**
   * The key of the nth (from 1) of the runs that are told apart by nothing but
   * their results, `key` being the first.
   */
  nth?: (n: number) => string;
  /** What named it in records of earlier versions. */
  earlierKey?: string;
  /** For messages. */
  name?: string;
  /** Counted among the trials of one setting where it is not known. */
  repeat?: number;
  seed?: number;
}

/** What a file or a storage holds of a study. */
export interface TrialSource {
  direction: "maximize" | "minimize";
  metric: string;
  trials: ImportedTrial[];
  /** Of each parameter. */
  distributions: Record<string, Distribution>;
  /** The study as FERLab recorded it. */
  definition?: Study;
  /** What was guessed or left out, a line each. */
  notes: string[];
}

export interface ImportSummary {
  study: StudyRow;
  added: number;
  /** Trials that an earlier import brought. */
  known: number;
  /** Of those, the ones with another result now: a line each. */
  changed: string[];
  /** Whether the changed ones have the new result; else the old one. */
  updated: boolean;
}

/** Two trials of one content are the same one; undefined without a time. */
function trialContent(
  { state, params, value, start, complete }: Pick<
    TrialRow,
    "state" | "params" | "value" | "start" | "complete"
  >,
): string | undefined {
  const result = state === "COMPLETE" ? value : null;
  return start
    ? contentKey([state, params, result, start, complete])
    : undefined;
}

const resultText = (state: string, value: number | null) =>
  value === null ? state : String(value);

/** What has changed of a trial since it was imported; undefined for nothing. */
function changeOf(
  before: ResultRow,
  { outcome, name }: ImportedTrial,
): string | undefined {
  const value = outcome.state === "COMPLETE" ? outcome.value : null;
  const old = before.state === "COMPLETE" ? before.value : null;
  if (before.state === outcome.state && Object.is(old, value)) return;
  return `${name ?? "a trial"} (trial ${before.number}): ` +
    `${resultText(before.state, old)} → ${resultText(outcome.state, value)}`;
}

/**
 * Gives each of the trials that only their results tell apart the key of the
 * recorded one that it is: the one with its result, else the next that no
 * other trial is, else a new one.
 */
function withKeys(
  trials: readonly ImportedTrial[],
  byKey: ReadonlyMap<string | undefined, ResultRow>,
): ImportedTrial[] {
  const alike = Map.groupBy(
    trials.filter((trial) => trial.nth),
    (trial) => trial.key,
  );
  const keys = new Map<ImportedTrial, string>();
  for (const group of alike.values()) {
    const { nth } = group[0];
    const recorded: string[] = [];
    for (let n = 1; byKey.has(nth!(n)); n++) recorded.push(nth!(n));
    const free = new Set(recorded);
    const take = (trial: ImportedTrial, key: string) => {
      keys.set(trial, key);
      free.delete(key);
    };
    const left = group.filter((trial) => {
      const same = [...free, trial.earlierKey].find((key) => {
        const row = key && byKey.get(key);
        return row && changeOf(row, trial) === undefined;
      });
      if (same) take(trial, same);
      return !same;
    });
    let next = recorded.length;
    for (const trial of left) {
      const [key = nth!(++next)] = free;
      take(trial, key);
    }
  }
  return trials.map((trial) =>
    keys.has(trial) ? { ...trial, key: keys.get(trial)! } : trial
  );
}

/** The distribution that covers a study's trials and new ones. */
export function widenedDistribution(
  param: string,
  values: readonly ParamValue[],
  wanted: Distribution,
  stored?: Distribution,
): Distribution {
  if (!stored || canonical(stored) === canonical(wanted)) return wanted;
  const categorical = wanted.name === "CategoricalDistribution";
  if (stored.name === "CategoricalDistribution") {
    const more = categorical ? wanted.attributes.choices : values;
    const choices = [...new Set([...stored.attributes.choices, ...more])];
    return { name: stored.name, attributes: { choices } };
  }
  const bounds = categorical
    ? []
    : [wanted.attributes.low, wanted.attributes.high];
  return distributionOf(param, [...values, ...bounds], stored);
}

/** The record that a source's trials belong to, made where there is none. */
async function recordFor(
  store: Store,
  name: string,
  { direction, metric, definition }: TrialSource,
): Promise<StudyRow> {
  const rows = await recordsOf(store, name);
  if (definition) {
    const content = ({ direction, metric }: StudyRow | Study, fixed: unknown) =>
      canonical({ direction, metric, fixed });
    const asked = content(definition, definition.fixed);
    return rows.find((row) => content(row, identityOf(row)?.fixed) === asked) ??
      (await openRecord(store, {
        ...definition,
        name: parseStudy({ name }).name,
      })).row;
  }
  const exact = (await store.studies()).find((row) => isNamed(row, name));
  const row = exact ?? rows.at(-1) ??
    await store.createStudy(parseStudy({ name, direction, metric }));
  if (row.direction !== direction) {
    throw new StudyError(
      `study "${row.name}" in ${store.name} is to ${row.direction} its ` +
        `${row.metric}, these trials ${direction} ${metric}: ` +
        `give --direction or another --study`,
    );
  }
  return row;
}

/**
 * Adds the trials of `source` to the study `name`, made where it is not there;
 * ranges and choices of its parameters grow. Trials of an earlier import are
 * left out; those whose result has changed are told.
 *
 * @param update puts the changed results in the place of the earlier ones.
 * @throws StudyError before a trial is written, when they do not fit the study
 */
export async function importTrials(
  store: Store,
  name: string,
  source: TrialSource,
  { update = false }: { update?: boolean } = {},
): Promise<ImportSummary> {
  if (source.trials.length === 0) {
    throw new StudyError("nothing to import: no trial has ended");
  }
  const study = await recordFor(store, name, source);
  const { studyId } = study;
  const results = await store.results(studyId);
  const there = new Set(
    results.flatMap((r) => [r.point?.key, trialContent(r)]),
  );
  there.delete(undefined);
  const byKey = new Map(results.map((r) => [r.point?.key, r]));
  const all = withKeys(source.trials, byKey);
  const before = (trial: ImportedTrial) =>
    byKey.get(trial.key) ?? byKey.get(trial.earlierKey ?? trial.key);
  const changed = all.flatMap((trial) => {
    const row = before(trial);
    const change = row && changeOf(row, trial);
    return change ? [{ trial, row, change }] : [];
  });
  const replaced = new Map(
    update ? changed.map(({ trial, row }) => [trial, row]) : [],
  );
  const fresh = all.filter((trial) => {
    if (replaced.has(trial)) return true;
    const { state } = trial.outcome;
    const value = trial.outcome.state === "COMPLETE"
      ? trial.outcome.value
      : null;
    return !before(trial) &&
      !there.has(trialContent({ ...trial, state, value }));
  });

  const stored = await store.distributions(studyId);
  const distributions = Object.fromEntries(
    Object.entries(source.distributions).map(([param, wanted]) => {
      const values = fresh.flatMap((t) => t.params[param] ?? []);
      return [param, widenedDistribution(param, values, wanted, stored[param])];
    }),
  );
  const repeats = new Map<string, number>();
  const next = (params: unknown) => {
    const setting = canonical(params);
    const repeat = repeats.get(setting) ?? 0;
    repeats.set(setting, repeat + 1);
    return repeat;
  };
  for (const { params } of results) next(params);
  const trials = fresh.map((one): FinishedTrial => {
    const { earlierKey: _, name: __, nth: ___, ...trial } = one;
    const { params, seed, outcome } = trial;
    const old = replaced.get(one);
    const attrs = seed === undefined
      ? { seed: null, ...outcome.attrs }
      : outcome.attrs;
    const counted = old ? old.point!.repeat : next(params);
    return {
      ...trial,
      repeat: trial.repeat ?? counted,
      seed: seed ?? 0,
      distributions: Object.fromEntries(
        Object.keys(params).map((param) => [param, distributions[param]]),
      ),
      outcome: { ...outcome, attrs },
    };
  });
  for (const [param, distribution] of Object.entries(distributions)) {
    const old = stored[param];
    if (old && canonical(old) !== canonical(distribution)) {
      await store.setDistribution(studyId, param, distribution);
    }
  }
  const ids = [...replaced.values()].map((row) => row.trialId);
  const added = await store.addFinished(studyId, trials, ids) - ids.length;
  return {
    study,
    added,
    known: source.trials.length - added,
    changed: changed.map(({ change }) => change),
    updated: update,
  };
}
