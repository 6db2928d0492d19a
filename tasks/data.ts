/** `deno task data`: looks into data sets, before anybody trains on them. */
import { Command } from "commander";
import { DataError } from "../lib/data/types.ts";
import { clean } from "./study/format.ts";
import { say, UsageError } from "./data/terminal.ts";

/** Each command's module, loaded where it is wanted: start-up time counts. */
const commands: Record<string, () => Promise<() => Command>> = {
  info: async () => (await import("./data/info.ts")).infoCommand,
  audit: async () => (await import("./data/audit.ts")).auditCommand,
  convert: async () => (await import("./data/convert.ts")).convertCommand,
  cache: async () => (await import("./data/cache.ts")).cacheCommand,
};

const program = new Command("deno task data")
  .description(
    "Looks into a data set on disk: what it is, what is wrong with it, and the\n" +
      "same in another layout. Exit codes: 0 done, or a clean audit; 1 an audit\n" +
      "found what changes results, or it failed; 2 wrong usage, or no data set\n" +
      "there; 130 stopped by Ctrl-C.",
  )
  .addHelpText("after", "\nExample:\n  deno task data audit data/fer2013")
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
  }
  await program.parseAsync(Deno.args, { from: "user" });
} catch (error) {
  const e = error as Error & { code?: string; exitCode?: number };
  if (e.code?.startsWith("commander.")) Deno.exit(e.exitCode === 0 ? 0 : 2);
  say(`data: ${clean(e.message.split("\n")[0])}`);
  Deno.exit(e instanceof UsageError || e instanceof DataError ? 2 : 1);
}
