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
  type FailKind,
  type FinishedTrial,
  type Outcome,
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

/** The distribution that covers a study's trials and new ones. */
function fitted(
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
  if (definition) {
    return (await openRecord(store, { ...definition, name })).row;
  }
  const exact = (await store.studies()).find((row) => {
    const own = identityOf(row);
    return own && name === `${own.family}@${own.key.slice(0, 8)}`;
  });
  const row = exact ?? (await recordsOf(store, name)).at(-1) ??
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
  const there = new Set(results.map((r) => r.point?.key));
  const fresh = source.trials.filter((t) => !there.has(t.key));

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

/** How a recorded trial ended; undefined while it has not. */
function outcomeOf(row: TrialRow, where: string): Outcome | undefined {
  const { state, value, attrs } = row;
  const text = (key: string) => attrs[key] as string | undefined;
  if (state === "COMPLETE" && value !== null) return { state, value, attrs };
  if (state === "PRUNED") {
    return { state, reason: text("prune_reason") ?? "pruned", attrs };
  }
  if (state === "WAITING" || state === "RUNNING") return undefined;
  return {
    state: "FAIL",
    kind: (text("fail_kind") ?? "error") as FailKind,
    reason: text("fail_reason") ?? `failed in ${where}`,
    attrs,
  };
}

/**
 * A key for each trial. The first lasting result of a point of ours keeps the
 * point's key, so that the point counts as done.
 */
function keysOf(rows: readonly TrialRow[]): string[] {
  const used = new Set<string>();
  return rows.map((row) => {
    const { number, state, params, value, attrs, start, complete } = row;
    const point = row.system["ferlab:point"] as { key: string } | undefined;
    const lasts = state !== "FAIL" ||
      attrs.fail_kind === "diverged" || attrs.fail_kind === "out of memory";
    if (point && lasts && !used.has(point.key)) {
      used.add(point.key);
      return point.key;
    }
    return contentKey([
      "optuna",
      { number, state, params, value, start, complete },
    ]);
  });
}

/**
 * A study of an Optuna storage, FERLab's own included: states, times, values
 * by step and user attributes. Trials that have not ended are left out.
 *
 * @param name which study; the only one without it
 * @throws StudyError when it is not there or has several objectives
 */
export async function readStored(
  store: Store,
  name?: string,
): Promise<TrialSource> {
  const studies = await store.studies();
  const study = name === undefined
    ? studies.length === 1 ? studies[0] : undefined
    : studies.find((s) => s.name === name);
  if (!study) {
    const names = studies.map((s) => `"${s.name}"`).join(", ");
    throw new StudyError(
      name === undefined
        ? `${store.name}: which study? Say it with --from: ${names || "none"}`
        : `${store.name}: no study "${name}": it has ${names || "none"}`,
    );
  }
  const rows = await store.trials(study.studyId);
  const several = rows.find((row) => row.values.length > 1);
  if (several) {
    throw new StudyError(
      `${store.name}: study "${study.name}" has ${several.values.length} ` +
        `objectives, a study of FERLab has one`,
    );
  }
  const ended = rows.flatMap((row) => {
    const outcome = outcomeOf(row, store.name);
    return outcome ? [{ row, outcome }] : [];
  });
  const keys = keysOf(ended.map(({ row }) => row));
  const whole = (value: unknown) =>
    Number.isSafeInteger(value) ? value as number : undefined;
  const distributions: Record<string, Distribution> = {};
  const trials = ended.map(({ row, outcome }, i): ImportedTrial => {
    const { params, attrs, start, complete } = row;
    for (const [param, d] of Object.entries(row.distributions)) {
      distributions[param] = fitted(
        param,
        [params[param]],
        d,
        distributions[param],
      );
    }
    const metrics = new Map(row.epochs.map((e) => [e.epoch, e]));
    return {
      key: keys[i],
      ...{ params, outcome, start, complete },
      repeat: whole(attrs.repeat),
      seed: whole(attrs.seed),
      epochs: row.intermediate.map(({ epoch, value }) => {
        const { epoch: _e, value: _v, ...attrs } = metrics.get(epoch) ?? {};
        return { epoch, value, attrs };
      }),
    };
  });
  const left = rows.length - ended.length;
  return {
    direction: study.direction,
    metric: study.metric,
    trials,
    distributions,
    definition: identityOf(study)
      ? study.attrs.definition as Study | undefined
      : undefined,
    notes: left ? [`left out: ${left} trials that have not ended`] : [],
  };
}
