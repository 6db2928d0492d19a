/** From ten raters' votes to a label or shares: FER+'s four rules. */
import type { ReadOptions } from "../types.ts";

type VoteRule = NonNullable<ReadOptions["votes"]>;

/** The votes' order in FER+'s table; the last two are no expressions. */
export const VOTES = [
  "neutral",
  "happiness",
  "surprise",
  "sadness",
  "anger",
  "disgust",
  "fear",
  "contempt",
  "unknown",
  "NF",
] as const;
const EXPRESSION_COUNT = 8;

/** Why an image is left out. */
export const NO_AGREEMENT = "votes agree too little";
const NO_EXPRESSION = ["voted unknown", "voted no face (NF)"];

/**
 * The most voted of the eight expressions, the first one of a tie, and the
 * share of each; or why there is none.
 */
export type Verdict = { label: number; shares: number[] } | { left: string };

/**
 * What ten votes say (Barsoum et al. 2016, "Training Deep Networks for Facial
 * Expression Recognition with Crowd-Sourced Label Distribution"; the rules in
 * full are those of `_process_data` in github.com/microsoft/FERPlus,
 * src/ferplus.py). Under every rule a single vote is an outlier and does not
 * count, and the kept expressions must hold more than half of what counts.
 *
 * - majority: the one with more than half; so there are no ties.
 * - probability, crossEntropy: the most voted ones, ties together, until they
 *   hold three quarters, at most three; shares in proportion to their votes.
 *   Unknown or NF among them ends the search and takes no share. (The two
 *   differ in training only: a class drawn each time, or the shares.)
 * - multiTarget: all with three tenths or more, in equal shares.
 *
 * An image whose most votes are for unknown or NF is left out.
 */
export function judge(votes: readonly number[], rule: VoteRule): Verdict {
  const counted = votes.map((n) => n > 1 ? n : 0);
  const total = sum(counted);
  const kept = keep(counted, total, rule);
  if (kept === null || sum(kept) <= total / 2) return { left: NO_AGREEMENT };
  const label = kept.indexOf(Math.max(...kept));
  if (label >= EXPRESSION_COUNT) {
    return { left: NO_EXPRESSION[label - EXPRESSION_COUNT] };
  }
  const shares = kept.slice(0, EXPRESSION_COUNT)
    .map((n) => rule === "multiTarget" ? Number(n > 0) : n);
  return { label, shares: inShares(shares) };
}

/** Scales numbers to a sum of 1. */
export function inShares(values: readonly number[]): number[] {
  const total = sum(values);
  return values.map((value) => value / total);
}

/** The votes that a rule keeps, the others 0; null where it keeps too many. */
function keep(
  counted: readonly number[],
  total: number,
  rule: VoteRule,
): number[] | null {
  if (rule === "multiTarget") {
    return counted.map((n) => n >= 0.3 * total ? n : 0);
  }
  if (rule === "majority") {
    return counted.map((n) => n > total / 2 ? n : 0);
  }
  const kept = counted.map(() => 0);
  const levels = [...new Set(counted)].sort((a, b) => b - a);
  let held = 0, count = 0;
  for (const level of levels) {
    if (held >= 0.75 * total || count >= 3) break;
    for (let i = 0; i < counted.length; i++) {
      if (counted[i] !== level) continue;
      held += level;
      if (i < EXPRESSION_COUNT) {
        kept[i] = level;
        count++;
        continue;
      }
      if (count === 0) kept[i] = level;
      return count > 3 ? null : kept;
    }
  }
  return count > 3 ? null : kept;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
