import assert from "node:assert/strict";
import { engineInfo } from "../../lib/tensorflow/mod.ts";
import {
  availableMemory,
  deviceMemory,
  measureMemory,
  residentMemory,
} from "../../lib/profile/mod.ts";

const MIB = 2 ** 20;

const onGpu = deviceMemory() !== null;

Deno.test(
  "the peak is what was held in between, and is new in each measurement",
  { ignore: Deno.build.os !== "linux" || onGpu },
  async () => {
    // The engine keeps memory that earlier tests took; JavaScript's is new.
    const hold = (bytes: number) => () => {
      new Uint8Array(bytes).fill(1).buffer.transfer(0);
    };
    const large = await measureMemory(hold(256 * MIB));
    const grown = large.peak - large.before;
    assert.ok(grown > 200 * MIB, `${grown / MIB} MiB`);
    assert.ok(large.after - large.before < 128 * MIB);
    const small = await measureMemory(hold(16 * MIB));
    assert.ok(small.peak - small.before < 128 * MIB);
  },
);

Deno.test("a failing function's error comes through", async () => {
  await assert.rejects(
    measureMemory(() => {
      throw new Error("no");
    }),
    /no/,
  );
});

Deno.test("available memory is above nothing and at most the machine's", () => {
  const available = availableMemory();
  assert.ok(available > 0);
  assert.ok(available <= Deno.systemMemoryInfo().total);
  assert.ok(residentMemory() > MIB);
});

Deno.test("a device's memory is a GPU's: null on a CPU", () => {
  const gpu = engineInfo().devices.find((d) => d.type === "GPU");
  assert.deepEqual(
    deviceMemory(),
    gpu ? { name: gpu.name, limit: gpu.memory } : null,
  );
  assert.ok(engineInfo().devices.every((d) => d.memory > 0));
});
