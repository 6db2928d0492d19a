// Trials in processes of their own that will not end, or end in odd ways.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { runStudy, type StudyEvent } from "../../lib/study/mod.ts";
import { isolatedTrial } from "../../lib/study/isolated_trial.ts";
import { folderTest as test } from "../_folder.ts";
import { program } from "../_run.ts";
import { linesIn, runs, until } from "./_processes.ts";
import { trialsIn } from "./_store.ts";

const path = new URL("./_faults.ts", import.meta.url).pathname;

const processes = (dir: string) => linesIn(join(dir, "processes")).map(Number);

function faults(dir: string, what: string[], o: {
  jobs?: number;
  patienceMs?: number;
  signal?: AbortSignal;
  onEvent?: (event: StudyEvent) => void;
} = {}) {
  const { patienceMs, ...options } = o;
  const job = { kind: "module", path } as const;
  return runStudy(
    { name: "faults", parameters: { what } },
    isolatedTrial(job, undefined, patienceMs),
    { dir, ...options },
  );
}

test("half lines, cut messages, late throws and reports at once are told apart", async (dir) => {
  const { complete, failed } = await faults(
    dir,
    [
      ...["unended line", "cut message", "together", "late throw"],
      ...["infinite", "nothing"],
    ],
    { jobs: 2 },
  );
  assert.deepEqual([complete, failed], [3, 3]);
  const rows = await trialsIn(dir, "faults");
  assert.deepEqual(rows.map((r) => r.attrs.fail_reason), [
    undefined,
    "its process ended with exit code 3",
    undefined,
    "its process ended with exit code 1: " +
    "error: Uncaught Error: no such image",
    undefined,
    "the trial returned undefined as its value: return { value } with a number",
  ]);
  assert.equal(rows[4].value, -Infinity);
  assert.deepEqual(rows[4].intermediate, [{ epoch: 1, value: NaN }]);
  assert.deepEqual(rows[2].epochs.map((e) => e.epoch), [1, 2, 3, 4]);
  const { key } = rows[0].system["ferlab:point"] as { key: string };
  const log = readFileSync(join(dir, "logs", `0-${key}.log`), "utf8");
  assert.match(log, / 10 %\n/);
});

test("a process that does not listen is ended after its patience", async (dir) => {
  const stop = new AbortController();
  const summary = await faults(dir, ["deaf"], {
    patienceMs: 100,
    signal: stop.signal,
    onEvent: (e) => void (e.type === "epoch" && stop.abort()),
  });
  assert.deepEqual([summary.interrupted, summary.remaining], [true, 1]);
  const [row] = await trialsIn(dir, "faults");
  assert.equal(row.attrs.fail_kind, "interrupted");
});

test("what a trial's process started ends with it and holds nothing up", async (dir) => {
  Deno.env.set("FERLAB_TEST_DIR", dir);
  const { complete } = await faults(dir, ["parent"]);
  assert.equal(complete, 1);
  const all = processes(dir);
  assert.equal(all.length, 2);
  await until("their end", () => !all.some(runs));
});

test("a killed study's trials end by themselves, with all they started", async (dir) => {
  const child = program("tests/study/_worker.ts", [dir, "isolated"], {
    ...{ env: { FERLAB_TEST_DIR: dir }, stdout: "null" },
  }).spawn();
  await until("its trial", () => processes(dir).length === 2);
  const all = processes(dir);
  assert(all.every(runs));
  child.kill("SIGKILL");
  await child.status;
  await until("their end", () => !all.some(runs));
});

test("a process that Linux ends for memory is out of memory, twice in a row too", async (dir) => {
  const group = `/sys/fs/cgroup/memory/ferlab-test-${Deno.pid}`;
  try {
    mkdirSync(group);
    Deno.writeTextFileSync(`${group}/memory.limit_in_bytes`, "300000000");
  } catch {
    console.log("left out: no control group can be made here");
    return;
  }
  try {
    Deno.env.set("FERLAB_TEST_GROUP", group);
    const study = {
      name: "faults",
      parameters: { what: ["memory", "fine"] },
      repeats: 2,
    };
    const job = { kind: "module", path } as const;
    const { complete, failed } = await runStudy(study, isolatedTrial(job), {
      dir,
    });
    assert.deepEqual([complete, failed], [2, 2]);
    const [row] = await trialsIn(dir, "faults");
    assert.equal(row.attrs.fail_kind, "out of memory");
    assert.match(String(row.attrs.fail_reason), /give a smaller batchSize/);
  } finally {
    rmdirSync(group);
  }
});
