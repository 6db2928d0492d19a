/** What the studies of Adam's parameters share: tests and decisions. */
import { analysis } from "../study/mod.ts";
import {
  FEWEST,
  fewestOf,
  isBetter,
  leaderOf,
  repeatsWords,
  tooFew,
} from "./comparisons.ts";
import { againstText, againstValue } from "./against.ts";
import { type Row } from "./depth_lr.ts";
import { cannotTell, type Judgement, type Results } from "./report.ts";

/** One of Adam's parameters in one of a report's studies. */
export interface AdamParameter {
  study: string;
  /** Of the recipe, such as `betas.0`. */
  path: string;
  label: string;
  /** The study's default. */
  usual: number;
}

/** All values against the usual one, by seed over the rates, Holm. */
export const againstUsual = (rows: readonly Row[], p: AdamParameter) =>
  againstValue(rows, p.path, p.usual);

/**
 * Judges "the usual value will do": holds if every interval of another value's
 * gain stays below one point, fails if another value is better.
 */
export function judgeUsual(results: Results, p: AdamParameter): Judgement {
  const rows = results.analysed(p.study);
  const of = againstUsual(rows, p);
  if (of.length === 0) {
    return cannotTell(
      `${p.label} ${
        analysis.showValue(p.usual)
      }, or every other, has no finished run`,
    );
  }
  const text = `${p.label}: ${againstText(of)}`;
  const fewest = fewestOf(of);
  if (fewest < FEWEST) return cannotTell(tooFew(fewest), text);
  const better = of.filter(isBetter);
  if (better.length > 0) {
    return {
      ours: text,
      verdict: "does not hold",
      why: `${p.label} ${
        better.map((c) => analysis.showValue(c.a[p.path])).join(", ")
      } is better than ${analysis.showValue(p.usual)} (paired t tests, Holm)`,
    };
  }
  return of.every((c) => c.high! < 0.01)
    ? {
      ours: text,
      verdict: "holds",
      why: "every interval excludes a gain of one point",
    }
    : cannotTell(
      `none is shown to be better, but a gain of a point is not excluded; ${
        repeatsWords(of)
      }`,
      text,
    );
}

/** Keeps the usual value unless another beats it. */
export function decideUsual(results: Results, p: AdamParameter): string {
  const of = againstUsual(results.analysed(p.study), p);
  const usual = analysis.showValue(p.usual);
  if (fewestOf(of) < FEWEST) {
    return `${p.label} stays at ${usual}: fewer than three paired seeds ran.`;
  }
  const best = leaderOf(of);
  return best
    ? `${p.label} ${analysis.showValue(best.a[p.path])}, which beats ${usual}.`
    : `${p.label} stays at ${usual}: no other value is shown to beat it.`;
}

export const USUAL_RULE =
  "The rule: the usual value stays unless another beats it (t tests paired " +
  "by seed, the mean over the rates; Holm, at least three seeds).";
