/** Watching a study from the command line: display, signals, how it ended. */
import type { Command } from "commander";
import type { StudySummary, TrainingEvent } from "../../lib/study/mod.ts";
import { RETRIES } from "../../lib/study/commands.ts";
import { EXIT, path } from "../../lib/notebook/commands/mod.ts";
import { addDeviceOption } from "../../lib/tensorflow/commands.ts";
import { clean, json, plural } from "../text.ts";
import {
  fromZero,
  jobCount,
  numberOption,
  say,
  stopSignal,
  UsageError,
  withOptions,
} from "../cli.ts";
import { type LiveDisplay, stderrDisplay } from "./study_display.ts";

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

const seconds = numberOption(
  "a number of seconds above 0, at most 1000000",
  (n) => n > 0 && n <= 1e6,
);

/** The options as the study engine takes them. */
export const launchOptions = (o: WatchOptions) => ({
  ...{ store: o.store, jobs: o.jobs, isolate: o.isolate, retries: o.retries },
  dataDir: o.dataDir && path(o.dataDir),
  heartbeatSeconds: o.heartbeat,
  graceSeconds: o.grace,
});

/** Adds the options that running a study and joining one share. */
export function addWatchOptions(command: Command): Command {
  withOptions(addDeviceOption(command), {
    "--store <url>": ["the records: a file, or a URL of PostgreSQL", {
      env: "FERLAB_STORE",
    }],
    "--dir <folder>": "checkpoints, logs and, without --store, records",
    "--data-dir <folder>": ["folder of a data set on disk", {
      env: "FERLAB_DATA_DIR",
    }],
    "--jobs <n>": ["trials at once, each in its own process", {
      ...{ read: jobCount, default: 1 },
    }],
    "--isolate": "each trial in its own process: a crash costs one trial",
    "--heartbeat <s>": ["seconds between the heartbeats of a trial", {
      ...{ read: seconds, default: 30 },
    }],
    "--grace <s>": [
      "seconds without a heartbeat until a trial counts as dead",
      { read: seconds, default: 120 },
    ],
    "--retries <n>": ["how often a failed point is run again, over all calls", {
      ...{ read: fromZero, default: RETRIES },
    }],
    "--allow-failures": "exit code 0 although trials failed",
    "--json": "the summary as JSON",
  });
  return command
    .hook("preAction", (command) => {
      const { heartbeat, grace } = command.opts<WatchOptions>();
      if (grace > heartbeat) return;
      throw new UsageError(
        `--grace ${grace} must be longer than --heartbeat ${heartbeat}, ` +
          "or running trials would count as dead",
      );
    })
    .addHelpText(
      "after",
      "\nExit codes: 0 all trials complete (or pruned); 1 some failed, as the " +
        "last line\ncounts; 2 wrong usage; 130 stopped by Ctrl-C.",
    );
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
  const { signal, code } = stopSignal(Deno.exit);
  let display: LiveDisplay | undefined;
  let summary: StudySummary;
  try {
    summary = await work({
      signal,
      onEvent(event) {
        if (event.type === "data") {
          event.lines.forEach((l) => say(clean(l)));
        }
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
    return code() || EXIT.SIGINT;
  }
  return failed > 0 && !o.allowFailures ? 1 : 0;
}
