/**
 * A trained net as an ONNX file: the models of `lib/models` in evaluation, node
 * by node, over PyTorch's names and layout (NCHW).
 */
import type { Patches } from "../models/mod.ts";
import { fromTorch } from "../nn/mod.ts";
import { OnnxGraph } from "../weights/mod.ts";
import type { TrainedNet } from "./net.ts";

/** The batch, which is free. */
const BATCH = "batch";

/** Where a layer finds its tensors: the net's, under a prefix. */
class Part {
  constructor(
    readonly graph: OnnxGraph,
    readonly net: TrainedNet,
    readonly prefix = "",
  ) {}

  within(name: string): Part {
    return new Part(this.graph, this.net, `${this.prefix}${name}.`);
  }

  /** A parameter or statistic, with another shape where one is given. */
  tensor(name: string, shape?: readonly number[]): string {
    const { data, shape: own } = this.net.tensors.get(this.prefix + name)!;
    return this.graph.tensor(
      this.prefix + name,
      data as Float32Array,
      shape ?? own,
    );
  }

  /** The weight of a linear layer, [in, out]. */
  transposed(): string {
    const { data, shape } = this.net.tensors.get(`${this.prefix}weight`)!;
    const ours = fromTorch(data as Float32Array, shape, "linear");
    return this.graph.tensor(`${this.prefix}weight.T`, ours.data, ours.shape);
  }

  shapeOf(name: string): number[] {
    return this.net.tensors.get(this.prefix + name)!.shape;
  }
}

const add = ({ graph }: Part, a: string, b: string) =>
  graph.node("Add", [a, b]);
const reshaped = ({ graph }: Part, x: string, shape: number[]) =>
  graph.node("Reshape", [x, graph.whole(shape)]);
const permuted = ({ graph }: Part, x: string, perm: number[]) =>
  graph.node("Transpose", [x], { perm: { ints: perm } });

/** Tokens `from` up to `to` of x [B, N, D]. */
const sliced = ({ graph }: Part, x: string, from: number, to: number) =>
  graph.node("Slice", [
    x,
    ...[[from], [to], [1]].map((list) => graph.whole(list)),
  ]);

function conv(at: Part, x: string, stride = 1): string {
  const [, , kernel] = at.shapeOf("weight");
  const pad = (kernel - 1) / 2;
  return at.graph.node("Conv", [x, at.tensor("weight")], {
    pads: { ints: [pad, pad, pad, pad] },
    strides: { ints: [stride, stride] },
  });
}

const batchNorm = (at: Part, x: string) =>
  at.graph.node("BatchNormalization", [
    x,
    ...["weight", "bias", "running_mean", "running_var"]
      .map((name) => at.tensor(name)),
  ], { epsilon: { float: 1e-5 } });

const prelu = (at: Part, x: string) =>
  at.graph.node("PRelu", [
    x,
    at.tensor("weight", [...at.shapeOf("weight"), 1, 1]),
  ]);

const layerNorm = (at: Part, x: string, eps = 1e-5) =>
  at.graph.node(
    "LayerNormalization",
    [x, at.tensor("weight"), at.tensor("bias")],
    { axis: { int: -1 }, epsilon: { float: eps } },
  );

function linear(at: Part, x: string, { bias = true } = {}): string {
  const y = at.graph.node("MatMul", [x, at.transposed()]);
  return bias ? add(at, y, at.tensor("bias")) : y;
}

/** x/2 · (1 + erf(x/√2)) (arXiv 1606.08415). */
function gelu(at: Part, x: string): string {
  const { graph } = at;
  const erf = graph.node("Erf", [
    graph.node("Mul", [x, graph.number(Math.SQRT1_2)]),
  ]);
  const half = graph.node("Mul", [x, graph.number(0.5)]);
  return graph.node("Mul", [half, add(at, erf, graph.number(1))]);
}

const mlp = (at: Part, x: string) =>
  linear(at.within("fc2"), gelu(at, linear(at.within("fc1"), x)));

/** softmax(q·kᵀ·factor)·v, projected; q, k, v are [B, heads, M or N, d]. */
function attend(at: Part, q: string, k: string, v: string, queries: number) {
  const { graph, net: { recipe } } = at;
  const size = recipe.dim / recipe.heads;
  if (recipe.qkNorm) {
    q = layerNorm(at.within("q_norm"), q);
    k = layerNorm(at.within("k_norm"), k);
  }
  const inverse = recipe.model === "cls" && recipe.scale === "inverse";
  const factor = graph.number(size ** (inverse ? 0.5 : -0.5));
  const logits = graph.node("MatMul", [
    graph.node("Mul", [q, factor]),
    permuted(at, k, [0, 1, 3, 2]),
  ]);
  const weights = graph.node("Softmax", [logits], { axis: { int: -1 } });
  const mixed = graph.node("MatMul", [weights, v]);
  const joined = permuted(at, mixed, [0, 2, 1, 3]);
  const flat = reshaped(at, joined, [0, queries, recipe.dim]);
  return linear(at.within("proj"), flat);
}

function selfAttention(at: Part, x: string, n: number): string {
  const { graph, net: { recipe: { dim, heads } } } = at;
  const qkv = linear(at.within("qkv"), x, { bias: false });
  const parts = permuted(
    at,
    reshaped(at, qkv, [0, n, 3, heads, dim / heads]),
    [2, 0, 3, 1, 4],
  );
  const [q, k, v] = [0, 1, 2].map((i) => {
    const index = graph.tensor(`index_${i}`, BigInt64Array.of(BigInt(i)), []);
    return graph.node("Gather", [parts, index], { axis: { int: 0 } });
  });
  return attend(at, q, k, v, n);
}

function classAttention(at: Part, x: string, n: number): string {
  const { dim, heads } = at.net.recipe;
  const part = (name: string, from: string, count: number) => {
    const y = linear(at.within(name), from, { bias: false });
    const split = reshaped(at, y, [0, count, heads, dim / heads]);
    return permuted(at, split, [0, 2, 1, 3]);
  };
  const q = part("wq", firstToken(at, x), 1);
  return attend(at, q, part("wk", x, n), part("wv", x, n), 1);
}

const firstToken = (at: Part, x: string) => sliced(at, x, 0, 1);
const patchesOf = (at: Part, x: string, n: number) => sliced(at, x, 1, n);

/** What a block adds to its tokens, behind LayerScale. */
const branch = (at: Part, y: string, part: 1 | 2) =>
  at.net.recipe.layerScale > 0
    ? at.graph.node("Mul", [y, at.within(`ls${part}`).tensor("gamma")])
    : y;

/** norm, MLP and sum of x. */
const mlpBranch = (at: Part, x: string) =>
  add(
    at,
    x,
    branch(at, mlp(at.within("mlp"), layerNorm(at.within("norm2"), x)), 2),
  );

const concat = (at: Part, parts: string[]) =>
  at.graph.node("Concat", parts, { axis: { int: 1 } });

/** The blocks of each model: tokens and how many they are, before and behind. */
type Block = (at: Part, x: string, n: number) => { x: string; n: number };

const baselineBlock: Block = (at, x, n) => {
  const normed = layerNorm(at.within("norm1"), x);
  const y = selfAttention(at.within("attn"), normed, n);
  return { x: mlpBranch(at, add(at, x, branch(at, y, 1))), n };
};

const clsBlock: Block = (at, x, n) => {
  const patches: Patches = at.net.recipe.patches;
  const normed = layerNorm(at.within("norm1"), x);
  const y = classAttention(at.within("attn"), normed, n);
  let z = add(at, firstToken(at, x), branch(at, y, 1));
  if (patches === "catBeforeMlp") z = concat(at, [z, patchesOf(at, x, n)]);
  z = mlpBranch(at, z);
  if (patches === "catAfterMlp") z = concat(at, [z, patchesOf(at, x, n)]);
  return { x: z, n: patches === "dropped" ? 1 : n };
};

const meanPoolBlock: Block = (at, x, n) => ({ x: mlpBranch(at, x), n });

const BLOCKS = {
  baseline: baselineBlock,
  cls: clsBlock,
  meanPool: meanPoolBlock,
};

/** Images [B, C, H, W] to a map [B, C, h, w], and its side. */
function ir50(at: Part, images: string): { map: string; side: number } {
  const { size, stemStride, widths, layers } = at.net.recipe;
  let side = Math.ceil(size / stemStride);
  const stem = conv(at.within("conv1"), images, stemStride);
  let x = prelu(at.within("prelu"), batchNorm(at.within("bn1"), stem));
  widths.forEach((_, i) => {
    for (let j = 0; j < layers[i]; j++) {
      x = unit(at.within(`layer${i + 1}`).within(String(j)), x, j === 0);
    }
    side = Math.ceil(side / 2);
  });
  return { map: x, side };
}

function unit(at: Part, x: string, first: boolean): string {
  const stride = first ? 2 : 1;
  const inner = conv(at.within("conv1"), batchNorm(at.within("bn1"), x));
  const active = prelu(at.within("prelu"), batchNorm(at.within("bn2"), inner));
  const outer = conv(at.within("conv2"), active, stride);
  const y = batchNorm(at.within("bn3"), outer);
  if (!first) return add(at, y, x);
  const down = at.within("downsample");
  return add(
    at,
    y,
    batchNorm(down.within("1"), conv(down.within("0"), x, stride)),
  );
}

/** The tokens before the blocks, and how many they are. */
function tokens(at: Part, map: string, side: number) {
  const { graph, net: { recipe: { model, widths } } } = at;
  const dim = widths[3];
  if (model === "meanPool") {
    const mean = graph.node("ReduceMean", [map], {
      axes: { ints: [2, 3] },
      keepdims: { int: 0 },
    });
    return { x: reshaped(at, mean, [0, 1, dim]), n: 1 };
  }
  const n = side * side;
  const patches = permuted(at, reshaped(at, map, [0, dim, n]), [0, 2, 1]);
  const batch = graph.node("Shape", [patches], {
    start: { int: 0 },
    end: { int: 1 },
  });
  const shape = graph.node("Concat", [batch, graph.whole([1, dim])], {
    axis: { int: 0 },
  });
  const cls = graph.node("Expand", [at.tensor("cls_token"), shape]);
  const all = concat(at, [cls, patches]);
  return { x: add(at, all, at.tensor("pos_embed")), n: n + 1 };
}

/** Final norm, then the logits of the first token. */
function head(at: Part, x: string): string {
  const { graph, net: { recipe: { model, qkNorm, seHead, dim } } } = at;
  const eps = model === "baseline" && !qkNorm ? 1e-6 : 1e-5;
  const normed = layerNorm(at.within("norm"), x, eps);
  let token = reshaped(at, firstToken(at, normed), [0, dim]);
  if (seHead) {
    const se = at.within("se");
    const h = graph.node("Relu", [linear(se.within("linear1"), token)]);
    const gate = graph.node("Sigmoid", [linear(se.within("linear2"), h)]);
    token = graph.node("Mul", [token, gate]);
  }
  return linear(at.within("head"), token);
}

/**
 * The net as ONNX (operators of version 17). Input `images`, float32 `[batch,
 * channels, size, size]`: RGB or gray values over 255, normalised within the
 * graph; output `logits`, float32 `[batch, classes]`, before the softmax. The
 * batch is free. The classes' names, the recipe and what the input is stand in
 * the file's metadata (`classes` and `recipe` as JSON, `input`).
 */
export async function onnxOf(net: TrainedNet): Promise<Uint8Array> {
  const { recipe, channels, classes, gray } = net;
  const { size, depth, model, normalise: { mean, std } } = recipe;
  const graph = new OnnxGraph();
  const at = new Part(graph, net);
  let images = "images";
  if (mean !== 0 || std !== 1) {
    const centred = graph.node("Sub", [images, graph.number(mean)]);
    images = graph.node("Div", [centred, graph.number(std)]);
  }
  const { map, side } = ir50(at.within("irback"), images);
  let { x, n } = tokens(at, map, side);
  for (let i = 0; i < depth; i++) {
    ({ x, n } = BLOCKS[model](at.within(`blocks.${i}`), x, n));
  }
  graph.output("logits", head(at, x));
  const colours = channels === 1
    ? "gray"
    : gray
    ? "RGB, trained on gray images (R = G = B)"
    : "RGB";
  return await graph.bytes({
    inputs: [{ name: "images", shape: [BATCH, channels, size, size] }],
    outputs: [{ name: "logits", shape: [BATCH, classes.length] }],
    about: `FERLab ${model}, ${size} px; classes: ${classes.join(", ")}`,
    metadata: {
      classes: JSON.stringify(classes),
      input:
        `${colours}, values over 255, [batch, ${channels}, ${size}, ${size}]`,
      recipe: JSON.stringify(recipe),
    },
  });
}
