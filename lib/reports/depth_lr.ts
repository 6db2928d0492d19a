/** What the studies of depth and learning rate share: bests, effects, maps. */
import type { HeatMapCell } from "../charts/mod.ts";
import { analysis, readPublished } from "../study/mod.ts";

export type Row = analysis.AnalysisRow;

const direction = "maximize";

/** 0.00316 → "3.16e-3". */
export const rateText = (lr: number) =>
  Number(lr.toPrecision(3)).toExponential();

/** Learning rates as a map's x axis. */
export const lrAxis = {
  xLabel: "learning rate",
  xFormat: (lr: number | string) => rateText(Number(lr)),
};

export const isDone = (row: Row) =>
  row.state === "COMPLETE" && Number.isFinite(row.value);

export const atDepth = (rows: readonly Row[], depth: number) =>
  rows.filter((r) => r.params.depth === depth);

/** Values of a parameter among the complete rows, rising. */
export const valuesOf = (rows: readonly Row[], name: string): number[] =>
  [...new Set(rows.filter(isDone).map((r) => Number(r.params[name])))]
    .sort((a, b) => a - b);

/** The rate of the setting with the best mean; undefined without a run. */
export function bestRate(rows: readonly Row[]): number | undefined {
  const done = analysis.settings(rows).filter((s) => s.mean !== null);
  return done.length === 0
    ? undefined
    : Number(done.reduce((a, b) => b.mean! > a.mean! ? b : a).params.lr);
}

/** The best rate of a depth, and the rates that may be as good. */
export interface NearBest {
  lr: number;
  mean: number;
  /** Runs of the best rate. */
  n: number;
  /** Rising, `lr` included: not told apart from it (paired t, Holm). */
  near: number[];
  /** Lowest and highest rate tried at the depth. */
  tried: [number, number];
  /** Every other rate against the best one. */
  others: analysis.Comparison[];
}

/** Null where no run is complete; a rate that always failed is not near. */
export function nearBest(rows: readonly Row[]): NearBest | null {
  if (!rows.some(isDone)) return null;
  const { settings, comparisons } = analysis.compareAll(rows, {
    direction,
    by: ["lr"],
    bySeed: true,
  });
  const [{ params, mean, n }] = settings;
  const failed = settings.filter((s) => s.n === 0).map((s) => s.params.lr);
  const others = comparisons
    .filter((c) => c.verdict !== "differs" && !failed.includes(c.a.lr))
    .map((c) => Number(c.a.lr));
  const rates = settings.map((s) => Number(s.params.lr));
  return {
    lr: Number(params.lr),
    mean: mean!,
    n,
    near: [Number(params.lr), ...others].sort((a, b) => a - b),
    tried: [Math.min(...rates), Math.max(...rates)],
    others: comparisons,
  };
}

/** The best published accuracy of each depth, as shares. */
export async function publishedBests(
  id: string,
): Promise<{ value: number; accuracy: number }[]> {
  const { records } = await readPublished(id);
  const known = records.filter((r) => r.depth !== null);
  return [...Map.groupBy(known, (r) => Number(r.depth))]
    .map(([value, own]) => ({
      value,
      accuracy: Math.max(...own.map((r) => Number(r.acc))) / 100,
    })).sort((a, b) => a.value - b.value);
}

/** A published table as cells over the learning rate; of shares. */
export async function publishedCells(
  id: string,
  y: string,
  { lrOf = (lr) => lr, isShown = () => true }: {
    /** Of several rates one, such as the nearest of a grid. */
    lrOf?: (lr: number) => number;
    isShown?: (record: Record<string, unknown>) => boolean;
  } = {},
): Promise<HeatMapCell[]> {
  const { records } = await readPublished(id);
  const known = records.filter((r) => r[y] !== null && isShown(r));
  const cells = Map.groupBy(
    known.map((r) => ({ x: lrOf(Number(r.lr)), y: r[y]!, acc: Number(r.acc) })),
    (c) => JSON.stringify([c.x, c.y]),
  );
  return [...cells.values()].map((same) => ({
    x: same[0].x,
    y: same[0].y,
    value: same.reduce((sum, c) => sum + c.acc, 0) / same.length / 100,
    n: same.length,
  }));
}

/** Our settings as cells of a depth × learning rate map. */
export const cellsOf = (rows: readonly Row[], y = "depth"): HeatMapCell[] =>
  analysis.settings(rows).map(({ params, mean, n }) => ({
    x: Number(params.lr),
    y: Number(params[y]),
    value: mean,
    n,
  }));
