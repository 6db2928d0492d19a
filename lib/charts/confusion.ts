/** Which class was taken for which, and in what two models differ there. */
import * as Plot from "@observablehq/plot";
import * as d3 from "d3";
import { axisFor, count } from "./axis.ts";
import { isNumber } from "./channels.ts";
import { frame, type FrameOptions, tip } from "./frame.ts";
import { rowKey, rowsAxis } from "./rows_axis.ts";
import { textOver } from "./scales.ts";
import {
  type Chart,
  FONT_SIZE,
  type LegendItem,
  percent,
  textWidth,
} from "./theme.ts";

/** Counts by [true class][predicted class]. */
type Counts = readonly (readonly (number | bigint | null)[])[];
// deno-lint-ignore no-explicit-any
type Trial = { confusion?: Counts } | Record<string, any>;

/** Counts, a trial that has them, or several trials, which are added up. */
export type Confusion = Counts | Trial | readonly Trial[] | null | undefined;

export interface ConfusionOptions extends Omit<FrameOptions, "noise"> {
  /** The classes' names; default: their numbers. */
  labels?: readonly string[];
}

/** What a chart shows of one true and one predicted class. */
interface Cell {
  truth: string;
  predicted: string;
  i: number;
  j: number;
  /** Of the colour, 0 to 1. */
  strength: number;
  color: string;
  /** In the cell; the second only where there is room. */
  lines: string[];
  title: string;
}

/** Dark enough for white text, light enough for a dark page. */
const LESS = "#0072B2", MORE = "#C05000";
/** More classes have no room: those with the most images are drawn. */
const MOST = 60;

/** A matrix that adds up all of `of`; what is no count is null. */
function countsOf(chart: string, of: Confusion, n?: number) {
  const list = (Array.isArray(of) ? of : of ? [of] : []) as unknown[];
  const isMatrix = Array.isArray(list[0]);
  const all = isMatrix ? [list as unknown as Counts] : list
    .map((t) => (t as Trial | null)?.confusion as Counts | undefined)
    .filter((m): m is Counts => m !== null && m !== undefined);
  const notes = isMatrix || all.length === list.length ? [] : [
    `${count(list.length - all.length, "trial")} without a confusion matrix`,
  ];
  const size = n ?? all[0]?.length ?? 0;
  let wrong = 0;
  const counts = d3.range(all.length > 0 ? size : 0).map((): number[] =>
    Array(size).fill(0)
  ) as number[][];
  for (const matrix of all) {
    if (matrix.length !== size || matrix.some((row) => row.length !== size)) {
      throw new RangeError(
        `${chart}: a matrix has ${matrix.length} rows for ${size} classes; ` +
          `give ${size} rows of ${size} counts`,
      );
    }
    matrix.forEach((row, i) =>
      row.forEach((value, j) => {
        const own = typeof value === "bigint" ? Number(value) : value;
        if (isNumber(own) && own >= 0) counts[i][j] += own;
        else wrong++;
      })
    );
  }
  if (wrong > 0) notes.push(`${count(wrong, "cell")} without a count, as 0`);
  return { counts, notes, totals: counts.map((row) => d3.sum(row) as number) };
}

/** A count out of its class's images; null where the class has none. */
const shareOf = (value: number, total: number) =>
  total > 0 ? value / total : null;

/**
 * Draws counts of true classes (rows) by predicted ones. A cell's colour and
 * percentage are its share of the true class; of a class without images, n/a.
 *
 * @throws {RangeError} if the matrix is not one row and column a class.
 */
export function confusionChart(of: Confusion, o: ConfusionOptions = {}): Chart {
  const chart = "confusionChart";
  const { counts, totals, notes } = countsOf(chart, of, o.labels?.length);
  const labels = o.labels ?? counts.map((_, i) => `class ${i}`);
  const empty = labels.filter((_, i) => totals[i] === 0);
  return matrix("confusion", o, {
    label: `confusion of ${labels.length} classes`,
    yLabel: "true class; colour and percentage: share of its images",
    labels,
    totals,
    notes: [
      ...notes,
      ...(counts.length > 0 && empty.length > 0
        ? [`no image of ${empty.slice(0, 20).join(", ")}`]
        : []),
    ],
    cellOf: (i, j) => {
      const value = counts[i][j], share = shareOf(value, totals[i]);
      return {
        strength: share ?? 0,
        color: LESS,
        lines: share === null
          ? ["n/a"]
          : [d3.format(",")(value), `${Math.round(100 * share)} %`],
        title: share === null
          ? `no image is ${labels[i]}`
          : `${count(value, "image")}, ${percent(share)} of ${labels[i]}`,
      };
    },
  });
}

/** 0.0321 → "+3.2", −0.0004 → "0". */
function signed(difference: number): string {
  const text = Math.abs(100 * difference).toFixed(1);
  return text === "0.0" ? "0" : `${difference < 0 ? "−" : "+"}${text}`;
}

/**
 * Draws b − a of two confusions, each row as shares of its true class, in
 * points. Orange is what b predicts more often, blue less often; n/a is a class
 * of which one side has no image.
 *
 * @throws {RangeError} if a matrix is not one row and column a class.
 */
export function confusionDifferenceChart(
  a: Confusion,
  b: Confusion,
  o: ConfusionOptions & { aLabel?: string; bLabel?: string } = {},
): Chart {
  const { aLabel = "a", bLabel = "b" } = o;
  const chart = "confusionDifferenceChart";
  const ofA = countsOf(`${chart}, ${aLabel}`, a, o.labels?.length);
  const n = o.labels?.length ?? ofA.counts.length;
  const ofB = countsOf(`${chart}, ${bLabel}`, b, n);
  const isEmpty = ofA.counts.length === 0 || ofB.counts.length === 0;
  const labels = o.labels ?? ofA.counts.map((_, i) => `class ${i}`);
  const sides = [ofA, ofB];
  const sharesOf = (i: number, j: number) =>
    sides.map(({ counts, totals }) => shareOf(counts[i][j], totals[i]));
  const between = (i: number, j: number) => {
    const [before, after] = sharesOf(i, j);
    return before === null || after === null ? null : after - before;
  };
  const all = isEmpty ? [] : d3.cross(d3.range(n), d3.range(n), between);
  const most =
    (d3.max(all, (v: number | null) => Math.abs(v ?? 0)) ?? 0) as number;
  const recalls = isEmpty
    ? []
    : labels.map((_, i) => between(i, i)).filter((v) => v !== null);
  const recall = recalls.length > 0
    ? `mean recall ${signed(d3.mean(recalls))} points`
    : "";
  const box = (color: string) =>
    `<rect x="1" y="0.5" width="24" height="11" fill="${color}"/>`;
  return matrix("confusion-difference", o, {
    label: tip(`confusion, ${bLabel} less ${aLabel}, in points`, recall)
      .replace("\n", "; "),
    yLabel: "true class; points of its images" +
      (recall ? `, ${recall} (${bLabel} less ${aLabel})` : ""),
    labels: isEmpty ? [] : labels,
    names: (i) => {
      const [own, other] = sides.map((s) => s.totals[i]);
      return `${labels[i]}\nn ${own === other ? own : `${own} | ${other}`}`;
    },
    totals: isEmpty ? [] : ofA.totals,
    legend: most > 0
      ? [
        { mark: box(LESS), label: `less often by ${bLabel}` },
        {
          mark: box(MORE),
          label: `more often by ${bLabel} than by ${aLabel} (full colour: ` +
            `±${(100 * most).toFixed(1)} points)`,
        },
      ]
      : [],
    notes: [
      ...ofA.notes.map((note) => `${aLabel}: ${note}`),
      ...ofB.notes.map((note) => `${bLabel}: ${note}`),
    ],
    cellOf: (i, j) => {
      const difference = between(i, j);
      const [before, after] = sharesOf(i, j);
      return {
        strength: most > 0 ? Math.abs(difference ?? 0) / most : 0,
        color: (difference ?? 0) < 0 ? LESS : MORE,
        lines: [difference === null ? "n/a" : signed(difference)],
        title: difference === null
          ? "no image on one side"
          : `${aLabel} ${percent(before!)}, ${bLabel} ${percent(after!)}`,
      };
    },
  });
}

/** A cell for each true class, from the top down, and each predicted one. */
function matrix(
  kind: string,
  o: ConfusionOptions,
  { labels, names = (i) => labels[i], totals, notes, legend, cellOf, ...says }:
    {
      label: string;
      yLabel: string;
      labels: readonly string[];
      names?: (i: number) => string;
      totals: readonly number[];
      notes: string[];
      legend?: LegendItem[];
      cellOf: (
        i: number,
        j: number,
      ) => Pick<Cell, "strength" | "color" | "lines" | "title">;
    },
): Chart {
  const order = d3.range(totals.length) as number[];
  const shown = order.length <= MOST ? order : d3.sort(
    d3.sort(order, (i: number) => -totals[i]).slice(0, MOST),
  ) as number[];
  if (shown.length < order.length) {
    notes.push(
      `${MOST} of ${d3.format(",")(order.length)} classes: those with the ` +
        "most images",
    );
  }
  const cells: Cell[] = shown.flatMap((i, row) =>
    shown.map((j, column) => {
      const { title, ...cell } = cellOf(i, j);
      return {
        ...cell,
        i,
        j,
        truth: rowKey(row),
        predicted: rowKey(column),
        title: `true ${labels[i]}, predicted ${labels[j]}\n${title}`,
      };
    })
  );
  const width = o.width ??
    Math.max(400, Math.min(720, 130 + 60 * shown.length));
  const { axis, innerHeight } = rowsAxis(shown.map(names), {
    label: says.yLabel,
    width,
    least: shown.length > 20 ? 15 : 36,
  });
  const x = {
    ...axisFor(shown.map((_, j) => rowKey(j)), {
      label: "predicted class",
      scale: "category",
    }),
    format: (key: number | string) => labels[shown[Number(key)]],
  };
  const at = { x: "predicted", y: "truth" };
  return frame(kind, { ...o, width }, {
    label: says.label,
    legend: [legend ?? []],
    notes,
    x: { ...x, hasNoGrid: true },
    y: { ...axis, hasNoGrid: true },
    isEmpty: cells.length === 0,
    innerHeight: () => innerHeight,
    marks: (area) => {
      const side = (area.right - area.left) / shown.length;
      const tall = (area.bottom - area.top) / shown.length;
      const lines = tall >= 30 ? 2 : 1;
      const fits = (size: number) =>
        cells.every((c) =>
          c.lines.every((line) => textWidth(line, size) <= side)
        );
      const fontSize = [FONT_SIZE, FONT_SIZE - 3].find(fits);
      return [
        Plot.cell(cells, {
          ...at,
          fill: "color",
          fillOpacity: "strength",
          stroke: "currentColor",
          strokeOpacity: (c: Cell) => c.i === c.j ? 0.6 : 0.15,
          title: "title",
          className: "ferlab-cells",
        }),
        Plot.text(fontSize !== undefined && tall >= 13 ? cells : [], {
          ...at,
          text: (c: Cell) => c.lines.slice(0, lines).join("\n"),
          fill: (c: Cell) => textOver(c.color, c.strength),
          fontSize,
          lineHeight: 1.15,
          pointerEvents: "none",
        }),
      ];
    },
  });
}
