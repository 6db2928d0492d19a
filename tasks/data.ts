/** `deno task data`: looks into data sets, before anybody trains on them. */
import { Command } from "commander";
import { inOneLine } from "../lib/notebook/commands/mod.ts";
import { addCommands, type Commands, exiting } from "./cli.ts";

const commands: Commands = {
  info: async () => (await import("./data/info.ts")).infoCommand,
  audit: async () => (await import("./data/audit.ts")).auditCommand,
  convert: async () => (await import("./data/convert.ts")).convertCommand,
  cache: async () => (await import("./data/cache.ts")).cacheCommand,
};

const program = inOneLine(new Command("deno task data"))
  .description(
    "Shows what a data set on disk holds, checks it for faults and " +
      "converts it\nto another layout. Exit codes: 0 done, or a " +
      "clean audit; 1 the audit found\nsomething that changes " +
      "results, or the command failed; 2 wrong usage, or\nno data " +
      "set there; 130 stopped by Ctrl-C.",
  )
  .addHelpText("after", "\nExample:\n  deno task data audit data/fer2013");

await exiting("data", async () => {
  await addCommands(program, commands);
  await program.parseAsync(Deno.args, { from: "user" });
});
