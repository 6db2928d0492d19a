/** Watching a study from the command line: display, signals, how it ended. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { StudySummary, TrainingEvent } from "../../lib/study/mod.ts";
import { RETRIES } from "../../lib/study/commands.ts";
import { EXIT } from "../../lib/notebook/commands/mod.ts";
import { addDeviceOption } from "../../lib/tensorflow/commands.ts";
import { clean, json, plural } from "./format.ts";
import { say, UsageError } from "./records.ts";
import { type LiveDisplay, stderrDisplay } from "./terminal.ts";

/** What running a study and joining one are told alike. */
export interface WatchOptions {
  store?: string;
  dir?: string;
  dataDir?: string;
  jobs: number;
  isolate?: boolean;
  heartbeat: number;
  grace: number;
  retries: number;
  allowFailures?: boolean;
  json?: boolean;
}

const above =
  (what: string, test: (n: number) => boolean) => (text: string) => {
    const n = Number(text);
    if (text.trim() !== "" && test(n)) return n;
    throw new InvalidArgumentError(`it must be ${what}`);
  };

/** More processes than this are a slip of the pen. */
const MOST_JOBS = 256;

/** How many at once, for commander. */
export const jobCount = above(
  `a whole number from 1 to ${MOST_JOBS}`,
  (n) => Number.isInteger(n) && n > 0 && n <= MOST_JOBS,
);
/** A whole number from 0, for commander. */
export const fromZero = above(
  "a whole number from 0, below 2^53",
  (n) => Number.isSafeInteger(n) && n >= 0,
);
const seconds = above(
  "a number of seconds above 0, at most 1000000",
  (n) => n > 0 && n <= 1e6,
);

/** Adds the options that running a study and joining one share. */
export function addWatchOptions(command: Command): Command {
  return addDeviceOption(command)
    .addOption(
      new Option("--store <url>", "the records: a file, or a URL of PostgreSQL")
        .env("FERLAB_STORE"),
    )
    .option("--dir <folder>", "checkpoints, logs and, without --store, records")
    .addOption(
      new Option("--data-dir <folder>", "folder of a data set on disk")
        .env("FERLAB_DATA_DIR"),
    )
    .option(
      "--jobs <n>",
      "trials at once, each in its own process",
      jobCount,
      1,
    )
    .option(
      "--isolate",
      "each trial in its own process: a crash costs one trial",
    )
    .option(
      "--heartbeat <s>",
      "seconds between the heartbeats of a trial",
      seconds,
      30,
    )
    .option(
      "--grace <s>",
      "seconds without a heartbeat until a trial counts as dead",
      seconds,
      120,
    )
    .option(
      "--retries <n>",
      "how often a failed point is run again, over all calls",
      fromZero,
      RETRIES,
    )
    .hook("preAction", (command) => {
      const { heartbeat, grace } = command.opts<WatchOptions>();
      if (grace > heartbeat) return;
      throw new UsageError(
        `--grace ${grace} must be longer than --heartbeat ${heartbeat}, ` +
          "or running trials would count as dead",
      );
    })
    .option("--allow-failures", "exit code 0 although trials failed")
    .option("--json", "the summary as JSON")
    .addHelpText(
      "after",
      "\nExit codes: 0 all trials complete (or pruned); 1 some failed, as the " +
        "last line\ncounts; 2 wrong usage; 130 stopped by Ctrl-C.",
    )
    .showSuggestionAfterError(false)
    .exitOverride();
}

/**
 * Runs `work` with a display on the terminal; the first signal stops it with
 * everything kept, a second one ends the process. Returns the exit code.
 */
export async function watch(
  o: Pick<WatchOptions, "json" | "allowFailures">,
  work: (o: {
    signal: AbortSignal;
    onEvent: (event: TrainingEvent) => void;
  }) => Promise<StudySummary>,
): Promise<number> {
  const stop = new AbortController();
  let by: keyof typeof EXIT | undefined;
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(name, () => {
      if (by) Deno.exit(EXIT[name]);
      by = name;
      stop.abort();
    });
  }
  let display: LiveDisplay | undefined;
  let summary: StudySummary;
  try {
    summary = await work({
      signal: stop.signal,
      onEvent(event) {
        if (event.type === "data") event.lines.forEach((l) => say(clean(l)));
        if (event.type === "study") display = stderrDisplay(event.study);
        display?.onEvent(event);
      },
    });
  } finally {
    display?.end();
  }
  const { total, complete, pruned, failed, remaining } = summary;
  if (o.json) console.log(json(summary));
  else {
    const others = [
      pruned && `${pruned} pruned`,
      failed && `${failed} failed`,
      remaining && `${remaining} left`,
    ].filter(Boolean);
    console.log(
      `${complete} of ${plural(total, "trial")} complete${
        others.map((text) => `, ${text}`).join("")
      }`,
    );
  }
  if (summary.interrupted) {
    say(
      "interrupted; finished epochs are saved. The same command " +
        "continues",
    );
    return EXIT[by ?? "SIGINT"];
  }
  return failed > 0 && !o.allowFailures ? 1 : 0;
}
