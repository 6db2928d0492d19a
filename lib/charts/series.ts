/** Series told apart by colour and marker, in the plot, at its edge and above. */
import * as Plot from "@observablehq/plot";
import { spread } from "./place_labels.ts";
import { type LegendItem, PALETTE, SYMBOLS } from "./theme.ts";

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

/** Such a series in a legend. */
export const seriesItem = (label: string, i: number): LegendItem => ({
  mark: `<g fill="${styleOf(i).color}"><path d="M0,5h26v2h-26z"/>${
    SHAPES[i % SHAPES.length]
  }</g>`,
  label,
});

export const FAILED: LegendItem = {
  mark: `<path d="M9,2L17,10M17,2L9,10" stroke="currentColor" ` +
    `stroke-width="1.5"/>`,
  label: "failed",
};

/** Published values, hollow and joined by dashes, in a colour. */
export const publishedItem = (color = "currentColor"): LegendItem => ({
  mark: `<path d="M0,6H8M18,6H26" stroke="${color}" stroke-width="1.5" ` +
    `stroke-dasharray="5 3"/><rect x="9.5" y="2.5" width="7" height="7" ` +
    `fill="none" stroke="${color}" stroke-width="1.5"/>`,
  label: "published",
});

/** Each series' name at the right of its last point, moved apart. */
export function endLabels(
  names: readonly string[],
  ends: readonly ({ y: number } | undefined)[],
  area: { y: (v: number) => number; top: number; bottom: number },
  dx: number,
) {
  const sorted = names.map((name, i) => ({ name, i, end: ends[i] }))
    .filter((e) => e.end !== undefined)
    .map((e) => ({ ...e, ...styleOf(e.i), y: area.y(e.end!.y) }))
    .sort((a, b) => a.y - b.y);
  const ys = spread(sorted.map((e) => e.y), 15, area.top + 6, area.bottom - 6);
  const middle = (area.top + area.bottom) / 2;
  return sorted.flatMap(({ name, color, symbol }, k) => {
    const at = { frameAnchor: "right" as const, dy: ys[k] - middle };
    return [
      Plot.dot([name], { ...at, symbol, fill: color, r: 4, dx }),
      Plot.text([name], {
        ...at,
        text: [name],
        textAnchor: "start",
        dx: dx + 9,
      }),
    ];
  });
}
