/** Trial records as polars frames, typed by what the records are. */
import pl, { type DataFrame, type Series } from "nodejs-polars";
import type { TrialRow } from "./store/mod.ts";

type ColumnType = "whole" | "number" | "text" | "boolean" | "time";

/** One named column; null where a row has no value. */
export interface Column {
  name: string;
  type: ColumnType;
  values: unknown[];
}

/**
 * polars' types. Int32 is not among them: a null in it becomes 0 in
 * nodejs-polars 0.25; nor are BigInts, which become null in Int64.
 */
const DTYPES = {
  whole: pl.Int64,
  number: pl.Float64,
  text: pl.Utf8,
  boolean: pl.Bool,
  time: pl.Datetime("ms", "UTC"),
};

/** Standard JSON; NaN, ±Infinity and BigInts are texts. */
export function jsonText(value: unknown): string {
  return JSON.stringify(
    value,
    (_, v) =>
      typeof v === "bigint" || typeof v === "number" && !Number.isFinite(v)
        ? String(v)
        : v,
  );
}

/** A value as its column's type holds it; null for what it cannot hold. */
const HOLDS: Record<ColumnType, (value: unknown) => unknown> = {
  whole: (v) => Number.isInteger(v) ? v : null,
  number: (v) => typeof v === "number" ? v : null,
  text: (v) =>
    v === null || v === undefined
      ? null
      : typeof v === "object"
      ? jsonText(v)
      : String(v),
  boolean: (v) => typeof v === "boolean" ? v : null,
  time: (v) => v instanceof Date ? v : null,
};

function column(name: string, type: ColumnType, values: unknown[]): Column {
  return { name, type, values: values.map(HOLDS[type]) };
}

/**
 * The type of values that carry none: numbers are always Float64, whole or
 * not, so that it does not hang on what was measured. Any mixture is text.
 */
function typeOf(values: readonly unknown[]): ColumnType {
  const types = new Set(values.filter((v) => v != null).map((v) => typeof v));
  const [only] = types;
  if (types.size === 1 && (only === "number" || only === "boolean")) {
    return only;
  }
  return "text";
}

/** The type of a parameter's values, by the distributions that it has. */
function paramType(rows: readonly TrialRow[], name: string): ColumnType {
  const known = rows.flatMap((r) => r.distributions[name] ?? []);
  const choices = known.flatMap((d) =>
    d.name === "CategoricalDistribution" ? d.attributes.choices : [0]
  );
  const whole = known.every((d) => d.name === "IntDistribution");
  return whole ? "whole" : typeOf(choices);
}

const keysOf = (records: Iterable<Record<string, unknown>>): string[] => [
  ...new Set([...records].flatMap((r) => Object.keys(r))),
];

/** `name`, or with its prefix where a column or another of `names` has it. */
function free(
  name: string,
  columns: readonly Column[],
  names: readonly string[],
  prefix: string,
): string {
  const others = columns.map((c) => c.name)
    .concat(names.filter((n) => n !== name));
  while (others.includes(name)) name = `${prefix}:${name}`;
  return name;
}

const isNested = (value: unknown) =>
  typeof value === "object" && value !== null;

/** A column for each key of the records that `columns` does not hold yet. */
function attributeColumns(
  columns: readonly Column[],
  records: readonly Record<string, unknown>[],
  { skip, nested }: { skip: readonly string[]; nested: boolean },
): Column[] {
  const keys = keysOf(records).filter((key) => !skip.includes(key));
  return keys.flatMap((key) => {
    const values = records.map((r) => r[key]);
    if (!nested && values.some(isNested)) return [];
    return [column(free(key, columns, keys, "attr"), typeOf(values), values)];
  });
}

/**
 * The columns of `trialsFrame`.
 *
 * @param nested also the attributes that are lists or objects, as JSON text.
 */
export function trialColumns(
  rows: readonly TrialRow[],
  { nested = false } = {},
): Column[] {
  const of = (
    name: string,
    type: ColumnType,
    value: (row: TrialRow) => unknown,
  ) => column(name, type, rows.map(value));
  const first = [
    of("number", "whole", (r) => r.number),
    of("state", "text", (r) => r.state),
    of("value", "number", (r) => r.value),
    of("start", "time", (r) => r.start),
    of("complete", "time", (r) => r.complete),
    of(
      "seconds",
      "number",
      ({ start, complete }) =>
        start && complete ? (+complete - +start) / 1000 : null,
    ),
    of("repeat", "whole", (r) => r.attrs.repeat),
    of("seed", "whole", (r) => r.attrs.seed),
  ];
  const failure = [
    of("fail_kind", "text", (r) => r.attrs.fail_kind),
    of("fail_reason", "text", (r) => r.attrs.fail_reason),
  ];
  const fixed = [...first, ...failure];
  const names = keysOf(rows.map((r) => r.params));
  const params = names.map((name) =>
    of(
      free(name, fixed, names, "param"),
      paramType(rows, name),
      (r) => r.params[name],
    )
  );
  const attributes = attributeColumns(
    [...fixed, ...params],
    rows.map((r) => r.attrs),
    { skip: ["repeat", "seed", "fail_kind", "fail_reason"], nested },
  );
  return [...first, ...params, ...failure, ...attributes];
}

/** The columns of `epochsFrame`; `nested` as in `trialColumns`. */
export function epochColumns(
  rows: readonly TrialRow[],
  { nested = false } = {},
): Column[] {
  const epochs = rows.flatMap(({ number, intermediate, epochs }) => {
    const metrics = new Map(epochs.map((e) => [e.epoch, e]));
    return intermediate.map(({ epoch, value }) => ({
      number,
      epoch,
      value,
      metrics: metrics.get(epoch) ?? {},
    }));
  });
  const fixed = [
    column("number", "whole", epochs.map((e) => e.number)),
    column("epoch", "whole", epochs.map((e) => e.epoch)),
    column("value", "number", epochs.map((e) => e.value)),
  ];
  const metrics = attributeColumns(
    fixed,
    epochs.map((e) => e.metrics),
    { skip: ["epoch", "value"], nested },
  );
  return [...fixed, ...metrics];
}

/** A polars frame of these columns, whose types are given, never inferred. */
export function frameOf(columns: readonly Column[]): DataFrame {
  return pl.DataFrame(
    columns.map(({ name, type, values }): Series =>
      pl.Series(name, values, DTYPES[type])
    ),
  );
}

/**
 * One row a trial: number, state, value, start and complete (UTC), seconds
 * between them, repeat, seed, the parameters under their own names (`lr`,
 * `mixing.alpha`), fail_kind, fail_reason, then the user attributes that are
 * single values. A parameter whose name another column has is `param:NAME`,
 * an attribute `attr:NAME`.
 *
 * Whole parameters are Int64, other numbers Float64; choices are text, Boolean
 * or Float64 if all of them are, else text. NaN is a value, null is none.
 */
export function trialsFrame(rows: readonly TrialRow[]): DataFrame {
  return frameOf(trialColumns(rows));
}

/**
 * One row an epoch of a trial: the trial's number, epoch, value (Optuna's
 * intermediate value) and the metrics that are single values. Join it with
 * `trialsFrame` on `number` for the parameters.
 */
export function epochsFrame(rows: readonly TrialRow[]): DataFrame {
  return frameOf(epochColumns(rows));
}

const escaped = (text: string) =>
  text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

function cellHtml(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (value instanceof Date) {
    return value.toISOString().replace("T", " ").replace(/\.\d+Z/, "");
  }
  if (typeof value === "number" && !Number.isInteger(value)) {
    return String(Number(value.toPrecision(6)));
  }
  const text = String(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

/**
 * A frame that a notebook shows as an HTML table of its first rows, and a line
 * that says when there are more. polars' own display cuts at 50 rows without a
 * word and writes times out in the machine's zone. Numbers have 6 significant
 * digits, a missing value is an empty cell, times are UTC.
 */
export function frameTable(frame: DataFrame, { rows = 20 } = {}) {
  const { height, columns } = frame;
  const all = frame.head(rows).rows() as unknown[][];
  const isNumber = columns.map((_, i) =>
    all.some((cells) => typeof cells[i] === "number")
  );
  const line = (cells: string[], tag: string) =>
    `<tr>${
      cells.map((text, i) =>
        `<${tag}${isNumber[i] ? ' class="num"' : ""}>${escaped(text)}</${tag}>`
      ).join("")
    }</tr>`;
  const body = all.map((cells) => line(cells.map(cellHtml), "td"));
  const note = height === 0
    ? "<p>no rows</p>"
    : height > rows
    ? `<p>the first ${rows} of ${height} rows</p>`
    : "";
  const html = `<table><thead>${line(columns, "th")}</thead><tbody>${
    body.join("")
  }</tbody></table>${note}`;
  return { [Symbol.for("Jupyter.display")]: () => ({ "text/html": html }) };
}
