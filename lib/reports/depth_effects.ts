/** Effects of depth with the learning rate taken out, paired by seed. */
import { type Chart, forestChart } from "../charts/mod.ts";
import { analysis } from "../study/mod.ts";
import { effectOf } from "./comparisons.ts";
import {
  atDepth,
  bestRate,
  isDone,
  publishedBests,
  type Row,
  valuesOf,
} from "./depth_lr.ts";
import { halfOf } from "./published_noise.ts";
import { points, pointsInterval, type Shown, table } from "./show.ts";

type Comparison = analysis.Comparison;

/** A row a depth and repeat, of what `value` makes of the repeat's rows. */
function byRepeat(
  rows: readonly Row[],
  value: (own: Row[], depth: number) => number | undefined,
): Row[] {
  return valuesOf(rows, "depth").flatMap((depth) =>
    [...Map.groupBy(atDepth(rows, depth), (r) => r.repeat)].flatMap(
      ([repeat, own]) => {
        const result = value(own, depth);
        return result === undefined ? [] : [{
          params: { depth },
          repeat,
          seed: own[0].seed,
          state: "COMPLETE" as const,
          value: result,
        }];
      },
    )
  );
}

/** A run a depth and repeat: at the rate of the depth's best mean. */
export function atBestRate(rows: readonly Row[]): Row[] {
  const best = new Map(
    valuesOf(rows, "depth").map((
      depth,
    ) => [depth, bestRate(atDepth(rows, depth))]),
  );
  return byRepeat(
    rows,
    (own, depth) =>
      own.find((r) => r.params.lr === best.get(depth) && isDone(r))?.value ??
        undefined,
  );
}

/** The mean over the rates, of repeats in which all depths have all rates. */
export function overRates(rows: readonly Row[]): Row[] {
  const rates = valuesOf(rows, "lr");
  return byRepeat(rows, (own) => {
    const done = own.filter(isDone);
    return done.length < rates.length
      ? undefined
      : done.reduce((sum, r) => sum + r.value!, 0) / done.length;
  });
}

/** The log10 of the rate that is best in each repeat which has all of them. */
export function peaks(rows: readonly Row[]): Row[] {
  const rates = new Set(rows.map((r) => r.params.lr)).size;
  return byRepeat(rows, (own) => {
    const done = own.filter(isDone);
    if (own.length < rates || done.length === 0) return undefined;
    const best = done.reduce((a, b) => b.value! > a.value! ? b : a);
    return Math.log10(Number(best.params.lr));
  });
}

/** Every depth against `base`, paired by seed, Holm; [] where one is alone. */
export function againstDepth(
  rows: readonly Row[],
  base: number,
  unit: analysis.Unit = "points",
): Comparison[] {
  const depths = valuesOf(rows, "depth");
  if (depths.length < 2 || !depths.includes(base)) return [];
  return analysis.compareAll(rows, {
    direction: "maximize",
    by: ["depth"],
    baseline: { depth: base },
    unit,
  }).comparisons.toSorted((a, b) => Number(a.a.depth) - Number(b.a.depth));
}

/**
 * Published depths against `base`, each at its best rate, as shares: single
 * runs, with the interval that `noise` gives the difference of two of them.
 */
async function publishedEffects(
  id: string,
  base: number,
  noise: { sd: number; df: number },
) {
  const best = await publishedBests(id);
  const from = best.find((b) => b.value === base)!.accuracy;
  const half = halfOf(noise);
  return best.filter((b) => b.value !== base).map(({ value, accuracy }) => ({
    depth: value,
    difference: accuracy - from,
    low: accuracy - from - half,
    high: accuracy - from + half,
  }));
}

/** Two blocks, or the fewest that have a run where none has two. */
export const baseOf = (rows: readonly Row[]): number | undefined => {
  const depths = valuesOf(rows, "depth");
  return depths.includes(2) ? 2 : depths[0];
};

/** Both ways to take the rate out, each with every depth against the base. */
function effects(rows: readonly Row[]) {
  const base = baseOf(rows);
  if (base === undefined) return [];
  return [
    { how: "each at its best rate", of: againstDepth(atBestRate(rows), base) },
    {
      how: "mean over all rates",
      of: againstDepth(overRates(rows), base),
    },
  ].flatMap(({ how, of }) => of.map((c) => ({ how, base, ...c })));
}

/**
 * Depths against depth 2 (or the shallowest), ours and those of a published
 * table with its noise, in points. An interval of ours needs three pairs: that
 * of two is too wide to be drawn.
 */
export async function depthForest(
  rows: readonly Row[],
  published: { id: string; noise: { sd: number; df: number } },
): Promise<Chart> {
  const base = baseOf(rows) ?? 2;
  const theirs = base === 2
    ? await publishedEffects(published.id, 2, published.noise)
    : [];
  return forestChart([
    ...effects(rows).flatMap((c) =>
      effectOf(c).map((effect) => ({
        label: `depth ${c.a.depth}`,
        group: `ours, ${c.how}`,
        ...effect,
      }))
    ),
    ...theirs.map(({ depth, difference, low, high }) => ({
      label: `depth ${depth}`,
      estimate: 100 * difference,
      low: 100 * low,
      high: 100 * high,
      group: "published, each at its best rate",
      whose: "published" as const,
      note: "n 1",
    })),
  ], { xLabel: `test accuracy less that of depth ${base}`, unit: "points" });
}

/** The same in numbers, with p-values after Holm's correction. */
export function depthTable(rows: readonly Row[]): Shown {
  return table(
    effects(rows).map((c) => ({
      depth: `${c.a.depth} against ${c.base}`,
      "learning rate": c.how,
      "difference (points)": c.difference === null ? "–" : points(c.difference),
      "95 % interval": pointsInterval(c),
      "paired seeds": c.n,
      "p (Holm)": c.verdict === "too few repeats" ? "–" : c.p!.toFixed(3),
      verdict: c.verdict,
    })),
  );
}
