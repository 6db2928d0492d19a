// Trial records made by hand.
import type { TrialRow } from "../../lib/study/store/mod.ts";

export const TIME = new Date("2026-11-25T10:00:00.123Z");

/** A complete trial, but for what `given` says. */
export function trial(given: Partial<TrialRow> = {}): TrialRow {
  const number = given.number ?? 0;
  return {
    trialId: number + 1,
    number,
    state: "COMPLETE",
    params: {},
    distributions: {},
    values: [],
    value: null,
    attrs: {},
    system: {},
    intermediate: [],
    epochs: [],
    start: TIME,
    complete: new Date(+TIME + 90_500),
    ...given,
  };
}

export const FLOAT = {
  name: "FloatDistribution" as const,
  attributes: { step: null, low: 1e-5, high: 1, log: true },
};

export const INT = {
  name: "IntDistribution" as const,
  attributes: { log: false, step: 1, low: 1, high: 8 },
};

export const choice = (...choices: (string | number | boolean | null)[]) => ({
  name: "CategoricalDistribution" as const,
  attributes: { choices },
});
