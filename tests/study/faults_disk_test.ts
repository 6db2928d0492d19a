// Studies in folders that cannot be written, or no more.
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  runStudy,
  type StudyInput,
  type TrainTrial,
} from "../../lib/study/mod.ts";
import { loadCheckpoint, saveCheckpoint } from "../../lib/train/mod.ts";
import { folderTest as test } from "../_folder.ts";
import { trialsIn } from "./_store.ts";

const ONE: StudyInput = { name: "one", parameters: { x: [1] } };

/** Runs `work` in a small file system; only root can. */
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

test("a checkpoint without room fails its trial and keeps the one before; the study goes on", (root) => {
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
    assert.deepEqual(readdirSync(folders[1]).filter((f) => /tmp/.test(f)), []);
  });
});

test("records on a full disk end the run in one line, and with room it goes on", (root) => {
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
        onEvent: (e) => void (e.type === "warning" && warnings.push(e.message)),
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
});
