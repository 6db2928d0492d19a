/** What tells an item of a function's result from the others, on any rows. */
import { paramsOf, type Row } from "../rows/mod.ts";

export const KEYS: Record<string, (item: Row) => unknown> = {
  effects: (effect) => effect.params,
  asFamily: (effect) => effect.params,
  bestPer: (best) => best.value,
  settings: (setting) => paramsOf(setting),
};

export const keyText = (key: unknown): string => JSON.stringify(key) ?? "";

/** What an effect is called, which does not change with the rows. */
export const wordsOf = ({ label, less, value, base }: Row) => ({
  ...{ label, less, value, base },
});
