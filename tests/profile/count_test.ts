import assert from "node:assert/strict";
import { modelOf } from "../../lib/models/mod.ts";
import { inspect } from "../../lib/nn/mod.ts";
import { handleCount } from "../../lib/tensorflow/mod.ts";
import {
  type Convention,
  costOf,
  count,
  type Counted,
  countTable,
  flops,
  parameters,
} from "../../lib/profile/mod.ts";
import { recipes } from "../../lib/train/mod.ts";
import { full } from "../models/_tiny.ts";

interface Expected {
  input: [number, number, number, number];
}
const fixture = JSON.parse(
  await Deno.readTextFile(
    new URL("../fixtures/counts.json", import.meta.url).pathname,
  ),
) as {
  models: Record<string, {
    published: { G: number; M: number; depth: number } | null;
    counts: Record<string, Expected>;
  }>;
};

const cls = { model: "cls" as const };
const before = { ...cls, patches: "catBeforeMlp" as const };
const after = { ...cls, patches: "catAfterMlp" as const };
const at224 = { stemStride: 2 as const };
const stage3 = { layers: [3, 4, 14, 1] };
const extras = { layerScale: 1e-5, seHead: true };

/** What each model of the fixture sets. */
const models: Record<string, Partial<Parameters<typeof modelOf>[0]>> = {
  baseline_224: at224,
  baseline_112: {},
  cls_224: { ...cls, ...at224 },
  cls_112: cls,
  cls_keep_after_112: after,
  cls_keep_before_112: before,
  stage3_baseline_qk_norm: { ...stage3, qkNorm: true },
  stage3_cls_only: { ...stage3, ...cls },
  stage3_cat_before_mlp: { ...stage3, ...before },
  stage3_cat_after_mlp: { ...stage3, ...after },
  stage3_baseline_qk_norm_layerscale_se: { ...stage3, ...extras, qkNorm: true },
  stage3_cat_after_mlp_layerscale_se: { ...stage3, ...extras, ...after },
};

const build = (name: string, depth: number) =>
  modelOf({ ...full, ...models[name], depth });

/** The sum of a field over all operations of these kinds. */
function sum(
  { layers }: Counted,
  field: "elements" | "multiplyAdds",
  ...kinds: string[]
): number {
  return layers.flatMap((l) => l.operations)
    .filter((o) => kinds.includes(o.kind))
    .reduce((total, o) => total + (o[field] ?? 0), 0);
}

/** A convention's figures as the fixture words them. */
function figures(counted: Counted, convention: Convention, total: string) {
  const { total: all, modules } = flops(counted, convention);
  return { [total]: all, per_module: modules };
}

const numberOf = ({ layers }: Counted, kind: string) =>
  layers.filter((l) => l.operations.some((o) => o.kind === kind)).length;

/** Everything that the fixture says of a model, by our count. */
function ours(counted: Counted, ndim: number) {
  const thop = flops(counted, "thop");
  const thopParameters = parameters(counted, "thop");
  const attentions = numberOf(counted, "selfAttention");
  const [batch, height, width, channels] = counted.input;
  const fvcore = figures(counted, "fvcore", "flops");
  const pytorch = figures(counted, "ptflops", "macs");
  const params = counted.parameters;
  const aten = { macs: flops(counted, "ptflopsAten").total, params };
  const operator = {
    conv: sum(counted, "multiplyAdds", "conv"),
    batch_norm: 2 * sum(counted, "elements", "batchNorm"),
    layer_norm: 5 * sum(counted, "elements", "layerNorm"),
    linear: sum(counted, "multiplyAdds", "linear"),
  };
  const matmul = sum(counted, "multiplyAdds", "selfAttention") +
    sum(counted, "multiplyAdds", "classAttention");
  const lost = counted.layers
    .filter((l) => attentions && /\.attn\.(qkv|proj)$/.test(l.name))
    .flatMap((l) => l.operations)
    .reduce((n, o) => n + o.multiplyAdds!, 0);
  return {
    input: [batch, channels, height, width],
    params,
    params_ndim_gt_1: ndim,
    // PyTorch's BatchNorm also counts its batches.
    buffers: counted.buffers + numberOf(counted, "batchNorm"),
    thop: {
      ops: thop.total,
      params: thopParameters.total,
      per_module_ops: thop.modules,
      per_module_params: thopParameters.modules,
    },
    fvcore: {
      default: {
        ...fvcore,
        by_operator: attentions ? operator : { ...operator, matmul },
        unsupported_ops: attentions
          ? { "aten::scaled_dot_product_attention": attentions }
          : {},
      },
      ...(attentions && {
        explicit_attention: {
          ...figures(counted, "fvcoreExplicit", "flops"),
          by_operator: { ...operator, matmul },
          unsupported_ops: {},
        },
      }),
    },
    ptflops: {
      pytorch: {
        ...pytorch,
        params,
        outside_modules: flops(counted, "ptflops").outside,
        linear_macs_lost_inside_timm_attention: lost,
      },
      aten,
      ...(attentions && {
        aten_explicit_attention: {
          macs: flops(counted, "ptflopsAtenExplicit").total,
        },
      }),
    },
    torch_flop_counter: { flops: flops(counted, "torch").total },
    true_params_per_module: parameters(counted).modules,
    breakdown: {
      conv_macs: sum(counted, "multiplyAdds", "conv"),
      linear_macs: sum(counted, "multiplyAdds", "linear"),
      batchnorm_elements: sum(counted, "elements", "batchNorm"),
      layernorm_elements: sum(counted, "elements", "layerNorm"),
      prelu_elements: sum(counted, "elements", "prelu"),
      gelu_elements: sum(counted, "elements", "gelu"),
      attention_macs: matmul,
      softmax_elements: sum(counted, "elements", "softmax"),
      conv_linear_attention_macs: flops(counted, "macs").total,
    },
  };
}

for (const [name, model] of Object.entries(fixture.models)) {
  Deno.test(`${name} counts as thop, fvcore, ptflops and torch count it`, () => {
    assert.ok(Object.keys(model.counts).length > 0);
    for (const [depth, expected] of Object.entries(model.counts)) {
      const forward = build(name, Number(depth));
      const [, channels, height, width] = expected.input;
      const shape: [number, number, number] = [height, width, channels];
      const many = inspect(forward, [1, ...shape]).parameters
        .filter((p) => p.shape.length > 1)
        .reduce((n, p) => n + p.shape.reduce((a, b) => a * b), 0);
      const counted = count(forward, shape);
      assert.deepEqual(ours(counted, many), expected, `depth ${depth}`);
      if (model.published?.depth === Number(depth)) {
        const round = (n: number, unit: number) =>
          Number((n / unit).toFixed(3));
        assert.equal(
          round(flops(counted, "thop").total, 1e9),
          model.published.G,
        );
        assert.equal(
          round(parameters(counted, "thop").total, 1e6),
          model.published.M,
        );
      }
    }
  });
}

Deno.test("the fixture holds every model of the study that is built here", () => {
  assert.deepEqual(Object.keys(fixture.models), Object.keys(models));
});

Deno.test("counting computes nothing, holds nothing and scales with the batch", () => {
  const forward = build("baseline_112", 8);
  const handles = handleCount();
  const one = count(forward, [112, 112, 3]);
  // Half an hour's work and 70 GB of activations, were it computed.
  const many = count(forward, [112, 112, 3], { batch: 1000 });
  assert.equal(handleCount(), handles);
  assert.equal(flops(many, "macs").total, 1000 * flops(one, "macs").total);
  assert.equal(many.parameters, one.parameters);
});

Deno.test("the table has a row a module and their sum", () => {
  const counted = count(build("cls_112", 2), [112, 112, 3]);
  const rows = countTable(counted, ["thop", "ptflops"]);
  assert.deepEqual(rows.find((r) => r.module === "blocks.0"), {
    module: "blocks.0",
    parameters: 3150848,
    thop: 0.028940288,
    ptflops: 0.028867072,
  });
  assert.deepEqual(rows.find((r) => r.module === "cls_token"), {
    module: "cls_token",
    parameters: 512,
    thop: 0,
    ptflops: 0,
  });
  assert.deepEqual(rows.at(-1), {
    module: "total",
    parameters: 37075655,
    thop: 6.366012928,
    ptflops: 6.352798215,
  });
});

Deno.test("the full models cost what the notes print, and keeping the patches more", () => {
  const published = { ...recipes.full, size: 224, stemStride: 2 as const };
  const [base, cls, after, before] = [
    { model: "baseline" as const },
    { model: "cls" as const, patches: "dropped" as const },
    { model: "cls" as const, patches: "catAfterMlp" as const },
    { model: "cls" as const, patches: "catBeforeMlp" as const },
  ].map((fields) => costOf({ ...published, ...fields }, { batch: 2 }));
  const giga = (n: number) => (n / 1e9).toFixed(3);
  assert.deepEqual([base.thop, cls.thop].map(giga), ["7.594", "6.385"]);
  assert.deepEqual([after.thop, before.thop].map(giga), ["6.566", "7.388"]);
  assert.equal((base.thopParameters / 1e6).toFixed(3), "55.954");
  assert.equal((cls.thopParameters / 1e6).toFixed(3), "55.955");
  assert.deepEqual([base.parameters, cls.parameters], [55_980_743, 55_980_743]);
  assert.ok(cls.trainingMemory < base.trainingMemory);
});
