// What is left to do after a stop, a kill or an error: all of it, and once.
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  runStudy,
  type StudyEvent,
  type StudyInput,
  type TrainTrial,
} from "../../lib/study/mod.ts";
import { folderTest as test } from "../_folder.ts";
import { finished, program, ROOT } from "../_run.ts";
import { linesIn, runs, until } from "./_processes.ts";
import { trialsIn } from "./_store.ts";

const SIX: StudyInput = { name: "six", parameters: { x: [1, 2, 3, 4, 5, 6] } };
const value: TrainTrial = ({ params }) =>
  Promise.resolve({ value: Number(params.x) });

test("of six, two are done and one is broken off: four are run, then none, as is said before", async (dir) => {
  const stop = new AbortController();
  let started = 0;
  await runStudy(SIX, async (point, context) => {
    if (++started === 3) stop.abort();
    context.signal.throwIfAborted();
    return await value(point, context);
  }, { dir, signal: stop.signal });
  const told = async () => {
    const events: StudyEvent[] = [];
    const onEvent = (e: StudyEvent) => void events.push(e);
    const { ran } = await runStudy(SIX, value, { dir, onEvent });
    const start = events.find((e) => e.type === "start")!;
    const nothing = events.find((e) => e.type === "nothing")?.message;
    return [start.total, start.missing, start.resumed, ran, nothing];
  };
  assert.deepEqual(await told(), [6, 4, 0, 4, undefined]);
  assert.deepEqual(await told(), [6, 0, 0, 0, "nothing to do"]);
  const done = (await trialsIn(dir, "six")).filter((t) => t.value !== null);
  assert.deepEqual(done.map((t) => t.value!).sort(), [1, 2, 3, 4, 5, 6]);
});

test("the same error twice puts back what runs beside it, and is one line", async (dir) => {
  const train: TrainTrial = ({ params }, { signal }) =>
    params.x === 1
      ? new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      })
      : Promise.reject(new Error("no such image:\nfaces/1.png"));
  await assert.rejects(runStudy(SIX, train, { dir, jobs: 2 }), {
    name: "RunEndedError",
    message: 'study "six": two trials in a row failed with ' +
      '"no such image: faces/1.png": put that right and run the study again',
  });
  const rows = await trialsIn(dir, "six");
  assert.deepEqual(
    rows.map((r) => [r.params.x, r.state, r.attrs.fail_kind]),
    [
      [1, "FAIL", "interrupted"],
      [2, "FAIL", "error"],
      [3, "FAIL", "error"],
      ...[4, 5, 6].map((x) => [x, "WAITING", undefined]),
      [1, "WAITING", undefined],
    ],
  );
  const { ran, complete } = await runStudy(SIX, value, { dir });
  assert.deepEqual([ran, complete], [6, 6]);
});

test("three processes on one folder, one killed: every point once, and what it ran again", async (dir) => {
  const start = () =>
    program("tests/study/_worker.ts", [dir, "points"], { stdout: "null" })
      .spawn();
  const noted = () => linesIn(join(dir, "runs"));
  const victim = start();
  await until("its first run", () => noted().length > 0);
  const children = [victim, start(), start()];
  victim.kill("SIGKILL");
  const ends = await Promise.all(children.map((child) => child.status));
  assert.deepEqual(ends.map((end) => end.code), [137, 0, 0]);
  const rows = await trialsIn(dir, "points");
  const complete = rows.filter((r) => r.state === "COMPLETE");
  assert.deepEqual(
    complete.map((r) => r.value!).sort((a, b) => a - b),
    Array.from({ length: 12 }, (_, x) => x),
  );
  const dead = rows.filter((r) => r.state === "FAIL");
  assert(dead.length <= 1 && dead.every((r) => r.attrs.fail_kind === "dead"));
  const ran = noted().length;
  assert(ran >= 12 && ran <= 12 + dead.length, `${ran} runs`);
});

test("Ctrl-C ends with code 130 and leaves no process; the next run ends every trial once", async (dir) => {
  const study = (jobs: number) =>
    program("tasks/study.ts", [
      ...["run", join(ROOT, "tests/study/_interrupted.ts"), "--dir", dir],
      ...["--jobs", String(jobs), "--isolate"],
    ], {
      env: { FERLAB_TEST_DIR: dir, FERLAB_STORE: "", NO_COLOR: "1" },
      ...{ stdout: "piped", stderr: "piped" },
    });
  const epochs = () => linesIn(join(dir, "epochs"));
  for (const jobs of [2, 1]) {
    const before = epochs().length;
    const child = study(jobs).spawn();
    const output = child.output();
    await until("an epoch", () => epochs().length > before + jobs);
    child.kill("SIGINT");
    const { code, stderr } = await output;
    const text = new TextDecoder().decode(stderr);
    assert.equal(code, 130, text);
    assert.match(
      text,
      /\ninterrupted; finished epochs are saved. The same command continues\n$/,
    );
    const pids = epochs().map((line) => Number(line.split(" ")[1]));
    assert(!pids.some(runs));
    const states = (await trialsIn(dir, "interrupted")).map((t) => t.state);
    assert(!states.includes("RUNNING") && states.includes("WAITING"));
  }
  const { code, out } = await finished(study(1));
  assert.deepEqual([code, out], [0, "6 of 6 trials complete\n"]);
  const complete = (await trialsIn(dir, "interrupted"))
    .filter((t) => t.state === "COMPLETE");
  assert.deepEqual(complete.map((t) => t.value!).sort(), [1, 2, 3, 4, 5, 6]);
  for (const t of complete) {
    assert.deepEqual(t.epochs.map((e) => e.epoch), [1, 2, 3]);
  }
  assert.equal(epochs().length, 18, "no epoch is trained twice");
});
