/** `deno task study`: runs notebooks, and looks after studies on record. */
import { Command } from "commander";
import { inOneLine } from "../lib/notebook/commands/mod.ts";
import { useDeviceOf } from "../lib/tensorflow/commands.ts";
import { addCommands, type Commands, exiting } from "./cli.ts";

const commands: Commands = {
  run: async () => (await import("./study/run.ts")).runCommand,
  list: async () => (await import("./study/list.ts")).listCommand,
  show: async () => (await import("./study/show.ts")).showCommand,
  compare: async () => (await import("./study/compare.ts")).compareCommand,
  retry: async () => (await import("./study/retry.ts")).retryCommand,
  prune: async () => (await import("./study/prune.ts")).pruneCommand,
  delete: async () => (await import("./study/delete.ts")).deleteCommand,
  export: async () => (await import("./study/export.ts")).exportCommand,
  import: async () => (await import("./study/import.ts")).importCommand,
  claims: async () => (await import("./study/claims.ts")).claimsCommand,
};

const program = inOneLine(new Command("deno task study"))
  .description(
    "Runs the notebooks (all of them, unless some are named) and " +
      "writes the\nexecuted notebooks, the records, an HTML report " +
      "of each and a page that\nlists the reports. The commands run " +
      "studies of your own, and show, compare\nand change what is on " +
      "record. Exit codes: 0 done; 1 something failed;\n2 wrong " +
      "usage; 130 stopped by Ctrl-C.",
  )
  .addHelpText(
    "after",
    "\nExamples:\n  deno task study\n  deno task study 03 08 --profile cpu --data-dir ~/fer2013",
  );

await exiting("study", async () => {
  await useDeviceOf(Deno.args);
  await addCommands(program, commands, async () => {
    const { addNotebook } = await import("./study/notebook.ts");
    addNotebook(program);
  });
  await program.parseAsync(Deno.args, { from: "user" });
});
