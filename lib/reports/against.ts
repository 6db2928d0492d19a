/** Each value of a parameter against one of them: tests, forest, table. */
import { type Chart, forestChart } from "../charts/mod.ts";
import { analysis } from "../study/mod.ts";
import { differenceText, effectOf } from "./comparisons.ts";
import { type Row, valuesOf } from "./depth_lr.ts";
import { halfOf, publishedNoise } from "./published_noise.ts";
import { points, pointsInterval, pText, type Shown, table } from "./show.ts";

type Comparison = analysis.Comparison;

/**
 * Every value of a parameter against `base`, each seed's mean over pairs that
 * share all other parameters, Holm, rising; none where one of both has no
 * finished run.
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
    bySeed: true,
  }).comparisons.filter((c) => values.includes(Number(c.a[name])))
    .toSorted((a, b) => Number(a.a[name]) - Number(b.a[name]));
}

/** "0.4 less 0: +1.20 points (−0.30 to +2.70, n 3); …" */
export const againstText = (of: readonly Comparison[]) =>
  of.map((c) => `${valueOf(c.a)} less ${valueOf(c.b)}: ${differenceText(c)}`)
    .join("; ");

/** The one value that is compared: "1e-7", "0.2". */
const valueOf = (params: Comparison["a"]) =>
  analysis.showValue(Object.values(params)[0]);

/** A published single run less another of them; shares. */
export interface PublishedDifference {
  label: string;
  group: string;
  difference: number;
}

/**
 * Differences in points with their 95 % intervals. Published ones are of two
 * single runs each: their interval is that of the published repeats' noise.
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
  const half = 100 * halfOf(noise);
  return forestChart([
    ...ours.flatMap(({ group, of }) =>
      of.flatMap((c) =>
        effectOf(c).map((effect) => ({ label: valueOf(c.a), group, ...effect }))
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
      values: `${valueOf(c.a)} against ${valueOf(c.b)}`,
      "difference (points)": c.difference === null ? "–" : points(c.difference),
      "95 % interval": pointsInterval(c),
      "paired seeds": c.n,
      "p (Holm)": c.verdict === "too few repeats" ? "–" : pText(c.p),
      verdict: c.verdict,
    }))
  ));
