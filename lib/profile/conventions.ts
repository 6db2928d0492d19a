/**
 * What the counting tools of PyTorch count, each with its own gaps: rules
 * that meet the tools' figures on the notes' models to the last digit.
 */
import type { Operation } from "../nn/mod.ts";

/** Where a layer stands to timm's Attention module. */
export type Place = "selfAttention" | "inSelfAttention" | "elsewhere";

type Rule = (operation: Operation, place: Place) => number;

interface Counting {
  /** The tool and its version. */
  tool: string;
  operations: Rule;
  /** Added to the total, and to no module. */
  outside?: Rule;
}

/** timm's own LayerNorm, told by its eps; some tools know PyTorch's alone. */
const isTimmNorm = ({ eps }: Operation) => eps === 1e-6;

/** Multiply-adds of convolutions and linear layers. */
const products = (o: Operation) =>
  o.kind === "conv" || o.kind === "linear" ? o.multiplyAdds! : 0;
const classAttention = (o: Operation) =>
  o.kind === "classAttention" ? o.multiplyAdds! : 0;
const selfAttention = (o: Operation) =>
  o.kind === "selfAttention" ? o.multiplyAdds! : 0;
/** One addition a value of a linear layer with bias. */
const biases = (o: Operation) => o.bias ? o.elements : 0;
const activations = (o: Operation) =>
  o.kind === "prelu" || o.kind === "relu" || o.kind === "gelu" ? o.elements : 0;

const macs: Rule = (o) => products(o) + classAttention(o) + selfAttention(o);

/** Nothing for GELU, softmax, attention products, sums. */
const thop: Rule = (o) => {
  if (o.kind === "batchNorm") return 4 * o.elements;
  if (o.kind === "layerNorm") return isTimmNorm(o) ? 0 : 4 * o.elements;
  return o.kind === "prelu" ? o.elements : products(o);
};

/** Whether thop has a rule for the layer, without which it sees no parameters. */
export function hasThopRule(o: Operation): boolean {
  return o.kind === "conv" || o.kind === "linear" || o.kind === "batchNorm" ||
    o.kind === "prelu" || (o.kind === "layerNorm" && !isTimmNorm(o));
}

/** torch's fused attention counts as nothing. */
const fvcore: Rule = (o) => {
  if (o.kind === "batchNorm") return 2 * o.elements;
  if (o.kind === "layerNorm") return 5 * o.elements;
  return products(o) + classAttention(o);
};

/**
 * timm's Attention has a formula of its own (scaled q, both products,
 * softmax), and the layers within it are lost; products of the cls token's
 * attention and its softmax are not seen.
 */
const ptflops: Rule = (o, place) => {
  if (place === "inSelfAttention") return 0;
  switch (o.kind) {
    case "conv":
    case "linear":
      return products(o) + biases(o);
    case "batchNorm":
      return 2 * o.elements;
    case "layerNorm":
      return isTimmNorm(o) ? 0 : o.elements;
    case "selfAttention":
      return selfAttention(o) + o.elements;
    case "softmax":
      return place === "selfAttention" ? o.elements : 0;
    default:
      return activations(o);
  }
};

const aten: Rule = (o) => products(o) + biases(o) + classAttention(o);

/** The conventions by name; "explicit" is with the fused attention off. */
export const CONVENTIONS = {
  macs: {
    tool: "convolutions, linear layers, attention products",
    operations: macs,
  },
  thop: {
    tool: "thop 0.1.1",
    operations: thop,
  },
  fvcore: {
    tool: "fvcore 0.1.5",
    operations: fvcore,
  },
  fvcoreExplicit: {
    tool: "fvcore 0.1.5, explicit attention",
    operations: (o) => fvcore(o, "elsewhere") + selfAttention(o),
  },
  ptflops: {
    tool: "ptflops 0.7.5, pytorch",
    operations: ptflops,
    // Counted as modules and again as the functions that those call.
    outside: activations,
  },
  ptflopsAten: {
    tool: "ptflops 0.7.5, aten",
    operations: aten,
  },
  ptflopsAtenExplicit: {
    tool: "ptflops 0.7.5, aten, explicit attention",
    operations: (o) => aten(o, "elsewhere") + selfAttention(o),
  },
  torch: {
    tool: "torch.utils.flop_counter 2.15",
    operations: (o) => 2 * macs(o, "elsewhere"),
  },
} satisfies Record<string, Counting> as Record<
  | "macs"
  | "thop"
  | "fvcore"
  | "fvcoreExplicit"
  | "ptflops"
  | "ptflopsAten"
  | "ptflopsAtenExplicit"
  | "torch",
  Counting
>;

export type Convention = keyof typeof CONVENTIONS;
