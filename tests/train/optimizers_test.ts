/** The optimizers against PyTorch's vectors, and who of the parameters decays. */
import assert from "node:assert/strict";
import {
  type Forward,
  fromTorch,
  initialise,
  linear,
  type ModelState,
} from "../../lib/nn/mod.ts";
import { tf } from "../../lib/tensorflow/mod.ts";
import { crossEntropy } from "../../lib/train/losses.ts";
import { epsWarning } from "../../lib/train/optimizers.ts";
import { parseRecipe, type Recipe } from "../../lib/train/recipe.ts";
import { squareRootRule } from "../../lib/train/square_root.ts";
import { gradientsOf, stepRates, update } from "../../lib/train/step.ts";
import {
  disposeVariables,
  saveVariables,
  type Variables,
  variablesOf,
} from "../../lib/train/variables.ts";
import { distance, fixture } from "../models/_tiny.ts";

interface Config {
  optimizer: string;
  lr: number;
  betas?: [number, number];
  eps?: number;
  weight_decay?: number;
  amsgrad?: boolean;
  momentum?: number;
  nesterov?: boolean;
  dampening?: number;
  rho?: number;
  adaptive?: boolean;
  loss_before_step?: number[];
}

const { vector, clip_grad_norm, mlp } = JSON.parse(
  await Deno.readTextFile(
    new URL("../fixtures/optimizers.json", import.meta.url),
  ),
) as {
  vector: Record<string, Config>;
  clip_grad_norm: { max_norm: number; total_norm: number };
  mlp: Record<string, Config>;
};
const stored = await fixture("optimizers.safetensors");
const rows = (name: string) => {
  const { data, shape: [, width] } = stored.get(name)!;
  return (i: number) => Array.from(data.subarray(i * width, (i + 1) * width));
};

/** The recipe of a PyTorch configuration, everything decayed. */
function recipeOf(c: Config): Recipe {
  const name = c.optimizer.replace(/SAM\((\w+)\)/, "$1").toLowerCase();
  return parseRecipe({
    optimizer: name,
    lr: c.lr,
    betas: c.betas,
    eps: c.eps,
    weightDecay: c.weight_decay,
    weightDecayOn: "all",
    amsgrad: c.amsgrad,
    momentum: c.momentum ?? 0,
    nesterov: c.nesterov,
    dampening: c.dampening,
    sam: { rho: c.rho, adaptive: c.adaptive },
  });
}

const state = (name: string, shape: number[], data: ArrayLike<number>) => ({
  parameters: new Map([[name, {
    info: { name, shape, layout: "none" },
    data: Float32Array.from(data),
  }]]),
  buffers: new Map(),
} as ModelState);

const read = (variables: Variables, name: string) =>
  saveVariables(variables).get(name)!.data as Float32Array;

/** Makes step `step` (from 1) with gradients given by name. */
function apply(
  variables: Variables,
  recipe: Recipe,
  step: number,
  gradients: Record<string, number[]>,
): number {
  return tf.tidy(() => {
    const rates = stepRates(variables, recipe, step, recipe);
    const tensors = Object.fromEntries(
      Object.entries(gradients).map(([n, g]) => [n, tf.tensor1d(g)]),
    );
    return update(variables, tensors, rates, recipe.clipNorm > 0).dataSync()[0];
  });
}

for (const [id, config] of Object.entries(vector)) {
  Deno.test(`20 steps of ${id} give PyTorch's parameters and moments`, () => {
    const recipe = recipeOf(config);
    const p0 = stored.get("vector.p0")!.data;
    const variables = variablesOf(state("p", [8], p0), recipe);
    const gradient = rows("vector.grads");
    const expected = rows(`vector.${id}.f32`);
    // A gradient of 1e2 through a momentum: the fixture's wider tolerance.
    const tolerance = recipe.momentum > 0 ? 2e-5 : 1e-6;
    for (let t = 1; t <= 20; t++) {
      apply(variables, recipe, t, { p: gradient(t - 1) });
      const d = distance(read(variables, "p"), expected(t));
      assert(d <= tolerance, `step ${t} differs by ${d}`);
    }
    for (const slot of ["exp_avg", "exp_avg_sq"]) {
      const wanted = stored.get(`vector.${id}.f32.${slot}`);
      if (!wanted) continue;
      const last = Array.from(wanted.data.subarray(-8));
      const ours = read(variables, `adam.${slot}.p`);
      last.forEach((v, i) =>
        assert(Math.abs(ours[i] - v) <= 2e-5 * Math.abs(v), `${slot} ${i}`)
      );
    }
    disposeVariables(variables);
  });
}

Deno.test("a gradient longer than clipNorm is scaled down to it", () => {
  const recipe = parseRecipe({
    optimizer: "sgd",
    momentum: 0,
    lr: 1,
    clipNorm: clip_grad_norm.max_norm,
  });
  const zero = state("a", [8], new Array(8).fill(0));
  for (const name of ["b", "c"]) {
    state(name, [8], new Array(8).fill(0)).parameters
      .forEach((p, n) => zero.parameters.set(n, p));
  }
  const variables = variablesOf(zero, recipe);
  const input = rows("clip.in"), output = rows("clip.out");
  const norm = apply(variables, recipe, 1, {
    a: input(0),
    b: input(1),
    c: input(2),
  });
  assert(Math.abs(norm / clip_grad_norm.total_norm - 1) < 1e-6);
  ["a", "b", "c"].forEach((name, i) => {
    const step = Array.from(read(variables, name), (v) => -v);
    assert(distance(step, output(i)) < 1e-6, name);
  });
  disposeVariables(variables);
});

const network: Forward = (scope, images) => {
  const x = tf.reshape(images, [images.shape[0], 4]) as tf.Tensor2D;
  const at = scope.within;
  const h = tf.tanh(linear(at("fc1"), x, 6));
  return linear(at("fc3"), tf.tanh(linear(at("fc2"), h, 5)), 3);
};
const LAYERS = ["fc1", "fc2", "fc3"];
const NAMES = LAYERS.flatMap((l) => [`${l}.weight`, `${l}.bias`]);

for (const [id, config] of Object.entries(mlp)) {
  Deno.test(`20 steps of ${id} on a network give PyTorch's losses and parameters`, () => {
    const recipe = recipeOf(config);
    const start = initialise(network, [1, 1, 4], 0);
    for (const name of NAMES) {
      const { data, shape } = stored.get(`mlp.state.${name}`)!;
      const entry = start.parameters.get(name)!;
      entry.data = name.endsWith("weight")
        ? fromTorch(Float32Array.from(data), shape, "linear").data
        : Float32Array.from(data);
    }
    const variables = variablesOf(start, recipe);
    const expected = rows(`mlp.${id}.f32`);
    tf.tidy(() => {
      const input = stored.get("mlp.input")!.data;
      const x = tf.tensor4d(Float32Array.from(input), [12, 1, 1, 4]);
      const labels = tf.tensor1d(
        Array.from(stored.get("mlp.labels")!.data, Number),
        "int32",
      );
      const batch = {
        x,
        lossOf: (logits: tf.Tensor2D) => crossEntropy(logits, labels),
      };
      for (let t = 1; t <= 20; t++) {
        const pass = gradientsOf(network, variables, batch, recipe.sam);
        const loss = pass.loss.dataSync()[0];
        const wanted = config.loss_before_step![t - 1];
        assert(Math.abs(loss - wanted) < 2e-6, `step ${t}: loss ${loss}`);
        const rates = stepRates(variables, recipe, t, recipe);
        update(variables, pass.gradients, rates, false);
        const flat = NAMES.flatMap((n) => Array.from(read(variables, n)));
        const d = distance(flat, expected(t));
        assert(d < 2e-6, `step ${t} differs by ${d}`);
      }
    });
    disposeVariables(variables);
  });
}

/** A kernel, a bias, a cls token and a batch norm's scale, all of ones. */
const mixedState = (): ModelState => {
  const parameters: ModelState["parameters"] = new Map();
  const add = (
    name: string,
    shape: number[],
    layout: "conv" | "linear" | "none",
  ) =>
    parameters.set(name, {
      info: { name, shape, layout },
      data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1),
    });
  add("irback.conv1.weight", [1, 1, 2, 2], "conv");
  add("irback.bn1.weight", [2], "none");
  add("cls_token", [1, 1, 2], "none");
  add("pos_embed", [1, 3, 2], "none");
  add("head.weight", [2, 2], "linear");
  add("head.bias", [2], "none");
  return { parameters, buffers: new Map() };
};

/** One step of zero gradients; what each parameter's ones have become. */
function afterZeroGradients(fields: Record<string, unknown>) {
  const recipe = parseRecipe({ lr: 0.1, weightDecay: 0.1, ...fields });
  const variables = variablesOf(mixedState(), recipe);
  tf.tidy(() => {
    const gradients = Object.fromEntries(
      Array.from(variables.parameters).filter(([, p]) => p.rule.lr > 0)
        .map(([name, { value }]) => [name, tf.zeros(value.shape)]),
    );
    const rates = stepRates(variables, recipe, 1, recipe);
    update(variables, gradients, rates, false);
  });
  const after = Object.fromEntries(
    Array.from(variables.parameters.keys(), (name) => [
      name,
      read(variables, name)[0],
    ]),
  );
  disposeVariables(variables);
  return after;
}

Deno.test("AdamW decays kernels only, by 1 - lr * decay", () => {
  const kept = Math.fround(1 - 0.1 * 0.1);
  const after = afterZeroGradients({ optimizer: "adamw" });
  for (const [name, value] of Object.entries(after)) {
    const kernel = /conv1\.weight|head\.weight/.test(name);
    assert(Math.abs(value - (kernel ? kept : 1)) < 1e-7, `${name}: ${value}`);
  }
});

Deno.test("the notes' decay also takes cls token and positions, none takes biases", () => {
  const after = afterZeroGradients({
    optimizer: "adamw",
    weightDecayOn: "matrices",
  });
  assert(after.cls_token < 1 && after.pos_embed < 1);
  assert.equal(after["head.bias"], 1);
  assert.equal(after["irback.bn1.weight"], 1);
});

Deno.test("a group has its own rate and decay, and a rate of 0 freezes it", () => {
  const after = afterZeroGradients({
    optimizer: "adamw",
    groups: [
      { match: "irback.", lr: 0 },
      { match: "head.", lr: 0.5, weightDecay: 2 },
    ],
  });
  assert.equal(after["irback.conv1.weight"], 1);
  assert(Math.abs(after["head.weight"] - (1 - 0.05 * 0.2)) < 1e-7);
  assert.throws(
    () => afterZeroGradients({ groups: [{ match: "backbone." }] }),
    /^RecipeError: recipe\.groups\[0\]\.match: no parameter's name begins/,
  );
});

Deno.test("a decay of 0 is Adam without decay, bit for bit", () => {
  const gradient = rows("vector.grads");
  const run = (fields: Record<string, unknown>) => {
    const recipe = parseRecipe({ lr: 1e-3, weightDecayOn: "all", ...fields });
    const p0 = stored.get("vector.p0")!.data;
    const variables = variablesOf(state("p", [8], p0), recipe);
    for (let t = 1; t <= 5; t++) {
      apply(variables, recipe, t, { p: gradient(t) });
    }
    const result = read(variables, "p");
    disposeVariables(variables);
    return result;
  };
  assert.deepEqual(run({ optimizer: "adamw" }), run({ optimizer: "adam" }));
});

Deno.test("the running mean of the weights follows them", () => {
  const recipe = parseRecipe({
    optimizer: "sgd",
    momentum: 0,
    lr: 1,
    ema: { decay: 0.5, warmup: false },
  });
  const variables = variablesOf(state("p", [1], [0]), recipe);
  for (let t = 1; t <= 3; t++) apply(variables, recipe, t, { p: [-1] });
  // p = 1, 2, 3; mean = 0.5, 1.25, 2.125
  assert.equal(read(variables, "p")[0], 3);
  assert.equal(read(variables, "ema.p")[0], 2.125);
  disposeVariables(variables);
});

Deno.test("an eps that vanishes in float32 is warned of", () => {
  assert.equal(epsWarning(parseRecipe({ eps: 1e-10 })), null);
  assert.match(
    epsWarning(parseRecipe({ eps: 1e-38 }))!,
    /^recipe\.eps: 1e-38 vanishes in float32.*give at least \de-37$/,
  );
});

Deno.test("a quarter of the batch halves Adam's rate and quarters 1 - beta", () => {
  const start = { lr: 2e-4, betas: [0.9, 0.999], eps: 1e-8 };
  const { lr, betas, eps } = squareRootRule(start, 1 / 4);
  assert.ok(Math.abs(lr - 1e-4) < 1e-12);
  assert.ok(Math.abs(betas[0] - 0.975) < 1e-12);
  assert.ok(Math.abs(betas[1] - 0.99975) < 1e-12);
  assert.ok(Math.abs(eps - 2e-8) < 1e-20);
  // Sixteen times the batch is out of beta1's reach.
  assert.ok(squareRootRule(start, 16).betas[0] < 0);
});
