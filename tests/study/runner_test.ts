// Which points a run trains, and what a broken-off run leaves behind.
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  parseStudy,
  pointsOf,
  runStudy,
  type StudyInput,
  type TrainTrial,
} from "../../lib/study/mod.ts";
import { folderTest as test } from "../_folder.ts";
import { trialsIn, withStore } from "./_store.ts";

const DEF: StudyInput = {
  name: "grid",
  parameters: { lr: [0.1, 0.01], depth: [1, 2] },
  repeats: 2,
};
const good: TrainTrial = ({ params }) =>
  Promise.resolve({ value: Number(params.lr) });
const never: TrainTrial = () => Promise.reject(new Error("trained again"));

const points = (def: StudyInput) => pointsOf(parseStudy(def), "record");

Deno.test("run r of every setting has the same seed, whatever the order", () => {
  const all = points(DEF);
  assert.equal(all.length, 8);
  assert.equal(new Set(all.map((p) => p.key)).size, 8);
  for (const { seed, repeat } of all) {
    assert.ok(seed >= 0 && seed < 2 ** 31);
    assert.equal(seed, all.find((p) => p.repeat === repeat)?.seed);
  }
  assert.equal(new Set(all.map((p) => p.seed)).size, 2);
  const turned = points({
    ...DEF,
    parameters: { depth: [2, 1], lr: [10 ** -2, 1e-1] },
  });
  for (const point of all) {
    assert.equal(turned.find((p) => p.key === point.key)?.seed, point.seed);
  }
  assert.notEqual(points({ ...DEF, seed: 1 })[0].seed, all[0].seed);
});

test("a larger grid adds points", async (dir) => {
  const first = await runStudy(DEF, good, { dir });
  assert.deepEqual(first, {
    total: 8,
    ran: 8,
    complete: 8,
    pruned: 0,
    failed: 0,
    remaining: 0,
    running: 0,
    interrupted: false,
  });
  const parameters = { lr: [0.1, 0.01, 0.001], depth: [1, 2] };
  const more = await runStudy({ ...DEF, parameters }, good, { dir });
  assert.deepEqual([more.total, more.ran, more.complete], [12, 4, 12]);
  assert.equal((await trialsIn(dir, "grid")).length, 12);
});

test("a study deleted while it runs is told", async (dir) => {
  await assert.rejects(
    runStudy(DEF, async () => {
      await withStore(dir, async (store) => {
        for (const { studyId } of await store.studies()) {
          await store.deleteStudy(studyId);
        }
      });
      return { value: 1 };
    }, { dir }),
    {
      name: "RunEndedError",
      message: /study "grid" was deleted from .*records\.sqlite while it ran/,
    },
  );
});

test("a diverged trial fails for good and the study goes on", async (dir) => {
  const summary = await runStudy(DEF, ({ params, repeat }) => {
    if (params.lr === 0.01) return Promise.resolve({ value: 1 });
    return repeat === 0
      ? Promise.resolve({ value: NaN, attrs: { epoch: 3 } })
      : Promise.reject(Object.assign(new Error("loss is NaN in epoch 2"), {
        name: "DivergedError",
      }));
  }, { dir });
  assert.deepEqual([summary.complete, summary.failed], [4, 4]);
  const failed = (await trialsIn(dir, "grid")).filter((r) =>
    r.state === "FAIL"
  );
  assert.deepEqual(failed[0].params, { lr: 0.1, depth: 1 });
  assert.equal(failed[0].attrs.fail_reason, "the value is NaN");
  assert.equal(failed[0].attrs.epoch, 3);
  assert.equal(failed[3].attrs.fail_reason, "loss is NaN in epoch 2");
  assert.equal(failed[3].value, null);
  assert.equal((await runStudy(DEF, never, { dir })).ran, 0);
});

test("attributes that no record can hold are told and left out", async (dir) => {
  const ring: Record<string, unknown> = { epoch: 3 };
  ring.self = ring;
  const warnings: string[] = [];
  await runStudy({ name: "odd" }, async (_, ctx) => {
    await ctx.report({ epoch: 1, value: 5, attrs: { ring, loss: 2 } });
    return { value: 1, attrs: ring };
  }, {
    dir,
    onEvent: (e) => e.type === "warning" && warnings.push(e.message),
  });
  const [{ value, attrs, epochs }] = await trialsIn(dir, "odd");
  assert.deepEqual([value, attrs.epoch, attrs.self], [1, 3, undefined]);
  assert.deepEqual(epochs, [{ loss: 2, epoch: 1, value: 5 }]);
  assert.deepEqual(warnings, [
    "trial 0: attrs.ring.self: holds itself; give plain data; ring is not recorded",
    "trial 0: attrs.self.self: holds itself; give plain data; self is not recorded",
  ]);
});

test("one error is passed over, and its trial runs again", async (dir) => {
  let n = 0;
  const once = await runStudy(DEF, (p, c) => {
    return n++ === 2 ? Promise.reject(new Error("disk\nfull")) : good(p, c);
  }, { dir });
  assert.deepEqual([once.complete, once.failed], [7, 1]);
  const row = (await trialsIn(dir, "grid")).find((r) => r.state === "FAIL");
  assert.equal(row?.attrs.fail_reason, "disk full");
  const retried = await runStudy(DEF, good, { dir });
  assert.deepEqual([retried.ran, retried.complete, retried.failed], [1, 8, 0]);
});

test("a stopped trial goes on from its checkpoint, epochs once", async (dir) => {
  const def = { name: "stop", parameters: { lr: [0.1, 0.01] } };
  const stop = new AbortController();
  const folders: string[] = [];
  const first = await runStudy(def, async (_, ctx) => {
    folders.push(ctx.checkpointDir);
    await ctx.report({ epoch: 0, value: 1, attrs: { loss: 3 } });
    await Deno.writeTextFile(join(ctx.checkpointDir, "epoch"), "0");
    await ctx.report({ epoch: 1, value: 2, attrs: { loss: 2.5 } });
    stop.abort();
    ctx.signal.throwIfAborted();
    return { value: 0 };
  }, { dir, signal: stop.signal });
  assert.deepEqual(
    [first.ran, first.remaining, first.failed, first.interrupted],
    [1, 2, 0, true],
  );
  const second = await runStudy(def, async (_, ctx) => {
    folders.push(ctx.checkpointDir);
    if (folders.length === 2) {
      const file = join(ctx.checkpointDir, "epoch");
      assert.equal(await Deno.readTextFile(file), "0");
      await ctx.report({ epoch: 1, value: 5, attrs: { loss: 2 } });
    }
    return { value: 7 };
  }, { dir });
  assert.deepEqual([second.ran, second.complete, second.failed], [2, 2, 0]);
  assert.equal(folders[0], folders[1]);
  const [stopped, , resumed] = await trialsIn(dir, "stop");
  assert.equal(stopped.state, "FAIL");
  assert.equal(stopped.attrs.fail_kind, "interrupted");
  assert.equal(resumed.system.failed_trial, 0);
  assert.deepEqual(resumed.system.retry_history, [0]);
  assert.deepEqual(resumed.intermediate, [
    { epoch: 0, value: 1 },
    { epoch: 1, value: 5 },
  ]);
  assert.deepEqual(resumed.epochs, [
    { loss: 3, epoch: 0, value: 1 },
    { loss: 2, epoch: 1, value: 5 },
  ]);
  assert.equal(resumed.attrs.seed, stopped.attrs.seed);
});

test("a folder that cannot be written is found before training", async (dir) => {
  await Deno.writeTextFile(join(dir, "file"), "");
  await Deno.symlink("loop", join(dir, "loop"));
  const wrong = {
    "file/study": "a file is where a folder has to be",
    loop: "a link leads back to itself",
    ["n".repeat(300)]: "a name is too long",
  };
  for (const [name, why] of Object.entries(wrong)) {
    const told = `${name}: cannot write here (${why}): choose a writable `;
    await assert.rejects(
      runStudy(DEF, never, { dir: join(dir, name) }),
      (e: Error) => e.message.includes(told) && !/\n/.test(e.message),
    );
  }
});
