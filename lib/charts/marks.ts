/** Marks that charts share, and their samples in a legend. */
import * as Plot from "@observablehq/plot";
import type { Axis } from "./axis.ts";
import { trialWords } from "./channels.ts";
import { tip } from "./frame.ts";
import { type LegendItem, SMALL, widest } from "./text_layout.ts";
import { FONT_SIZE, PALETTE, SYMBOLS } from "./theme.ts";

/** Words of a row, from the plot's right edge on. */
export const AT_RIGHT = { frameAnchor: "right", textAnchor: "start" } as const;

export const OURS = PALETTE[0], PUBLISHED = PALETTE[1];

/** Sets attributes of each of a mark's shapes, by its row, for a page's script. */
export function tagged(
  // deno-lint-ignore no-explicit-any
  of: (row: any) => Record<string, string | number>,
  mark: Plot.Markish,
): Plot.Markish {
  // deno-lint-ignore no-explicit-any
  const own = mark as any, draw = own.render;
  own.render = function (...how: unknown[]) {
    const group = draw.apply(this, how);
    for (const shape of group?.childNodes ?? []) {
      const [i] = [shape.__data__].flat();
      const attributes = Object.entries(of(own.data?.[i]));
      for (const [name, value] of attributes) shape.setAttribute(name, value);
    }
    return group;
  };
  return mark;
}

/** Of the i-th series: a page lifts all its shapes where one is pointed at. */
export const seriesAt = (i: number) => ({ "data-series": i });

/** So many series have a colour with a marker of their own, and a name. */
export const MOST_NAMED = 12;

const SHAPES = [
  `<circle cx="13" cy="6" r="4"/>`,
  `<rect x="9.5" y="2.5" width="7" height="7"/>`,
  `<path d="M13,1L18,10L8,10Z"/>`,
  `<path d="M13,0.5L18,6L13,11.5L8,6Z"/>`,
];

/** The colour and the marker of the i-th series, told apart up to twelve. */
export const styleOf = (i: number) => ({
  color: PALETTE[i % PALETTE.length],
  symbol: SYMBOLS[i % SYMBOLS.length],
});

/** A sample of lines: an SVG path in a box of 26 × 12, and its words. */
export const pathItem = (d: string, label: string, style = ""): LegendItem => ({
  mark: `<path d="${d}" fill="none" stroke="currentColor" stroke-width="1.5" ` +
    `${style}/>`,
  label,
});

/** A sample of a filled area. */
export const areaItem = (fill: string, label: string, style = "") => ({
  mark: `<rect x="1" y="0.5" width="24" height="11" fill="${fill}" ${style}/>`,
  label,
});

/** Such a series in a legend. */
export function seriesItem(label: string, i: number): LegendItem {
  const line = `<path d="M0,5h26v2h-26z"/>`, shape = SHAPES[i % SHAPES.length];
  const mark = `<g fill="${styleOf(i).color}">${line}${shape}</g>`;
  return { mark, label, series: i };
}

const LINE = `<path d="M0,6H26" stroke="currentColor" stroke-width="2"/>`;

/** Samples of what charts draw, in boxes of 26 × 12. */
export const SAMPLES = {
  run: `<circle cx="13" cy="6" r="4" fill="${OURS}"/>`,
  /** Means as a line, with their runs; the same with a band. */
  runs: `${LINE}<path d="M6,0v4M19,7v4" stroke="currentColor" ` +
    `stroke-width="4" stroke-opacity="0.4"/>`,
  band: `<path d="M0,0H26V12H0Z" fill-opacity="0.2"/>${LINE}`,
  ring: `<circle cx="13" cy="6" r="5.5" fill="none" stroke="currentColor" ` +
    `stroke-width="1.5"/><circle cx="13" cy="6" r="2.5"/>`,
  noise: `<rect width="26" height="12" fill-opacity=".15"/>`,
};

/** Values of ours in their colour, with an interval across or upright. */
export const oursItem = (label: string, isUpright = false): LegendItem => ({
  mark: `<path d="${isUpright ? "M13,0V12" : "M0,6H26"}" stroke="${OURS}" ` +
    `stroke-width="2"/>${SAMPLES.run}`,
  label,
});

const HOLLOW = "M0,6H8M18,6H26M9.5,2.5H16.5V9.5H9.5Z";

/** Published values, hollow and joined by dashes. */
export const publishedItem = (
  color = PUBLISHED,
  label = "published",
): LegendItem => pathItem(HOLLOW, label, `style="stroke: ${color}"`);

export const FAILED = pathItem("M9,2L17,10M17,2L9,10", "failed");

/** Runs as dots, each with its trial's parameters but those told. */
export const runDots = <T extends { row: unknown }>(
  runs: T[],
  { x, y, told, name, trial }: Record<"x" | "y", Axis> & {
    told: string[];
    name?: (run: T) => string;
    trial?: (run: T) => string;
  },
  o: Plot.DotOptions,
) =>
  Plot.dot(runs, {
    ...{ x: "x", y: "y", className: "ferlab-runs" },
    // deno-lint-ignore no-explicit-any
    title: (r: any) => {
      const value = `${x.label} ${x.say(r.x)}: ${y.say(r.y)}`;
      return tip(name?.(r), value, trial?.(r) ?? trialWords(r.row, told));
    },
    ...o,
  });

/**
 * Words in cells: the first wording that fits `side`, its second line where
 * there is room; none where none fits.
 */
export function cellWords<T>(
  cells: T[],
  { side, tall }: { side: number; tall: number },
  wordings: ((cell: T) => string[])[],
  o: Plot.TextOptions,
) {
  const lines = (words: string[]) => words.slice(0, tall >= 30 ? 2 : 1);
  const [fit] = wordings.flatMap((words) =>
    [FONT_SIZE, SMALL].map((fontSize) => ({ words, fontSize }))
  ).filter(({ words, fontSize }) =>
    widest(cells.flatMap((c) => lines(words(c))), fontSize) <= side - 4
  );
  return Plot.text(fit && tall >= 13 ? cells : [], {
    text: (c: T) => lines(fit.words(c)).join("\n"),
    ...{ fontSize: fit?.fontSize, lineHeight: 1.15, pointerEvents: "none" },
    ...o,
  });
}

/** Rings about rows with x and y. */
export const rings = <T>(rows: T[], className: string) =>
  Plot.dot(rows, { x: "x", y: "y", r: 8, strokeWidth: 1.75, className });

/** What failed, as crosses. */
export const crosses = <T>(rows: T[], o: Plot.DotOptions) =>
  Plot.dot(rows, {
    ...{ symbol: "times", r: 4, stroke: "currentColor", strokeWidth: 1.5 },
    className: "ferlab-failed",
    ...o,
  });

/** Intervals from `low` to `high` at x, where a row has both. */
export const bars = <T extends { low: number | null; high: number | null }>(
  rows: readonly T[],
  o: Plot.RuleXOptions,
) =>
  Plot.ruleX(rows.filter((r) => r.low !== null && r.high !== null), {
    ...{ y1: "low", y2: "high", strokeWidth: 2, strokeOpacity: 0.7 },
    className: "ferlab-intervals",
    ...o,
  });

/** Moves sorted `ys` apart to at least `gap`, within [top, bottom]. */
function spread(ys: number[], gap: number, top: number, bottom: number) {
  const out = [...ys];
  for (let i = 0; i < out.length; i++) {
    out[i] = Math.max(out[i], i === 0 ? top : out[i - 1] + gap);
  }
  for (let i = out.length - 1; i >= 0; i--) {
    out[i] = Math.min(out[i], i === out.length - 1 ? bottom : out[i + 1] - gap);
  }
  return out;
}

/** Each series' name at the right of its last point, moved apart. */
export function endLabels(
  names: readonly string[],
  ends: readonly ({ y: number } | undefined)[],
  area: { y: (v: number) => number; top: number; bottom: number },
  dx: number,
) {
  const sorted = names.flatMap((name, i) => {
    const end = ends[i];
    return end ? [{ name, i, ...styleOf(i), y: area.y(end.y) }] : [];
  }).sort((a, b) => a.y - b.y);
  const ys = spread(sorted.map((e) => e.y), 15, area.top + 6, area.bottom - 6);
  const middle = (area.top + area.bottom) / 2;
  return sorted.flatMap(({ name, i, color, symbol }, k) => {
    const dy = ys[k] - middle;
    return [
      Plot.dot([name], { ...AT_RIGHT, dy, symbol, fill: color, r: 4, dx }),
      Plot.text([name], { ...AT_RIGHT, dy, text: [name], dx: dx + 9 }),
    ].map((mark) => tagged(() => seriesAt(i), mark));
  });
}
