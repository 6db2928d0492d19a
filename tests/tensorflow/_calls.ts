/** Calls of the binding, right ones and such as are spoilt by a seeded generator. */
import {
  applyAdam,
  applyGradientDescent,
  applyMomentum,
  bytesToFloat,
  fromBytes,
  histogram,
  squareSum,
  statelessNormal,
  tf,
  Variable,
} from "../../lib/tensorflow/mod.ts";
import { modelOf } from "../../lib/models/mod.ts";
import { initialise } from "../../lib/nn/mod.ts";
import { type Attr, binding, DataType } from "../../lib/tensorflow/binding.ts";
import { lossOf, tensorsOf, tiny } from "../models/_tiny.ts";
import { cases } from "./_ops.ts";

/** What `executeOp` is called with. */
export interface Call {
  name: string;
  attrs: Attr[];
  inputs: number[];
  outputs: number;
}

/** Draws whole numbers below a bound, and items of lists. */
export class Draw {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }
  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(this.#state ^ this.#state >>> 15, this.#state | 1);
    t ^= t + Math.imul(t ^ t >>> 7, t | 61);
    return ((t ^ t >>> 14) >>> 0) % bound;
  }
  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }
}

/** Forward and back through a small net, by our own ops where they are. */
function trainNet(): void {
  const forward = modelOf({ ...tiny, depth: 1 });
  const tensors = tensorsOf(initialise(forward, [8, 8, 3], 1));
  const loss = lossOf(forward, tensors, (y) => squareSum([y]));
  tf.grads(loss)([tf.ones([2, 8, 8, 3]), ...Object.values(tensors.parameters)]);
}

/** The calls behind tfjs's ops and ours; their inputs stay alive. */
export function rightCalls(): Call[] {
  const calls: Call[] = [];
  const { executeOp, deleteTensor } = binding;
  binding.executeOp = (name, attrs, inputs, outputs) => {
    calls.push({ name, attrs: [...attrs], inputs: [...inputs], outputs });
    return executeOp(name, attrs, inputs, outputs);
  };
  binding.deleteTensor = () => {};
  try {
    for (const op of Object.values(cases)) tf.tidy(op);
    tf.tidy(trainNet);
    tf.tidy(() => {
      const [a, b, c] = [1, 2, 3].map((n) => new Variable(tf.fill([3], n)));
      const rate = tf.scalar(0.1), momentum = tf.scalar(0.5);
      const gradient = tf.tensor1d([1, 2, 3]);
      applyAdam({
        parameter: a,
        m: b,
        v: c,
        gradient,
        rate,
        beta1: momentum,
        beta2: momentum,
        eps: rate,
      });
      applyGradientDescent(a, gradient, rate);
      applyMomentum(a, b, gradient, { rate, momentum, nesterov: true });
      a.add(b.read());
      bytesToFloat(fromBytes(new Uint8Array(6), [2, 3]));
      squareSum([gradient, rate]);
      histogram(gradient, [0, 4], 5);
      statelessNormal([2, 3], tf.tensor1d([1, 2], "int32"));
    });
  } finally {
    Object.assign(binding, { executeOp, deleteTensor });
  }
  return calls;
}

const INTEGERS = [0, 1, -1, 2, 100, 2 ** 31 - 1, -(2 ** 31), 2 ** 40];
/** What is hardly ever right, wherever it stands. */
export const JUNK: readonly unknown[] = [
  ...[...INTEGERS, 2 ** 62, 0.5, -2.5, NaN, Infinity, -Infinity, 1e308],
  ...[undefined, null, true, "", "SAME", "NHWC", "\0", "é".repeat(300)],
  ...[1n, 2n ** 70n, {}, new Date(0), Symbol("s"), () => 1, new Map()],
  ...[[], [[]], [1, 2], [0, 0, 0, 0], [-1, 2], [2 ** 40, 2 ** 40], [1.5]],
  ...[[NaN], ["a"], [undefined], [1n], [{}], new Array(300).fill(1)],
  ...[new Float32Array(2), new BigInt64Array(1), new Uint8Array(0)],
];

const ARRAYS = {
  [DataType.FLOAT]: Float32Array,
  [DataType.DOUBLE]: Float64Array,
  [DataType.INT32]: Int32Array,
  [DataType.UINT8]: Uint8Array,
  [DataType.BOOL]: Uint8Array,
  [DataType.COMPLEX64]: Float32Array,
  [DataType.INT64]: BigInt64Array,
};

/** The id of a right tensor of any dtype, up to nine dimensions and some odd values. */
export function drawTensor(draw: Draw): number {
  const dtype = draw.of([1, 1, 1, 1, 3, 3, 2, 4, 7, 8, 9, 10]);
  const rank = draw.of([0, 1, 2, 3, 4, 5, 9]);
  const shape = Array.from(
    { length: rank },
    () => draw.below(rank > 5 ? 3 : 6),
  );
  const size = shape.reduce((a, b) => a * b, 1);
  if (dtype === DataType.STRING) {
    const strings = Array.from(
      { length: size },
      () => new Uint8Array(draw.below(30)),
    );
    return binding.createTensor(shape, dtype, strings);
  }
  const data = new ARRAYS[dtype as keyof typeof ARRAYS](
    dtype === DataType.COMPLEX64 ? 2 * size : size,
  );
  for (let i = 0; i < data.length; i++) {
    if (data instanceof BigInt64Array) data[i] = BigInt(draw.of(INTEGERS));
    else if (dtype === DataType.BOOL) data[i] = draw.below(2);
    else data[i] = draw.of([...INTEGERS, 3, 5, 0.5, NaN, Infinity]);
  }
  return binding.createTensor(shape, dtype, data);
}

/** A call with one to three things changed; `made` takes the new tensors' ids. */
export function spoil(
  right: Call,
  names: readonly string[],
  draw: Draw,
  made: number[],
): Call {
  const call = {
    ...right,
    attrs: right.attrs.map((attr) => ({ ...attr })),
    inputs: [...right.inputs],
  };
  const { attrs, inputs } = call;
  const tensor = () => {
    made.push(drawTensor(draw));
    return made.at(-1)!;
  };
  const anAttr = () => draw.of(attrs) as Attr | undefined;
  const changes: (() => void)[] = [
    ...new Array(4).fill(() => inputs[draw.below(inputs.length)] = tensor()),
    () => inputs.splice(draw.below(inputs.length + 1), 1),
    () => inputs.splice(draw.below(inputs.length + 1), 0, tensor()),
    () => inputs[draw.below(inputs.length)] = draw.of(JUNK) as number,
    () => attrs.splice(draw.below(attrs.length + 1), 1),
    () => Object.assign(anAttr() ?? {}, { value: draw.of(JUNK) }),
    () => Object.assign(anAttr() ?? {}, { type: draw.below(8) }),
    () => Object.assign(anAttr() ?? {}, { name: draw.of(["", "T", "N", "x"]) }),
    () => {
      const attr = anAttr();
      if (!attr) return;
      if (Array.isArray(attr.value)) {
        attr.value = attr.value.map((v) =>
          draw.below(3) ? v : draw.of(INTEGERS)
        );
      } else if (typeof attr.value === "boolean") attr.value = !attr.value;
      else if (typeof attr.value === "number") {
        attr.value = draw.of([...INTEGERS, 3, 4, 7, 8, 9, 10, 14, 19, 20]);
      }
    },
    () => call.name = draw.of([...names, "NoSuchOp", "Abort", "", "\0"]),
    () => call.outputs = draw.of(JUNK) as number,
  ];
  for (let i = draw.below(3); i >= 0; i--) draw.of(changes)();
  return call;
}
