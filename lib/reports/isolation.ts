/** A parameter at its best over the others, drawn in one way in all reports. */
import {
  type Chart,
  isolationChart,
  type IsolationRow,
} from "../charts/mod.ts";
import { analysis, type ParamValue } from "../study/mod.ts";
import { FEWEST } from "./comparisons.ts";
import { rateText, type Row } from "./depth_lr.ts";

const plain = (value: ParamValue) =>
  typeof value === "boolean" ? String(value) : value;

/** Whether the rows have several values of a parameter. */
const isVaried = (rows: readonly Row[], name: string) =>
  new Set(rows.map((r) => r.params[name])).size > 1;

/**
 * Each value with the mean of its best setting, over all that the rows vary
 * besides. An interval needs three runs: that of two is too wide to be drawn.
 */
export function isolationRows(
  rows: readonly Row[],
  parameter: string,
): IsolationRow[] {
  if (rows.length === 0) return [];
  const others = Object.keys(rows[0].params)
    .filter((name) => name !== parameter);
  const named = others.filter((name) => isVaried(rows, name));
  return analysis.isolation(rows, {
    parameter,
    roles: Object.fromEntries(others.map((name) => [name, "nuisance"])),
    direction: "maximize",
  }).map(({ value, best, nuisance, infeasible }) => ({
    value: plain(value),
    mean: best?.mean ?? null,
    ...best && best.n >= FEWEST ? { low: best.low, high: best.high } : {},
    n: best?.n ?? 0,
    nuisance: named.filter((name) => nuisance[name] !== undefined)
      .map((name) =>
        name === "lr"
          ? `lr ${rateText(Number(nuisance.lr))}`
          : analysis.describe({ [name]: nuisance[name] })
      ).join(", "),
    infeasible,
  })).sort((a, b) => Number(a.value) - Number(b.value));
}

/** The chart of those, every run behind, in the noise of the rows' repeats. */
export function isolationOf(
  rows: readonly Row[],
  parameter: string,
  { scale, published = [], noise = analysis.noiseFloor(rows), ...o }: {
    xLabel: string;
    yLabel?: string;
    title?: string;
    scale?: "log" | "linear" | "category";
    published?: { value: number; accuracy: number }[];
    /** Where there are published runs alone: theirs. */
    noise?: { sd: number; df: number } | null;
  },
): Chart {
  const place = <T extends { value: number | string }>(row: T): T =>
    scale === "category" ? { ...row, value: String(row.value) } : row;
  return isolationChart(isolationRows(rows, parameter).map(place), {
    yLabel: "test accuracy",
    ...o,
    scale,
    all: rows.map(({ params, value }) =>
      place({ value: plain(params[parameter]), accuracy: value })
    ),
    published: published.map(place),
    noise,
  });
}
