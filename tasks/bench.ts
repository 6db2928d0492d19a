/** `deno task bench`: measures FERLab on this machine, beside its peers. */
import { Command, Option } from "commander";
import { inOneLine } from "../lib/notebook/commands/mod.ts";
import { addDeviceOption } from "../lib/tensorflow/commands.ts";
import { exiting, finished, listed, numberOption, withOptions } from "./cli.ts";

const whole = numberOption(
  "a whole number from 1",
  (n) => Number.isSafeInteger(n) && n > 0,
);
const program = inOneLine(new Command("deno task bench"))
  .description("Measures FERLab on this machine, beside its peers.");

// Each command loads what it measures and no more.
const train = addDeviceOption(program.command("train"))
  .description("training speed: images/s, ms a step, GFLOPS, share of the roof")
  .addHelpText(
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
withOptions(train, {
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
    { read: listed },
  ],
  "--table": "print a table even when the output is no terminal",
  "--no-table": "print JSON lines even on a terminal",
}).addOption(
  new Option("--profile <names...>", "the nets of the notebooks' profiles")
    .choices(["smoke", "quick", "cpu", "paper"]),
);
finished(train, async (options) => {
  const { benchTrain } = await import("./bench/train.ts");
  return await benchTrain(options);
});

const notebook = program.command("notebook").description(
  "the notebook tool beside nbclient, nbconvert and papermill: running, " +
    "exporting, rerunning, ms; medians of rounds in which both take turns",
);
withOptions(notebook, {
  "--rounds <n>": ["counted rounds, after one of warm-up", {
    ...{ read: whole, default: 5 },
  }],
  "--stress":
    "also count correct outputs of 8 simultaneous runs and of 50 killed runs",
  "--only-stress": "do not measure time",
  "--no-peer": "leave the Python tools out",
});
finished(notebook, async (options) => {
  const { benchNotebook } = await import("./bench/notebook.ts");
  return await benchNotebook(options);
});

const explore = program.command("explore").description(
  "a page of 1,000 trials: opening, the panel, a change, ms; beside " +
    "optuna-dashboard on the same records",
);
withOptions(explore, {
  "--rounds <n>": ["counted rounds, after one of warm-up", {
    ...{ read: whole, default: 5 },
  }],
  "--no-peer": "leave optuna-dashboard out",
});
finished(explore, async (options) => {
  const { benchExplore } = await import("./bench/explore.ts");
  return await benchExplore(options);
});

const study = program.command("study").description(
  "the study engine beside Optuna on SQLite and PostgreSQL: trials, epochs, " +
    "loading, ms; medians of rounds in which both take turns",
);
withOptions(study, {
  "--rounds <n>": ["counted rounds, after one of warm-up", {
    ...{ read: whole, default: 3 },
  }],
  "--quick": "one small round, to check that it works",
});
finished(study, async (options) => {
  const { benchStudy } = await import("./bench/study.ts");
  return await benchStudy(options);
});

await exiting("bench", () => program.parseAsync(Deno.args, { from: "user" }));
