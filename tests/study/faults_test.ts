// What goes wrong around a trial's record: odd values, locks, full disks.
import assert from "node:assert/strict";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
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
import { runTrial } from "../../lib/study/trial.ts";
import { loadCheckpoint, saveCheckpoint } from "../../lib/train/checkpoint.ts";
import { inFolder } from "../_folder.ts";
import { trialsIn, withStore } from "./_store.ts";

const ONE: StudyInput = { name: "one", parameters: { x: [1] } };
const never: TrainTrial = () => Promise.reject(new Error("trained again"));

Deno.test("NaN and undefined fail with their parameters, infinity is a value, the best goes by direction", () =>
  inFolder(async (dir) => {
    const values: Record<string, unknown> = {
      ...{ nan: NaN, up: Infinity, down: -Infinity, half: 0.5 },
      ...{ none: undefined, text: "0.9" },
    };
    const study: StudyInput = {
      name: "odd",
      direction: "minimize",
      parameters: { what: Object.keys(values) },
    };
    const train: TrainTrial = async ({ params }, { report }) => {
      await report({ epoch: 1, value: 0.5 });
      await report({ epoch: 2, value: NaN, attrs: { loss: Infinity } });
      await report({ epoch: 3, value: -Infinity });
      return { value: values[String(params.what)] as number };
    };
    const summary = await runStudy(study, train, { dir });
    assert.deepEqual([summary.complete, summary.failed], [3, 3]);
    const rows = await trialsIn(dir, "odd");
    assert.deepEqual(
      rows.map((r) => [r.params.what, r.value, r.attrs.fail_reason]),
      [
        ["nan", null, "the value is NaN"],
        ["up", Infinity, undefined],
        ["down", -Infinity, undefined],
        ["half", 0.5, undefined],
        [
          ...["none", null],
          "the trial returned undefined as its value: return { value } with a number",
        ],
        [
          ...["text", null],
          "the trial returned 0.9 as its value: return { value } with a number",
        ],
      ],
    );
    assert.deepEqual(rows[0].intermediate.map((e) => e.value), [
      ...[0.5, NaN, -Infinity],
    ]);
    assert.equal(rows[0].epochs[1].loss, Infinity);
    const again = await runStudy(study, never, { dir })
      .catch((error) => error.message);
    assert.match(again, /trained again/, "what returned no number runs again");
  }));

/** Holds the write lock of a folder's records from another connection. */
function lock(dir: string) {
  const db = new DatabaseSync(recordsPath(dir));
  db.exec("BEGIN IMMEDIATE");
  return () => {
    db.exec("ROLLBACK");
    db.close();
  };
}

Deno.test("a lock at a trial's end is waited for with the event loop alive, beside a reader", () =>
  inFolder(async (dir) => {
    let ticks = 0;
    let reads = 0;
    let reader: DatabaseSync | undefined;
    const timers: ReturnType<typeof setInterval>[] = [];
    await runStudy(ONE, async (_, context) => {
      reader = new DatabaseSync(recordsPath(dir), { readOnly: true });
      await context.report({ epoch: 1, value: 0.25 });
      const release = lock(dir);
      timers.push(setInterval(() => ticks++, 10));
      timers.push(setInterval(() => {
        reader!.prepare("SELECT * FROM trials").all();
        reads++;
      }, 10));
      setTimeout(release, 700);
      return { value: 0.5, attrs: { note: "kept" } };
    }, { dir, heartbeatSeconds: 0.1 });
    timers.forEach((timer) => clearInterval(timer));
    reader!.close();
    assert(ticks > 20 && reads > 20, `${ticks} ticks, ${reads} reads`);
    const rows = await trialsIn(dir, "one");
    assert.deepEqual(
      rows.map((r) => [r.state, r.value, r.attrs.note, r.epochs.length]),
      [["COMPLETE", 0.5, "kept", 1]],
    );
  }));

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

Deno.test("after the wait a result is kept in a file that is named, and the next run takes it in once", () =>
  inFolder(async (root) => {
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
  }));

Deno.test("a result that was kept aside ends the copy that waits in its trial's place", () =>
  inFolder(async (dir) => {
    await keptAside(dir);
    await withStore(dir, async (store) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      assert.equal((await store.reap(1, 0)).length, 1);
    });
    assert.equal((await runStudy(ONE, never, { dir })).ran, 0);
    await assertTakenIn(dir);
    const rows = await trialsIn(dir, "one");
    assert.deepEqual(rows.map((r) => r.state), ["FAIL", "COMPLETE"]);
  }));

Deno.test("a result that was run elsewhere meanwhile changes nothing", () =>
  inFolder(async (dir) => {
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
  }));

Deno.test("a kept file that is cut or of another study harms no run", () =>
  inFolder(async (dir) => {
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
  }));

/** Runs `work` in a small or a read-only file system; only root can. */
async function mounted(
  dir: string,
  options: string,
  work: () => Promise<void>,
): Promise<void> {
  const run = (command: string, ...args: string[]) =>
    new Deno.Command(command, { args, stderr: "null" }).output()
      .then((o) => o.success, () => false);
  mkdirSync(dir, { recursive: true });
  if (!await run("mount", "-t", "tmpfs", "-o", options, "tmpfs", dir)) {
    console.log("left out: nothing can be mounted here");
    return;
  }
  try {
    await work();
  } finally {
    await run("umount", "-l", dir);
  }
}

Deno.test("a read-only folder is found before any training", () =>
  inFolder((root) => {
    const dir = join(root, "mount");
    return mounted(dir, "ro,size=1m", () =>
      assert.rejects(
        runStudy(ONE, never, { dir }),
        (e: Error) =>
          /cannot write here .* no training was started$/.test(e.message) &&
          !e.message.includes("\n"),
      ));
  }));

Deno.test("a checkpoint without room fails its trial and keeps the one before; the study goes on", () =>
  inFolder((root) => {
    const dir = join(root, "mount");
    return mounted(dir, "size=1m", async () => {
      const study = { name: "full", parameters: { x: [1, 2, 3] } };
      const folders: string[] = [];
      const save = (dir: string, epoch: number, n: number) =>
        saveCheckpoint(dir, {
          tensors: new Map([["w", {
            ...{ dtype: "U8", shape: [n], data: new Uint8Array(n) },
          }]]),
          meta: { epoch, step: epoch, recipe: {}, history: [] },
        });
      const train: TrainTrial = async ({ params }, { checkpointDir }) => {
        folders.push(checkpointDir);
        await save(checkpointDir, 1, 10);
        await save(checkpointDir, 2, params.x === 2 ? 2 ** 21 : 10);
        return { value: 1 };
      };
      const store = join(root, "records.sqlite");
      const { complete, failed } = await runStudy(study, train, { dir, store });
      assert.deepEqual([complete, failed], [2, 1]);
      const [, full] = await trialsIn(root, "full");
      assert.equal(full.attrs.fail_kind, "error");
      assert.match(
        String(full.attrs.fail_reason),
        /^the disk is full: make room \(.*No space left/,
      );
      assert.equal((await loadCheckpoint(folders[1]))!.meta.epoch, 1);
      assert.deepEqual(
        readdirSync(folders[1]).filter((f) => /tmp/.test(f)),
        [],
      );
    });
  }));

Deno.test("records on a full disk end the run in one line, and with room it goes on", () =>
  inFolder((root) => {
    const dir = join(root, "mount");
    return mounted(dir, "size=1m", async () => {
      const ballast = join(dir, "ballast");
      const fill = () => {
        for (const n of [1 << 16, 1 << 10, 1]) {
          try {
            for (;;) {
              writeFileSync(ballast, new Uint8Array(n), { flag: "a" });
            }
          } catch { /* full by pieces of this size */ }
        }
      };
      const warnings: string[] = [];
      await assert.rejects(
        runStudy(ONE, async (_, { report }) => {
          fill();
          await report({ epoch: 1, value: 1 });
          return { value: 1, attrs: { note: "n".repeat(1 << 16) } };
        }, {
          dir,
          onEvent: (e) =>
            void (e.type === "warning" && warnings.push(e.message)),
        }),
        (e: Error) =>
          /takes no results and .*unsaved.* cannot be written .* make room/
            .test(e.message) && !e.message.includes("\n"),
      );
      assert(warnings.length > 0);
      rmSync(ballast);
      const { ran, complete } = await runStudy(
        ONE,
        () => Promise.resolve({ value: 1 }),
        { dir, graceSeconds: 0.01 },
      );
      assert.deepEqual([ran, complete], [1, 1]);
    });
  }));
