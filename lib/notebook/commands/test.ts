/** `deno task nb test`: runs notebooks as tests. */
import type { Command } from "commander";
import {
  type CellTest,
  type NotebookTest,
  runNotebookTest,
} from "../check/testing.ts";
import { addTolerance } from "./diff.ts";
import {
  DIM,
  fail,
  paint,
  parameterOption,
  path,
  plainLine,
  shownPath,
  stopSignal,
  warn,
} from "./shared.ts";

function text({ cell, title, status, seconds, message }: CellTest): string {
  const time = seconds === undefined ? "" : ` (${seconds.toFixed(2)} s)`;
  const why = message === undefined ? "" : `: ${message}`;
  return plainLine(`${status.padEnd(7)} ${cell} ${title}${time}${why}`);
}

async function test(given: string[], o: {
  param?: Record<string, unknown>;
  tolerance?: number;
  json?: boolean;
}): Promise<number> {
  const { signal, code } = stopSignal(() => {});
  const results: NotebookTest[] = [];
  for (const name of given) {
    if (signal.aborted) break;
    const file = path(name);
    if (!o.json) console.log(shownPath(file));
    const result = await runNotebookTest(file, {
      parameters: o.param,
      tolerance: o.tolerance,
      signal,
      onEvent: (e) => {
        if (e.type === "warning") warn(e.message);
        if (e.type === "cell-start") {
          console.error(
            paint(DIM, `[${e.index}/${e.total}] ${plainLine(e.title)}`),
          );
        }
      },
      onCell: (cell) => {
        if (!o.json) console.log(`  ${text(cell)}`);
      },
    }).catch((e: Error): NotebookTest => ({
      ...{ file, ok: false, interrupted: false, cells: [] },
      error: e.message,
    }));
    const error = result.error?.replace(file, shownPath(file));
    results.push({
      ...result,
      file: shownPath(file),
      ...(error ? { error } : {}),
    });
    if (error) fail(error);
  }
  const cells = results.flatMap((r) => r.cells);
  const count = (s: CellTest["status"]) =>
    cells.filter(({ status }) => status === s).length;
  if (o.json) console.log(JSON.stringify({ notebooks: results }, null, 2));
  else {
    const total = `${count("passed")} passed, ${count("failed")} failed, ` +
      `${count("skipped")} skipped, ${count("not run")} not run`;
    console.log(total);
  }
  if (signal.aborted) return code();
  return results.every(({ ok }) => ok) ? 0 : 1;
}

export function addTest(program: Command): void {
  const command = program.command("test")
    .summary("run notebooks as tests")
    .description(
      "Run notebooks as tests; the files stay as they are. A cell passes when " +
        "it does not throw. Tags of cells: `raises-exception`, it must throw; " +
        "`skip`, it is left out; `expect`, its outputs must be those stored in " +
        "the file, numbers within metadata.expect.tolerance. Parameters come " +
        "from metadata.ferlab.test.parameters of the notebook, over them from " +
        "a raw cell tagged `test-parameters` that holds a JSON object, over " +
        "them from -p. Results go to stdout, one line per cell; progress to stderr.",
    )
    .argument("<notebook...>", "the .ipynb files")
    .option(
      "-p, --param <name=value>",
      "set a parameter, as for run",
      parameterOption,
    )
    .option("--json", "print the results as JSON");
  addTolerance(command)
    .action(async (files, options) => Deno.exit(await test(files, options)));
}
