/** Reading trial records in bulk: one row a trial and table, as JSON text. */
import type { Connection, Row, Value } from "./database.ts";
import {
  decodeJson,
  decodeParam,
  decodeTime,
  decodeValue,
  type Distribution,
} from "./encoding.ts";
import { DamagedValueError, oneLine } from "../errors.ts";
import type {
  CurvePoint,
  ResultRow,
  StudyRow,
  TrialRow,
  TrialState,
} from "./types.ts";

/** Trials of a study, or some trials by id. */
export type Which = { studyId: number } | { trialIds: readonly number[] };

function whereClause(which: Which): { condition: string; values: Value[] } {
  if ("trialIds" in which) {
    const marks = which.trialIds.map(() => "?").join(", ");
    return { condition: `trial_id IN (${marks})`, values: [...which.trialIds] };
  }
  return {
    condition: "trial_id IN (SELECT trial_id FROM trials WHERE study_id=?)",
    values: [which.studyId],
  };
}

const STATE = (value: unknown) => String(value) as TrialState;

/** What `text` of a record says. @throws DamagedValueError that names its place */
function decodedValue(text: Value, place: string): unknown {
  try {
    return decodeJson(String(text));
  } catch (error) {
    throw new DamagedValueError(
      `${place} is no JSON (${oneLine(error)}): put it right with sqlite3 or ` +
        `psql, or put a backup there`,
    );
  }
}

/** Parses each different text once. */
function distributionReader(): (text: string) => Distribution {
  const known = new Map<string, Distribution>();
  return (text) => {
    let distribution = known.get(text);
    if (!distribution) {
      distribution = decodedValue(
        text,
        "a parameter's distribution",
      ) as Distribution;
      known.set(text, distribution);
    }
    return distribution;
  };
}

/**
 * Trials in the order of their numbers.
 *
 * @param own whether our own tables are there.
 */
export async function readTrials(
  c: Connection,
  which: Which,
  own = true,
): Promise<TrialRow[]> {
  if ("trialIds" in which && which.trialIds.length === 0) return [];
  const { condition, values } = whereClause(which);
  const { jsonArray, jsonStep, join } = c.dialect;
  const grouped = (table: string, text: string) =>
    c.query(
      `SELECT trial_id, ${join(text)} AS list FROM ${table} ` +
        `WHERE ${condition} GROUP BY trial_id`,
      values,
    );
  const attributes = (kind: "user" | "system") =>
    c.query(
      `SELECT trial_id, key, value_json FROM trial_${kind}_attributes ` +
        `WHERE ${condition}`,
      values,
    );
  const [trials, params, objectives, steps, user, system, epochs] =
    await Promise.all([
      c.query(
        "SELECT trial_id, number, state, datetime_start, datetime_complete " +
          `FROM trials WHERE ${
            "studyId" in which ? "study_id=?" : condition
          } ORDER BY trial_id`,
        values,
      ),
      grouped(
        "trial_params",
        jsonArray(...PARAM),
      ),
      grouped("trial_values", jsonArray("objective", "value", "value_type")),
      grouped(
        "trial_intermediate_values",
        jsonStep,
      ),
      attributes("user"),
      attributes("system"),
      own ? grouped("ferlab_epochs", "metrics_json") : [],
    ]);
  const rows = new Map<number, TrialRow>();
  for (const t of trials) {
    rows.set(Number(t.trial_id), {
      trialId: Number(t.trial_id),
      number: Number(t.number),
      state: STATE(t.state),
      params: {},
      distributions: {},
      values: [],
      value: null,
      attrs: {},
      system: {},
      intermediate: [],
      epochs: [],
      start: decodeTime(t.datetime_start as string | null),
      complete: decodeTime(t.datetime_complete as string | null),
    });
  }
  const each = (list: Row[], use: (row: TrialRow, text: string) => void) => {
    for (const r of list) {
      const row = rows.get(Number(r.trial_id));
      if (row) use(row, `[${r.list}]`);
    }
  };
  const distribution = distributionReader();
  each(params, (row, text) => {
    Object.assign(row, paramsOf(text, distribution));
  });
  each(objectives, (row, text) => {
    const list = JSON.parse(text) as [number, number | null, string][];
    row.values = inOrder(list).map(([, v, type]) => decodeValue(v, type));
    row.value = row.values[0];
  });
  each(steps, (row, text) => row.intermediate = stepsOf(text));
  for (const [kind, list] of [["attrs", user], ["system", system]] as const) {
    for (const r of list) {
      const row = rows.get(Number(r.trial_id));
      if (!row) continue;
      const key = String(r.key);
      const place = `trial ${row.number}'s attribute ${key}`;
      row[kind][key] = decodedValue(r.value_json, place);
    }
  }
  each(epochs, (row, text) => {
    const place = `an epoch of trial ${row.number}`;
    row.epochs = byEpoch(decodedValue(text, place) as { epoch: number }[]);
  });
  return [...rows.values()].sort((a, b) => a.number - b.number);
}

function inOrder<T extends [number, ...unknown[]]>(list: T[]): T[] {
  return list.sort((a, b) => a[0] - b[0]);
}

/** What a trial's rows of `Dialect.jsonStep` say, by epoch. */
function stepsOf(text: string): TrialRow["intermediate"] {
  const list = JSON.parse(text) as { epoch: number; value: number | string }[];
  for (const step of list) {
    if (typeof step.value === "string") {
      step.value = decodeValue(null, step.value);
    }
  }
  return byEpoch(list as TrialRow["intermediate"]);
}

function byEpoch<T extends { epoch: number }>(list: T[]): T[] {
  return list.sort((a, b) => a.epoch - b.epoch);
}

/** `Store.results` */
export async function readResults(
  c: Connection,
  studyId: number,
  after = -1,
): Promise<ResultRow[]> {
  const { jsonArray, join } = c.dialect;
  const [trials, params] = await Promise.all([
    c.query(
      `SELECT t.trial_id, t.number, t.state, t.datetime_start,
        t.datetime_complete, v.value, v.value_type, p.value_json AS point,
        f.value_json AS kind
      FROM trials t
      LEFT JOIN trial_values v ON v.trial_id=t.trial_id AND v.objective=0
      LEFT JOIN trial_system_attributes p
        ON p.trial_id=t.trial_id AND p.key='ferlab:point'
      LEFT JOIN trial_user_attributes f
        ON f.trial_id=t.trial_id AND f.key='fail_kind'
      WHERE t.study_id=? AND t.trial_id>? ORDER BY t.trial_id`,
      [studyId, after],
    ),
    c.query(
      `SELECT trial_id, ${join(jsonArray(...PARAM))} AS list
      FROM trial_params WHERE trial_id IN
        (SELECT trial_id FROM trials WHERE study_id=? AND trial_id>?)
      GROUP BY trial_id`,
      [studyId, after],
    ),
  ]);
  const distribution = distributionReader();
  const settings = new Map(
    params.map((r) => [r.trial_id, paramsOf(`[${r.list}]`, distribution)]),
  );
  const json = (value: Value, of: Value) =>
    value === null ? undefined : decodedValue(value, `trial ${of}'s attribute`);
  return trials.map((t) => {
    const point = json(t.point, t.number) as ResultRow["point"];
    const failKind = json(t.kind, t.number) as ResultRow["failKind"];
    return {
      trialId: Number(t.trial_id),
      number: Number(t.number),
      state: STATE(t.state),
      params: settings.get(t.trial_id)?.params ?? {},
      value: t.value_type === null
        ? null
        : decodeValue(t.value as number | null, String(t.value_type)),
      ...(point && { point }),
      ...(failKind && { failKind }),
      start: decodeTime(t.datetime_start as string | null),
      complete: decodeTime(t.datetime_complete as string | null),
    };
  }).sort((a, b) => a.number - b.number);
}

const PARAM = ["param_id", "param_name", "param_value", "distribution_json"];

/** What a trial's rows of `PARAM` say. */
function paramsOf(
  text: string,
  distribution: (json: string) => Distribution,
): Pick<TrialRow, "params" | "distributions"> {
  const params: TrialRow["params"] = {};
  const distributions: TrialRow["distributions"] = {};
  const list = JSON.parse(text) as [number, string, number, string][];
  for (const [, name, value, json] of inOrder(list)) {
    const d = distributions[name] = distribution(json);
    params[name] = decodeParam(value, d);
  }
  return { params, distributions };
}

/** All intermediate values of a study, by trial and epoch. */
export async function readCurves(
  c: Connection,
  studyId: number,
): Promise<CurvePoint[]> {
  const list = await c.query(
    `SELECT t.trial_id, t.state, ${c.dialect.join(c.dialect.jsonStep)} AS list
    FROM trials t JOIN trial_intermediate_values i ON i.trial_id=t.trial_id
    WHERE t.study_id=? GROUP BY t.trial_id, t.state ORDER BY t.trial_id`,
    [studyId],
  );
  return list.flatMap((r) =>
    stepsOf(`[${r.list}]`).map((step) => ({
      trialId: Number(r.trial_id),
      state: STATE(r.state),
      ...step,
    }))
  );
}

/** All studies, or the one of a name. */
export async function readStudies(
  c: Connection,
  name?: string,
): Promise<StudyRow[]> {
  const [studies, directions, user, system, counts] = await Promise.all([
    name === undefined
      ? c.query("SELECT study_id, study_name FROM studies ORDER BY study_id")
      : c.query(
        "SELECT study_id, study_name FROM studies WHERE study_name=?",
        [name],
      ),
    c.query(
      "SELECT study_id, direction FROM study_directions WHERE objective=0",
    ),
    c.query("SELECT study_id, key, value_json FROM study_user_attributes"),
    c.query("SELECT study_id, key, value_json FROM study_system_attributes"),
    c.query(
      "SELECT study_id, state, count(*) AS n, min(datetime_start) AS first, " +
        "max(datetime_complete) AS last FROM trials GROUP BY study_id, state",
    ),
  ]);
  const of = (list: Row[], id: Value) => list.filter((r) => r.study_id === id);
  const attributes = (list: Row[]) =>
    Object.fromEntries(
      list.map((r) => [
        String(r.key),
        decodedValue(r.value_json, `study ${r.study_id}'s attribute ${r.key}`),
      ]),
    );
  return studies.map(({ study_id: id, study_name }) => {
    const states = of(counts, id);
    const times = (key: string) =>
      states.flatMap((r) => r[key] === null ? [] : [String(r[key])]).sort();
    const sys = attributes(of(system, id));
    const metrics = sys["study:metric_names"];
    return {
      studyId: Number(id),
      name: String(study_name),
      direction: of(directions, id)[0]?.direction === "MAXIMIZE"
        ? "maximize"
        : "minimize",
      metric: Array.isArray(metrics) ? String(metrics[0]) : "value",
      attrs: attributes(of(user, id)),
      system: sys,
      trials: {
        WAITING: 0,
        RUNNING: 0,
        COMPLETE: 0,
        FAIL: 0,
        PRUNED: 0,
        ...Object.fromEntries(states.map((r) => [STATE(r.state), Number(r.n)])),
      },
      start: decodeTime(times("first")[0] ?? null),
      end: decodeTime(times("last").at(-1) ?? null),
    };
  });
}
