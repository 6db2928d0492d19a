/** `deno task nb`: runs, reruns, checks, compares and exports notebooks. */
import { Command } from "commander";
import { asPapermill, fail, inOneLine, loadWanted } from "./commands/shared.ts";

type Add = (program: Command) => void;

/** Each command's module. */
const commands: Record<string, () => Promise<Add>> = {
  run: async () => (await import("./commands/run.ts")).addRun,
  rerun: async () => (await import("./commands/rerun.ts")).addRerun,
  status: async () => (await import("./commands/status.ts")).addStatus,
  session: async () => (await import("./commands/session.ts")).addSession,
  test: async () => (await import("./commands/test.ts")).addTest,
  check: async () => (await import("./commands/check.ts")).addCheck,
  fmt: async () => (await import("./commands/fmt.ts")).addFmt,
  clean: async () => (await import("./commands/clean.ts")).addClean,
  diff: async () => (await import("./commands/diff.ts")).addDiff,
  export: async () => (await import("./commands/export.ts")).addExport,
  index: async () => (await import("./commands/index.ts")).addIndex,
};

// It holds for its commands, too.
const program = inOneLine(new Command("deno task nb"))
  .description(
    "Runs notebooks on Deno's own kernel, reruns single cells, tells what is\n" +
      "stale, checks, compares and tests notebooks, and writes them as HTML.\n" +
      "Exit codes: 0 done; 1 a cell failed or something was found, or a file\n" +
      "cannot be read or written; 2 wrong usage; 130 stopped by Ctrl-C (143 by\n" +
      "SIGTERM, 129 by a closed terminal).",
  );

for (const add of await loadWanted(commands)) add(program);

try {
  const takesParameters = /^(run|test)$/.test(Deno.args[0] ?? "");
  const args = takesParameters ? asPapermill(Deno.args) : Deno.args;
  await program.parseAsync(args, { from: "user" });
} catch (error) {
  const e = error as Error & { code?: string; exitCode?: number };
  if (e.code?.startsWith("commander.")) Deno.exit(e.exitCode === 0 ? 0 : 2);
  fail(e.message);
  Deno.exit(1);
}
