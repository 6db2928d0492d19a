/** Gradients that tfjs gives wrongly or not at all, after PyTorch's. */
import type * as tfjs from "@tensorflow/tfjs";
import { type Attr, AttrType, binding } from "./binding.ts";
import { caller } from "./caller.ts";

type Tf = typeof tfjs;
type Tensor = tfjs.Tensor;
type Thunks = Record<string, () => Tensor>;
type Gradient = (
  dy: Tensor,
  saved: Tensor[],
  attrs: Record<string, unknown>,
) => Thunks;

/** The tape of tfjs's engine, as far as it is used here. */
interface Engine {
  state: { activeTape?: unknown[] };
  addTapeNode(
    kernel: string,
    inputs: Record<string, Tensor>,
    outputs: Tensor[],
    gradient: unknown,
    saved: Tensor[],
    attrs: unknown,
  ): void;
}

/** The parameter that a model asked for last, and the tape that it was for. */
let asked: { name: string; tape: unknown } | undefined;
let engine: Engine;

/** Says which parameter a model uses next, for the error of an op without a gradient. */
export function noteParameter(name: string): void {
  asked = { name, tape: engine.state.activeTape };
}

/**
 * Keeps whole numbers and booleans off the tape, which carry no gradient, and
 * gives an op without a gradient an error that names it, its layer and line.
 */
function watchTape(tf: Tf): void {
  engine = tf.engine() as unknown as Engine;
  const add = engine.addTapeNode.bind(engine);
  engine.addTapeNode = (kernel, inputs, outputs, gradient, saved, attrs) => {
    if (outputs.every((o) => /bool|int32|string/.test(o.dtype))) {
      tf.dispose(saved);
      return;
    }
    if (!gradient && !tf.getGradient(kernel)) {
      const { name, place } = caller() ?? {};
      const layer = asked?.tape === engine.state.activeTape &&
        `after parameter ${asked!.name}`;
      const where = [name, place, layer].filter(Boolean).join(", ");
      gradient = () => {
        throw new Error(
          `op ${kernel} (${where}) has no gradient: compose it of other ops, or give it one with tf.customGrad`,
        );
      };
    }
    add(kernel, inputs, outputs, gradient, saved, attrs);
  };
}

/** Puts right what tfjs differentiates wrongly, on whatever backend runs it. */
export function mendGradients(tf: Tf): void {
  watchTape(tf);

  /** A gradient summed over the axes along which its input was repeated. */
  const folded = (gradient: Tensor, shape: number[]): Tensor => {
    const axes = tf.broadcast_util.getReductionAxes(shape, gradient.shape);
    return axes.length ? tf.reshape(tf.sum(gradient, axes), shape) : gradient;
  };
  const numbers = (mask: Tensor) => tf.cast(mask, "float32");
  const define = (
    kernelName: string,
    gradient: Gradient,
    inputsToSave = ["a", "b"],
    outputsToSave?: boolean[],
  ) =>
    tf.registerGradient({
      kernelName,
      inputsToSave,
      outputsToSave,
      gradFunc: gradient as unknown as tfjs.GradFunc,
    });

  // torch.amax and amin: the largest values share the gradient evenly.
  const shared = (axisName: string): Gradient => (dy, [x, y], attrs) => ({
    x: () => {
      const axes = tf.util.parseAxisParam(
        attrs[axisName] as number | number[],
        x.shape,
      );
      const kept = x.shape.map((size, axis) => axes.includes(axis) ? 1 : size);
      const chosen = numbers(tf.equal(x, tf.reshape(y, kept)));
      const share = tf.div(tf.reshape(dy, kept), tf.sum(chosen, axes, true));
      return tf.mul(chosen, share);
    },
  });
  define("Max", shared("reductionIndices"), ["x"], [true]);
  define("Min", shared("axis"), ["x"], [true]);

  // torch.maximum and minimum: half to each where both are equal.
  const chosen = (first: typeof tf.greater): Gradient => (dy, [a, b]) => {
    const half = () => tf.mul(numbers(tf.equal(a, b)), 0.5);
    const part = (x: Tensor, y: Tensor) => () =>
      folded(tf.mul(dy, tf.add(numbers(first(x, y)), half())), x.shape);
    return { a: part(a, b), b: part(b, a) };
  };
  define("Maximum", chosen(tf.greater));
  define("Minimum", chosen(tf.less));

  define("SquaredDifference", (dy, [a, b]) => {
    const slope = () => tf.mul(dy, tf.mul(tf.sub(a, b), 2));
    return {
      a: () => folded(slope(), a.shape),
      b: () => folded(tf.neg(slope()), b.shape),
    };
  });

  define("BatchMatMul", (dy, [a, b], { transposeA, transposeB }) => ({
    a: () =>
      folded(
        transposeA
          ? tf.matMul(b, dy, transposeB as boolean, true)
          : tf.matMul(dy, b, false, !transposeB),
        a.shape,
      ),
    b: () =>
      folded(
        transposeB
          ? tf.matMul(dy, a, true, transposeA as boolean)
          : tf.matMul(a, dy, !transposeA, false),
        b.shape,
      ),
  }));

  // A step function: torch.floor_divide has no gradient, TensorFlow's is 0.
  define("FloorDiv", (_, [a, b]) => ({
    a: () => tf.zerosLike(a),
    b: () => tf.zerosLike(b),
  }));

  // 0 at both ends, as torch.nn.functional.relu6.
  define(
    "Relu6",
    (dy, [x]) => ({
      x: () =>
        tf.mul(dy, numbers(tf.logicalAnd(tf.greater(x, 0), tf.less(x, 6)))),
    }),
    ["x"],
  );

  // No gradient to the base where the exponent is 0, not 0·∞.
  const { gradFunc: powGradient } = tf.getGradient("Pow");
  define(
    "Pow",
    (dy, saved, attrs) => {
      const [a, b] = saved;
      return {
        ...powGradient(dy, saved, attrs as unknown as tfjs.NamedAttrMap),
        a: () => {
          const slope = tf.mul(b, tf.pow(a, tf.sub(b, 1)));
          return folded(
            tf.mul(dy, tf.where(tf.equal(b, 0), 0, slope)),
            a.shape,
          );
        },
      };
    },
    ["a", "b"],
    [true],
  );

  const { gradFunc: prodGradient } = tf.getGradient("Prod");
  define("Prod", (dy, saved, attrs) => {
    const axis = tf.util.parseAxisParam(attrs.axis as number, saved[0].shape);
    return prodGradient(dy, saved, { axis });
  }, ["x"]);

  // tfjs transposes it where the axis is not the last.
  define("Cumsum", (dy, _, { axis, exclusive, reverse }) => ({
    x: () =>
      tf.cumsum(dy, axis as number, exclusive as boolean, !reverse as boolean),
  }), []);

  mendMirrorPad(tf, define);
  mendResize(tf);
  mendGather(tf);
}

interface Runner {
  executeSingleOutput(name: string, attrs: Attr[], x: Tensor[]): Tensor;
}
const type = (name: string, value: number): Attr => ({
  name,
  type: AttrType.TYPE,
  value,
});

/** tfjs drops the gradient of the mirrored values. */
function mendMirrorPad(
  tf: Tf,
  define: (name: string, gradient: Gradient, saved: string[]) => void,
): void {
  interface Padding {
    paddings: [number, number][];
    mode: "reflect" | "symmetric";
  }
  tf.registerKernel({
    kernelName: "FerlabMirrorPadGrad",
    backendName: "tensorflow",
    kernelFunc: ({ inputs, attrs, backend }) => {
      const { paddings, mode } = attrs as unknown as Padding;
      return tf.tidy(() =>
        (backend as unknown as Runner).executeSingleOutput("MirrorPadGrad", [
          type("T", binding.TF_FLOAT),
          type("Tpaddings", binding.TF_INT32),
          { name: "mode", type: AttrType.STRING, value: mode.toUpperCase() },
        ], [
          inputs.dy as Tensor,
          tf.tensor2d(paddings, [paddings.length, 2], "int32"),
        ])
      );
    },
  });
  define("FerlabMirrorPadGrad", (ddy, _, attrs) => {
    const { paddings, mode } = attrs as unknown as Padding;
    return { dy: () => tf.mirrorPad(ddy, paddings, mode) };
  }, []);
  define("MirrorPad", (dy, _, attrs) => ({
    x: () =>
      tf.engine().runKernel(
        "FerlabMirrorPadGrad",
        { dy },
        attrs as unknown as tfjs.NamedAttrMap,
      ) as Tensor,
  }), []);
}

/** tfjs-node forgets `halfPixelCenters` on the way back. */
function mendResize(tf: Tf): void {
  const second = {
    ResizeBilinearGrad: (images: Tensor) => images,
    ResizeNearestNeighborGrad: ({ shape }: Tensor) =>
      tf.tensor1d(shape.slice(1, 3), "int32"),
  };
  for (const [kernelName, secondOf] of Object.entries(second)) {
    tf.unregisterKernel(kernelName, "tensorflow");
    tf.registerKernel({
      kernelName,
      backendName: "tensorflow",
      kernelFunc: ({ inputs, attrs, backend }) => {
        const { dy, images } = inputs as Record<string, Tensor>;
        const flag = (name: string, value: unknown): Attr => ({
          name,
          type: AttrType.BOOL,
          value,
        });
        return tf.tidy(() =>
          (backend as unknown as Runner).executeSingleOutput(kernelName, [
            type("T", binding.TF_FLOAT),
            flag("align_corners", attrs!.alignCorners),
            flag("half_pixel_centers", attrs!.halfPixelCenters),
          ], [dy, secondOf(images)])
        );
      },
    });
  }
}

/** tfjs-node looks for the size of axis −1 and finds none. */
function mendGather(tf: Tf): void {
  const kernel = tf.getKernel("GatherV2", "tensorflow");
  tf.unregisterKernel("GatherV2", "tensorflow");
  tf.registerKernel({
    ...kernel,
    kernelFunc: (args) => {
      const { shape } = args.inputs.x as Tensor;
      const [axis] = tf.util.parseAxisParam(args.attrs!.axis as number, shape);
      return kernel.kernelFunc({ ...args, attrs: { ...args.attrs, axis } });
    },
  });
}
