/** Checkpoints outlive kills and damaged files. */
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  type Checkpoint,
  CheckpointError,
  loadCheckpoint,
  saveCheckpoint,
} from "../../lib/train/checkpoint.ts";
import { folderTest as test } from "../_folder.ts";
import { program } from "../_run.ts";
import { inOneLine } from "../_refused.ts";

function checkpoint(epoch: number): Checkpoint {
  const data = Float32Array.of(epoch, 2, 3);
  return {
    tensors: new Map([["w", { dtype: "F32", shape: [3], data }]]),
    meta: {
      epoch,
      step: epoch * 5,
      recipe: { lr: 1e-3 },
      history: [{ loss: NaN, worst: -Infinity, epoch }],
    },
  };
}

const names = (dir: string) =>
  [...Deno.readDirSync(dir)].map((e) => e.name).sort();

async function damage(path: string) {
  const bytes = await Deno.readFile(path);
  bytes[bytes.length - 1] ^= 1;
  await Deno.writeFile(path, bytes);
}

const NEWEST = "checkpoint.safetensors";
const PREVIOUS = "checkpoint.previous.safetensors";

test("the newest checkpoint comes back whole, NaN in its history included", async (root) => {
  const dir = join(root, "new", "folder");
  assert.equal(await loadCheckpoint(dir), null);
  await saveCheckpoint(dir, checkpoint(1));
  assert.deepEqual(await loadCheckpoint(dir), checkpoint(1));
  await saveCheckpoint(dir, checkpoint(2));
  await saveCheckpoint(dir, checkpoint(3));
  assert.deepEqual(await loadCheckpoint(dir), checkpoint(3));
  assert.deepEqual(names(dir), [PREVIOUS, NEWEST]);
});

test("a damaged newest checkpoint costs one epoch and never the good one", async (dir) => {
  await saveCheckpoint(dir, checkpoint(1));
  await saveCheckpoint(dir, checkpoint(2));
  await damage(join(dir, NEWEST));
  const { warning, ...loaded } = (await loadCheckpoint(dir))!;
  assert.deepEqual(loaded, checkpoint(1));
  assert.match(warning!, /checksum is wrong.*continuing from .*epoch 1$/);
  await saveCheckpoint(dir, checkpoint(2));
  assert.deepEqual(await loadCheckpoint(dir), checkpoint(2));
  await damage(join(dir, NEWEST));
  assert.equal((await loadCheckpoint(dir))!.meta.epoch, 1);
});

test("a kill between the two renames costs one epoch", async (dir) => {
  await saveCheckpoint(dir, checkpoint(4));
  await Deno.rename(join(dir, NEWEST), join(dir, PREVIOUS));
  const { warning, ...loaded } = (await loadCheckpoint(dir))!;
  assert.deepEqual(loaded, checkpoint(4));
  assert.match(warning!, /no such file.*continuing from .*epoch 4$/);
});

test("where no checkpoint is whole the error is one line and no file changes", async (dir) => {
  await saveCheckpoint(dir, checkpoint(1));
  await damage(join(dir, NEWEST));
  await assert.rejects(loadCheckpoint(dir), CheckpointError);
  await Deno.copyFile(join(dir, NEWEST), join(dir, PREVIOUS));
  const before = names(dir);
  await assert.rejects(
    loadCheckpoint(dir),
    inOneLine("CheckpointError", /no whole .*move the files away/),
  );
  assert.deepEqual(names(dir), before);
});

test("a writer killed at any moment leaves a whole checkpoint, none it reported is lost", async (dir) => {
  let from = 1;
  for (let kill = 1; kill <= 5; kill++) {
    const child = program(
      "tests/train/save_loop.ts",
      [dir, String(from)],
      { stdout: "piped" },
    ).spawn();
    const reader = child.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
    let text = "";
    let reading = await reader.read();
    while (!reading.done) {
      text += reading.value;
      if (text.split("\n").length > kill) child.kill("SIGKILL");
      reading = await reader.read();
    }
    assert.equal((await child.status).signal, "SIGKILL");
    const reported = Number(text.trim().split("\n").at(-1));
    const { tensors, meta } = (await loadCheckpoint(dir))!;
    assert.ok(meta.epoch >= reported, `${meta.epoch} < ${reported}`);
    assert.equal(meta.step, meta.epoch * 10);
    const data = tensors.get("w")!.data as Float32Array;
    assert.equal(data.length, 1 << 20);
    assert.ok(data.every((x) => x === meta.epoch));
    from = meta.epoch + 1;
  }
  await saveCheckpoint(dir, checkpoint(from));
  assert.deepEqual(names(dir), [PREVIOUS, NEWEST]);
});
