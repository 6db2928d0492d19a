/** A study's records for other programs: Parquet, CSV, JSON, TensorBoard, MLflow. */
import { existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { csvLine } from "./csv.ts";
import { fileFault } from "../../faults/mod.ts";
import { StudyError } from "../errors.ts";
import {
  type Column,
  epochColumns,
  frameOf,
  jsonText,
  trialColumns,
} from "../frames.ts";
import { mlflowFiles } from "./mlflow.ts";
import { type Run, trackerRuns } from "./tracker_runs.ts";
import type { StudyRow, TrialRow } from "../store/mod.ts";
import { type Picture, tensorboardFiles } from "./tensorboard.ts";

export const EXPORT_FORMATS = ["parquet", "csv", "json"] as const;
export type ExportFormat = typeof EXPORT_FORMATS[number];

/** Programs that show runs, and read them from folders. */
export const TRACKERS = ["tensorboard", "mlflow"] as const;
export type Tracker = typeof TRACKERS[number];

/** The format that a file's name asks for. @throws StudyError for others */
export function exportFormatOf(file: string): ExportFormat {
  const format = EXPORT_FORMATS.find((f) =>
    file.toLowerCase().endsWith(`.${f}`)
  );
  if (!format) {
    throw new StudyError(
      `${file}: its name tells no format: end it with ` +
        `.${EXPORT_FORMATS.join(", .")} or give --format`,
    );
  }
  return format;
}

/**
 * CSV by RFC 4180. No value is an empty cell, no text is `""`, the numbers
 * that are none are NaN, Infinity and -Infinity, times are ISO 8601 in UTC. A
 * text that a spreadsheet would run as a formula (it starts with = + - @, a tab
 * or a return) gets a ' before it, names of columns too; Parquet and JSON hold
 * it as it is.
 */
export function csvOf(columns: readonly Column[]): string {
  const lines = [csvLine(columns.map((c) => c.name))];
  const height = columns[0]?.values.length ?? 0;
  for (let i = 0; i < height; i++) {
    lines.push(csvLine(columns.map((c) => c.values[i])));
  }
  return lines.join("");
}

/**
 * The whole record: `study` (name, direction, metric and attributes, such as
 * what its trials share) and `trials`, a line each, as the store reads them.
 * NaN and ±Infinity are texts of that name.
 */
export function jsonOf(study: StudyRow, rows: readonly TrialRow[]): string {
  const { name, direction, metric, attrs, start, end } = study;
  const head = jsonText({ name, direction, metric, attrs, start, end });
  const trials = rows.map((row) => `\n${jsonText(row)}`).join(",");
  return `{"study":${head},\n"trials":[${trials}\n]}\n`;
}

/** Each file is made beside its place and then put there, whole. */
async function writeFiles(
  files: ReadonlyMap<string, Uint8Array | string>,
): Promise<void> {
  const made = new Map<string, string>();
  let at = "";
  try {
    for (const [file, content] of files) {
      at = file;
      const isThere = existsSync(file);
      if (isThere && !statSync(file).isFile()) throw new Error("no plain file");
      const place = isThere ? realpathSync(file) : file;
      const folder = dirname(place);
      await mkdir(folder, { recursive: true });
      const name = `.${basename(place)}.${crypto.randomUUID()}`;
      made.set(place, join(folder, name));
      await writeFile(made.get(place)!, content);
    }
    for (const [file, temporary] of made) {
      at = file;
      await rename(temporary, file);
    }
  } catch (error) {
    for (const temporary of made.values()) {
      await rm(temporary, { force: true }).catch(() => {});
    }
    throw new StudyError(`${at}: cannot be written: ${fileFault(error)}`);
  }
}

/**
 * Writes the trials of a study to `file`. Parquet and CSV hold the columns of
 * `trialsFrame`, with nested attributes (recipe, confusion) as JSON text, and
 * get the epochs beside them, in `NAME.epochs.csv` or `.parquet`; JSON holds
 * everything in one file.
 *
 * @returns the files that were written
 * @throws StudyError when one cannot be written; no file is cut then.
 */
export async function exportStudy(
  study: StudyRow,
  rows: readonly TrialRow[],
  { format, file }: { format: ExportFormat; file: string },
): Promise<string[]> {
  const files = new Map<string, Uint8Array | string>();
  if (format === "json") files.set(file, jsonOf(study, rows));
  else {
    const content = format === "csv" ? csvOf : parquetOf;
    files.set(file, content(trialColumns(rows, { nested: true })));
    files.set(
      `${file.replace(new RegExp(`\\.${format}$`, "i"), "")}.epochs.${format}`,
      content(epochColumns(rows, { nested: true })),
    );
  }
  await writeFiles(files);
  return [...files.keys()];
}

function parquetOf(columns: readonly Column[]): Uint8Array {
  return frameOf(columns).writeParquet({ compression: "zstd" });
}

/** A file that only folders of this export have. */
const MARKS: Record<Tracker, string> = {
  tensorboard: "events.out.tfevents.0.ferlab",
  mlflow: "tags/ferlab.study",
};

/**
 * Puts a folder with these files in the place of an earlier one, whole.
 *
 * @throws StudyError where something else lies there, or it cannot be written
 */
async function writeFolder(
  folder: string,
  files: ReadonlyMap<string, Uint8Array | string>,
  mark: string,
): Promise<void> {
  const beside = (what: string) =>
    join(
      dirname(folder),
      `.${basename(folder)}.${what}-${crypto.randomUUID()}`,
    );
  const made = beside("new");
  try {
    const isThere = existsSync(folder);
    if (
      isThere && readdirSync(folder).length > 0 &&
      !existsSync(join(folder, mark))
    ) {
      throw new StudyError(
        `${folder}: holds what no export wrote: give another folder with -o`,
      );
    }
    for (const [name, content] of files) {
      const file = join(made, name), isFolder = name.endsWith("/");
      await mkdir(isFolder ? file : dirname(file), { recursive: true });
      if (!isFolder) await writeFile(file, content);
    }
    const old = beside("old");
    if (isThere) await rename(folder, old);
    await rename(made, folder);
    await rm(old, { recursive: true, force: true });
  } catch (error) {
    await rm(made, { recursive: true, force: true }).catch(() => {});
    if (error instanceof StudyError) throw error;
    throw new StudyError(`${folder}: cannot be written: ${fileFault(error)}`);
  }
}

/**
 * Writes the trials of a study for `tracker` into a folder of their own below
 * `folder`, which is TensorBoard's `--logdir` or MLflow's `mlruns` and may hold
 * other studies and experiments. What an earlier export of the study wrote is
 * replaced.
 *
 * @param name what the study's folder is called, where names are free
 * @param pictureOf draws a run's confusion matrix
 * @returns the study's folder
 * @throws StudyError when no trial has begun, or it cannot be written
 */
export async function exportRuns(
  study: StudyRow,
  rows: readonly TrialRow[],
  { tracker, folder, name, pictureOf = () => Promise.resolve(undefined) }: {
    tracker: Tracker;
    folder: string;
    name: string;
    pictureOf?: (run: Run) => Promise<Picture | undefined>;
  },
): Promise<string> {
  const runs = trackerRuns(study, rows);
  if (runs.length === 0) {
    throw new StudyError(`study "${study.name}": no trial has begun`);
  }
  if (tracker === "tensorboard") {
    const own = join(folder, name);
    const files = await tensorboardFiles(study, runs, pictureOf);
    await writeFolder(own, files, MARKS.tensorboard);
    return own;
  }
  const { experiment, files } = await mlflowFiles(
    study,
    runs,
    folder,
    pictureOf,
  );
  const own = join(folder, experiment);
  await writeFolder(own, files, MARKS.mlflow);
  return own;
}
