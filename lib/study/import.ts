/** Takes other records' trials into a study: each once, all of them or none. */
import { type ParamValue, parseStudy, type Study } from "./definition.ts";
import { StudyError } from "./errors.ts";
import {
  canonical,
  contentKey,
  identityOf,
  openRecord,
  recordsOf,
} from "./identity.ts";
import {
  type Distribution,
  distributionOf,
  type FinishedTrial,
  type Store,
  type StudyRow,
  type TrialRow,
} from "./store/mod.ts";

/** A trial that another tool ran. */
export interface ImportedTrial
  extends Omit<FinishedTrial, "distributions" | "repeat" | "seed"> {
  /** By its content, so that it is taken in once. */
  key: string;
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
}

/** Two trials of one content are the same one; undefined without a time. */
function contentOf(
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

/** The distribution that covers a study's trials and new ones. */
export function fitted(
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
  const exact = (await store.studies()).find((row) => {
    const own = identityOf(row);
    return own && name === `${own.family}@${own.key.slice(0, 8)}`;
  });
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
 * left out.
 *
 * @throws StudyError before a trial is written, when they do not fit the study
 */
export async function importTrials(
  store: Store,
  name: string,
  source: TrialSource,
): Promise<ImportSummary> {
  if (source.trials.length === 0) {
    throw new StudyError("nothing to import: no trial has ended");
  }
  const study = await recordFor(store, name, source);
  const { studyId } = study;
  const results = await store.results(studyId);
  const there = new Set(results.flatMap((r) => [r.point?.key, contentOf(r)]));
  there.delete(undefined);
  const fresh = source.trials.filter((trial) => {
    const { state } = trial.outcome;
    const value = trial.outcome.state === "COMPLETE"
      ? trial.outcome.value
      : null;
    return !there.has(trial.key) &&
      !there.has(contentOf({ ...trial, state, value }));
  });

  const stored = await store.distributions(studyId);
  const distributions = Object.fromEntries(
    Object.entries(source.distributions).map(([param, wanted]) => {
      const values = fresh.flatMap((t) => t.params[param] ?? []);
      return [param, fitted(param, values, wanted, stored[param])];
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
  const trials = fresh.map((trial): FinishedTrial => {
    const { params, seed, outcome } = trial;
    const attrs = seed === undefined
      ? { seed: null, ...outcome.attrs }
      : outcome.attrs;
    const counted = next(params);
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
    const before = stored[param];
    if (before && canonical(before) !== canonical(distribution)) {
      await store.setDistribution(studyId, param, distribution);
    }
  }
  const added = await store.addFinished(studyId, trials);
  return { study, added, known: source.trials.length - added };
}
