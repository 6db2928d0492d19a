/** `deno task bench`: measures FERLab on this machine, beside its peers. */
import { Command, Option } from "commander";
import { addDeviceOption } from "../lib/tensorflow/device_option.ts";
import { exiting } from "./cli.ts";

const whole = (text: string) => Math.max(1, Math.trunc(Number(text)));
const program = new Command("deno task bench")
  .description("Measures FERLab on this machine; prints JSON lines.")
  .exitOverride();

// Each command loads what it measures and no more.
addDeviceOption(program.command("train"))
  .description("training speed: images/s, ms a step, GFLOPS, share of the roof")
  .addOption(
    new Option("--model <name>", "model").choices(["baseline", "cls"])
      .default("baseline"),
  )
  .option("--slim", "the slim net (48 × 48, batch 64) instead of the full one")
  .option("--size <px>", "side of the images", whole)
  .option("--batch <n>", "images a step", whole)
  .option("--steps <n>", "counted steps, after two of warm-up", whole)
  .addOption(
    new Option("--precision <name>", "arithmetic")
      .choices(["float32", "bfloat16", "auto"]).default("auto"),
  )
  .option("--peer", "run the same net in PyTorch and print the ratio")
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
    "also count right outputs of 8 runs at once, and of 50 runs that are killed",
  )
  .option("--only-stress", "do not measure time")
  .option("--no-peer", "leave the Python tools out")
  .action(async (options) => {
    const { benchNotebook } = await import("./bench_notebook.ts");
    Deno.exit(await benchNotebook(options));
  });
program.command("study")
  .description(
    "the study engine beside Optuna on SQLite and PostgreSQL: trials, epochs, " +
      "loading, ms; medians of rounds in which both take turns",
  )
  .option("--rounds <n>", "counted rounds, after one of warm-up", whole, 3)
  .option("--quick", "one small round, to see that it works")
  .action(async (options) => {
    const { benchStudy } = await import("./bench_study.ts");
    Deno.exit(await benchStudy(options));
  });

await exiting(
  "bench",
  () => program.parseAsync(Deno.args, { from: "user" }),
);
