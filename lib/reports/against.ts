/** Each value of a parameter against one of them: tests, forest, table. */
import { type Chart, forestChart } from "../charts/mod.ts";
import { studentQuantile } from "../statistics/mod.ts";
import { analysis } from "../study/mod.ts";
import { differenceText } from "./depth_effects.ts";
import { publishedNoise, type Row, valuesOf } from "./depth_lr.ts";
import { points, pointsInterval, type Shown, table } from "./show.ts";

type Comparison = analysis.Comparison;

/**
 * Every value of a parameter against `base`, paired by seed and by all other
 * parameters, Holm, rising; none where one of both has no finished run.
 */
export function againstValue(
  rows: readonly Row[],
  name: string,
  base: number,
): Comparison[] {
  const values = valuesOf(rows, name);
  if (values.length < 2 || !values.includes(base)) return [];
  return analysis.compareAll(rows, {
    direction: "maximize",
    by: [name],
    baseline: { [name]: base },
  }).comparisons.filter((c) => values.includes(Number(c.a[name])))
    .toSorted((a, b) => Number(a.a[name]) - Number(b.a[name]));
}

/** "0.4 less 0: +1.20 points (−0.30 to +2.70, n 3); …" */
export const againstText = (of: readonly Comparison[]) =>
  of.map((c) =>
    `${Object.values(c.a)[0]} less ${Object.values(c.b)[0]}: ${
      differenceText(c)
    }`
  ).join("; ");

/** A published single run less another of them; shares. */
export interface PublishedDifference {
  label: string;
  group: string;
  difference: number;
}

/**
 * Differences in points with their 95 % intervals. Published ones are of two
 * single runs each: their interval is that of the published repeats' noise,
 * ± t(0.975, df) · √2 · sd.
 */
export function againstForest(
  ours: readonly { group: string; of: readonly Comparison[] }[],
  published: readonly PublishedDifference[],
  { noise = publishedNoise.pretrained, ...o }: {
    xLabel: string;
    /** Of one published run. */
    noise?: { sd: number; df: number };
  },
): Chart {
  const { sd, df } = noise;
  const half = 100 * studentQuantile(0.975, df) * Math.SQRT2 * sd;
  const scaled = (x: number | null) => x === null ? null : 100 * x;
  return forestChart([
    ...ours.flatMap(({ group, of }) =>
      of.flatMap(({ a, difference, low, high, n }) =>
        difference === null ? [] : [{
          label: String(Object.values(a)[0]),
          estimate: 100 * difference,
          low: scaled(low),
          high: scaled(high),
          group,
          note: `n ${n}`,
        }]
      )
    ),
    ...published.map(({ label, group, difference }) => ({
      label,
      estimate: 100 * difference,
      low: 100 * difference - half,
      high: 100 * difference + half,
      group,
      whose: "published" as const,
      note: "n 1",
    })),
  ], { ...o, unit: "points" });
}

/** The same in numbers, with p-values after Holm's correction. */
export const againstTable = (
  ours: readonly { group: string; of: readonly Comparison[] }[],
): Shown =>
  table(ours.flatMap(({ group, of }) =>
    of.map((c) => ({
      runs: group,
      values: `${Object.values(c.a)[0]} against ${Object.values(c.b)[0]}`,
      "difference (points)": c.difference === null ? "–" : points(c.difference),
      "95 % interval": pointsInterval(c),
      pairs: c.n,
      "p (Holm)": c.verdict === "too few repeats" ? "–" : c.p!.toFixed(3),
      verdict: c.verdict,
    }))
  ));
