/** Decays against none: of the learning rate and of the weights. */
import { analysis } from "../study/mod.ts";
import { againstValue } from "./against.ts";
import { bestRate, isDone, type Row, valuesOf } from "./depth_lr.ts";
import type { Results } from "./report.ts";

type Comparison = analysis.Comparison;

export const LR_DECAY = "lr-decay";
export const WEIGHT_DECAY = "weight-decay";

export const GAMMA = "schedule.gamma";
export const DECAY = "weightDecay";

/** Adam adds the decay to the gradient, AdamW takes it off the weight. */
export const optimizers = { adam: "coupled", adamw: "decoupled" } as const;

const direction = "maximize";

/** The best constant rate by its mean; undefined without a run. */
export const bestConstant = (rows: readonly Row[]): number | undefined =>
  bestRate(rows.filter((r) => r.params[GAMMA] === 1));

/**
 * Every decaying run against the best constant rate, paired by seed, Holm over
 * all of them. That rate was picked by the same runs, which favours it.
 */
export function againstBestConstant(results: Results): Comparison[] {
  const rows = results.analysed(LR_DECAY);
  const lr = bestConstant(rows);
  if (lr === undefined) return [];
  const own = rows.filter((r) => r.params[GAMMA] !== 1 || r.params.lr === lr);
  return analysis.compareAll(own, {
    direction,
    by: [GAMMA, "lr"],
    baseline: { [GAMMA]: 1, lr },
  }).comparisons.filter((c) => c.difference !== null)
    .toSorted((a, b) =>
      Number(a.a.lr) - Number(b.a.lr) || Number(a.a[GAMMA]) - Number(b.a[GAMMA])
    );
}

/** The rates that decayed and constant runs have, rising. */
export const decayedRates = (results: Results): number[] =>
  valuesOf(results.analysed(LR_DECAY), "lr");

/** Every gamma against the constant rate of the same height, by seed, Holm. */
export const atRate = (results: Results, lr: number): Comparison[] =>
  againstValue(
    results.analysed(LR_DECAY).filter((r) => r.params.lr === lr),
    GAMMA,
    1,
  );

/**
 * Every decay, coupled and decoupled, against none, each seed's mean over pairs
 * of equal rate, Holm over all of them. Without decay both optimizers are the same training,
 * so that of Adam stands for both.
 */
export function againstNone(results: Results): Comparison[] {
  const rows = results.analysed(WEIGHT_DECAY)
    .filter((r) => r.params[DECAY] !== 0 || r.params.optimizer === "adam");
  if (!rows.some((r) => isDone(r) && r.params[DECAY] === 0)) return [];
  return analysis.compareAll(rows, {
    direction,
    by: [DECAY, "optimizer"],
    baseline: { [DECAY]: 0, optimizer: "adam" },
    bySeed: true,
  }).comparisons.filter((c) => c.difference !== null)
    .toSorted((a, b) => Number(a.a[DECAY]) - Number(b.a[DECAY]));
}

/** Coupled less decoupled at every decay, each seed's mean over the rates. */
export function coupledLessDecoupled(
  results: Results,
): { decay: number; comparison: Comparison }[] {
  const rows = results.analysed(WEIGHT_DECAY);
  return valuesOf(rows, DECAY).filter((decay) => decay !== 0)
    .flatMap((decay) => {
      const own = rows.filter((r) => r.params[DECAY] === decay);
      const tried = new Set(own.filter(isDone).map((r) => r.params.optimizer));
      return tried.size < 2 ? [] : [{
        decay,
        comparison: analysis.compareSettings(
          own,
          { optimizer: "adam" },
          { optimizer: "adamw" },
          { bySeed: true },
        ),
      }];
    });
}
