/** `deno task study import`: another tool's trials into a study of ours. */
import { path } from "../../lib/notebook/commands/mod.ts";
import {
  type CsvTable,
  openStore,
  readCsv,
  type Store,
  StudyError,
} from "../../lib/study/commands.ts";
import {
  addHistory,
  importTrials,
  readRuns,
  readStored,
  type RunColumns,
  runColumns,
  type TrialSource,
} from "../../lib/study/exchange/mod.ts";
import { clean, plural } from "../text.ts";
import {
  isUrl,
  openReader,
  type RecordOptions,
  storeName,
  storesOf,
  storeUrl,
  warn,
  withRecordOptions,
  withStudy,
} from "./records.ts";
import { asUsage, command, say, UsageError } from "../cli.ts";

interface Options extends RecordOptions {
  study: string;
  param?: string[];
  value?: string;
  direction?: RunColumns["direction"];
  history?: string[];
  from?: string;
  update?: boolean;
  keep?: boolean;
}

/** Changed runs that are told one by one. */
const TOLD = 20;

const SQLITE = "SQLite format 3\0";

/** Whether a file or URL is a storage of Optuna's, not a table of runs. */
async function isStorage(file: string): Promise<boolean> {
  if (isUrl(file)) return true;
  const head = new Uint8Array(SQLITE.length);
  await asUsage(`${file}: cannot be read`, async () => {
    // What comes through a pipe is read once.
    if (!(await Deno.stat(path(file))).isFile) return;
    using opened = await Deno.open(path(file));
    await opened.read(head);
  });
  return new TextDecoder().decode(head) === SQLITE;
}

async function readStorage(url: string, o: Options): Promise<TrialSource> {
  const odd = (["param", "value", "direction", "history"] as const)
    .find((name) => o[name] !== undefined);
  if (odd) throw new UsageError(`--${odd} is for CSV files, not for a storage`);
  await using store = await openReader(storeUrl(url));
  return await readStored(store, o.from);
}

async function readCsvFile(file: string): Promise<CsvTable> {
  const bytes = await asUsage(
    `${file}: cannot be read`,
    () => Deno.readFile(path(file)),
  );
  return readCsv(bytes, file);
}

async function readExport(file: string, o: Options): Promise<TrialSource> {
  if (o.from !== undefined) {
    throw new UsageError("--from is for storages, not for CSV files");
  }
  const table = await readCsvFile(file);
  const { notes, ...columns } = runColumns(table, {
    params: o.param,
    value: o.value,
    direction: o.direction,
  });
  const source = readRuns(table, columns);
  source.notes.unshift(...notes);
  if (o.history) {
    addHistory(source, await Promise.all(o.history.map(readCsvFile)));
  }
  return source;
}

/** The store that the options name, or the one that has the study. */
async function withStore(
  o: Options,
  use: (store: Store, record: string) => Promise<void>,
): Promise<void> {
  if (!o.store && o.dir === undefined) {
    await withStudy(
      o.study,
      { write: true },
      ({ store, record }) => use(store, record),
    ).catch((error) => {
      if (!/^no study /.test(error.message)) throw error;
      throw new StudyError(
        `${error.message}; give --dir or --store to create it`,
      );
    });
    return;
  }
  const [url] = storesOf(o);
  await using store = await openStore(url, { onWarning: warn });
  await use(store, storeName(url, store));
}

async function take(file: string, o: Options): Promise<number> {
  if (o.update && o.keep) throw new UsageError("give --update or --keep");
  const source = await isStorage(file)
    ? await readStorage(file, o)
    : await readExport(file, o);
  for (const note of source.notes) say(clean(note));
  await withStore(o, async (store, record) => {
    const { study, added, known, changed, updated } = await importTrials(
      store,
      o.study,
      source,
      { update: o.update },
    );
    const advice = updated || o.keep ? "" : "; --update replaces it";
    const what = updated ? "replaced" : `the earlier one is kept${advice}`;
    for (const change of changed.slice(0, TOLD)) warn(`${change}: ${what}`);
    if (changed.length > TOLD) {
      warn(`and ${changed.length - TOLD} more changed runs: ${what}`);
    }
    const same = known - changed.length;
    console.log(
      clean(
        [
          `${plural(added, "trial")} added to "${study.name}" in ${record}`,
          same && `${same} were there already`,
          changed.length &&
          `${changed.length} changed since: ${
            updated ? "replaced" : "the earlier kept"
          }`,
        ].filter(Boolean).join(", "),
      ),
    );
  });
  return 0;
}

const collect = (value: string, before: string[] = []) => [...before, value];

export const importCommand = command("import", {
  summary: "import runs of Weights & Biases or trials of Optuna",
  about:
    "Import trials of another tool into a study: a table of runs that W&B " +
    "exported as CSV, or a study of an Optuna storage (a SQLite file or a " +
    "URL). A study that does not exist is created; then --store or --dir " +
    "says where. Rows that were imported before are skipped. If any row " +
    "is bad, nothing is imported.",
  examples: [
    "study import runs.csv --study lr --dir runs/lr \\\n    --param lr --param depth --value val_acc",
  ],
  takes: (c) =>
    withRecordOptions(c).argument(
      "<file>",
      "a CSV file, a SQLite file, sqlite:///… or postgresql://…",
    ),
  options: {
    "--study <name>": ["the study that takes the trials", { required: true }],
    "--param <column>": ["CSV: a parameter's column; repeat it", {
      read: collect,
    }],
    "--value <column>": "CSV: the result's column",
    "--direction <direction>": ["CSV: which result is better", {
      choices: ["maximize", "minimize"],
    }],
    "--history <file>": [
      "CSV: a chart's export, for the epochs of its runs; repeat it",
      { read: collect },
    ],
    "--update":
      "when the result of an imported run has changed, replace the earlier one",
    "--keep": "the earlier result is kept (default, with a hint)",
    "--from <name>": "storage: its study, where it has several",
  },
}, take);
