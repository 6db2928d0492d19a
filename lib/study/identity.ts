/** Identity by content: equal settings are one, different ones are told. */
import { createHash } from "node:crypto";
import { canonical, isObject, type Study, StudyError } from "./definition.ts";
import { encodeJson, type Store, type StudyRow } from "./store/mod.ts";

/** One setting in which two records differ; undefined where one lacks it. */
export interface Difference {
  /** Dotted, as in `recipe.erasing.areaMin`. */
  path: string;
  before: unknown;
  after: unknown;
}

/** The first `digits` hex digits of the SHA-256 of a value's content. */
export function contentKey(value: unknown, digits = 16): string {
  return createHash("sha256").update(canonical(value)).digest("hex")
    .slice(0, digits);
}

/** All settings that differ, in the order of the first that has them. */
export function differences(
  before: unknown,
  after: unknown,
  path = "",
): Difference[] {
  if (isObject(before) && isObject(after)) {
    return Object.keys({ ...before, ...after }).flatMap((key) =>
      differences(before[key], after[key], path ? `${path}.${key}` : key)
    );
  }
  return canonical(before ?? null) === canonical(after ?? null)
    ? []
    : [{ path, before, after }];
}

const valueInLine = (value: unknown) =>
  value === undefined ? "nothing" : encodeJson(value);

/** `epochs 5 → 10`, one line for each of the first `limit` differences. */
export function differenceLines(
  list: readonly Difference[],
  limit = 8,
): string[] {
  const short = (text: string) =>
    text.length > 80 ? `${text.slice(0, 77)}…` : text;
  const lines = list.slice(0, limit).map(({ path, before, after }) =>
    `${path} ${short(valueInLine(before))} → ${short(valueInLine(after))}`
  );
  if (list.length > limit) lines.push(`and ${list.length - limit} more`);
  return lines;
}

/** What makes a study the same study; lies in its record as `ferlab`. */
export interface Identity {
  /** The study's name, shared by its records under other fixed settings. */
  family: string;
  key: string;
  metric: string;
  fixed: Record<string, unknown>;
}

/** The identity that a record holds; undefined for other tools' studies. */
export function identityOf({ attrs }: StudyRow): Identity | undefined {
  const own = attrs.ferlab as Identity | undefined;
  return typeof own?.key === "string" ? own : undefined;
}

/** All records of a study's name, the one that was run last at the end. */
export async function recordsOf(
  store: Store,
  family: string,
): Promise<StudyRow[]> {
  const opened = (row: StudyRow) => String(row.attrs.opened ?? "");
  return (await store.studies())
    .filter((row) => (identityOf(row)?.family ?? row.name) === family)
    .sort((a, b) => a.studyId - b.studyId)
    .sort((a, b) =>
      Number(opened(a) > opened(b)) - Number(opened(a) < opened(b))
    );
}

/** Whether `name` is that of a record among several: `family@key`. */
export function isNamed(row: StudyRow, name: string): boolean {
  const own = identityOf(row);
  return own !== undefined && name === `${own.family}@${own.key.slice(0, 8)}`;
}

type Complete = (fixed: Record<string, unknown>) => Record<string, unknown>;

/** In what a study differs from a record of its name. */
function changes(
  row: StudyRow,
  { direction, metric, fixed }: Study,
  complete: Complete,
): Difference[] {
  const known = identityOf(row);
  const before = {
    direction: row.direction,
    metric: known?.metric,
    ...complete(known?.fixed ?? {}),
  };
  return differences(before, { direction, metric, ...fixed });
}

/** The record with the same fixed settings, direction and metric. */
export function sameRecord(
  rows: readonly StudyRow[],
  study: Study,
  complete: Complete,
): StudyRow | undefined {
  return rows.find((row) =>
    identityOf(row) && changes(row, study, complete).length === 0
  );
}

/** A study's record: its row, its key, and what is new about it. */
export interface OpenedRecord {
  row: StudyRow;
  key: string;
  /** Where an earlier record of the name has other fixed settings. */
  changed?: { from: StudyRow; differences: Difference[] };
}

/** The names of a definition's parameters, as one text. */
function parameterNames(definition: unknown): string {
  const { parameters = {}, search } = definition as Partial<Study>;
  const lists = search?.kind === "list" ? search.points : [parameters];
  return canonical([...new Set(lists.flatMap(Object.keys))].sort());
}

/**
 * The record that a study differs from least: of those whose parameters have
 * the same names, else of all, the one that was run last.
 */
function likeliest(rows: readonly StudyRow[], study: Study) {
  const names = parameterNames(study);
  return rows.findLast(({ attrs }) =>
    attrs.definition && parameterNames(attrs.definition) === names
  ) ?? rows.at(-1);
}

/**
 * The record of a study: the one with the same fixed settings, direction and
 * metric, or a new one. The first record of a name carries it, later ones are
 * called `name@key`. A study that another tool made under the name is joined.
 *
 * @param complete makes an older record's fixed settings comparable, such as
 * by giving fields that were added since their default.
 */
export async function openRecord(
  store: Store,
  study: Study,
  complete: Complete = (fixed) => fixed,
): Promise<OpenedRecord> {
  const { name: family, direction, metric, fixed } = study;
  const rows = await recordsOf(store, family);
  const describe = async ({ studyId }: StudyRow) => {
    await store.setStudyAttribute(studyId, "definition", study);
    const now = new Date().toISOString();
    await store.setStudyAttribute(studyId, "opened", now);
  };
  const found = sameRecord(rows, study, complete);
  if (found) {
    await describe(found);
    return { row: found, key: identityOf(found)!.key };
  }
  const key = contentKey([family, direction, metric, fixed]);
  const last = likeliest(rows, study);
  const foreign = rows.find((row) =>
    !identityOf(row) && row.attrs.definition === undefined
  );
  if (foreign && foreign.direction !== direction) {
    throw new StudyError(
      `study "${family}" in ${store.name} was made by another tool to ` +
        `${foreign.direction}, asked was to ${direction}: ` +
        `choose another name or direction`,
    );
  }
  const name = !last || foreign ? family : `${family}@${key.slice(0, 8)}`;
  const row = await store.createStudy({
    name,
    direction,
    metric: foreign?.metric ?? metric,
  });
  const identity: Identity = { family, key, metric, fixed };
  await store.setStudyAttribute(row.studyId, "ferlab", identity);
  await describe(row);
  return {
    row,
    key,
    changed: last && !foreign
      ? { from: last, differences: changes(last, study, complete) }
      : undefined,
  };
}

/**
 * The record of a study's name that was run last.
 *
 * @throws StudyError when there is none, with the names that are there.
 */
export async function lastRecord(
  store: Store,
  family: string,
): Promise<StudyRow> {
  const record = (await recordsOf(store, family)).at(-1);
  if (record) return record;
  const names = (await store.studies()).map((study) => `"${study.name}"`);
  throw new StudyError(
    `${store.name}: no study "${family}": it has ` +
      (names.join(", ") || "no study yet"),
  );
}

/** The seed of repeat r: 31 bits, the same in every setting, so that settings pair. */
export function repeatSeed(seed: number, repeat: number): number {
  return parseInt(contentKey(["repeat", seed, repeat], 8), 16) & 0x7fffffff;
}
