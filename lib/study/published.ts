/** The notes' published numbers, read from `data/published/`. */
import { readdir, readFile } from "node:fs/promises";
import { z } from "zod";

const FOLDER = new URL("../../data/published/", import.meta.url);

const cell = z.union([z.number(), z.string(), z.null()]);

const rows = z.array(z.array(cell));

const fits = (t: { columns: string[]; rows: unknown[][] }) =>
  t.rows.every((row) => row.length === t.columns.length);
const misfit = { message: "a row has not one value a column" };

/** What every file says about its numbers. */
const about = {
  id: z.string(),
  title: z.string(),
  source: z.looseObject({
    repository: z.string(),
    figure: z.string().nullish(),
    table: z.string().nullish(),
  }),
  protocol: z.record(z.string(), z.unknown()).default({}),
  notes: z.array(z.string()).default([]),
};

const single = z.object({ ...about, columns: z.array(z.string()), rows })
  .refine(fits, misfit);

const several = z.object({
  ...about,
  tables: z.array(
    z.object({ name: z.string(), columns: z.array(z.string()), rows })
      .refine(fits, misfit),
  ),
});

type PublishedRecord = Record<string, number | string | null>;

/** Where published numbers come from and how they were made. */
interface About {
  id: string;
  title: string;
  /** Figure and table of the notes' repository. */
  source: { repository: string; figure?: string | null; table?: string | null };
  /** As the notes' code had it, by name. */
  protocol: Record<string, unknown>;
  /** Confounds and contradictions. */
  notes: string[];
}

/** One published table; `records` are its rows keyed by column. */
export interface PublishedTable extends About {
  columns: string[];
  records: PublishedRecord[];
}

/** Several published tables under one heading. */
export interface PublishedTables extends About {
  tables: { name: string; records: PublishedRecord[] }[];
}

/** The names `readPublished` may be asked for, sorted. */
async function publishedIds(): Promise<string[]> {
  return (await readdir(FOLDER)).filter((name) => name.endsWith(".json"))
    .map((name) => name.slice(0, -".json".length)).sort();
}

const recordsOf = (columns: string[], rows: z.output<typeof cell>[][]) =>
  rows.map((row) =>
    Object.fromEntries(columns.map((name, i) => [name, row[i]]))
  );

async function parsed<T>(
  id: string,
  schema: z.ZodType<T>,
  is: string,
  use: string,
): Promise<T> {
  const ids = await publishedIds();
  if (!ids.includes(id)) {
    throw new Error(
      `no published table "${id}" in data/published: use one of ${
        ids.join(", ")
      }`,
    );
  }
  const text = await readFile(new URL(`${id}.json`, FOLDER), "utf8");
  const result = schema.safeParse(JSON.parse(text));
  if (!result.success) {
    const { path, message } = result.error.issues[0];
    throw new Error(
      `data/published/${id}.json is not ${is} (${
        path.join(".") || "file"
      }: ${message}): ${use}`,
    );
  }
  return result.data;
}

/**
 * Reads one published table. Units are the file's: accuracies and their
 * half-widths (`acc`, `acc_unc`) are in percent, `lr` is absolute.
 *
 * @throws {Error} if no table has this id, or its file is not a single table.
 */
export async function readPublished(id: string): Promise<PublishedTable> {
  const { rows, ...table } = await parsed(
    id,
    single,
    "one table",
    "read a table that has columns and rows",
  );
  return { ...table, records: recordsOf(table.columns, rows) };
}

/**
 * Reads published tables that stand in one file, in the file's units.
 *
 * @throws {Error} if no table has this id, or its file has no list of tables.
 */
export async function readPublishedTables(
  id: string,
): Promise<PublishedTables> {
  const file = await parsed(
    id,
    several,
    "a list of tables",
    "read it with readPublished",
  );
  return {
    ...file,
    tables: file.tables.map(({ name, columns, rows }) => ({
      name,
      records: recordsOf(columns, rows),
    })),
  };
}

/** Published runs of the same nominal settings: what their noise is read of. */
export interface PublishedReplicates {
  stage: string;
  config: string;
  /** Where each run is published, and its accuracy in percent. */
  runs: [string, number][];
}

const replicates = z.object({
  replicates: z.array(z.object({
    stage: z.string(),
    config: z.string(),
    runs: z.array(z.tuple([z.string(), z.number()])),
  })),
});

/** The groups of `data/published/cross-checks.json`. */
export const readReplicates = async (): Promise<PublishedReplicates[]> =>
  (await parsed(
    "cross-checks",
    replicates,
    "a list of replicates",
    "restore the file",
  )).replicates;
