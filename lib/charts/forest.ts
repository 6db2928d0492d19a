/** Effects with their intervals about zero, a row each. */
import * as Plot from "@observablehq/plot";
import {
  type Chart,
  type ChartOptions,
  contentClass,
  document,
  emptyChart,
  finish,
  FONT_SIZE,
  GRID,
  head,
  type LegendItem,
  PALETTE,
  textWidth,
  wrapWords,
} from "./old.ts";
import { isNumber, roundTicks } from "./old.ts";

/** An effect in the unit of the chart, with its interval if there is one. */
export interface Effect {
  label: string;
  estimate: number;
  low: number | null;
  high: number | null;
  /** Effects of a group stand together under its name. */
  group?: string;
  /** Default: ours. */
  whose?: "published" | "ours";
  /** Small words under the label. */
  note?: string;
}

/** A row of the chart; a group's heading has no effect. */
interface Row {
  lines: string[];
  notes: string[];
  effect: Effect | null;
  y: number;
}

const OURS = PALETTE[0], PUBLISHED = PALETTE[1];
const LINE = 15, NOTE = 10, NOTE_LINE = 12, PAD = 10;

/** An estimate and its interval, all with as many decimals as the largest. */
function effectText(e: Effect): string {
  if (!isNumber(e.estimate)) return "failed";
  const ends = isNumber(e.low) && isNumber(e.high) ? [e.low, e.high] : [];
  const size = Math.max(...[e.estimate, ...ends].map(Math.abs));
  const digits = size >= 100 ? 0 : size < 0.01 ? 4 : 2;
  const text = (value: number) =>
    value === 0
      ? "0"
      : `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(digits)}`;
  const interval = ends.length > 0 ? ` [${ends.map(text).join(", ")}]` : "";
  return text(e.estimate) + interval;
}

const legend: LegendItem[][] = [[
  {
    mark: `<path d="M0,6H26" stroke="${OURS}" stroke-width="2"/>` +
      `<circle cx="13" cy="6" r="4.5" fill="${OURS}"/>`,
    label: "ours",
  },
  {
    mark: `<path d="M0,6H8.5M17.5,6H26" stroke="${PUBLISHED}" ` +
      `stroke-width="1.5"/><rect x="9" y="2" width="8" height="8" ` +
      `fill="none" stroke="${PUBLISHED}" stroke-width="1.5"/>`,
    label: "published",
  },
]];

/** Rows from `top` down, groups in the order of their first effect. */
function laidOut(effects: readonly Effect[], width: number, top: number) {
  const groups = [...new Set(effects.map((e) => e.group))];
  const rows: Row[] = [];
  let y = top;
  for (const group of groups) {
    if (group !== undefined) {
      const lines = wrapWords(group, width, FONT_SIZE * 1.1);
      const height = LINE * lines.length + PAD;
      rows.push({ lines, notes: [], effect: null, y: y + height / 2 });
      y += height;
    }
    const indent = group === undefined ? 0 : 12;
    for (const effect of effects.filter((e) => e.group === group)) {
      const lines = wrapWords(effect.label, width - indent, FONT_SIZE);
      const notes = effect.note === undefined
        ? []
        : wrapWords(effect.note, width - indent, NOTE);
      const height = LINE * lines.length + NOTE_LINE * notes.length + PAD;
      rows.push({ lines, notes, effect, y: y + height / 2 });
      y += height;
    }
  }
  return { rows, bottom: y };
}

/**
 * Draws a forest plot: each effect as a point with its interval, written out at
 * the right, and a line at `zero` (default 0), no effect. Hollow squares are
 * published. An effect that is no number is said to have failed. The height
 * follows from the rows unless given.
 */
export function forestChart(
  effects: readonly Effect[],
  o: ChartOptions & {
    /** What the effects are, such as "difference in accuracy". */
    xLabel: string;
    zero?: number;
    /** Of the effects, such as "points". */
    unit?: string;
  },
): Chart {
  const { zero = 0, width = 720 } = o;
  const name = o.unit === undefined ? o.xLabel : `${o.xLabel}, ${o.unit}`;
  const label = `${o.title ?? "Effects"}: ${name}, ${effects.length} rows`;
  if (effects.length === 0) return emptyChart("forest", label, o);
  const isPublished = (e: Effect) => e.whose === "published";
  const top = head({
    title: o.title,
    width,
    legend: effects.some(isPublished) ? legend : [],
  });
  const marginTop = top.height + 22;
  const hasGroups = effects.some((e) => e.group !== undefined);
  const labelWidth = Math.ceil(Math.min(
    0.38 * width,
    Math.max(...effects.flatMap((e) => [
      textWidth(e.label) + (hasGroups ? 12 : 0),
      textWidth(e.note ?? "", NOTE) + (hasGroups ? 12 : 0),
      textWidth(e.group ?? "", FONT_SIZE * 1.1),
    ])) + 4,
  ));
  const texts = Math.max(...effects.map((e) => textWidth(effectText(e))));
  const { rows, bottom } = laidOut(effects, labelWidth, marginTop);
  const left = labelWidth + 24, right = width - Math.ceil(texts) - 24;
  const height = Math.max(o.height ?? 0, bottom + 46);

  const ends = effects.flatMap((e) => [e.estimate, e.low, e.high])
    .filter(isNumber).concat(zero);
  const pad = 0.05 * (Math.max(...ends) - Math.min(...ends)) || 1;
  const [low, high] = [Math.min(...ends) - pad, Math.max(...ends) + pad];
  const x = (value: number) =>
    left + (value - low) / (high - low) * (right - left);
  const ticks = roundTicks(low, high, Math.max(2, (right - left) / 40));

  type EffectRow = Row & { effect: Effect };
  const drawn = rows.filter((r): r is EffectRow => r.effect !== null);
  const finite = drawn.filter((r) => isNumber(r.effect.estimate));
  // Intervals leave the marker free, so that a hollow one is hollow.
  const intervals = (own: EffectRow[]) =>
    own.flatMap(({ effect: { estimate, low, high }, y }) => {
      const middle = x(estimate);
      return isNumber(low) && isNumber(high)
        ? [
          { x1: Math.min(x(low), middle - 5), x2: middle - 5, y },
          { x1: middle + 5, x2: Math.max(x(high), middle + 5), y },
        ]
        : [];
    });
  const marksOf = (own: EffectRow[], isHollow: boolean) => [
    Plot.link(intervals(own), {
      x1: "x1",
      x2: "x2",
      y: "y",
      stroke: isHollow ? PUBLISHED : OURS,
      strokeWidth: 2,
      className: "ferlab-intervals",
    }),
    Plot.dot(own, {
      x: (r: EffectRow) => x(r.effect.estimate),
      y: "y",
      r: 4.5,
      ...(isHollow
        ? { symbol: "square", stroke: PUBLISHED, strokeWidth: 2 }
        : { fill: OURS }),
      title: (r: EffectRow) => `${r.effect.label}\n${effectText(r.effect)}`,
      className: isHollow ? "ferlab-published" : "ferlab-ours",
    }),
  ];
  const text = (r: Row, i: number, isNote: boolean) => {
    const block = LINE * r.lines.length + NOTE_LINE * r.notes.length;
    const above = isNote
      ? LINE * r.lines.length + NOTE_LINE * (i + 0.5)
      : LINE * (i + 0.5);
    return {
      x: 8 + (r.effect?.group !== undefined ? 12 : 0),
      y: r.y - block / 2 + above,
      text: (isNote ? r.notes : r.lines)[i],
    };
  };

  const element = Plot.plot({
    document,
    className: contentClass("forest", effects, o),
    width,
    height,
    margin: 0,
    axis: null,
    x: { type: "identity" },
    y: { type: "identity" },
    marks: [
      Plot.ruleX(ticks, { ...GRID, x, y1: marginTop - 6, y2: bottom }),
      Plot.ruleX([x(zero)], {
        y1: marginTop - 6,
        y2: bottom,
        strokeWidth: 1.5,
        strokeOpacity: 0.7,
      }),
      Plot.link([0], {
        x1: () => left,
        x2: () => right,
        y: () => bottom,
        strokeOpacity: 0.5,
      }),
      Plot.text(ticks, {
        x,
        y: () => bottom + 14,
        text: (t: number) => t < 0 ? `−${-t}` : String(t),
      }),
      Plot.text([name], {
        x: () => (left + right) / 2,
        y: () => bottom + 34,
        text: (t: string) => t,
      }),
      ...[false, true].map((isHeading) =>
        Plot.text(
          rows.filter((r) => (r.effect === null) === isHeading)
            .flatMap((r) => r.lines.map((_, i) => text(r, i, false))),
          {
            x: "x",
            y: "y",
            text: "text",
            textAnchor: "start",
            fontWeight: isHeading ? 700 : 400,
          },
        )
      ),
      Plot.text(rows.flatMap((r) => r.notes.map((_, i) => text(r, i, true))), {
        x: "x",
        y: "y",
        text: "text",
        textAnchor: "start",
        fontSize: NOTE,
        fillOpacity: 0.75,
      }),
      Plot.text(drawn, {
        x: () => right + 16,
        y: "y",
        text: (r: EffectRow) => effectText(r.effect),
        textAnchor: "start",
      }),
      ...marksOf(finite.filter((r) => isPublished(r.effect)), true),
      ...marksOf(finite.filter((r) => !isPublished(r.effect)), false),
      Plot.dot(drawn.filter((r) => !isNumber(r.effect.estimate)), {
        x: () => x(zero),
        y: "y",
        symbol: "times",
        r: 4.5,
        stroke: "currentColor",
        className: "ferlab-failed",
      }),
    ],
  });
  return finish(element, label, top);
}
