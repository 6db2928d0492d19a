/** A value over two parameters: a cell a setting, the best one outlined. */
import * as Plot from "@observablehq/plot";
import * as d3 from "d3";
import { axisOf, count, onAxes } from "./axis.ts";
import { type Channel, firstOf, maybe, read, type Rows } from "./channels.ts";
import { type AxesOptions, frame, noiseText, tip } from "./frame.ts";
import { firstHighest, percentTick, sequential, textOn } from "./scales.ts";
import {
  type Chart,
  FONT_SIZE,
  type LegendItem,
  percent,
  textWidth,
} from "./theme.ts";
import { valueText } from "./scales.ts";

interface Cell {
  x: number | string;
  y: number | string;
  /** The mean of the cell's rows; null where all failed. */
  value: number | null;
  n: number | null;
  failed: number;
}
type Done = Cell & { value: number };

const EDGE = "#D55E00";
const SCALE = 144, STEPS = 24;
/** The colours span at least so many noise floors (standard deviations). */
const FLOORS = 4;

/**
 * Draws a value (a share) for each pair of x and y; rows of one pair are
 * averaged. The best (highest) cell is outlined, and dashed are those that the
 * noise does not tell from it: less than 2·sd·√(1/n + 1/n) below. Where the
 * best lies at the end of an axis of at least three numbers, that edge is
 * marked: the optimum may lie beyond. The colours span at least four noise
 * floors, so that noise alone looks even. A cell whose rows have no value has
 * failed.
 */
export function heatMapChart(
  rows: Rows,
  o: Omit<AxesOptions, "xScale" | "yScale"> & {
    x: Channel;
    y: Channel;
    /** Default: the mean, else the accuracy. */
    value?: Channel;
    /** How many runs a value is the mean of. */
    n?: Channel;
    valueLabel?: string;
  },
): Chart {
  const table = read("heatMapChart", rows, {
    x: o.x,
    y: o.y,
    value: o.value ?? firstOf("mean", "accuracy"),
    n: o.n ?? maybe("n"),
  });
  const as = { scale: "category" } as const;
  const x = axisOf(table, "x", { ...as, label: o.xLabel, format: o.xFormat });
  const y = axisOf(table, "y", { ...as, label: o.yLabel, format: o.yFormat });
  const { rows: finite, failed: lost, notes } = onAxes(
    table,
    { x, y },
    "value",
  );
  const shown = [...finite, ...lost];
  const isN = table.has("n");
  const cells = d3.rollups(
    shown,
    (own: typeof shown): Cell => {
      const done = own.filter((r) => typeof r.value === "number");
      return {
        x: own[0].x!,
        y: own[0].y!,
        value: d3.mean(done, (r: Done) => r.value) ?? null,
        n: isN ? d3.sum(done, (r: Done) => r.n ?? 1) : done.length,
        failed: own.length - done.length,
      };
    },
    // The types of x and y are told apart: 1 and "1" are two cells.
    (r: Cell) => JSON.stringify([r.x, r.y]),
  ).map(([, cell]: [string, Cell]) => cell) as Cell[];
  const done = cells.filter((c): c is Done => c.value !== null);
  const failed = cells.filter((c) => c.value === null);

  const valueLabel = o.valueLabel ?? table.words("value");
  const isShare = /accuracy|share/i.test(valueLabel);
  const words = (v: number) => isShare ? percent(v) : valueText(v);
  const sd = o.noise?.sd ?? 0;
  const [low = 0, high = 0] = d3.extent(done, (c: Done) => c.value);
  const wide = Math.max(high - low, FLOORS * sd);
  const from = Math.max(isShare ? 0 : -Infinity, (low + high - wide) / 2);
  const colorOf = (c: Done) =>
    sequential(wide > 0 ? (c.value - from) / wide : 0.5);

  const best = firstHighest(done, (c) => c.value);
  const reach = (c: Done) =>
    2 * sd * Math.sqrt(1 / (c.n || 1) + 1 / (best?.n || 1));
  const ties = sd > 0
    ? done.filter((c) => c !== best && best!.value - c.value < reach(c))
    : [];
  const edges = best ? edgesOf(best, x.domain, y.domain) : [];
  const at = best &&
    `${x.label} ${x.format(best.x)}, ${y.label} ${y.format(best.y)}`;
  const bestWords = best && `best ${valueLabel}: ${words(best.value)} at ${at}`;
  const beyond = [
    ...new Set(edges.map((e) => /left|right/.test(e) ? x.label : y.label)),
  ];
  const edgeWords = `best on the boundary of ${beyond.join(" and of ")}`;

  const legend: (LegendItem | false | null | undefined)[][] = [
    [best && { mark: box("2.5"), label: bestWords! }],
    [
      ties.length > 0 && {
        mark: box("1.5", "3 2"),
        label: `${count(ties.length, "tie")} with the best: less than twice ` +
          "the noise of a difference below it",
      },
      beyond.length > 0 && {
        mark: `<path d="M2,6H24" stroke="${EDGE}" stroke-width="4"/>`,
        label: edgeWords,
      },
      failed.length > 0 && {
        mark: `<path d="M9,2L17,10M17,2L9,10" stroke="currentColor" ` +
          `stroke-width="1.5"/>`,
        label: "failed",
      },
    ],
    [
      best && wide > 0 && scaleItem(
        isShare ? percentTick(from) : valueText(from),
        isShare ? percentTick(from + wide) : valueText(from + wide),
      ),
    ],
    [
      o.noise !== undefined && {
        mark: sd > 0 ? noiseBar(2 * sd / wide * SCALE) : "",
        width: sd > 0 ? Math.ceil(2 * sd / wide * SCALE) + 4 : 0,
        label: noiseText(o.noise, isShare),
      },
    ],
  ];
  const label = [
    `${valueLabel} by ${x.label} and ${y.label}`,
    best ? bestWords : "",
    beyond.length > 0 ? edgeWords : "",
    ties.length > 0 ? count(ties.length, "tie") + " with the best" : "",
    o.noise === undefined ? "" : noiseText(o.noise, isShare),
  ].filter(Boolean).join("; ");
  const quiet = { x: "x", y: "y", pointerEvents: "none" } as const;
  return frame("heat-map", { ...o, noise: undefined }, {
    label,
    legend,
    notes,
    x: { ...x, hasNoGrid: true },
    y: { ...y, hasNoGrid: true },
    isEmpty: cells.length === 0,
    innerHeight: (width) =>
      Math.min(
        2400,
        y.domain.length * Math.max(30, Math.min(44, width / x.domain.length)),
      ),
    marks: (area) => {
      const side = (area.right - area.left) / x.domain.length;
      const tall = (area.bottom - area.top) / y.domain.length;
      const isRoomy = side >= textWidth("00.0 %") + 6;
      const short = (c: Done) =>
        !isShare || isRoomy ? words(c.value) : (100 * c.value).toFixed(1);
      const fontSize = isRoomy
        ? FONT_SIZE
        : Math.max(8, Math.min(11, side / 2.6));
      const isWritten = tall >= 12 &&
        done.every((c) => textWidth(short(c), fontSize) <= side);
      const showsN = isWritten && tall >= 32 && side >= 40 &&
        done.some((c) => c.n !== 1);
      const title = (c: Cell) =>
        tip(
          `${x.label} ${x.format(c.x)}, ${y.label} ${y.format(c.y)}`,
          c.value === null ? "failed" : words(c.value),
          c.value !== null && c.n !== null && `n = ${c.n}`,
          c.value !== null && c.failed > 0 && `${c.failed} failed`,
        );
      return [
        Plot.cell(done, {
          x: "x",
          y: "y",
          fill: colorOf,
          stroke: "currentColor",
          strokeOpacity: 0.2,
          title,
          className: "ferlab-cells",
        }),
        Plot.cell(failed, {
          x: "x",
          y: "y",
          fill: "none",
          stroke: "currentColor",
          strokeOpacity: 0.35,
          strokeDasharray: "3 3",
          pointerEvents: "all",
          title,
        }),
        Plot.dot(failed, {
          ...quiet,
          symbol: "times",
          r: Math.max(2, Math.min(6, side / 3, tall / 3)),
          stroke: "currentColor",
          strokeOpacity: 0.8,
          className: "ferlab-failed",
        }),
        Plot.text(isWritten ? done : [], {
          ...quiet,
          text: short,
          fill: (c: Done) => textOn(colorOf(c)),
          fontSize,
          dy: showsN ? -6 : 0,
        }),
        Plot.text(showsN ? done : [], {
          ...quiet,
          text: (c: Done) => `n = ${c.n}`,
          fill: (c: Done) => textOn(colorOf(c)),
          fontSize: FONT_SIZE - 2,
          dy: 8,
        }),
        ...edges.map((anchor) =>
          Plot.frame({
            anchor,
            stroke: EDGE,
            strokeWidth: 4,
            inset: -2,
            className: "ferlab-boundary",
          })
        ),
        Plot.cell(ties, {
          ...quiet,
          inset: 3,
          fill: "none",
          stroke: (c: Done) => textOn(colorOf(c)),
          strokeWidth: 1.5,
          strokeDasharray: "3 2",
          className: "ferlab-ties",
        }),
        Plot.cell(best ? [best] : [], {
          ...quiet,
          fill: "none",
          stroke: "currentColor",
          strokeWidth: 3,
          className: "ferlab-best",
        }),
      ];
    },
  });
}

/** The edges on which the best cell lies, of axes of three numbers and more. */
function edgesOf(
  best: Cell,
  xs: (number | string)[],
  ys: (number | string)[],
): ("left" | "right" | "bottom" | "top")[] {
  const ends = (all: (number | string)[], value: number | string) => {
    const isScale = all.length >= 3 && all.every((v) => typeof v === "number");
    return [isScale && value === all[0], isScale && value === all.at(-1)];
  };
  const [left, right] = ends(xs, best.x), [bottom, top] = ends(ys, best.y);
  return Object.entries({ left, right, bottom, top })
    .flatMap(([edge, isBest]) => isBest ? [edge as "left"] : []);
}

const box = (strokeWidth: string, dash = "none") =>
  `<rect x="6" y="0" width="14" height="11" fill="none" ` +
  `stroke="currentColor" stroke-width="${strokeWidth}" ` +
  `stroke-dasharray="${dash}"/>`;

/** The colour scale between the words of its ends. */
function scaleItem(low: string, high: string): LegendItem {
  const step = SCALE / STEPS;
  const rects = Array.from(
    { length: STEPS },
    (_, i) =>
      `<rect x="${i * step}" y="0" width="${step + 0.5}" height="12" ` +
      `fill="${sequential((i + 0.5) / STEPS)}"/>`,
  ).join("");
  return {
    mark: `<g class="ferlab-scale">${rects}</g>`,
    width: SCALE,
    label: `${low} to ${high}`,
  };
}

const noiseBar = (length: number) =>
  `<path class="ferlab-noise" d="M0,3v6m0,-3h${length.toFixed(1)}m0,-3v6" ` +
  `stroke="currentColor" stroke-width="1.5" fill="none"/>`;
