/** A value over two parameters: a cell a setting, the best one outlined. */
import * as Plot from "@observablehq/plot";
import * as d3 from "d3";
import { axisOf, intervalWords, onAxes, pluralOf } from "./axis.ts";
import * as channels from "./channels.ts";
import { type AxesOptions, axisOptions, frame, tip } from "./frame.ts";
import { type LegendItem, MOST_HIGH } from "./text_layout.ts";
import { cellWords, crosses, FAILED, pathItem } from "./marks.ts";
import { meansOf } from "./means.ts";
import { sdOf } from "./noise_bar.ts";
import { type Chart, textOn } from "./theme.ts";
import { firstHighest, percentTick, valueText } from "./value_text.ts";

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
  rows: channels.Rows,
  o: AxesOptions & {
    x: channels.Channel;
    y: channels.Channel;
    /** Default: the mean, else the accuracy. */
    value?: channels.Channel;
    valueLabel?: string;
  },
): Chart {
  const { checkOptions, firstOf, INTERVAL, maybe, readChannels, trialWords } =
    channels;
  checkOptions("heatMapChart", o, '{ x: "lr", y: "depth" }');
  const table = readChannels("heatMapChart", rows, {
    ...{ x: o.x, y: o.y, value: o.value ?? firstOf("mean", "accuracy") },
    // How many runs a value is the mean of, and its interval.
    ...{ n: maybe("n"), ...INTERVAL },
  });
  const x = axisOf(table, "x", { ...axisOptions(o, "x"), scale: "category" });
  const y = axisOf(table, "y", { ...axisOptions(o, "y"), scale: "category" });
  const shown = onAxes(table, { x, y }, "value");
  const all = [...shown.rows, ...shown.failed];
  const cells = meansOf(all, ["x", "y"], "value");
  type Cell = typeof cells[number];
  const [done, failed] = [true, false]
    .map((isDone) => cells.filter((c) => !Number.isNaN(c.mean) === isDone));

  const valueLabel = o.valueLabel ?? table.words("value");
  const value = axisOf(table, "value", { label: valueLabel });
  const end = value.isShare ? percentTick : valueText;
  const sd = sdOf(o.noise);
  const [low = 0, high = 0] = d3.extent(done, (c: Cell) => c.mean);
  const wide = Math.max(high - low, FLOORS * sd);
  const from = Math.max(value.isShare ? 0 : -Infinity, (low + high - wide) / 2);
  const colorOf = (c: Cell) =>
    d3.interpolateViridis(wide > 0 ? (c.mean - from) / wide : 0.5);
  const barWidth = wide > 0 ? 2 * sd / wide * SCALE : 0;

  const best = firstHighest(done, (c) => c.mean);
  const reach = (c: Cell) =>
    2 * sd * Math.sqrt(1 / (c.n || 1) + 1 / (best?.n || 1));
  const ties = done
    .filter((c) => c !== best && best!.mean - c.mean < reach(c));
  const tieWords = `${pluralOf(ties.length, "tie")} with the best: less than ` +
    "twice the noise of a difference below it";
  const placeOf = (c: Cell) =>
    `${x.label} ${x.format(c.x!)}, ${y.label} ${y.format(c.y!)}`;
  const bestWords = best &&
    `best ${valueLabel}: ${value.say(best.mean)} at ${placeOf(best)}`;
  const edges = (["left", "right", "bottom", "top"] as const).filter((_, i) => {
    const [all, own] = i < 2 ? [x.domain, best?.x] : [y.domain, best?.y];
    const isRange = all.length >= 3 && all.every(channels.isNumber);
    return isRange && all.at(-(i % 2)) === own;
  });
  const bounds = edges.map((e) => /left|right/.test(e) ? x.label : y.label);
  const edgeWords = `best on the boundary of ${bounds.join(" and of ")}`;
  const edgeStyle = `style="stroke: ${EDGE}; stroke-width: 4"`;
  const tieBox = box(`stroke-width="1.5" stroke-dasharray="3 2"`);
  const at = { x: "x", y: "y" };
  const quiet = { ...at, pointerEvents: "none" } as const;
  return frame("heat-map", o, {
    rows: [table],
    label: [
      `${valueLabel} by ${x.label} and ${y.label}`,
      bestWords,
      edges.length > 0 && edgeWords,
      ties.length > 0 && tieWords,
    ],
    legend: [
      [best && { mark: box(`stroke-width="2.5"`), label: bestWords! }],
      [
        ties.length > 0 && { mark: tieBox, label: tieWords },
        edges.length > 0 && pathItem("M2,6H24", edgeWords, edgeStyle),
        failed.length > 0 && FAILED,
      ],
      [best && wide > 0 && scaleItem(end(from), end(from + wide))],
    ],
    // As long as on the scale of colours.
    noiseMark: {
      mark: barWidth > 0
        ? `<path class="ferlab-noise" d="M0,3v6m0,-3h${barWidth.toFixed(1)}` +
          `m0,-3v6" stroke="currentColor" stroke-width="1.5"/>`
        : "",
      width: Math.ceil(barWidth),
    },
    notes: shown.notes,
    isEmpty: cells.length === 0,
    ...{ x: { ...x, hasNoGrid: true }, y: { ...y, hasNoGrid: true } },
    innerHeight: (width) => {
      const side = Math.max(30, Math.min(44, width / x.domain.length));
      return Math.min(MOST_HIGH, y.domain.length * side);
    },
    marks: (area) => {
      const side = (area.right - area.left) / x.domain.length;
      const tall = (area.bottom - area.top) / y.domain.length;
      const of = [table.name("x"), table.name("y")];
      const title = (c: Cell) =>
        tip(
          placeOf(c),
          c.n > 0 ? `${value.say(c.mean)}\nn = ${c.n}` : "failed",
          intervalWords(value, c.low, c.high),
          c.n > 0 && c.failed > 0 && `${c.failed} failed`,
          trialWords(c.row, of, { [of[0]]: [c.x], [of[1]]: [c.y] }),
        );
      const short = (v: number) => (100 * v).toFixed(1);
      const hasN = done.some((c) => c.n !== 1);
      const wordings = [value.say, ...value.isShare ? [short] : []].map(
        (say) => (c: Cell) => [say(c.mean), ...hasN ? [`n = ${c.n}`] : []],
      );
      const fill = (c: Cell) => textOn(colorOf(c));
      return [
        Plot.cell(done, {
          ...{ ...at, fill: colorOf, title },
          ...{ stroke: "currentColor", strokeOpacity: 0.2 },
        }),
        Plot.cell(failed, {
          ...{ ...at, fill: "none", title, pointerEvents: "all" },
          ...{ stroke: "currentColor", strokeOpacity: 0.35 },
          strokeDasharray: "3 3",
        }),
        crosses(failed, {
          ...{ ...quiet, r: Math.max(2, Math.min(6, side / 3, tall / 3)) },
        }),
        cellWords(done, { side, tall }, wordings, { ...at, fill }),
        ...edges.map((anchor) =>
          Plot.frame({ anchor, stroke: EDGE, strokeWidth: 4, inset: -2 })
        ),
        Plot.cell(ties, {
          ...{ ...quiet, inset: side < 44 ? 1 : 3, fill: "none", stroke: fill },
          ...{ strokeWidth: 1.5, strokeDasharray: "3 2" },
        }),
        Plot.cell(best ? [best] : [], {
          ...{ ...quiet, fill: "none", stroke: "currentColor" },
          ...{ strokeWidth: 3, className: "ferlab-best" },
        }),
      ];
    },
  });
}

const box = (style: string) =>
  `<rect x="6" y="0" width="14" height="11" fill="none" ` +
  `stroke="currentColor" ${style}/>`;

/** The colour scale between the words of its ends. */
export function scaleItem(
  low: string,
  high: string,
  color: (t: number) => string = d3.interpolateViridis,
): LegendItem {
  const step = SCALE / STEPS;
  const rects = d3.range(STEPS).map((i: number) =>
    `<rect x="${i * step}" width="${step + 0.5}" height="12" ` +
    `fill="${color((i + 0.5) / STEPS)}"/>`
  ).join("");
  const mark = `<g class="ferlab-scale">${rects}</g>`;
  return { mark, width: SCALE, label: `${low} to ${high}` };
}
