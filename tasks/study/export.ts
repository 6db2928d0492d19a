/** `deno task study export`: a study's trials as a file for other programs. */
import { path, shownPath } from "../../lib/notebook/commands/mod.ts";
import {
  csvOf,
  EXPORT_FORMATS,
  type ExportFormat,
  exportFormatOf,
  exportRuns,
  exportStudy,
  jsonOf,
  type Tracker,
  TRACKERS,
  trialColumns,
} from "../../lib/study/exchange/mod.ts";
import type { StudyRow, TrialRow } from "../../lib/study/commands.ts";
import { command, print, say, UsageError } from "../cli.ts";
import { plural } from "../text.ts";
import { type RecordOptions, withName, withStudy } from "./records.ts";

interface Options extends RecordOptions {
  format?: ExportFormat;
  to?: Tracker;
  out?: string;
}

function printStudy(
  row: StudyRow,
  trials: readonly TrialRow[],
  format: ExportFormat,
): void {
  if (format === "parquet") {
    throw new UsageError(
      "parquet is for files: give -o FILE or another --format",
    );
  }
  print(
    format === "json"
      ? jsonOf(row, trials)
      : csvOf(trialColumns(trials, { nested: true })),
  );
}

function named(file: string): ExportFormat {
  try {
    return exportFormatOf(file);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** How each tracker is told to read a folder, and the folder's usual name. */
const OPENED: Record<Tracker, { folder: string; by: string }> = {
  tensorboard: { folder: "tensorboard", by: "tensorboard --logdir" },
  mlflow: {
    folder: "mlruns",
    // MLflow 3 wants this said of folders; `mlflow migrate-filestore` takes
    // them into a database.
    by: "MLFLOW_ALLOW_FILE_STORE=true mlflow ui --backend-store-uri",
  },
};

/** A study's name as a file's. */
const fileName = (name: string) =>
  name.replace(/[^\p{L}\p{N}._@-]+/gu, "-").replace(/^\.+$/, "study");

function track(name: string, tracker: Tracker, o: Options): Promise<number> {
  if (o.format) throw new UsageError("give --to or --format, not both");
  if (o.out === "-") {
    throw new UsageError("--to writes a folder: give its name");
  }
  const { folder, by } = OPENED[tracker];
  return withStudy(name, o, async ({ store, row, name }) => {
    const trials = await store.trials(row.studyId);
    const { confusionPicture } = await import("./confusion_picture.ts");
    const own = await exportRuns(row, trials, {
      tracker,
      folder: path(o.out ?? folder),
      name: fileName(name),
      pictureOf: (run) => confusionPicture(run.confusion, run.texts.data),
    });
    const begun = trials.filter((trial) => trial.state !== "WAITING").length;
    say(`${plural(begun, "trial")} of ${name}`);
    console.log(shownPath(own));
    say(`open it: ${by} ${shownPath(o.out ?? folder)}`);
    return 0;
  });
}

function write(name: string, o: Options): Promise<number> {
  if (o.to) return track(name, o.to, o);
  const format = o.format ??
    (o.out === "-" ? "csv" : o.out ? named(o.out) : "parquet");
  return withStudy(name, o, async ({ store, row, name }) => {
    const trials = await store.trials(row.studyId);
    if (o.out === "-") {
      printStudy(row, trials, format);
      return 0;
    }
    const file = o.out ?? `${fileName(name)}.${format}`;
    const files = await exportStudy(row, trials, { format, file: path(file) });
    say(`${plural(trials.length, "trial")} of ${name}`);
    for (const file of files) console.log(shownPath(file));
    return 0;
  });
}

export const exportCommand = command("export", {
  summary: "write a study's trials as files, or for TensorBoard or MLflow",
  about:
    "Write a study's trials to a file. Parquet and CSV have one row per trial, " +
    "and the epochs beside them in NAME.epochs.*; JSON has the whole " +
    "record. In CSV a text that a spreadsheet would run as a formula gets " +
    "a ' before it. With --to they become runs of TensorBoard or MLflow: " +
    "scalars by epoch, parameters, confusion matrices as pictures.",
  examples: ["study export lr-search -o lr.csv"],
  takes: withName,
  options: {
    "--format <format>": ["default: by the file's name, else parquet", {
      choices: EXPORT_FORMATS,
    }],
    "--to <tracker>": ["a folder of runs for this program", {
      choices: TRACKERS,
    }],
    "-o, --out <file>":
      "the file; - prints CSV (the trials) or JSON (default: NAME.FORMAT); " +
      "with --to a folder, which may hold other studies (default: tensorboard " +
      "or mlruns)",
  },
}, write);
