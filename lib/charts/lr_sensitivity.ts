/** How much hangs on the learning rate: curves, best rates and their widths. */
import * as Plot from "@observablehq/plot";
import * as d3 from "d3";
import { checkOptions, type Rows } from "./channels.ts";
import { type LineOptions, linesOf, type Point } from "./line.ts";
import * as marks from "./marks.ts";
import type { Chart } from "./theme.ts";
import { firstHighest } from "./value_text.ts";

/** Between the bars under the curves, in pixels. */
const BAR_GAP = 11;
/** How far below the best a rate does nearly as well, a share. */
const WITHIN = 0.005;

/**
 * Draws accuracy over learning rate, a line a series. The best rate is ringed;
 * a bar under the curves spans the rates within half a point of it. The caption
 * tells each series' sensitivity (arXiv 2309.14322): the points lost on average,
 * log-uniform over the rates tried, by not knowing the best one; failed runs are
 * left out.
 */
export function lrSensitivityChart(rows: Rows, o: LineOptions = {}): Chart {
  checkOptions("lrSensitivityChart", o, '{ series: "depth" }');
  const options = { xScale: "log" as const, ...o, x: o.x ?? "lr" };
  return linesOf("lrSensitivityChart", rows, options, {}, (lines) => {
    const { x, y } = lines;
    const found = lines.series.flatMap(({ name, points }, i) => {
      const curve = points.filter((p): p is Point & { x: number } =>
        typeof p.x === "number" && p.n > 0
      );
      const best = firstHighest(curve, (p) => p.y);
      return best ? [{ ...readOff(curve, best), name, best, i }] : [];
    });
    const shown = found.length > marks.MOST_NAMED || x.type !== "log"
      ? []
      : found;
    const told = shown.map(({ name, best, loss }) =>
      `${found.length > 1 ? `${name}: ` : ""}best rate ${x.format(best.x)}` +
      (loss === null ? "" : `, sensitivity ${(100 * loss).toFixed(1)} points`)
    );
    const style = `style="stroke-width: 5; stroke-opacity: 0.6"`;
    return {
      ...{ words: told, notes: told },
      inset: { bottom: shown.length * BAR_GAP + 8 },
      legend: shown.length === 0 ? [] : [
        { mark: marks.SAMPLES.ring, label: "best rate" },
        marks.pathItem(
          "M0,6H26",
          "rates within half a point of the best",
          style,
        ),
      ],
      marks: () =>
        shown.flatMap(({ best, low, high, i, name }, k) => {
          const { color, symbol } = marks.styleOf(i);
          const at = { y: () => y.domain[0], dy: 16 + k * BAR_GAP };
          return [
            marks.rings([best], "ferlab-best"),
            // A width of one rate is a short bar.
            Plot.ruleY([best], {
              ...{ ...at, stroke: color, strokeWidth: 5, strokeOpacity: 0.75 },
              x1: () => Math.max(low / 1.1, Number(x.domain[0])),
              x2: () => Math.min(high * 1.1, Number(x.domain[1])),
              title: () =>
                `${name} ${x.format(low)} to ${x.format(high)}`.trim(),
            }),
            Plot.dot([best], {
              ...{ ...at, x: "x", symbol, r: 4, fill: color },
              stroke: "currentColor",
            }),
          ].map((mark) => marks.tagged(() => marks.seriesAt(i), mark));
        }),
    };
  });
}

type Curve = readonly Record<"x" | "y", number>[];

/** The rates about the best that do nearly as well, and the mean loss. */
function readOff(curve: Curve, best: Curve[number]) {
  const floor = best.y - WITHIN;
  const reach = (step: 1 | -1) => {
    let i = curve.indexOf(best);
    while (curve[i + step] && curve[i + step].y >= floor) i += step;
    const last = curve[i], next = curve[i + step];
    if (!next) return last.x;
    return last.x * (next.x / last.x) ** ((last.y - floor) / (last.y - next.y));
  };
  // The trapezium rule over log rates.
  const area = d3.sum(
    d3.pairs(curve),
    ([a, b]: Curve) => (best.y - (a.y + b.y) / 2) * Math.log(b.x / a.x),
  );
  const span = Math.log(curve.at(-1)!.x / curve[0].x);
  const loss = span > 0 ? area / span : null;
  return { low: reach(-1), high: reach(1), loss };
}
