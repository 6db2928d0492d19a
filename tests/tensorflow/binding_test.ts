/** The binding's checks: bad input throws one clear error and never ends the process. */
import assert from "node:assert/strict";
import {
  backend,
  compile,
  fromBytes,
  handleCount,
  tf,
} from "../../lib/tensorflow/mod.ts";
import {
  type Attr,
  AttrType,
  binding,
  DataType,
} from "../../lib/tensorflow/binding.ts";
import {
  type Call,
  Draw,
  drawTensor,
  JUNK,
  rightCalls,
  spoil,
} from "./_calls.ts";

const FLOAT: Attr = { name: "T", type: AttrType.TYPE, value: DataType.FLOAT };
const { createTensor, executeOp, tensorDataSync, deleteTensor } = binding;
const scalar = (x: number) =>
  createTensor([], DataType.FLOAT, Float32Array.of(x));

Deno.test("a tensor of what is no tensor throws where it is made, traced too", async () => {
  const bad: [unknown, RegExp][] = [
    [[[1, 2, 3], [4, 5]], /arr\[1\] should have 3 elements, but has 2/],
    [[[[1], [2, 3]], [[4]]], /arr\[0\]\[1\] should have 1 elements/],
    [[new Float32Array(2), new Float32Array(3)], /should have 2 elements/],
    [[1n], /shape \[1\] was given 0 numbers, booleans or strings, not 1/],
    [[{}, {}], /shape \[2\] was given 0 numbers/],
    [[new Date()], /shape \[1\] was given 0 numbers/],
    [[Symbol("s")], /was given 0 numbers/],
    [[() => 1, 2], /was given 1 numbers, booleans or strings, not 2/],
  ];
  for (const [value, message] of bad) {
    const make = () => tf.tensor(value as number[]);
    assert.throws(make, message);
    assert.throws(() => tf.add(value as number[], 1), message);
    await assert.rejects(compile(() => [make()])(), message);
  }
  assert.throws(
    () => tf.tensor([["a", "b"], ["c"]]),
    /arr\[1\] should have 2 elements, but has 1/,
  );
});

Deno.test("createTensor compares values with shape and dtype", () => {
  const { FLOAT, INT32, BOOL, STRING, RESOURCE, INT64 } = DataType;
  const f = (n: number) => new Float32Array(n);
  const bad: [unknown, unknown, unknown, RegExp][] = [
    [[2, 2], FLOAT, f(3), /shape \[2,2\] has 16 bytes, but its values have 12/],
    [[2], INT32, f(2), /int32 tensor is made of Int32Array, not of a Float32A/],
    [[8], BOOL, f(2), /bool tensor is made of Uint8Array/],
    [[2], FLOAT, new DataView(new ArrayBuffer(8)), /not of a DataView/],
    [[1], FLOAT, undefined, /not of undefined/],
    [[1], FLOAT, ["1"], /list with "1"/],
    [[1], FLOAT, [1n], /list with 1/],
    [[1], INT64, [1], /int64 tensor cannot be made of a list/],
    [[1.5], FLOAT, f(1), /\[1.5\] is not a shape: 1.5 is not a whole number/],
    [[-1], FLOAT, f(1), /-1 is not a whole number from 0/],
    [[NaN], FLOAT, f(1), /NaN is not a whole number/],
    [["2"], FLOAT, f(2), /"2" is not a whole number/],
    [[2 ** 40, 2 ** 40], FLOAT, f(1), /too many values/],
    [[0, 2 ** 40, 2 ** 40], FLOAT, f(0), /too many values/],
    [new Array(255).fill(1), FLOAT, f(1), /more than 254 dimensions/],
    [5, FLOAT, f(5), /must be a list/],
    [undefined, FLOAT, f(1), /must be a list/],
    [[1], 999, f(1), /cannot be made of dtype 999/],
    [[1], RESOURCE, f(1), /cannot be made of dtype 20/],
    [[2], STRING, [new Uint8Array(1)], /shape \[2\] has 2 values, not 1/],
    [[1], STRING, ["a"], /list of Uint8Array/],
  ];
  const before = handleCount();
  for (const [shape, dtype, values, message] of bad) {
    assert.throws(
      () => createTensor(shape as number[], dtype as number, values as never),
      message,
    );
  }
  assert.throws(() => fromBytes(new Uint8Array(5), [2, 3]), /has 6 bytes/);
  assert.equal(handleCount(), before);
  const long = createTensor([2], INT64, Int32Array.of(7, 0, 8, 0));
  assert.deepEqual(tensorDataSync(long), BigInt64Array.of(7n, 8n));
  const truth = createTensor([2], BOOL, [true, false]);
  assert.deepEqual(tensorDataSync(truth), Uint8Array.of(1, 0));
});

Deno.test("a call that is not as the op's definition says is named, traced too", async () => {
  const x = scalar(1), gone = scalar(2);
  deleteTensor(gone);
  const whole = createTensor([], DataType.INT32, Int32Array.of(1));
  const variable = executeOp(
    "VarHandleOp",
    [
      { name: "dtype", type: AttrType.TYPE, value: DataType.FLOAT },
      { name: "shape", type: AttrType.SHAPE, value: [] },
    ],
    [],
    1,
  )[0].id;
  const axis: Attr = { name: "axis", type: AttrType.INT, value: 0 };
  const n: Attr = { name: "N", type: AttrType.INT, value: 2 };
  const bad: [string, Attr[], number[], number, RegExp][] = [
    ["NoSuchOp", [], [x], 1, /op NoSuchOp is not in this libtensorflow/],
    ["Abort", [], [], 0, /op Abort .*may end the process/],
    [
      "Add",
      [FLOAT],
      [x],
      1,
      /op Add \(binding_test.ts:\d+\): it takes 2 inputs, not 1/,
    ],
    ["Add", [FLOAT], [x, x, x], 1, /takes 2 inputs, not 3/],
    ["Add", [FLOAT], [x, x], 2, /gives 1 outputs, not 2/],
    ["Add", [FLOAT], [x, x], NaN, /gives 1 outputs, not NaN/],
    ["Add", [FLOAT], [x, gone], 1, /tensor \d+ has no value.*it was disposed/],
    ["Add", [FLOAT], [x, NaN], 1, /tensor NaN has no value/],
    ["Add", [FLOAT, axis], [x, x], 1, /has no attribute "axis", only T/],
    [
      "Add",
      [{ ...FLOAT, value: 999 }],
      [x, x],
      1,
      /attribute T is a type: it cannot be 999/,
    ],
    [
      "Add",
      [{ ...FLOAT, type: AttrType.INT }],
      [x, x],
      1,
      /attribute T is a type: it was given as int/,
    ],
    ["Add", [FLOAT], [x, whole], 1, /op Add/],
    ["Pack", [FLOAT, { ...n, value: 3 }], [x, x], 1, /takes 3 inputs, not 2/],
    ["Pack", [FLOAT], [x, x], 1, /needs attribute N/],
    [
      "Pack",
      [FLOAT, n, { ...axis, value: 1.5 }],
      [x, x],
      1,
      /axis is a int: it cannot be 1.5/,
    ],
    ["SplitV", [FLOAT], [x, x, x], 2, /needs attribute num_split/],
    [
      "SplitV",
      [FLOAT, { ...n, name: "num_split" }],
      [x, x, x],
      2,
      /input 1 is \[\], not of rank 1/,
    ],
    [
      "DepthToSpace",
      [FLOAT, { ...axis, name: "block_size", value: 1 }],
      [x],
      1,
      /2 or more, not 1/,
    ],
    [
      "MirrorPad",
      [FLOAT, { name: "mode", type: AttrType.STRING, value: "wrap" }],
      [x, x],
      1,
      /one of REFLECT, SYMMETRIC, not "wrap"/,
    ],
    [
      "Conv2D",
      [
        FLOAT,
        { name: "strides", type: AttrType.INT, value: [1, 2 ** 31, 1, 1] },
        { name: "padding", type: AttrType.STRING, value: "SAME" },
      ],
      [x, x],
      1,
      /2147483648 is beyond 65536/,
    ],
    [
      "Conv2D",
      [
        FLOAT,
        { name: "strides", type: AttrType.INT, value: [1, 1, 1, 1] },
        { name: "padding", type: AttrType.STRING, value: "SAME" },
      ],
      [x, x],
      1,
      /op Conv2D .*rank 4/,
    ],
  ];
  for (const [name, attrs, inputs, outputs, message] of bad) {
    const call = () => executeOp(name, attrs, inputs, outputs);
    assert.throws(call, message);
    await assert.rejects(compile(() => (call(), []))(), message);
  }
  assert.throws(() => tensorDataSync(gone), /has no value/);
  assert.throws(() => tensorDataSync(variable), /dtype 20 cannot be read/);
  assert.throws(
    () => tf.fill([2 ** 32], 1),
    /op Fill .*shape 4294967296 is no int32/,
  );
  assert.throws(() => tf.tile([1], [2 ** 33]), /reps 8589934592 is no int32/);
});

/** Runs a call and reads what comes back; traced, as a function of its own. */
async function run(call: Call, traced: boolean): Promise<void> {
  const execute = () =>
    executeOp(call.name, call.attrs, call.inputs, call.outputs);
  if (!traced) {
    const made = execute();
    try {
      made.forEach(({ id }) => tensorDataSync(id));
    } finally {
      made.forEach(({ id }) => deleteTensor(id));
    }
    return;
  }
  const compiled = compile(() =>
    execute().map(backend.createOutputTensor, backend)
  );
  try {
    const results = await compiled();
    try {
      results.forEach((tensor) => tensor.dataSync());
    } finally {
      tf.dispose(results);
    }
  } finally {
    compiled.dispose();
  }
}

Deno.test("10,000 calls, most of them wrong, give a value or one clear line", async () => {
  const calls = rightCalls();
  const names = [...new Set(calls.map((call) => call.name))];
  const draw = new Draw(16);
  const before = handleCount();
  let good = 0;
  const unclear: unknown[] = [];
  for (let i = 0; i < 10_000; i++) {
    const made: number[] = [];
    try {
      if (i % 5 === 0) {
        const id = createTensor(
          draw.of(JUNK) as number[],
          draw.of([1, 3, 4, 7, 9, 10, draw.of(JUNK) as number]),
          draw.of(JUNK) as never,
        );
        made.push(id);
      } else if (i % 5 === 1) {
        made.push(drawTensor(draw));
        tensorDataSync(draw.of([draw.of(JUNK) as number, made[0]]));
      } else {
        await run(spoil(draw.of(calls), names, draw, made), i % 5 === 4);
      }
      good++;
    } catch (error) {
      const { name, message } = error as Error;
      if (name !== "Error" || !message || message.includes("\n")) {
        unclear.push(error);
      }
    } finally {
      made.forEach(deleteTensor);
    }
  }
  assert.deepEqual(unclear, []);
  assert.ok(good > 1000 && good < 6000, `${good} of 10,000 were right`);
  assert.equal(handleCount(), before);
  assert.equal(tf.tidy(() => tf.sum([1, 2, 3]).dataSync()[0]), 6);
});
