/** What a training looks like from inside: gradients, updates, √v̂, attention. */
import { compile, type Compiled, histogram, tf } from "../tensorflow/mod.ts";
import { attentionStatistics, readStatistics } from "../models/mod.ts";
import type { Rate } from "./learning_rates.ts";
import { globalNorm, gradientsOf, stepRates, unpackRates } from "./step.ts";
import type { ImageShape, Labels, Trainer } from "./trainer.ts";
import { readVariables } from "./variables.ts";

export interface ParameterDiagnostics {
  name: string;
  /** L2 norms of the gradient, of the weights and of the last update. */
  gradientNorm: number;
  weightNorm: number;
  /** null before the first step and for plain SGD, which keeps no state. */
  updateNorm: number | null;
  /** Norm of the last update over that of the weights; 1e-3 is usual. */
  updateRatio: number | null;
  /** Whether the gradient is exactly 0 everywhere. */
  dead: boolean;
}

/** Adam's √v̂, what eps is added to, over all values of all parameters. */
export interface SecondMoments {
  /** Edges of the bins, log10; what lies outside counts in the outer bins. */
  edges: number[];
  counts: number[];
  /** Share of values below eps, where eps decides the step. */
  belowEps: number;
}

export interface Diagnostics {
  /** Optimizer steps done. */
  step: number;
  /** Of all gradients together. */
  gradientNorm: number;
  parameters: ParameterDiagnostics[];
  /** Of each block, in evaluation mode. */
  attention: ReturnType<typeof readStatistics>;
  /** null for SGD and before the first step. */
  secondMoments: SecondMoments | null;
}

const LOW = -16, HIGH = 4, BINS = 80;
const EDGES = Array.from(
  { length: BINS + 1 },
  (_, i) => LOW + (HIGH - LOW) * i / BINS,
);

/** Looks into `trainer` without changing it; `dispose` frees what it holds. */
export interface Diagnoser {
  /**
   * Diagnostics of the next step, were it taken on this batch at `rate`:
   * gradients in training mode under augmentation and mixing, attention in
   * evaluation mode on the same images.
   */
  run(
    images: Uint8Array,
    labels: Labels,
    shape: ImageShape,
    rate?: Rate,
  ): Promise<Diagnostics>;
  dispose(): void;
}

export function diagnoser(trainer: Trainer): Diagnoser {
  const { variables, forward, recipe } = trainer;
  const { parameters, optimizer } = variables;
  const trained = [...parameters].filter(([, p]) => p.rule.lr > 0);
  const second = optimizer.slots.indexOf(
    recipe.amsgrad ? "max_exp_avg_sq" : "exp_avg_sq",
  );
  let layers: string[] = [];

  const look: Compiled = compile((rates, correction, ...inputs) => {
    const batch = trainer.batchOf(inputs);
    const { gradients } = gradientsOf(forward, variables, batch, recipe.sam);
    const perRow = unpackRates(rates).rows;
    const norm = (x: tf.Tensor) => globalNorm([x]);
    const rows = trained.map(([name, { value, slots, row }]) => {
      const state = slots.map((s) => s.read());
      const update = optimizer.lastUpdate?.(state, perRow[row]);
      return tf.stack([
        norm(gradients[name]),
        norm(value.read()),
        update ? norm(update) : tf.scalar(-1),
      ]);
    });
    const counts: tf.Tensor[] = [], below: tf.Tensor[] = [];
    if (second >= 0) {
      const [rootCorrection, eps] = tf.unstack(correction);
      for (const [, { slots }] of trained) {
        const root = tf.div(tf.sqrt(slots[second].read()), rootCorrection);
        const log10 = tf.div(
          tf.log(tf.maximum(root, 10 ** (2 * LOW))),
          Math.LN10,
        );
        counts.push(histogram(log10, [LOW, HIGH], BINS));
        below.push(tf.sum(tf.cast(tf.less(root, eps), "int32")));
      }
    }
    const values = readVariables(variables);
    const attention = attentionStatistics(forward, values, batch.x);
    layers = attention.layers;
    return [
      tf.stack(rows),
      globalNorm(Object.values(gradients)),
      attention.statistics,
      ...(second >= 0 ? [tf.addN(counts), tf.addN(below)] : []),
    ];
  }, { name: "diagnostics" });

  return {
    async run(images, labels, shape, rate = { lr: recipe.lr }) {
      const { step } = trainer;
      const done = Math.max(1, step);
      const inputs = [
        stepRates(variables, recipe, done, rate),
        tf.tensor1d([Math.sqrt(1 - recipe.betas[1] ** done), recipe.eps]),
        ...trainer.inputsOf(images, labels, shape, {
          step: step + 1,
          piece: 0,
        }),
      ];
      try {
        const results = await look(...inputs);
        const [rows, norm, statistics, counts, below] = results.map((t) =>
          Array.from(t.dataSync())
        );
        tf.dispose(results);
        return {
          step,
          gradientNorm: norm[0],
          parameters: trained.map(([name], i) => {
            const [gradientNorm, weightNorm, moved] = rows.slice(3 * i);
            const updateNorm = step > 0 && moved >= 0 ? moved : null;
            return {
              name,
              gradientNorm,
              weightNorm,
              updateNorm,
              updateRatio: updateNorm === null || weightNorm === 0
                ? null
                : updateNorm / weightNorm,
              dead: gradientNorm === 0,
            };
          }),
          attention: readStatistics(layers, statistics),
          secondMoments: second < 0 || step === 0 ? null : {
            edges: EDGES,
            counts,
            belowEps: below[0] / counts.reduce((a, b) => a + b, 0),
          },
        };
      } finally {
        tf.dispose(inputs);
      }
    },
    dispose: () => look.dispose(),
  };
}
