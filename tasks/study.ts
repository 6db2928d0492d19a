/** `deno task study`: runs a study, and looks after those on record. */
import { Command } from "commander";
import { clean } from "./study/format.ts";
import { say, UsageError } from "./study/records.ts";

/** Each command's module, loaded where it is wanted: start-up time counts. */
const commands: Record<string, () => Promise<() => Command>> = {
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

const [name] = Deno.args;
try {
  if (Object.hasOwn(commands, name ?? "")) {
    program.addCommand((await commands[name]())());
  } else {
    if (name && !name.startsWith("-") && name !== "help") {
      throw new UsageError(
        `no command "${name}": they are ${Object.keys(commands).join(", ")}`,
      );
    }
    for (const load of Object.values(commands)) {
      program.addCommand((await load())());
    }
    const { addNotebook } = await import("./study/notebook.ts");
    addNotebook(program);
  }
  await program.parseAsync(Deno.args, { from: "user" });
} catch (error) {
  const e = error as Error & { code?: string; exitCode?: number };
  if (e.code?.startsWith("commander.")) Deno.exit(e.exitCode === 0 ? 0 : 2);
  say(`study: ${clean(e.message.split("\n")[0])}`);
  Deno.exit(e instanceof UsageError ? 2 : 1);
}
