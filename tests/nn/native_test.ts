/** Our own ops beside TensorFlow's: the same values and gradients, the same bits each time. */
import assert from "node:assert/strict";
import { modelOf } from "../../lib/models/mod.ts";
import {
  addShortcut,
  applyScope,
  batchNorm,
  conv2d,
  type Forward,
  gelu,
  initialise,
  layerNorm,
  prelu,
} from "../../lib/nn/mod.ts";
import {
  attention,
  biased,
  biasedGelu,
  fusedBatchNorm,
  matrixProduct,
} from "../../lib/nn/kernels.ts";
import { normConv } from "../../lib/nn/fused.ts";
import {
  backend,
  compile,
  observe,
  squareSum,
  tf,
  usesNativeOps,
} from "../../lib/tensorflow/mod.ts";
import {
  lossOf,
  relativeL2,
  tensorsOf,
  tiny,
  variants,
} from "../models/_tiny.ts";

const ignore = !usesNativeOps();

/** A test of our own ops, left out where they are not built. */
const test = (name: string, fn: () => void | Promise<void>) =>
  Deno.test({ name, ignore, fn });

/** `work` by TensorFlow's ops: while somebody watches, ours stay away. */
function unfused<T>(work: () => T): T {
  observe(() => {});
  try {
    assert(!usesNativeOps());
    return work();
  } finally {
    observe(null);
  }
}

/** Numbers from −1 to 1 that follow from `seed`. */
function numbers(seed: number, count: number): Float32Array {
  let state = seed * 2654435761 >>> 0;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}
const random = (seed: number, shape: number[]) =>
  tf.tensor(numbers(seed, shape.reduce((a, b) => a * b, 1)), shape);

type Values = Record<string, Float32Array>;

type State = ReturnType<typeof initialise>;
const weighed = (y: tf.Tensor) => tf.sum(tf.mul(y, random(7, y.shape)));

/** Output, new buffers and, by random weights of the output, all gradients of a net. */
function run(
  forward: Forward,
  x: tf.Tensor4D,
  state: State,
  training: boolean,
): Values {
  return tf.tidy(() => {
    const found: Record<string, tf.Tensor> = {};
    const tensors = tensorsOf(state);
    const loss = lossOf(forward, tensors, (y, { updates }) => {
      for (const [name, t] of updates) found[name] = tf.keep(t);
      found.y = tf.keep(y);
      return weighed(y);
    }, training);
    const { parameters } = tensors;
    const { value, grads: [dx, ...grads] } = tf.valueAndGrads(loss)(
      [x, ...Object.values(parameters)],
    );
    const names = Object.keys(parameters).map((name) => `d ${name}`);
    const all = Object.entries({ ...found, loss: value, dx })
      .concat(grads.map((t, i) => [names[i], t]));
    const out = all.map(([name, t]) =>
      [name, t.dataSync().slice() as Float32Array] as const
    );
    tf.dispose(found);
    return Object.fromEntries(out);
  });
}

/** A net's values and gradients by our ops and by TensorFlow's. */
function byBoth(
  ...net: Parameters<typeof run>
): [ours: Values, theirs: Values] {
  return [run(...net), unfused(() => run(...net))];
}

/** The largest difference, as a part of the largest value that is expected or of `least`. */
function far(a: ArrayLike<number>, b: ArrayLike<number>, least = 1e-3): number {
  assert.equal(a.length, b.length);
  let difference = 0, largest = least;
  for (let i = 0; i < a.length; i++) {
    assert(Number.isFinite(b[i]) && Number.isFinite(a[i]), `${a[i]}, ${b[i]}`);
    difference = Math.max(difference, Math.abs(a[i] - b[i]));
    largest = Math.max(largest, Math.abs(b[i]));
  }
  return difference / largest;
}

function same(a: Values, b: Values, tolerance: number, what: string) {
  assert.deepEqual(Object.keys(a), Object.keys(b));
  // A gradient that should be 0, as a bias's before a norm, is noise of the others.
  const noise = Math.max(
    ...Object.values(b).map((values) =>
      0.01 * Math.sqrt(
        values.reduce((sum, v) => sum + v * v, 0) / (values.length || 1),
      )
    ),
  );
  for (const name in b) {
    const d = far(a[name], b[name], noise);
    assert(d <= tolerance, `${what}, ${name}: ${d} of the largest value`);
  }
}

interface Unit {
  batch: number;
  side: [number, number];
  channels: number;
  filters: number;
  kernel: 1 | 3;
  stride: 1 | 2;
  /** How the unit ends. */
  end: "plain" | "normed" | "prelu";
}

/** [B, H, W, C] as [B, H·W·C]. */
const flat = ({ x }: { x: tf.Tensor4D }) =>
  tf.reshape(x, [x.shape[0], x.size / (x.shape[0] || 1)]) as tf.Tensor2D;

/** A unit as IR50's: all our convolutions, norms and ends are in it. */
const unitOf =
  ({ channels, filters, kernel, stride, end }: Unit): Forward => (scope, x) => {
    const at = scope.within;
    const first = conv2d(at("a"), { x }, { filters: channels, kernel });
    const normed = batchNorm(at("n1"), first);
    const { shortcut = first, ...inner } = conv2d(at("b"), normed, {
      filters,
      kernel,
      stride,
    });
    const active = prelu(at("p"), batchNorm(at("n2"), inner));
    const y = batchNorm(at("n3"), conv2d(at("c"), active, { filters, kernel }));
    if (end === "prelu") return flat(addShortcut(scope, prelu(at("q"), y)));
    if (end === "plain") return flat(addShortcut(scope, y, { x: inner.x }));
    const less = conv2d(at("d"), shortcut, { filters, kernel: 1, stride });
    return flat(addShortcut(scope, y, batchNorm(at("n4"), less)));
  };

/** A state whose norms and slopes are not the first ones: slopes below 0 and above 1. */
function stateOf(forward: Forward, shape: [number, number, number]) {
  const state = initialise(forward, shape, 3);
  let seed = 1;
  for (const [name, entry] of state.parameters) {
    const values = numbers(seed++, entry.data.length);
    if (/n\d\.weight/.test(name)) entry.data = values.map((v) => 1 + v / 2);
    if (/n\d\.bias/.test(name)) entry.data = values;
    if (/[pq]\.weight/.test(name)) entry.data = values.map((v) => 2 * v);
  }
  for (const [name, entry] of state.buffers) {
    const values = numbers(seed++, entry.data.length);
    entry.data = name.endsWith("var") ? values.map((v) => 1.1 + v) : values;
  }
  return state;
}

const UNITS: Unit[] = ([
  [1, [1, 1], 1, 1, 3, 1],
  [9, [1, 1], 17, 5, 3, 2],
  [3, [2, 3], 4, 16, 3, 1],
  [2, [3, 13], 33, 48, 3, 1],
  [4, [4, 4], 16, 70, 3, 2],
  [5, [5, 7], 5, 3, 1, 2],
  [2, [13, 11], 32, 32, 3, 1],
  [2, [12, 13], 70, 18, 3, 2],
  [1, [9, 8], 7, 64, 1, 1],
  [7, [6, 6], 64, 40, 3, 1],
  [2, [8, 1], 2, 31, 3, 2],
] as [number, [number, number], number, number, 1 | 3, 1 | 2][])
  .map(([batch, side, channels, filters, kernel, stride], i) => ({
    ...{ batch, side, channels, filters, kernel, stride },
    end: (["plain", "normed", "prelu"] as const)[i % 3],
  }));

for (const training of [true, false]) {
  test(
    `a unit's values and gradients are TensorFlow's in ${
      training ? "training" : "evaluation"
    }`,
    () => {
      for (const [i, unit] of UNITS.entries()) {
        const { batch, side: [height, width] } = unit;
        // A single value a channel has no variance: all gradients would be noise.
        if (training && batch * Math.ceil(height / unit.stride) < 2) continue;
        const forward = unitOf(unit);
        const state = stateOf(forward, [height, width, 3]);
        const x = random(i + 20, [batch, height, width, 3]) as tf.Tensor4D;
        const [ours, theirs] = byBoth(forward, x, state, training);
        same(ours, theirs, 2e-4, JSON.stringify(unit));
        x.dispose();
      }
    },
  );
}

for (const [name, set] of Object.entries({ ...variants, meanPool: {} })) {
  test(`${name}: loss and gradients are the same by either's ops`, () => {
    const model = name === "meanPool" ? { model: "meanPool" as const } : {};
    const forward = modelOf({ ...tiny, ...set, ...model });
    const state = initialise(forward, [24, 24, 3], 5);
    const x = random(3, [4, 24, 24, 3]) as tf.Tensor4D;
    for (const training of [true, false]) {
      const [ours, theirs] = byBoth(forward, x, state, training);
      assert.deepEqual(Object.keys(ours), Object.keys(theirs));
      assert(far(ours.y, theirs.y) < 1e-4, name);
      // Before a norm a gradient may be exactly 0, and noise in both.
      const size = (a: Float32Array) => Math.hypot(...a) / Math.sqrt(a.length);
      const noise = 1e-5 * Math.max(
        ...Object.keys(theirs).filter((key) => key.startsWith("d "))
          .map((key) => size(theirs[key])),
      );
      for (const key in theirs) {
        if (!key.startsWith("d") || size(theirs[key]) < noise) continue;
        const d = relativeL2(ours[key], theirs[key]);
        assert(d < 2e-3, `${name}, ${key}: ${d}`);
      }
    }
    x.dispose();
  });
}

test("a gradient joins a convolution's own only where a shortcut has one", () => {
  const forward = modelOf(tiny);
  const state = initialise(forward, [24, 24, 3], 5);
  const x = random(3, [4, 24, 24, 3]) as tf.Tensor4D;
  const { executeMultipleOutputs } = backend;
  let added = 0;
  backend.executeMultipleOutputs = (name, attrs, inputs, outputs) => {
    const adds = attrs.some((a) => a.name === "adds" && a.value === 1);
    if (name === "FerlabConvInputGrad" && adds) {
      added++;
      // As large as the map, zeros would be kept as a constant of the graph.
      assert(inputs.at(-1)!.dataSync().some((v) => v !== 0));
    }
    return executeMultipleOutputs.call(backend, name, attrs, inputs, outputs);
  };
  try {
    run(forward, x, state, true);
  } finally {
    backend.executeMultipleOutputs = executeMultipleOutputs;
    x.dispose();
  }
  assert.equal(added, tiny.layers.reduce((a, b) => a + b), "one a unit");
});

// ---- Statistics, NaN and infinity ---------------------------------------------

/** Mean and variance of x's channels, as a convolution that changes nothing measures them. */
function measured(x: tf.Tensor4D) {
  const channels = x.shape[3];
  const one = tf.reshape(tf.eye(channels), [1, 1, channels, channels]);
  const options = { stride: 1, measure: true, passes: false } as const;
  return normConv(x, one, options).statistics!.map((t) => t.dataSync());
}

test("the variance holds beside a mean of ten thousand times its root", () => {
  tf.tidy(() => {
    for (const side of [3, 48, 112]) {
      const count = 2 * side * side * 5;
      const noise = numbers(side, count).map((v) => Math.sqrt(3) * v);
      const data = noise.map((v, i) => v + [0, 100, 1e4, -1e4, 3][i % 5]);
      const [mean, variance] = measured(tf.tensor4d(data, [2, side, side, 5]));
      for (let c = 0; c < 5; c++) {
        const values = [...data].filter((_, i) => i % 5 === c);
        const exact = values.reduce((a, b) => a + b) / values.length;
        const square = values.reduce((a, b) => a + (b - exact) ** 2, 0);
        const wrong = variance[c] / (square / values.length) - 1;
        assert(Math.abs(wrong) < 1e-3, `side ${side}, channel ${c}: ${wrong}`);
        assert(Math.abs(mean[c] - exact) < 2e-3, `${mean[c]}, not ${exact}`);
      }
    }
  });
});

test("a constant channel has no variance, and an empty batch ends nothing", () => {
  tf.tidy(() => {
    const [mean, variance] = measured(tf.fill([3, 9, 9, 17], 0.3));
    assert(far(mean, new Float32Array(17).fill(0.3)) < 1e-6);
    assert(Math.max(...variance) < 1e-12);
    const forward = unitOf(UNITS[3]);
    const state = stateOf(forward, [3, 13, 3]);
    for (const training of [true, false]) {
      const { y, dx, ...rest } = run(
        forward,
        tf.zeros([0, 3, 13, 3]),
        state,
        training,
      );
      assert.deepEqual([y.length, dx.length], [0, 0]);
      for (const name in rest) {
        if (name.startsWith("d ")) assert(rest[name].every((v) => v === 0));
      }
    }
  });
});

test("what is not finite by TensorFlow's ops is not finite by ours", () => {
  for (const bad of [NaN, Infinity, -Infinity]) {
    for (const unit of [UNITS[2], UNITS[5], UNITS[6], UNITS[7]]) {
      const { batch, side: [height, width] } = unit;
      const forward = unitOf(unit);
      const state = stateOf(forward, [height, width, 3]);
      const data = numbers(4, batch * height * width * 3);
      data[data.length >> 1] = bad;
      const x = tf.tensor4d(data, [batch, height, width, 3]);
      for (const training of [true, false]) {
        const [ours, theirs] = byBoth(forward, x, state, training);
        for (const name in theirs) {
          theirs[name].forEach((value, i) =>
            assert(
              Number.isFinite(value) || !Number.isFinite(ours[name][i]),
              `${bad} ${JSON.stringify(unit)} ${name} ${i}`,
            )
          );
        }
      }
      x.dispose();
    }
  }
  // The mean keeps an infinity, as the running statistics then do.
  tf.tidy(() => {
    const x = tf.tensor4d([Infinity, 1, 2, 3], [2, 2, 1, 1]);
    const [mean, variance] = measured(x);
    assert.deepEqual([mean[0], variance[0]], [Infinity, NaN]);
    const { mean: theirs } = fusedBatchNorm(
      {
        ...{ x, scale: tf.ones([1]), offset: tf.zeros([1]) },
        ...{ mean: tf.zeros([1]), variance: tf.ones([1]) },
      },
      { training: true, eps: 1e-5, momentum: 1 },
    );
    assert.equal(theirs.dataSync()[0], Infinity);
  });
});

// ---- Tokens ---------------------------------------------------------------------

/** Value and gradients of f by random weights of its output. */
function graded(
  f: (...x: tf.Tensor[]) => tf.Tensor,
  inputs: tf.Tensor[],
): Values {
  return tf.tidy(() => {
    const y = f(...inputs);
    const grads = tf.grads((...x) => {
      const y = f(...x);
      return tf.sum(tf.mul(y, random(5, y.shape)));
    })(inputs);
    return Object.fromEntries(
      [y, ...grads].map((t, i) => [i, t.dataSync().slice() as Float32Array]),
    );
  });
}

/** That f has the same values and gradients by our ops and by TensorFlow's. */
function agrees(
  f: (...x: tf.Tensor[]) => tf.Tensor,
  inputs: tf.Tensor[],
  tolerance: number,
  what: string,
) {
  const theirs = unfused(() => graded(f, inputs));
  same(graded(f, inputs), theirs, tolerance, what);
}

test("layer norm of any width is TensorFlow's", () => {
  const norm = (x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor) => {
    const parameters = { weight, bias };
    return layerNorm(
      applyScope({ parameters, buffers: {}, training: true }),
      x,
    );
  };
  for (const width of [2, 3, 7, 8, 15, 16, 17, 31, 33, 64, 129, 130]) {
    for (const rows of [1, 16, 37]) {
      tf.tidy(() => {
        const inputs = [
          tf.add(random(width, [rows, width]), 3),
          random(1, [width]),
          random(2, [width]),
        ];
        agrees(norm, inputs, 1e-4, `${rows} × ${width}`);
      });
    }
  }
  tf.tidy(() => {
    // A single value is its own mean: nothing is left of it.
    const one = graded(norm, [
      random(1, [3, 1]),
      tf.tensor1d([2]),
      tf.tensor1d([0.5]),
    ]);
    assert.deepEqual([...one[0]], [0.5, 0.5, 0.5]);
    assert.deepEqual([...one[1]].map(Math.abs), [0, 0, 0]);
    const bad = graded(norm, [
      tf.tensor2d([1, 2, 3, NaN], [2, 2]),
      tf.ones([2]),
      tf.zeros([2]),
    ]);
    assert(bad[0].subarray(0, 2).every(Number.isFinite));
    assert(bad[0].subarray(2).every(Number.isNaN));
  });
});

test("GELU with its bias is TensorFlow's from -100 to 100, NaN and infinity too", () =>
  tf.tidy(() => {
    for (const width of [1, 5, 16, 33]) {
      const x = tf.reshape(tf.linspace(-100, 100, 40 * width), [40, width]);
      const inputs = [x, random(1, [width])];
      const ours = graded(biasedGelu, inputs);
      const theirs = unfused(() =>
        graded((x, b) => gelu(biased(x, b)), inputs)
      );
      for (const i in theirs) {
        ours[i].forEach((value, at) => {
          const d = Math.abs(value - theirs[i][at]);
          assert(d <= 1e-5 * Math.max(1, Math.abs(theirs[i][at])), `${d}`);
        });
      }
    }
    const odd = [NaN, Infinity, -Infinity, 1e30, -1e30, 3e38, 0, -0];
    const inputs = [tf.tensor2d(odd, [8, 1]), tf.zeros([1])];
    const ours = graded(biasedGelu, inputs);
    const theirs = unfused(() => graded((x, b) => gelu(biased(x, b)), inputs));
    theirs[0].forEach((value, i) => {
      if (Number.isFinite(value)) assert.equal(ours[0][i], value);
      else assert(!Number.isFinite(ours[0][i]), `${odd[i]}`);
    });
    theirs[1].forEach((value, i) => {
      if (!Number.isFinite(value)) {
        assert(!Number.isFinite(ours[1][i]), `gradient at ${odd[i]}`);
      } else assert(Math.abs(ours[1][i] - value) < 1e-6, `${odd[i]}`);
    });
  }));

test("products of matrices of any size are TensorFlow's, back and forth", () => {
  const product = matrixProduct as (...x: tf.Tensor[]) => tf.Tensor;
  for (
    const [rows, inner, columns] of [
      [1, 1, 1],
      [2, 3, 5],
      [17, 15, 33],
      [57, 64, 32],
      [300, 16, 7],
      [129, 70, 48],
      [600, 257, 96],
      [3, 513, 130],
    ]
  ) {
    tf.tidy(() => {
      const inputs = [random(1, [rows, inner]), random(2, [inner, columns])];
      agrees(product, inputs, 2e-5, `${rows} × ${inner} × ${columns}`);
    });
  }
  tf.tidy(() => {
    // A gradient's gradient: d/da Σ(a·b·w)² by both ops.
    const inputs = [random(1, [5, 18]), random(2, [18, 3])];
    const twice = (a: tf.Tensor, b: tf.Tensor) =>
      tf.square(
        tf.grads((a, b) => tf.sum(tf.square(product(a, b))))([a, b])[0],
      );
    agrees(twice, inputs, 2e-5, "twice");
    const bad = random(1, [40, 20]).dataSync().slice();
    bad[20 * 7 + 3] = NaN;
    bad[20 * 9 + 3] = Infinity;
    const y = product(tf.tensor2d(bad, [40, 20]), random(2, [20, 5]));
    y.dataSync().forEach((value, i) =>
      assert.equal(Number.isFinite(value), ![7, 9].includes(Math.floor(i / 5)))
    );
  });
});

/** softmax(q·kᵀ·0.3)·v by TensorFlow's ops, tokens before heads. */
function attentionBySteps(...parts: tf.Tensor[]): tf.Tensor {
  const [q, k, v] = parts.map((x) => tf.transpose(x, [0, 2, 1, 3]));
  const logits = tf.mul(tf.matMul(q, k, false, true), 0.3);
  return tf.transpose(tf.matMul(tf.softmax(logits), v), [0, 2, 1, 3]);
}

test("attention of any number of tokens and heads is TensorFlow's", () => {
  for (
    const [batch, queries, keys, heads, size] of [
      [1, 1, 2, 1, 1],
      [2, 1, 10, 8, 16],
      [3, 10, 10, 2, 8],
      [2, 17, 17, 3, 20],
      [2, 50, 50, 2, 64],
      [1, 5, 33, 1, 70],
      [1, 33, 5, 2, 3],
    ]
  ) {
    tf.tidy(() => {
      const what = `${batch} ${queries} ${keys} ${heads} ${size}`;
      const inputs = [
        random(1, [batch, queries, heads, size]),
        random(2, [batch, keys, heads, size]),
        random(3, [batch, keys, heads, size]),
      ].map((x) => tf.mul(x, 3));
      const ours = graded((q, k, v) => attention([q, k, v], 0.3), inputs);
      same(ours, graded(attentionBySteps, inputs), 2e-5, what);
      if (queries !== keys) return;
      const packed = graded((x) => attention([x], 0.3), [tf.stack(inputs, 2)]);
      const [dq, dk, dv] = [1, 2, 3].map((i) =>
        tf.tensor(ours[i], inputs[i - 1].shape)
      );
      const together = tf.stack([dq, dk, dv], 2).dataSync() as Float32Array;
      assert.deepEqual(packed, { 0: ours[0], 1: together }, what);
    });
  }
  tf.tidy(() => {
    // A lone key has all the weight: no gradient comes back to q and k.
    const lone = [1, 2, 3].map((seed) => random(seed, [2, 1, 3, 5]));
    const [y, dq, dk] = Object.values(
      graded((q, k, v) => attention([q, k, v], 0.3), lone),
    );
    assert.deepEqual(y, lone[2].dataSync());
    assert([...dq, ...dk].every((g) => Math.abs(g) === 0));
    // Logits that a float32's exponential does not hold, and what is none.
    const q = tf.tensor4d([1e4, -1e4, NaN, 1], [1, 4, 1, 1]);
    const k = tf.tensor4d([1, 2, 3], [1, 3, 1, 1]);
    const out = attention([q, k, k], 1).dataSync();
    assert.deepEqual([...out].slice(0, 3), [3, 1, NaN]);
    assert(Math.abs(out[3] - 2.5752) < 1e-4, `${out[3]}`);
  });
});

test("the sum of squares of many tensors is exact to a float32", () =>
  tf.tidy(() => {
    const sizes = [0, 1, 63, 64, 65, 70_000, 200_003];
    const data = sizes.map((size, i) => numbers(i + 1, size));
    const exact = data.flatMap((a) => [...a])
      .reduce((sum, v) => sum + v * v, 0);
    const sum = squareSum(data.map((a) => tf.tensor1d(a))).dataSync()[0];
    assert(Math.abs(sum / exact - 1) < 2e-7, `${sum}, not ${exact}`);
    const bad = squareSum([tf.tensor1d([1, NaN]), tf.ones([3])]);
    assert(Number.isNaN(bad.dataSync()[0]));
  }));

// ---- The same bits ---------------------------------------------------------------

test("two runs give the same bits, also while the event loop is busy", async () => {
  const unit = { ...UNITS[9], end: "normed" as const };
  const forward = unitOf(unit);
  const state = stateOf(forward, [6, 6, 3]);
  const x = random(1, [7, 6, 6, 3]) as tf.Tensor4D;
  const once = run(forward, x, state, true);
  assert.deepEqual(run(forward, x, state, true), once);

  const tensors = tensorsOf(state);

  const step = compile((...inputs) =>
    tf.grads(lossOf(forward, tensors, weighed))(inputs)
  );
  const names = Object.keys(tensors.parameters);
  const inputs = [x, ...Object.values(tensors.parameters)];
  for (let round = 0; round < 3; round++) {
    const running = step(...inputs);
    let sum = 0;
    for (let i = 0; i < 2e6 * round; i++) sum += Math.sqrt(i);
    assert(sum >= 0);
    const grads = await running;
    ["dx", ...names.map((name) => `d ${name}`)].forEach((name, i) =>
      assert.deepEqual(grads[i].dataSync(), once[name], name)
    );
    tf.dispose(grads);
  }
  step.dispose();
  tf.dispose(inputs);
});

test("the least numbers are the same on all threads", () => {
  for (let round = 0; round < 5; round++) {
    tf.tidy(() => {
      // Half of it is below the least normal number, which TensorFlow takes as 0.
      const x = tf.fill([20_000, 64], 1.2e-38);
      const y = biasedGelu(x, tf.zeros([64])).dataSync();
      assert.equal(new Set(y).size, 1);
    });
  }
});

const taskset = await new Deno.Command("taskset", { args: ["-V"] }).output()
  .then(({ success }) => success, () => false);

Deno.test({
  name: "values and statistics do not depend on the number of threads",
  ignore: ignore || !taskset || navigator.hardwareConcurrency < 2,
  fn: async () => {
    const code = `
      import { tf } from "./lib/tensorflow/mod.ts";
      import { normConv } from "./lib/nn/fused.ts";
      import { attention, matrixProduct } from "./lib/nn/kernels.ts";
      const show = async (...tensors) => {
        for (const t of tensors) {
          const bytes = new Uint8Array(t.dataSync().slice().buffer);
          console.log(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex());
        }
      };
      const wave = (...shape) => tf.sin(tf.range(0, shape.reduce((a, b) => a * b))).reshape(shape);
      for (const [m, k, n] of [[640, 300, 70], [5, 900, 33]]) {
        await show(...tf.grads((a, b) => tf.sum(tf.square(matrixProduct(a, b))))([wave(m, k), wave(k, n)]));
      }
      await show(tf.grad((x) => tf.sum(tf.square(attention([x], 0.3))))(wave(7, 10, 3, 4, 16)));
      for (const [n, h, w, c, f, k, stride] of [
        [9, 13, 11, 17, 33, 3, 1], [9, 12, 12, 32, 32, 3, 1],
        [9, 3, 3, 64, 64, 3, 1], [5, 48, 48, 3, 16, 3, 2], [4, 9, 9, 20, 7, 1, 2],
      ]) {
        const x = tf.sin(tf.range(0, n * h * w * c)).reshape([n, h, w, c]);
        const weights = tf.cos(tf.range(0, k * k * c * f)).reshape([k, k, c, f]);
        const { y, statistics } = normConv(x, weights, { stride, measure: true, passes: false });
        await show(y, ...statistics);
      }`;
    const printed = async (cores: string) => {
      const { stdout, success } = await new Deno.Command("taskset", {
        args: ["-c", cores, Deno.execPath(), "eval", "--no-check", code],
        stderr: "inherit",
      }).output();
      assert(success);
      return new TextDecoder().decode(stdout);
    };
    const one = await printed("0");
    assert.equal(one.trim().split("\n").length, 20);
    assert.equal(await printed("0,1"), one);
  },
});
