// Points of a study, for the tests of trial stores.
import type { Distribution, NewTrial } from "../../lib/study/store/mod.ts";

export const DISTRIBUTIONS: Record<string, Distribution> = {
  lr: {
    name: "FloatDistribution",
    attributes: { step: null, low: 1e-5, high: 0.1, log: true },
  },
  depth: {
    name: "IntDistribution",
    attributes: { step: 1, low: 1, high: 8, log: false },
  },
  mixup: {
    name: "CategoricalDistribution",
    attributes: { choices: [false, true, "both"] },
  },
};

/** The point of a number. */
export function point(n: number): NewTrial {
  return {
    key: `point${n}`,
    params: { lr: 1e-5 * (n + 1), depth: 1 + n % 8, mixup: n % 2 === 0 },
    distributions: DISTRIBUTIONS,
    repeat: n % 3,
    seed: 1000 + n,
  };
}

export const points = (count: number): NewTrial[] =>
  Array.from({ length: count }, (_, n) => point(n));
