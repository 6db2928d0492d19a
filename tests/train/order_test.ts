/** The order of an epoch and its batches. */
import assert from "node:assert/strict";
import { batches, epochOrder } from "../../lib/train/order.ts";

Deno.test("an epoch's order is a permutation that seed and epoch decide", () => {
  const order = epochOrder(1000, 3, 7);
  assert.deepEqual(
    [...order].sort((a, b) => a - b),
    Array.from({ length: 1000 }, (_, i) => i),
  );
  assert.deepEqual(order, epochOrder(1000, 3, 7));
  for (const [seed, epoch] of [[3, 8], [4, 7], [7, 3]]) {
    const same = epochOrder(1000, seed, epoch)
      .filter((x, i) => x === order[i]).length;
    assert.ok(same < 10, `${same} of 1000 places agree`);
  }
});

Deno.test("over neighbouring seeds and epochs every order of 4 is as frequent", () => {
  const counts = new Map<string, number>();
  for (let seed = 0; seed < 120; seed++) {
    for (let epoch = 1; epoch <= 100; epoch++) {
      const key = epochOrder(4, seed, epoch).join("");
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  const chiSquare = [...counts.values()]
    .reduce((sum, n) => sum + (n - 500) ** 2 / 500, 0);
  assert.equal(counts.size, 24);
  // The 99.9 % quantile of chi-square with 23 degrees of freedom.
  assert.ok(chiSquare < 49.73, `chi-square ${chiSquare}`);
});

Deno.test("batches cover the order once, the short last one on request", () => {
  const order = epochOrder(10, 0, 1);
  const all = [...batches(order, 4, false)];
  assert.deepEqual(all.map((b) => b.length), [4, 4, 2]);
  assert.deepEqual(all.flatMap((b) => [...b]), [...order]);
  assert.deepEqual([...batches(order, 4, true)].map((b) => b.length), [4, 4]);
  assert.deepEqual([...batches(order, 11, true)], []);
  assert.throws(() => [...batches(order, 0, true)], /batch size 0/);
});
