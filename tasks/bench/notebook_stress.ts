/** `deno task bench notebook --stress`: right outputs under load and kills. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readNotebook, writeNotebook } from "../../lib/notebook/mod.ts";
import { print } from "./parts.ts";
import { chatty, chattyText, draws, noting } from "./notebook_files.ts";
import { type Bench, ours, printed, theirs } from "./notebook_parts.ts";

const RUNNERS = 8, ROUNDS = 5;
const CELLS = 10, LINES = 60;
const KILLS = 50, STEPS = 8;
const STEP = 35; // ms that one takes, about
const GONE = 5000; // ms that killed runs' children have to end
const MARK = "FERLAB_BENCH_RUN";

/** Ids of the processes that were started with the mark; Linux only. */
function marked(mark: string): number[] {
  const pids = readdirSync("/proc").map(Number).filter((pid) => pid > 0);
  return pids.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, "latin1")
        .includes(`${MARK}=${mark}\0`);
    } catch {
      return false; // it has ended
    }
  });
}

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** How many processes are left when they have had their time to end. */
async function left(mark: string): Promise<number | null> {
  if (Deno.build.os !== "linux") return null;
  const end = performance.now() + GONE;
  let pids = marked(mark);
  while (pids.length && performance.now() < end) {
    await pause(20);
    pids = marked(mark);
  }
  return pids.length;
}

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

/** The steps of run `run` that are saved with their output. */
async function savedSteps(file: string, run: number): Promise<Set<number>> {
  const nb = await readNotebook(file); // throws when it is not valid
  const lines = nb.cells.flatMap((c) => printed(c).trim().split("\n"));
  return new Set(
    lines.map((l) => l.split(" ").map(Number))
      .filter(([of]) => of === run).map(([, step]) => step),
  );
}

/**
 * Kills runs with SIGKILL at random moments, a quarter anywhere in the run and
 * the rest while its cells run; each goes on where the file of the one before
 * lies. A cell has finished when the next has started.
 */
async function kills(bench: Bench) {
  const file = (name: string) => join(bench.folder, name);
  await writeNotebook(file("noting.ipynb"), noting(STEPS));
  await Deno.writeTextFile(file("started.log"), "");
  const command = (run: number) =>
    ours(
      ...[bench, "run", "-q", "noting.ipynb", "-o", "noted.ipynb"] as const,
      ...["-p", `run=${run}`],
    );
  /** Steps that a run has started. */
  const began = async (run: number) =>
    (await Deno.readTextFile(file("started.log"))).split("\n")
      .filter((l) => l.startsWith(`${run} `)).length;
  const start = performance.now();
  await command(KILLS).output();
  const whole = performance.now() - start;
  const random = draws(7);
  let invalid = 0, lost = 0, finished = 0, killed = 0;
  for (let run = 0; run < KILLS; run++) {
    const child = command(run).spawn();
    let ended = false;
    const output = child.output().finally(() => ended = true);
    const anywhere = run % 4 === 0;
    while (!anywhere && !ended && !await began(run)) await pause(2);
    await pause(random() * (anywhere ? whole : STEPS * STEP));
    if (!ended) child.kill("SIGKILL");
    if ((await output).signal === "SIGKILL") killed++;
    await left(bench.env[MARK]); // what its kernel still notes counts
    try {
      const saved = await savedSteps(file("noted.ipynb"), run);
      for (let step = 0; step < await began(run) - 1; step++) {
        finished++;
        if (!saved.has(step)) lost++;
      }
    } catch {
      invalid++;
    }
  }
  const last = await command(KILLS + 1).output();
  const steps = await savedSteps(file("noted.ipynb"), KILLS + 1);
  const goesOn = last.success && steps.size === STEPS;
  return {
    runs: KILLS,
    ...{ killed, invalid, finished, lost },
    runsAfterwards: goesOn,
  };
}

/** Prints the counts; true when all are as they must be. */
export async function stress(given: Bench): Promise<boolean> {
  const mark = crypto.randomUUID();
  const bench = { ...given, env: { ...given.env, [MARK]: mark } };
  const source = "chatty.ipynb";
  await writeNotebook(join(bench.folder, source), chatty(CELLS, LINES));
  const right = await atOnce(
    bench,
    (out) => ours(bench, "run", "-q", source, "-o", out),
  );
  const leftAfterRuns = await left(mark);
  const other = bench.bin
    ? await atOnce(
      { ...bench, env: given.env },
      (out) => theirs(given, "jupyter-execute", `--output=${out}`, source),
    )
    : null;
  const all = RUNNERS * ROUNDS;
  print({
    measure:
      `${RUNNERS} runs at once, ${ROUNDS} times: all lines in their cell`,
    unit: "runs",
    peer: bench.bin ? "nbclient" : null,
    ours: right,
    theirs: other,
    ratio: other ? right / other : null,
    goal: `ours = ${all}`,
    met: right === all,
    left: leftAfterRuns,
  });
  const counts = await kills(bench);
  const leftOver = await left(mark);
  const met = !counts.invalid && !counts.lost && counts.runsAfterwards &&
    !leftOver;
  print({
    measure: "runs killed with SIGKILL at random moments: cells lost",
    unit: "cells",
    peer: null,
    ours: counts.lost,
    theirs: null,
    ratio: null,
    goal: "no file invalid, no finished cell lost, no process left",
    met,
    ...counts,
    left: leftOver,
  });
  return met && right === all && !leftAfterRuns;
}
