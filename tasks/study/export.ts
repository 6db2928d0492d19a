/** `deno task study export`: a study's trials as a file for other programs. */
import { Command, Option } from "commander";
import { path, shown } from "../../lib/notebook/commands/shared.ts";
import {
  csvOf,
  EXPORT_FORMATS,
  type ExportFormat,
  exportStudy,
  formatOf,
  jsonOf,
} from "../../lib/study/export.ts";
import { trialColumns } from "../../lib/study/frames.ts";
import type { StudyRow, TrialRow } from "../../lib/study/store/mod.ts";
import { plural } from "./format.ts";
import {
  addRecordOptions,
  type RecordOptions,
  say,
  UsageError,
  withStudy,
} from "./records.ts";

interface Options extends RecordOptions {
  format?: ExportFormat;
  out?: string;
}

/** Writes text to standard output; a reader may have closed it (`| head`). */
async function print(text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let at = 0; at < bytes.length;) {
      at += await Deno.stdout.write(bytes.subarray(at));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

async function printStudy(
  row: StudyRow,
  trials: readonly TrialRow[],
  format: ExportFormat,
): Promise<void> {
  if (format === "parquet") {
    throw new UsageError(
      "parquet is for files: give -o FILE or another --format",
    );
  }
  await print(
    format === "json"
      ? jsonOf(row, trials)
      : csvOf(trialColumns(trials, { nested: true })),
  );
}

function named(file: string): ExportFormat {
  try {
    return formatOf(file);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function write(name: string, o: Options): Promise<number> {
  const format = o.format ??
    (o.out === "-" ? "csv" : o.out ? named(o.out) : "parquet");
  return withStudy(name, o, async ({ store, row, name }) => {
    const trials = await store.trials(row.studyId);
    if (o.out === "-") {
      await printStudy(row, trials, format);
      return 0;
    }
    const file = o.out ??
      `${name.replace(/[^\p{L}\p{N}._@-]+/gu, "-")}.${format}`;
    const files = await exportStudy(row, trials, { format, file: path(file) });
    say(`${plural(trials.length, "trial")} of ${name}`);
    for (const file of files) console.log(shown(file));
    return 0;
  });
}

export function exportCommand(): Command {
  return addRecordOptions(new Command("export"))
    .summary("write a study's trials as Parquet, CSV or JSON")
    .description(
      "Write a study's trials to a file. Parquet and CSV have a row a trial, " +
        "and the epochs beside them in NAME.epochs.*; JSON has the whole " +
        "record. In CSV a text that a spreadsheet would run as a formula gets " +
        "a ' before it.",
    )
    .argument("<name>", "the study; NAME@KEY for one of several records of it")
    .addOption(
      new Option(
        "--format <format>",
        "default: by the file's name, else parquet",
      ).choices(EXPORT_FORMATS),
    )
    .option(
      "-o, --out <file>",
      "the file; - prints CSV (the trials) or JSON (default: NAME.FORMAT)",
    )
    .addHelpText(
      "after",
      "\nExample:\n  deno task study export lr-search -o lr.csv",
    )
    .action(async (name, options) => Deno.exit(await write(name, options)));
}
