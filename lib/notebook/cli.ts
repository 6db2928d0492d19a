/** `deno task nb`: runs notebooks on Deno's kernel, exports them to HTML. */
import { Command } from "commander";
import { addCheck } from "./commands/check.ts";
import { addClean } from "./commands/clean.ts";
import { addDiff } from "./commands/diff.ts";
import { addExport } from "./commands/export.ts";
import { addFmt } from "./commands/fmt.ts";
import { addIndex } from "./commands/index.ts";
import { addRerun } from "./commands/rerun.ts";
import { addRun } from "./commands/run.ts";
import { addSession } from "./commands/session.ts";
import { fail } from "./commands/shared.ts";
import { addStatus } from "./commands/status.ts";
import { addTest } from "./commands/test.ts";

const program = new Command("deno task nb")
  .description(
    "Runs notebooks on Deno's own kernel, and writes them as HTML pages.\n" +
      "Exit codes: 0 done; 1 a cell failed, or a file cannot be read or " +
      "written;\n2 wrong usage; 130 stopped by Ctrl-C (143 by SIGTERM).",
  )
  .exitOverride();

const commands = [
  addRun,
  addRerun,
  addStatus,
  addSession,
  addTest,
  addCheck,
  addFmt,
  addClean,
  addDiff,
  addExport,
  addIndex,
];
for (const add of commands) add(program);

try {
  await program.parseAsync(Deno.args, { from: "user" });
} catch (error) {
  const e = error as Error & { code?: string; exitCode?: number };
  if (e.code?.startsWith("commander.")) Deno.exit(e.exitCode === 0 ? 0 : 2);
  fail(e.message);
  Deno.exit(1);
}
