/** tfjs's ops on our backend against its own CPU backend. */
import assert from "node:assert/strict";
import { tf } from "../../lib/tensorflow/mod.ts";
import { cases } from "./_ops.ts";

async function run(backend: string): Promise<Map<string, number[]>> {
  await tf.setBackend(backend);
  try {
    return new Map(
      Object.entries(cases).map(([name, op]) => [
        name,
        tf.tidy(() => {
          const t = op();
          return [...t.shape, ...Array.from(t.dataSync(), Number)];
        }),
      ]),
    );
  } finally {
    await tf.setBackend("tensorflow");
  }
}

Deno.test("at least 80 tfjs ops agree with tfjs's own CPU backend", async () => {
  const ours = await run("tensorflow"), theirs = await run("cpu");
  assert.ok(ours.size >= 80);
  const wrong: string[] = [];
  for (const [name, want] of theirs) {
    const got = ours.get(name)!;
    const same = got.length === want.length &&
      got.every((g, i) =>
        Math.abs(g - want[i]) <= 2e-4 * Math.max(1, Math.abs(want[i]))
      );
    if (!same) wrong.push(`${name}: ${got.slice(0, 8)} ≠ ${want.slice(0, 8)}`);
  }
  assert.deepEqual(wrong, []);
});
