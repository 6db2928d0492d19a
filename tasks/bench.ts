/** `deno task bench`: measures FERLab on this machine, beside its peers. */
import { Command, Option } from "commander";
import { addDeviceOption } from "../lib/tensorflow/commands.ts";
import { exiting } from "./cli.ts";

const whole = (text: string) => Math.max(1, Math.trunc(Number(text)));
const program = new Command("deno task bench")
  .description("Measures FERLab on this machine, beside its peers.")
  .exitOverride();

// Each command loads what it measures and no more.
addDeviceOption(program.command("train"))
  .description("training speed: images/s, ms a step, GFLOPS, share of the roof")
  .addOption(
    new Option("--model <name>", "model").choices(["baseline", "cls"]),
  )
  .option("--slim", "the slim net (48 × 48, batch 64) instead of the full one")
  .option("--recipe <file>", "the net and batch of a recipe (JSON)")
  .addOption(
    new Option("--profile <names...>", "the nets of the notebooks' profiles")
      .choices(["smoke", "quick", "cpu", "paper"]),
  )
  .option(
    "--all",
    "the net of each profile, and all forms of the full and the " +
      "slim net",
  )
  .option("--size <px>", "side of the images in pixels", whole)
  .option("--batch <n>", "images a step", whole)
  .option(
    "--steps <n>",
    "steps per round (default: as many as take 1.5 s, 3 to 30)",
    whole,
  )
  .option("--rounds <n>", "rounds; in each, all nets take their turn", whole, 3)
  .addOption(
    new Option("--precision <name>", "arithmetic")
      .choices(["float32", "bfloat16", "auto"]),
  )
  .option("--peer", "run the same net in PyTorch and print the ratio")
  .option(
    "--variants <list>",
    "variants of PyTorch, such as eager,channels-last (default: " +
      "all)",
    (text) => text.split(",").map((name) => name.trim()),
  )
  .option("--table", "print a table even when the output is no terminal")
  .option("--no-table", "print JSON lines even on a terminal")
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
  )
  .action(async (options) => {
    const { benchTrain } = await import("./bench_train.ts");
    Deno.exit(await benchTrain(options));
  });
program.command("notebook")
  .description(
    "the notebook tool beside nbclient, nbconvert and papermill: running, " +
      "exporting, rerunning, ms; medians of rounds in which both take turns",
  )
  .option("--rounds <n>", "counted rounds, after one of warm-up", whole, 5)
  .option(
    "--stress",
    "also count correct outputs of 8 simultaneous runs and of 50 " +
      "killed runs",
  )
  .option("--only-stress", "do not measure time")
  .option("--no-peer", "leave the Python tools out")
  .action(async (options) => {
    const { benchNotebook } = await import("./bench_notebook.ts");
    Deno.exit(await benchNotebook(options));
  });
program.command("explore")
  .description(
    "a page of 1,000 trials: opening, the panel, a change, ms; beside " +
      "optuna-dashboard on the same records",
  )
  .option("--rounds <n>", "counted rounds, after one of warm-up", whole, 5)
  .option("--no-peer", "leave optuna-dashboard out")
  .action(async (options) => {
    const { benchExplore } = await import("./bench_explore.ts");
    Deno.exit(await benchExplore(options));
  });
program.command("study")
  .description(
    "the study engine beside Optuna on SQLite and PostgreSQL: trials, epochs, " +
      "loading, ms; medians of rounds in which both take turns",
  )
  .option("--rounds <n>", "counted rounds, after one of warm-up", whole, 3)
  .option("--quick", "one small round, to check that it works")
  .action(async (options) => {
    const { benchStudy } = await import("./bench_study.ts");
    Deno.exit(await benchStudy(options));
  });

await exiting(
  "bench",
  () => program.parseAsync(Deno.args, { from: "user" }),
);
