/** What the studies of Adam's parameters share: isolation, tests, decisions. */
import { type Chart, isolationChart } from "../charts/mod.ts";
import { analysis } from "../study/mod.ts";
import { againstText, againstValue } from "./against.ts";
import {
  publishedNoise,
  rateText,
  repeatsWords,
  type Row,
} from "./depth_lr.ts";
import { cannotTell, type Judgement, type Results } from "./report.ts";
import { noiseOf } from "./training_charts.ts";

/** One of Adam's parameters in one of a report's studies. */
export interface AdamParameter {
  study: string;
  /** Of the recipe, such as `betas.0`. */
  path: string;
  label: string;
  /** The study's default. */
  usual: number;
}

/** Each value at its best rate, published single runs beside ours. */
export function parameterIsolation(
  results: Results,
  { study, path, label }: AdamParameter,
  o: {
    scale?: "log" | "category";
    published?: { value: number; accuracy: number }[];
  } = {},
): Chart {
  const rows = results.analysed(study);
  const { scale = "log", published = [] } = o;
  const best = rows.length === 0 ? [] : analysis.isolation(rows, {
    parameter: path,
    roles: { lr: "nuisance" },
    direction: "maximize",
  });
  const asValue = (value: unknown) =>
    scale === "category" ? String(value) : Number(value);
  return isolationChart(
    best.map(({ value, best, nuisance, infeasible }) => ({
      value: asValue(value),
      mean: best?.mean ?? null,
      // The t interval of two runs is too wide to be drawn.
      ...best && best.n > 2 ? { low: best.low, high: best.high } : {},
      n: best?.n ?? 0,
      nuisance: best && nuisance.lr !== undefined
        ? `lr ${rateText(Number(nuisance.lr))}`
        : undefined,
      infeasible,
    })),
    {
      xLabel: label,
      yLabel: "test accuracy",
      scale,
      all: rows.map((r) => ({
        value: asValue(r.params[path]),
        accuracy: r.value,
      })),
      published: published.map((p) => ({ ...p, value: asValue(p.value) })),
      noise: rows.length > 0
        ? noiseOf(results.rows(study))
        : publishedNoise.scratch,
    },
  );
}

/** All values against the usual one, paired by rate and seed, Holm. */
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
      `${p.label} ${p.usual}, or every other, has no finished run`,
    );
  }
  const text = `${p.label}: ${againstText(of)}`;
  const fewest = Math.min(...of.map((c) => c.n));
  if (fewest < 3) return cannotTell(`${fewest} pairs are too few`, text);
  const better = of.filter((c) => c.verdict === "differs" && c.difference! > 0);
  if (better.length > 0) {
    return {
      ours: text,
      verdict: "does not hold",
      why: `${p.label} ${
        better.map((c) => c.a[p.path]).join(", ")
      } is better than ${p.usual} (paired t tests, Holm)`,
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
        repeatsWords(rows, fewest)
      }`,
      text,
    );
}

/** Keeps the usual value unless another beats it. */
export function decideUsual(results: Results, p: AdamParameter): string {
  const of = againstUsual(results.analysed(p.study), p);
  const better = of.filter((c) => c.verdict === "differs" && c.difference! > 0)
    .sort((a, b) => b.difference! - a.difference!);
  return better.length > 0
    ? `${p.label} ${better[0].a[p.path]}, which beats ${p.usual}.`
    : `${p.label} stays at ${p.usual}: no other value beats it.`;
}

export const USUAL_RULE =
  "The rule: the usual value stays unless another beats it (paired t tests " +
  "over rates and seeds, Holm, at least three pairs).";
