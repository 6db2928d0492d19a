/** The notes' published numbers, read from `data/published/`. */
import { readdir, readFile } from "node:fs/promises";
import { z } from "zod";
import { StudyError } from "./errors.ts";

const FOLDER = new URL("../../data/published/", import.meta.url);

/** A table; `records` are its rows keyed by column. */
const Table = z.object({
  name: z.string(),
  columns: z.array(z.string()),
  rows: z.array(z.array(z.union([z.number(), z.string(), z.null()]))),
}).refine(
  ({ columns, rows }) => rows.every((row) => row.length === columns.length),
  { message: "a row's number of values differs from the number of columns" },
).transform(({ name, columns, rows }) => ({
  name,
  records: rows.map((row) =>
    Object.fromEntries(columns.map((column, i) => [column, row[i]]))
  ),
}));

/** Published numbers: a file is one table, or has several. */
const Published = z.preprocess(
  (file) => ({
    tables: [{ ...file as object, name: (file as { title?: string }).title }],
    ...file as object,
  }),
  z.object({
    id: z.string(),
    title: z.string(),
    /** As the notes' code had it, by name. */
    protocol: z.record(z.string(), z.unknown()).default({}),
    tables: z.array(Table).min(1),
  }),
);

/** Published runs of the same nominal settings: what their noise is read of. */
const Replicates = z.object({
  replicates: z.array(
    z.object({
      stage: z.string(),
      config: z.string(),
      /** Where each run is published, and its accuracy in percent. */
      runs: z.array(z.tuple([z.string(), z.number()])),
    }).transform(({ runs, ...group }) => ({
      ...group,
      accuracies: runs.map(([, accuracy]) => accuracy / 100),
    })),
  ),
});

async function read<S extends z.ZodType>(
  id: string,
  schema: S,
): Promise<z.output<S>> {
  const ids = (await readdir(FOLDER)).filter((name) => name.endsWith(".json"))
    .map((name) => name.slice(0, -".json".length)).sort();
  if (!ids.includes(id)) {
    throw new StudyError(
      `no published table "${id}" in data/published: use one of ` +
        ids.join(", "),
    );
  }
  const text = await readFile(new URL(`${id}.json`, FOLDER), "utf8");
  const { data, error } = schema.safeParse(JSON.parse(text));
  if (!error) return data;
  const [{ path, message }] = error.issues;
  throw new StudyError(
    `data/published/${id}.json: ${path.join(".") || "file"}: ${message}`,
  );
}

/**
 * Reads published tables. Units are the file's: accuracies and their
 * half-widths (`acc`, `acc_unc`) are in percent, `lr` is absolute.
 *
 * @throws StudyError, one line, for an id that there is not, or a file that is
 * no table
 */
export const readPublished = (id: string) => read(id, Published);

/** The groups of `data/published/cross-checks.json`; accuracies are shares. */
export const readReplicates = async () =>
  (await read("cross-checks", Replicates)).replicates;
