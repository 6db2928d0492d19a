import assert from "node:assert/strict";
import {
  backend,
  bytesToFloat,
  compile,
  fromBytes,
  graphNodes,
  handleCount,
  statelessUniform,
  tf,
  timeOps,
  Variable,
} from "../../lib/tensorflow/mod.ts";

async function values(result: Promise<tf.Tensor[]>): Promise<number[][]> {
  const tensors = await result;
  const read = tensors.map((t) => Array.from(t.dataSync()));
  tensors.forEach((t) => t.dispose());
  return read;
}

Deno.test("a compiled function gives the eager values", async () => {
  const x = tf.randomNormal([4, 9, 9, 3], 0, 1, "float32", 1) as tf.Tensor4D;
  const k = tf.randomNormal([3, 3, 3, 5], 0, 1, "float32", 2) as tf.Tensor4D;
  const fn = (a: tf.Tensor, b: tf.Tensor) => {
    const both = tf.concat([a, a], 0) as tf.Tensor4D;
    const y = tf.relu(tf.conv2d(both, b as tf.Tensor4D, 2, "same"));
    const [first, second] = tf.split(tf.mean(y, [1, 2]), 2, 0);
    return [tf.addN([first, second, first]), tf.stack(tf.unstack(first))];
  };
  const compiled = compile(fn);
  const got = await values(compiled(x, k));
  const want = tf.tidy(() => fn(x, k).map((t) => Array.from(t.dataSync())));
  got.forEach((row, i) =>
    row.forEach((v, j) => assert.ok(Math.abs(v - want[i][j]) < 1e-5))
  );
  compiled.dispose();
});

Deno.test("each shape is traced once", async () => {
  const double = compile((x) => [tf.mul(x, 2)]);
  await values(double(tf.ones([2])));
  await values(double(tf.ones([2])));
  assert.equal(double.signatures, 1);
  assert.deepEqual(await values(double(tf.ones([3]))), [[2, 2, 2]]);
  assert.equal(double.signatures, 2);
});

Deno.test("variables are read and written in program order", async () => {
  const v = new Variable(tf.tensor1d([1, 2, 3]));
  const step = compile((x) => {
    const before = v.read();
    v.assign(tf.add(before, x));
    return [before, v.read()];
  });
  assert.deepEqual(await values(step(tf.scalar(5))), [[1, 2, 3], [6, 7, 8]]);
  assert.deepEqual(await values(step(tf.scalar(1))), [[6, 7, 8], [7, 8, 9]]);
  assert.deepEqual(Array.from(v.read().dataSync()), [7, 8, 9]);
});

/** A function that adds to a variable of its own, and how often it was traced. */
function adding(key: string, start: number) {
  const first = tf.scalar(start), v = new Variable(first);
  first.dispose();
  const counted = { traces: 0 };
  const add = compile((x) => {
    counted.traces++;
    v.add(x);
    return [v.read()];
  }, { name: "adding", shared: { key, variables: [v] } });
  const dispose = () => {
    add.dispose();
    v.dispose();
  };
  return { add, counted, dispose };
}

Deno.test("functions of one key share a trace, each on its own variables", async () => {
  const a = adding("one", 1), b = adding("one", 10), c = adding("two", 100);
  const one = tf.scalar(1);
  assert.deepEqual(await values(a.add(one)), [[2]]);
  assert.deepEqual(await values(b.add(one)), [[11]]);
  assert.deepEqual(await values(a.add(one)), [[3]]);
  assert.deepEqual(await values(c.add(one)), [[101]]);
  const traces = [a, b, c].map(({ counted }) => counted.traces);
  assert.deepEqual(traces, [1, 0, 1]);
  [a, b, c].forEach(({ dispose }) => dispose());
  const d = adding("one", 5);
  assert.deepEqual(await values(d.add(one)), [[6]]);
  assert.equal(d.counted.traces, 0);
  d.dispose();
});

Deno.test("shared traces are kept up to a bound, those in use beyond it", async () => {
  const one = tf.scalar(1);
  const used = adding("used", 0);
  await values(used.add(one));
  const idle = adding("idle", 0);
  await values(idle.add(one));
  idle.dispose();
  const before = handleCount();
  for (let i = 0; i < 40; i++) {
    const other = adding(`other ${i}`, 0);
    await values(other.add(one));
    other.dispose();
  }
  assert.equal(handleCount(), before);
  for (const [key, traces] of [["used", 0], ["idle", 1], ["other 39", 0]]) {
    const again = adding(String(key), 0);
    assert.deepEqual(await values(again.add(one)), [[1]]);
    assert.equal(again.counted.traces, traces, String(key));
    again.dispose();
  }
  used.dispose();
});

Deno.test("a shared function that reads a tensor from outside is refused", async () => {
  const x = tf.ones([2]), outside = tf.add(x, 1);
  const shared = { key: "outside", variables: [] };
  const before = handleCount();
  for (let i = 0; i < 2; i++) {
    const sum = compile((x) => [tf.add(x, outside)], { name: "sum", shared });
    await assert.rejects(sum(x), /^Error: sum: .*from outside: give it as/);
    sum.dispose();
  }
  assert.equal(handleCount(), before);
  tf.dispose([x, outside]);
});

Deno.test("an update without outputs is not pruned", async () => {
  const w = new Variable(tf.zeros([2]));
  const set = compile((x) => {
    w.assign(x);
    return [];
  });
  await values(set(tf.tensor1d([3, 4])));
  assert.deepEqual(Array.from(w.read().dataSync()), [3, 4]);
});

Deno.test("stateless random numbers depend on their seed alone", async () => {
  const draw = compile((seed) => [statelessUniform([4], seed)]);
  const seed = (a: number, b: number) => tf.tensor1d([a, b], "int32");
  const [first] = await values(draw(seed(7, 1)));
  assert.deepEqual(await values(draw(seed(7, 1))), [first]);
  assert.notDeepEqual(await values(draw(seed(7, 2))), [first]);
  assert.deepEqual(
    Array.from(statelessUniform([4], seed(7, 1)).dataSync()),
    first,
  );
});

Deno.test("bytes arrive as 0..255", async () => {
  const cast = compile((x) => [bytesToFloat(x)]);
  const bytes = fromBytes(new Uint8Array([0, 1, 255]), [3]);
  assert.deepEqual(await values(cast(bytes)), [[0, 1, 255]]);
});

Deno.test("what cannot be compiled is named with its line", async () => {
  const x = tf.ones([2, 3]);
  await assert.rejects(
    compile((t) => {
      t.dataSync();
      return [t];
    }, { name: "reader" })(x),
    /^Error: reader: .*cannot be read inside.*compile_test\.ts:\d+/,
  );
  await assert.rejects(
    compile((t) => [backend.executeSingleOutput("NoSuchOp", [], [t])])(x),
    /op NoSuchOp is not in this libtensorflow \(compile_test\.ts:\d+\)/,
  );
  await assert.rejects(
    compile((t) => [tf.matMul(t as tf.Tensor2D, tf.ones([4, 5]))])(x),
    /inner|MatMul/i,
  );
  await assert.rejects(
    compile((t) => [
      backend.executeSingleOutput("Where", [
        { name: "T", type: 4, value: 1 },
      ], [t]),
    ])(x),
    /op Where \(compile_test\.ts:\d+\): the shape of its result depends/,
  );
});

Deno.test("a failed trace leaves the engine usable and no handle behind", async () => {
  const x = tf.ones([2, 3]);
  const bad = compile((t) => {
    tf.mul(t, 3);
    throw new Error("mid-trace");
  });
  await assert.rejects(bad(x), /mid-trace/);
  const before = handleCount();
  for (let i = 0; i < 20; i++) await assert.rejects(bad(x), /mid-trace/);
  assert.equal(handleCount(), before);
  assert.equal(tf.tidy(() => tf.sum(x).dataSync()[0]), 6);
});

Deno.test("the event loop stays free during a step", async () => {
  const heavy = compile((x) => {
    let y = x as tf.Tensor2D;
    for (let i = 0; i < 40; i++) y = tf.tanh(tf.matMul(y, x as tf.Tensor2D));
    return [y];
  });
  const x = tf.randomNormal([700, 700], 0, 0.01, "float32", 3);
  (await heavy(x)).forEach((t) => t.dispose());
  let ticks = 0, running = true;
  const done = heavy(x).then((t) => (running = false, t));
  while (running) {
    await new Promise((next) => setImmediate(next));
    ticks++;
  }
  (await done).forEach((t) => t.dispose());
  assert.ok(ticks > 10, `only ${ticks} turns of the event loop`);
});

Deno.test("strings, complex and boolean tensors survive the border", () => {
  const s = tf.reshape(tf.tensor(["a", "béé", ""]), [3, 1]);
  assert.deepEqual(Array.from(s.dataSync() as unknown as string[]), [
    "a",
    "béé",
    "",
  ]);
  const c = tf.fft(tf.complex([1, 2], [3, 4]));
  assert.deepEqual(Array.from(c.dataSync()), [3, 7, -1, -1]);
  assert.deepEqual(
    Array.from(tf.logicalNot(tf.tensor1d([true, false], "bool")).dataSync()),
    [0, 1],
  );
});

Deno.test("the nodes of what is compiled are counted as the library runs them", async () => {
  const f = compile((
    x,
  ) => [tf.sum(tf.relu(tf.matMul(x as tf.Tensor2D, x as tf.Tensor2D)))]);
  const x = tf.ones([2, 2]);
  const call = async () => (await f(x)).forEach((t) => t.dispose());
  // The argument, the product, relu, the axes, the sum and the result.
  assert.equal(await graphNodes(call), 6);
  assert.equal(await graphNodes(call), 0, "nothing new is compiled");
  x.dispose();
  f.dispose();
});

Deno.test("while ops are timed a compiled function runs op by op, to the same end", async () => {
  const f = compile((x) => [tf.relu(tf.sub(x, 1))]);
  const x = tf.tensor1d([0, 3]);
  const told: string[] = [];
  timeOps((op, ms) => void (ms >= 0 && told.push(op)));
  const [eager] = await f(x).finally(() => timeOps(null));
  assert.deepEqual(told, ["Sub", "Relu"]);
  assert.equal(f.signatures, 0);
  const [compiled] = await f(x);
  assert.deepEqual(eager.arraySync(), [0, 2]);
  assert.deepEqual(compiled.arraySync(), [0, 2]);
  assert.equal(told.length, 2, "no longer timed");
  [x, eager, compiled].forEach((t) => t.dispose());
  f.dispose();
});
