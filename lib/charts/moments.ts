/** Adam's √v̂ over all parameters, and where each eps lies in it. */
import * as Plot from "@observablehq/plot";
import * as d3 from "d3";
import { axisFor, count } from "./axis.ts";
import { checkList, checkOptions, isNumber } from "./channels.ts";
import { tableOf } from "./csv.ts";
import { frame, type FrameOptions } from "./frame.ts";
import { DIAGONALS, hatched, OURS, pathItem } from "./marks.ts";
import type { Chart } from "./theme.ts";
import { percent, powerOfTen } from "./values.ts";

/** A histogram of √v̂, as a training's diagnostics give it. */
export interface MomentCounts {
  /**
   * log10 of the bins' edges. What lies outside counts in the outer bins:
   * zeros in the first.
   */
  edges: readonly number[];
  counts: readonly number[];
}

/** Height in pixels of a row of eps labels. */
const ROW = 17;
/** Powers of ten that a log axis can bear. */
const LEAST = -100, MOST = 100;

/**
 * The share of parameters below `eps` in words, taken as even within a bin;
 * unknown where `eps` lies in an outer bin that holds some.
 */
function below({ edges, counts }: MomentCounts, eps: number): string {
  const at = Math.log10(eps), last = counts.length - 1;
  const isUnknown = at < edges[1] && counts[0] > 0 ||
    at > edges[last] && counts[last] > 0;
  if (isUnknown) return "share unknown";
  const n = d3.sum(counts, (count: number, i: number) => {
    const part = (at - edges[i]) / (edges[i + 1] - edges[i]);
    return count * Math.min(1, Math.max(0, part));
  });
  return `${fine(n / d3.sum(counts))} below`;
}

/** 0.0004 → "0.04 %", so that a small share is not shown as none. */
function fine(share: number): string {
  if (share === 0 || share >= 0.001) return percent(share);
  const rounded = Number((100 * share).toPrecision(1));
  return rounded < 1e-4 ? "under 0.0001 %" : `${rounded} %`;
}

/**
 * Draws the histogram of √v̂ (log axis; Kingma and Ba 2015, algorithm 1) with a
 * line at each `eps` (above 0) and the share of parameters below it: there eps,
 * not the gradient's size, decides the step. Outer bins are hatched if they hold
 * a parameter, as they also hold all that lies beyond.
 *
 * @throws {RangeError} if the edges are not one more than the counts
 */
export function secondMomentsChart(
  moments: MomentCounts,
  o: Omit<FrameOptions, "noise"> & { eps: readonly number[] },
): Chart {
  const chart = "secondMomentsChart";
  checkOptions(chart, o, "{ eps: [1e-8] }");
  checkOptions(chart, moments, "{ edges, counts }", "moments");
  const { edges } = moments, { eps: given } = o;
  for (
    const [name, of] of Object.entries({
      eps: given,
      edges,
      counts: moments.counts,
    })
  ) {
    checkList(`${chart}: the ${name}`, of);
  }
  const isCount = (n: number) => isNumber(n) && n >= 0;
  const all = Array.from(moments.counts, Number);
  const counts = all.map((n) => isCount(n) ? n : 0);
  if (counts.length > 0 && edges.length !== counts.length + 1) {
    throw new RangeError(
      `${chart}: ${edges.length} edges for ${counts.length} counts; ` +
        "give one edge more than counts",
    );
  }
  const total: number = d3.sum(counts);
  const bins = counts.map((count, i) => ({
    low: 10 ** Math.max(LEAST, edges[i]),
    high: 10 ** Math.min(MOST, edges[i + 1]),
    ...{ count, share: count / total },
    isOuter: i === 0 || i === counts.length - 1,
  })).filter((b) => b.count > 0 && b.low > 0 && b.high > b.low);
  type Bin = typeof bins[number];
  const isShown = (e: number) => isNumber(e) && e > 10 ** LEAST;
  const eps: number[] = d3.sort(new Set(given.filter(isShown)));
  const hidden = given.filter((e) => !isShown(e)).length;
  const wrong = all.filter((n) => !isCount(n)).length;
  const x = axisFor([...bins.flatMap((b) => [b.low, b.high]), ...eps], {
    ...{ label: "√v̂ (root of the corrected second moment)", scale: "log" },
  });
  const y = axisFor([0, ...bins.map((b) => b.share)], {
    ...{ label: "share of the parameters in a bin", scale: "linear" },
  });
  const says = (total > 0 ? eps : [])
    .map((e) => `eps ${powerOfTen(e)}: ${below({ edges, counts }, e)}`);
  const outer = hatched("outer", OURS, DIAGONALS);
  const outerWords = "outer bin: with all beyond it, zeros in the lowest";
  const roughly = (v: number) => powerOfTen(Number(v.toPrecision(2)));
  return frame("moments", o, {
    rows: [tableOf(chart, bins.map(({ isOuter: _, ...bin }) => bin))],
    label: ["histogram of √v̂ on a log axis", ...says],
    legend: [
      [bins.some((b) => b.isOuter) && outer.item(outerWords)],
      says.map((label) => pathItem("M0,6H26", label, `stroke-dasharray="5 3"`)),
    ],
    notes: [
      hidden > 0 && `${count(hidden, "value")} of eps left out: not above 0`,
      wrong > 0 && `${count(wrong, "bin")} left out: no count`,
    ],
    ...{ x, y, isEmpty: bins.length === 0 },
    room: { top: ROW * Math.min(2, eps.length) },
    marks: () => [
      Plot.rect(bins, {
        ...{ x1: "low", x2: "high", y1: 0, y2: "share" },
        ...{ insetLeft: 0.5, insetRight: 0.5, className: "ferlab-bins" },
        fill: (b: Bin) => b.isOuter ? outer.fill : OURS,
        title: (b: Bin) =>
          `${roughly(b.low)} to ${roughly(b.high)}\n` +
          `${count(b.count, "parameter")}, ${fine(b.share)}`,
      }),
      // Neighbours stand in two rows.
      ...[0, 1].flatMap((row) => {
        const own = eps.filter((_, i) => i % 2 === row), at = -ROW * row;
        return [
          Plot.ruleX(own, {
            ...{ insetTop: at, strokeWidth: 1.5, strokeDasharray: "5 3" },
            className: "ferlab-eps",
          }),
          Plot.text(own, {
            ...{ x: own, text: own.map(powerOfTen), dy: at - 3 },
            ...{ frameAnchor: "top", lineAnchor: "bottom" },
          }),
        ];
      }),
    ],
  });
}
