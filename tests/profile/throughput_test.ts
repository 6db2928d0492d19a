import assert from "node:assert/strict";
import { compile, handleCount, tf } from "../../lib/tensorflow/mod.ts";
import {
  assertFits,
  deviceMemory,
  inference,
  OutOfMemoryError,
  residentMemory,
  type Run,
  throughput,
} from "../../lib/profile/mod.ts";
import { finished } from "../_run.ts";
import { forward, shape, state } from "./_model.ts";

const onGpu = deviceMemory() !== null;

/** A clock that moves only when a step says so, and the steps' milliseconds. */
function fakeRun(milliseconds: number[], log: string[] = []) {
  let clock = 1000;
  let at = 0;
  const run: Run = (batchSize) => ({
    images: batchSize,
    step: () => {
      clock += milliseconds[at++];
      log.push(`step ${batchSize}`);
      return Promise.resolve();
    },
    dispose: () => log.push(`dispose ${batchSize}`),
  });
  return { run, now: () => clock };
}

Deno.test("throughput leaves the warm-up out and counts images over all timed steps", async () => {
  const { run, now } = fakeRun([9000, 9000, 100, 200, 400, 500, 800]);
  const rows = await throughput({
    run,
    now,
    batchSizes: [40],
    warmUp: 2,
    repeats: 5,
  });
  // Steps of 400, 200, 100, 80 and 50 images a second.
  assert.deepEqual(rows, [{
    batchSize: 40,
    error: null,
    warmUp: 2,
    warmUpSeconds: 18,
    images: 200,
    seconds: 2,
    imagesPerSecond: 100,
    median: 100,
    lowerQuartile: 80,
    upperQuartile: 200,
    spread: 1.2,
  }]);
});

Deno.test("a step's clock stops after its value is read", async () => {
  let clock = 0;
  const rows = await throughput({
    batchSizes: [8],
    warmUp: 0,
    repeats: 1,
    now: () => clock,
    run: () => ({
      images: 8,
      // The value arrives after several turns of the event loop.
      step: async () => {
        await new Promise((ready) => setTimeout(ready, 0));
        clock += 250;
      },
      dispose: () => {},
    }),
  });
  assert.equal(rows[0].imagesPerSecond, 32);
});

Deno.test("steps that took no time by the clock have no rate", async () => {
  const fake = fakeRun([5, 0, 0]);
  const [row] = await throughput({
    ...fake,
    batchSizes: [8],
    warmUp: 1,
    repeats: 2,
  });
  assert.deepEqual(
    [row.imagesPerSecond, row.median, row.spread, row.warmUpSeconds],
    [null, null, null, 0.005],
  );
});

Deno.test("each batch size is freed before the next, also after an error or an abort", async () => {
  const log: string[] = [];
  const fake = fakeRun([1, 1, 1, 1], log);
  await throughput({ ...fake, batchSizes: [1, 2], warmUp: 1, repeats: 1 });
  assert.deepEqual(log, [
    ...["step 1", "step 1", "dispose 1"],
    ...["step 2", "step 2", "dispose 2"],
  ]);

  log.length = 0;
  const broken: Run = (batchSize) => ({
    images: batchSize,
    step: () => Promise.reject(new Error("shapes differ")),
    dispose: () => log.push("dispose"),
  });
  await assert.rejects(
    throughput({ run: broken, batchSizes: [1, 2] }),
    /shapes differ/,
  );
  assert.deepEqual(log, ["dispose"]);

  log.length = 0;
  const stop = new AbortController();
  const steps: number[] = [];
  await assert.rejects(
    throughput({
      ...fakeRun([1, 1, 1], log),
      batchSizes: [1, 2],
      warmUp: 1,
      repeats: 5,
      signal: stop.signal,
      onProgress: ({ step, of }) => {
        steps.push(step / of);
        if (step === 3) stop.abort(new Error("enough"));
      },
    }),
    /enough/,
  );
  assert.deepEqual(log, ["step 1", "step 1", "step 1", "dispose 1"]);
  assert.deepEqual(steps, [1 / 6, 2 / 6, 3 / 6]);
});

Deno.test("every way in which memory is refused is a row, any other error is thrown", async () => {
  const refusals = [
    new Error("Fill: OOM when allocating tensor with shape[4,4]"),
    new Error("RESOURCE_EXHAUSTED: failed to allocate memory"),
    new Error("std::bad_alloc"),
    new Error("Invalid allocation: allocation size overflow"),
    new RangeError("Array buffer allocation failed"),
    new OutOfMemoryError("needs about 9.0 GiB, 1.0 GiB are free"),
  ];
  for (const refusal of refusals) {
    const [row] = await throughput({
      batchSizes: [3],
      run: () => {
        throw refusal;
      },
    });
    assert.equal(row.error, `batch 3: out of memory: ${refusal.message}`);
    assert.equal(row.imagesPerSecond, null);
  }
});

Deno.test("B17: a batch that TensorFlow refuses spoils neither the next nor the memory", async () => {
  const logits = new Map<number, number[]>();
  const before: number[] = [];
  // Real forward passes; the middle one also asks for 1 PiB.
  const run: Run = (batchSize) => {
    before.push(handleCount());
    const weight = tf.tidy(() => tf.fill([8, 7], 0.5));
    const images = tf.tidy(() => tf.fill([batchSize, 8], batchSize));
    const call = compile((x) => [tf.matMul(x as tf.Tensor2D, weight)]);
    return {
      images: batchSize,
      step: async () => {
        if (batchSize === 100_000) {
          tf.tidy(() => tf.fill([2 ** 24, 2 ** 24], 0));
        }
        const [y] = await call(images);
        logits.set(batchSize, Array.from(y.dataSync()));
        y.dispose();
      },
      dispose: () => [weight, images, call].forEach((held) => held.dispose()),
    };
  };
  const timing = { run, warmUp: 1, repeats: 3, now: ticking() };
  const [alone] = await throughput({ ...timing, batchSizes: [128] });
  const aloneLogits = logits.get(128);
  logits.clear();
  const rows = await throughput({
    ...timing,
    now: ticking(),
    batchSizes: [64, 100_000, 100_000, 128],
  });
  assert.deepEqual(
    rows.map((r) => r.error === null),
    [true, false, false, true],
  );
  assert.match(
    rows[1].error!,
    /^batch 100000: out of memory: .*OOM when allocating tensor/,
  );
  assert.deepEqual(rows[3], alone);
  assert.deepEqual(logits.get(128), aloneLogits);
  assert.equal(logits.has(100_000), false);
  assert.equal(new Set(before).size, 1, `${before}`);
  assert.equal(handleCount(), before[0]);
});

/** A clock that goes on by 125 ms a look. */
function ticking(): () => number {
  let time = 0;
  return () => time += 125;
}

Deno.test("inference times the compiled model and refuses a batch that cannot fit", async () => {
  const run = inference(forward, state, shape, { memory: 2 ** 30 });
  const handles = handleCount();
  const timing = { run, warmUp: 1, repeats: 2 };
  const [alone] = await throughput({
    ...timing,
    batchSizes: [128],
    now: ticking(),
  });
  const resident = residentMemory();
  const rows = await throughput({
    ...timing,
    batchSizes: [64, 100_000, 128],
    now: ticking(),
  });
  assert.equal(rows[0].images, 128);
  assert.match(
    rows[1].error!,
    /^batch 100000: out of memory: needs about \d+\.\d GiB, 1\.0 GiB are free$/,
  );
  assert.deepEqual(rows[2], alone);
  assert.equal(handleCount(), handles);
  // 100,000 images alone would be 3.5 GiB.
  assert.ok(residentMemory() - resident < 2 ** 29);
});

Deno.test("inference frees what it took when the model cannot run", async () => {
  const lacking = {
    ...state,
    parameters: new Map(
      [...state.parameters].filter(([name]) => name !== "head.bias"),
    ),
  };
  const handles = handleCount();
  await assert.rejects(
    throughput({ run: inference(forward, lacking, shape), batchSizes: [2] }),
    /head\.bias is missing/,
  );
  assert.equal(handleCount(), handles);
});

Deno.test(
  "the memory that training and inference need is estimated within a factor of two",
  { ignore: Deno.build.os !== "linux" || onGpu },
  async () => {
    // Each in a process of its own: the engine keeps what it once took.
    const child = new URL("_memory.ts", import.meta.url).pathname;
    for (const what of ["training", "inference"]) {
      const { code, out, err } = await finished(
        new Deno.Command(Deno.execPath(), { args: ["run", "-A", child, what] }),
      );
      assert.equal(code, 0, err);
      const ratio = JSON.parse(out);
      assert.ok(ratio > 0.5 && ratio < 2, `${what}: ${ratio} of the estimate`);
    }
  },
);

Deno.test("what needs more than is free is refused with both amounts", () => {
  assertFits(2 ** 30, 2 ** 30);
  assert.throws(
    () => assertFits(3 * 2 ** 30, 2 ** 30),
    (error: Error) =>
      error instanceof OutOfMemoryError &&
      error.message === "needs about 3.0 GiB, 1.0 GiB are free",
  );
  // More than any machine has; a GPU is asked by TensorFlow alone.
  if (onGpu) assertFits(2 ** 60);
  else assert.throws(() => assertFits(2 ** 60), OutOfMemoryError);
});
