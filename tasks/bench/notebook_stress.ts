/** `deno task bench notebook --stress`: right outputs of runs at once. */
import { join } from "node:path";
import { readNotebook, writeNotebook } from "../../lib/notebook/mod.ts";
import { printResult } from "./parts.ts";
import { chatty, chattyText } from "./notebook_files.ts";
import { type Bench, ours, printed, theirs } from "./notebook_parts.ts";

const RUNNERS = 8, ROUNDS = 5;
const CELLS = 10, LINES = 60;

/** How many of 8 runs at once, 5 times, have each line in its own cell. */
async function atOnce(
  bench: Bench,
  command: (out: string) => Deno.Command,
): Promise<number> {
  let right = 0;
  const one = async (out: string) => {
    const { success } = await command(out).output();
    if (!success) return;
    const { cells } = await readNotebook(join(bench.folder, out));
    const good = cells.every((c, i) => printed(c) === chattyText(i + 1, LINES));
    if (good) right++;
  };
  for (let round = 0; round < ROUNDS; round++) {
    await Promise.all(
      Array.from({ length: RUNNERS }, (_, i) => one(`at-once-${i}.ipynb`)),
    );
  }
  return right;
}

/** Prints the counts; true when all of ours are as they must be. */
export async function stress(bench: Bench): Promise<boolean> {
  const source = "chatty.ipynb";
  await writeNotebook(join(bench.folder, source), chatty(CELLS, LINES));
  const right = await atOnce(
    bench,
    (out) => ours(bench, "run", "-q", source, "-o", out),
  );
  const other = bench.bin
    ? await atOnce(
      bench,
      (out) => theirs(bench, "jupyter-execute", `--output=${out}`, source),
    )
    : null;
  const all = RUNNERS * ROUNDS;
  printResult({
    measure:
      `${RUNNERS} runs at once, ${ROUNDS} times: all lines in their cell`,
    unit: "runs",
    peer: bench.bin ? "nbclient" : null,
    ours: right,
    theirs: other,
    ratio: other ? right / other : null,
    goal: `ours = ${all}`,
    met: right === all,
  });
  return right === all;
}
