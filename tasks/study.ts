/** `deno task study`: runs a study, and looks after those on record. */
import { Command } from "commander";
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
};

const program = new Command("deno task study")
  .description(
    "Runs the learning-rate search and writes its executed notebook, records\n" +
      "and HTML report. The commands run other studies, and show, compare and\n" +
      "change what is on record. Exit codes: 0 done; 1 it failed; 2 wrong\n" +
      "usage; 130 stopped by Ctrl-C.",
  )
  .addHelpText("after", "\nExample:\n  deno task study --profile smoke")
  .showSuggestionAfterError(false) // errors are one line
  .exitOverride();

await exiting("study", async () => {
  await addCommands(program, commands, async () => {
    const { addNotebook } = await import("./study/notebook.ts");
    addNotebook(program);
  });
  await program.parseAsync(Deno.args, { from: "user" });
});
