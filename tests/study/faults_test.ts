// What goes wrong around a trial's record: odd values and locks.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import {
  openStore,
  recordsPath,
  runStudy,
  type StudyEvent,
  type StudyInput,
  type TrainTrial,
} from "../../lib/study/mod.ts";
import { lineChart } from "../../lib/charts/mod.ts";
import { runTrial } from "../../lib/study/trial.ts";
import { folderTest as test } from "../_folder.ts";
import { trialsIn, withStore } from "./_store.ts";

const ONE: StudyInput = { name: "one", parameters: { x: [1] } };
const CURVE = [0.5, 0.6, NaN, -Infinity, 0.4, 0.3];
const never: TrainTrial = () => Promise.reject(new Error("trained again"));

test("NaN and undefined fail with their parameters, infinity is a value", async (dir) => {
  const values: Record<string, unknown> = {
    ...{ nan: NaN, up: Infinity, down: -Infinity, half: 0.5 },
    ...{ none: undefined, text: "0.9", null: null },
  };
  const study: StudyInput = {
    name: "odd",
    parameters: { what: Object.keys(values) },
  };
  const train: TrainTrial = async ({ params }, { report }) => {
    for (const [i, value] of CURVE.entries()) {
      await report({ epoch: i + 1, value, attrs: { loss: -value } });
    }
    return { value: values[String(params.what)] as number };
  };
  const summary = await runStudy(study, train, { dir });
  assert.deepEqual([summary.complete, summary.failed], [3, 4]);
  const rows = await trialsIn(dir, "odd");
  const not = (value: string) =>
    `the trial returned ${value} as its value: return { value } with a number`;
  assert.deepEqual(
    rows.map((r) => [r.params.what, r.value, r.attrs.fail_reason]),
    [
      ["nan", null, "the value is NaN"],
      ["up", Infinity, undefined],
      ["down", -Infinity, undefined],
      ["half", 0.5, undefined],
      ["none", null, not("undefined")],
      ["text", null, not("0.9")],
      ["null", null, not("null")],
    ],
  );
  const [{ intermediate, epochs }] = rows;
  assert.deepEqual(intermediate.map((e) => e.value), CURVE);
  assert.deepEqual(epochs.map((e) => e.loss), CURVE.map((v) => -v));
  const { svg } = lineChart(intermediate, { x: "epoch", y: "value" });
  // Two pieces of two epochs each, and what is no number is counted.
  assert.match(svg, / d="M[\d.,]+L[\d.,]+M[\d.,]+L[\d.,]+"/);
  const again = await runStudy(study, never, { dir })
    .catch((error) => error.message);
  assert.match(again, /trained again/, "what returned no number runs again");
});

/** Holds the write lock of a folder's records from another connection. */
function lock(dir: string) {
  const db = new DatabaseSync(recordsPath(dir));
  db.exec("BEGIN IMMEDIATE");
  return () => {
    db.exec("ROLLBACK");
    db.close();
  };
}

/**
 * A study whose one trial ended while the records stayed locked beyond the
 * wait; the trial is running still. Returns the error's words.
 */
async function keptAside(dir: string): Promise<string> {
  const stop = new AbortController();
  const events: StudyEvent[] = [];
  // Makes the record and leaves its trial waiting.
  stop.abort();
  await runStudy(ONE, never, { dir, signal: stop.signal });
  const store = await openStore(recordsPath(dir), { waitSeconds: 0.2 });
  let release = () => {};
  try {
    const [{ studyId }] = await store.studies();
    const claim = (await store.claim(studyId))!;
    const { key, params, repeat, seed } = claim;
    await assert.rejects(
      runTrial(
        {
          ...{ store, studyId, dir, heartbeatSeconds: 30 },
          study: { name: "one", pruner: { kind: "none" } } as never,
          signal: new AbortController().signal,
          provenance: { provenance: "here" },
          onEvent: (e) => events.push(e),
        },
        async (_, context) => {
          await context.report({ epoch: 1, value: 0.25 });
          release = lock(dir);
          await context.report({ epoch: 2, value: 0.5 });
          await context.saveArtifact("bytes", new Uint8Array([1, 2, 255]));
          return { value: 0.75, attrs: { note: "kept" } };
        },
        { key: key!, params, repeat, seed: seed! },
        claim,
      ),
      (error: Error) => {
        events.push({ type: "warning", message: error.message });
        return !error.message.includes("\n");
      },
    );
  } finally {
    release();
    await store.close();
  }
  const told = events.flatMap((e) => e.type === "warning" ? [e.message] : []);
  assert.match(told[0], /stayed locked .* the epoch is kept and saved later$/);
  assert.match(told[1], /stayed locked .* bytes is kept and saved later$/);
  assert.equal(told.length, 3);
  return told[2];
}

const unsaved = (dir: string) =>
  readdirSync(join(dir, "unsaved")).map((name) => join(dir, "unsaved", name));

/** The one complete trial holds all that was kept aside. */
async function assertTakenIn(dir: string): Promise<void> {
  const rows = (await trialsIn(dir, "one")).filter((r) =>
    r.state === "COMPLETE"
  );
  assert.deepEqual(
    rows.map((r) => [r.value, r.attrs.note, r.attrs.provenance]),
    [[0.75, "kept", "here"]],
  );
  assert.deepEqual(
    rows[0].intermediate,
    [{ epoch: 1, value: 0.25 }, { epoch: 2, value: 0.5 }],
  );
  const bytes = await withStore(dir, (s) => s.artifacts(1, "bytes"));
  assert.deepEqual(bytes.get(rows[0].trialId), new Uint8Array([1, 2, 255]));
}

test("after the wait a result is kept in a file that is named, and the next run takes it in once", async (root) => {
  const dir = join(root, "here");
  const message = await keptAside(dir);
  const [file, ...others] = unsaved(dir);
  assert.deepEqual(others, []);
  assert(message.includes(`how trial 0 ended is kept in ${file}`), message);
  // A copy of the file, as a process has that starts at the same moment.
  const text = readFileSync(file);
  const moved = join(root, "moved");
  await Deno.rename(dir, moved);
  const summary = await runStudy(ONE, never, { dir: moved });
  assert.deepEqual([summary.ran, summary.complete], [0, 1]);
  await assertTakenIn(moved);
  assert.deepEqual(unsaved(moved), []);
  writeFileSync(file.replace(dir, moved), text);
  assert.equal((await runStudy(ONE, never, { dir: moved })).ran, 0);
  assert.equal((await trialsIn(moved, "one")).length, 1);
});

test("a result that was kept aside ends the copy that waits in its trial's place", async (dir) => {
  await keptAside(dir);
  await withStore(dir, async (store) => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal((await store.reap(1, 0)).length, 1);
  });
  assert.equal((await runStudy(ONE, never, { dir })).ran, 0);
  await assertTakenIn(dir);
  const rows = await trialsIn(dir, "one");
  assert.deepEqual(rows.map((r) => r.state), ["FAIL", "COMPLETE"]);
});

test("a result that was run elsewhere meanwhile changes nothing", async (dir) => {
  await keptAside(dir);
  await withStore(dir, async (store) => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    await store.reap(1, 0);
    const copy = (await store.claim(1))!;
    await store.finish(copy.trialId, { state: "COMPLETE", value: 0.5 });
  });
  assert.equal((await runStudy(ONE, never, { dir })).ran, 0);
  const rows = await trialsIn(dir, "one");
  assert.deepEqual(rows.map((r) => r.value), [null, 0.5]);
  assert.deepEqual(unsaved(dir), []);
});

test("a kept file that is cut or of another study harms no run", async (dir) => {
  await keptAside(dir);
  const [file] = unsaved(dir);
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.slice(0, 60));
  const other = join(dir, "unsaved", "other.json");
  writeFileSync(other, text.replace('"studyId":1', '"studyId":2'));
  const warnings: string[] = [];
  const summary = await runStudy(
    ONE,
    () => Promise.resolve({ value: 1 }),
    {
      dir,
      graceSeconds: 0.01,
      onEvent: (e) => void (e.type === "warning" && warnings.push(e.message)),
    },
  );
  assert.deepEqual([summary.ran, summary.complete], [1, 1]);
  assert.equal(warnings.length, 1);
  assert(warnings[0].startsWith(`${file}: cannot be read (`), warnings[0]);
  assert.match(warnings[0], /: remove it; its trial runs again$/);
  assert.deepEqual(unsaved(dir).sort(), [file, other].sort());
});
