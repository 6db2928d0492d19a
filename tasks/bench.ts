/** `deno task bench`: measures FERLab on this machine, beside its peers. */
import { Command, Option } from "commander";
import { inOneLine } from "../lib/notebook/commands/mod.ts";
import { addDeviceOption } from "../lib/tensorflow/commands.ts";
import {
  exiting,
  finished,
  namesInOption,
  numberOption,
  type Options,
  withOptions,
} from "./cli.ts";

const whole = numberOption(
  "a whole number from 1",
  (n) => Number.isSafeInteger(n) && n > 0,
);
const program = inOneLine(new Command("deno task bench"))
  .description("Measures FERLab on this machine, beside its peers.");

const rounds = (most: number): Options => ({
  "--rounds <n>": ["counted rounds, after one of warm-up", {
    ...{ read: whole, default: most },
  }],
});

/** Adds a command that loads what it measures, and no more. */
const bench = <O>(
  command: Command,
  about: string,
  options: Options,
  load: () => Promise<(o: O) => Promise<number>>,
): Command =>
  finished(
    withOptions(command.description(about), options),
    async (o) => (await load())(o),
  );

bench(
  addDeviceOption(program.command("train")),
  "training speed: images/s, ms a step, GFLOPS, share of the roof",
  {
    "--model <name>": ["model", { choices: ["baseline", "cls"] }],
    "--slim": "the slim net (48 × 48, batch 64) instead of the full one",
    "--recipe <file>": "the net and batch of a recipe (JSON)",
    "--all":
      "the net of each profile, and all forms of the full and the slim net",
    "--size <px>": ["side of the images in pixels", { read: whole }],
    "--batch <n>": ["images per step", { read: whole }],
    "--steps <n>": [
      "steps per round (default: as many as take 1.5 s, 3 to 30)",
      { read: whole },
    ],
    "--rounds <n>": ["rounds; in each, all nets take their turn", {
      ...{ read: whole, default: 3 },
    }],
    "--precision <name>": ["arithmetic", {
      choices: ["float32", "bfloat16", "auto"],
    }],
    "--peer": "run the same net in PyTorch and print the ratio",
    "--variants <list>": [
      "variants of PyTorch, such as eager,channels-last (default: all)",
      { read: namesInOption },
    ],
    "--table": "print a table even when the output is no terminal",
    "--no-table": "print JSON lines even on a terminal",
  },
  async () => (await import("./bench/train.ts")).benchTrain,
).addOption(
  new Option("--profile <names...>", "the nets of the notebooks' profiles")
    .choices(["smoke", "quick", "cpu", "paper"]),
).addHelpText(
  "after",
  `
Times are medians of the rounds' medians; the first two steps do not count.
Nodes are those of the compiled step as TensorFlow runs it. The roof is the
speed of 3 × 3 convolutions alone. Where the time goes: the step is run once
more op by op outside its graph, and each op is timed by itself; "scheduling" is
what the compiled step takes beyond their sum (the executor, threads that wait,
the way in and out). What TensorFlow fuses in the graph is counted unfused, so
that the sum may be more than the step. In bfloat16 nothing is rewritten op by
op, so it has no such row.`,
);

bench(
  program.command("notebook"),
  "the notebook tool beside nbclient, nbconvert and papermill: running, " +
    "exporting, rerunning, ms; medians of rounds in which both take turns",
  {
    ...rounds(5),
    "--stress": "also count correct outputs of 8 simultaneous runs",
    "--only-stress": "do not measure time",
    "--no-peer": "leave the Python tools out",
  },
  async () => (await import("./bench/notebook.ts")).benchNotebook,
);

bench(
  program.command("explore"),
  "a page of 1,000 trials: opening, the panel, a change, ms; beside " +
    "optuna-dashboard on the same records",
  { ...rounds(5), "--no-peer": "leave optuna-dashboard out" },
  async () => (await import("./bench/explore.ts")).benchExplore,
);

bench(
  program.command("study"),
  "the study engine beside Optuna on SQLite and PostgreSQL: trials, epochs, " +
    "loading, ms; medians of rounds in which both take turns",
  { ...rounds(3), "--quick": "one small round, to check that it works" },
  async () => (await import("./bench/study.ts")).benchStudy,
);

await exiting("bench", () => program.parseAsync(Deno.args, { from: "user" }));
