/**
 * Runs a task's program and says what helps where a damaged native package or
 * library ends it by a signal, of which the program itself cannot speak.
 */
import { constants } from "node:os";
import { resolve } from "node:path";

const [name, ...args] = Deno.args;
const child = new Deno.Command(Deno.execPath(), {
  args: ["run", "--allow-all", resolve(import.meta.dirname!, name), ...args],
  stdin: "inherit",
}).spawn();
// A terminal sends Ctrl-C to the program, too, which ends in its own way.
Deno.addSignalListener("SIGINT", () => {});
if (Deno.build.os !== "windows") {
  for (const signal of ["SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => {
      try {
        child.kill(signal);
      } catch { /* it has ended */ }
    });
  }
}
const { code, signal } = await child.status;
if (/^SIG(BUS|SEGV|ILL)$/.test(signal ?? "")) {
  console.error(
    `deno task: the program was ended by signal ${signal}, as a damaged native ` +
      "package or library does; `deno task doctor` names it, and what mends it",
  );
}
Deno.exit(signal ? 128 + constants.signals[signal as NodeJS.Signals] : code);
