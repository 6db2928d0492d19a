/** The study's published numbers, read from `data/published/`. */
import { readdir, readFile } from "node:fs/promises";
import { z } from "zod";

const FOLDER = new URL("../../data/published/", import.meta.url);

const cell = z.union([z.number(), z.string(), z.null()]);

/** A file with one table. Fields not named here are kept out. */
const schema = z.object({
  id: z.string(),
  title: z.string(),
  columns: z.array(z.string()),
  rows: z.array(z.array(cell)),
}).refine((s) => s.rows.every((row) => row.length === s.columns.length), {
  message: "a row has not one value a column",
});

/** One published table; `records` are its rows keyed by column. */
export interface PublishedStudy {
  id: string;
  title: string;
  columns: string[];
  records: Record<string, number | string | null>[];
}

/** The names `readPublished` may be asked for, sorted. */
async function publishedIds(): Promise<string[]> {
  return (await readdir(FOLDER)).filter((name) => name.endsWith(".json"))
    .map((name) => name.slice(0, -".json".length)).sort();
}

/**
 * Reads one published study. Units are the file's: accuracies and their
 * half-widths (`acc`, `acc_unc`) are in percent, `lr` is absolute.
 *
 * @throws {Error} if no study has this id, or its file is not a single table.
 */
export async function readPublished(id: string): Promise<PublishedStudy> {
  const ids = await publishedIds();
  if (!ids.includes(id)) {
    throw new Error(
      `no published study "${id}" in data/published: use one of ${
        ids.join(", ")
      }`,
    );
  }
  const text = await readFile(new URL(`${id}.json`, FOLDER), "utf8");
  const parsed = schema.safeParse(JSON.parse(text));
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0];
    throw new Error(
      `data/published/${id}.json is not one table (${
        path.join(".") || "file"
      }: ${message}): read a study that has columns and rows`,
    );
  }
  const { title, columns, rows } = parsed.data;
  const records = rows.map((row) =>
    Object.fromEntries(columns.map((name, i) => [name, row[i]]))
  );
  return { id: parsed.data.id, title, columns, records };
}
