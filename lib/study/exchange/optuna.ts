/** A study of an Optuna storage, FERLab's own included, as trials to import. */
import type { Study } from "../definition.ts";
import { StudyError } from "../errors.ts";
import { contentKey, identityOf } from "../identity.ts";
import {
  type ImportedTrial,
  type TrialSource,
  widenedDistribution,
} from "./import_trials.ts";
import type {
  Distribution,
  FailKind,
  Outcome,
  Store,
  TrialRow,
} from "../store/mod.ts";

/** How a recorded trial ended; undefined while it has not. */
function outcomeOfTrial(row: TrialRow, where: string): Outcome | undefined {
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
        ? `${store.name}: which study? Name it with --from: ${names || "none"}`
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
    const outcome = outcomeOfTrial(row, store.name);
    return outcome ? [{ row, outcome }] : [];
  });
  const keys = keysOf(ended.map(({ row }) => row));
  const whole = (value: unknown) =>
    Number.isSafeInteger(value) ? value as number : undefined;
  const distributions: Record<string, Distribution> = {};
  const trials = ended.map(({ row, outcome }, i): ImportedTrial => {
    const { params, attrs, start, complete } = row;
    for (const [param, d] of Object.entries(row.distributions)) {
      distributions[param] = widenedDistribution(
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
  const own = identityOf(study);
  const definition = study.attrs.definition as Study | undefined;
  return {
    direction: study.direction,
    metric: study.metric,
    trials,
    distributions,
    definition: own && definition
      ? { ...definition, fixed: own.fixed }
      : undefined,
    notes: left ? [`left out: ${left} trials that have not ended`] : [],
  };
}
