/** Which class was taken for which, and in what two models differ there. */
import * as Plot from "@observablehq/plot";
import * as d3 from "d3";
import { count } from "./axis.ts";
import { checkOptions, isGroups, isNumber, listOf } from "./channels.ts";
import { tableOf } from "./csv.ts";
import { frame, type FrameOptions, type Spec } from "./frame.ts";
import { namesAxis, rowKey, rowsAxis, widest } from "./layout.ts";
import { areaItem } from "./marks.ts";
import { type Chart, FONT_SIZE, textOver } from "./theme.ts";
import { percent, signed } from "./values.ts";

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

/** What is shown of a true and a predicted class. */
interface Cell {
  /** Of the colour, 0 to 1. */
  strength: number;
  color?: string;
  /** The second only where there is room. */
  lines: string[];
  title: string;
  /** For who takes the numbers along. */
  values?: Record<string, number>;
}

const NONE: Cell = {
  strength: 0,
  lines: ["n/a"],
  title: "no image of the class",
};

/** Dark enough for white text, light enough for a dark page. */
const LESS = "#0072B2", MORE = "#C05000";
/** More classes have no room: those with the most images are drawn. */
const MOST = 60;

const isList = (of: unknown): of is unknown[] =>
  Array.isArray(of) || ArrayBuffer.isView(of);

/** All of `of` added up; what is no count counts as 0. */
function countsOf(chart: string, of: Confusion, labels?: readonly string[]) {
  const isMatrix = isList(of) && isList(of[0]);
  const isTrial = of && isGroups(of);
  const trials = of && !isMatrix ? isTrial ? [of] : listOf(chart, of) : [];
  const all = isMatrix
    ? [of as Counts]
    : trials.map((t) => (t as Trial).confusion).filter((m): m is Counts => !!m);
  const size = labels?.length ?? all[0]?.length ?? 0;
  const wrong = all.find((m) =>
    m.length !== size || m.some((row) => row.length !== size)
  );
  if (wrong) {
    throw new RangeError(
      `${chart}: a matrix has ${wrong.length} rows for ${size} classes; ` +
        `give ${size} rows of ${size} counts`,
    );
  }
  let missing = 0;
  const valueOf = (value: number | bigint | null) => {
    const own = Number(value ?? NaN);
    if (isNumber(own) && own >= 0) return own;
    missing++;
    return 0;
  };
  const n = d3.range(all[0]?.length ?? 0);
  const counts: number[][] = n.map((i: number) =>
    n.map((j: number) => d3.sum(all, (m: Counts) => valueOf(m[i][j])))
  );
  const totals: number[] = counts.map((row) => d3.sum(row));
  const without = trials.length - (isMatrix ? 0 : all.length);
  return {
    ...{ counts, totals },
    /** Of a class's images; null where it has none. */
    shareAt: (i: number, j: number) =>
      totals[i] > 0 ? counts[i][j] / totals[i] : null,
    labels: labels ?? counts.map((_, i) => `class ${i}`),
    notes: [
      without > 0 && `${count(without, "trial")} without a confusion matrix`,
      missing > 0 && `${count(missing, "cell")} without a count, as 0`,
    ],
  };
}

/**
 * Draws counts of true classes (rows) by predicted ones. A cell's colour and
 * percentage are its share of the true class; of a class without images, n/a.
 *
 * @throws {RangeError} if the matrix is not one row and column a class.
 */
export function confusionChart(of: Confusion, o: ConfusionOptions = {}): Chart {
  checkOptions("confusionChart", o, "{ labels }");
  const side = countsOf("confusionChart", of, o.labels);
  const { counts, totals, labels } = side;
  const none = labels.filter((_, i) => totals[i] === 0).slice(0, 20);
  return matrix("confusion", o, labels, totals, {
    label: `confusion of ${labels.length} classes`,
    yLabel: "true class; colour and percentage: share of its images",
    notes: [...side.notes, none.length > 0 && `no image of ${none.join(", ")}`],
  }, (i, j) => {
    const value = counts[i][j], share = side.shareAt(i, j);
    return share === null ? NONE : {
      strength: share,
      lines: [d3.format(",")(value), `${Math.round(100 * share)} %`],
      title: `${count(value, "image")}, ${percent(share)} of it`,
      values: { images: value, share },
    };
  });
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
  const chart = "confusionDifferenceChart";
  checkOptions(chart, o, "{ labels }");
  const { aLabel = "a", bLabel = "b" } = o;
  const first = countsOf(`${chart}, ${aLabel}`, a, o.labels);
  const isFirst = first.counts.length > 0;
  const known = isFirst ? first.labels : o.labels;
  const second = countsOf(`${chart}, ${bLabel}`, b, known);
  const sides = [first, second];
  const isEmpty = !isFirst || second.counts.length === 0;
  const labels = isEmpty ? [] : first.labels, n = d3.range(labels.length);
  const at = (i: number, j: number) => {
    const [own, other] = sides.map((s) => s.shareAt(i, j));
    return own === null || other === null
      ? null
      : { own, other, difference: other - own };
  };
  const size = (i: number, j: number) => Math.abs(at(i, j)?.difference ?? 0);
  const most = d3.max(d3.cross(n, n, size)) ?? 0;
  const recall = d3.mean(n, (i: number) => at(i, i)?.difference);
  const recallWords = recall === undefined
    ? ""
    : `, mean recall ${signed(100 * recall, 1)} (${bLabel} less ${aLabel})`;
  return matrix("confusion-difference", o, labels, first.totals, {
    label: `confusion, ${bLabel} less ${aLabel}, in points`,
    yLabel: `true class; points of its images${recallWords}`,
    legend: most === 0 ? [] : [[
      areaItem(LESS, `less often by ${bLabel}`),
      areaItem(
        MORE,
        `more often by ${bLabel} than by ${aLabel} ` +
          `(full colour: ±${(100 * most).toFixed(1)} points)`,
      ),
    ]],
    notes: sides.flatMap(({ notes }, i) =>
      notes.map((note) => note && `${[aLabel, bLabel][i]}: ${note}`)
    ),
    countOf: (i) => [...new Set(sides.map((s) => s.totals[i]))].join(" | "),
  }, (i, j) => {
    const shares = at(i, j);
    if (!shares) return NONE;
    const { own, other, difference } = shares;
    return {
      strength: most > 0 ? Math.abs(difference) / most : 0,
      color: difference < 0 ? LESS : MORE,
      lines: [signed(100 * difference, 1)],
      title: `${aLabel} ${percent(own)}, ${bLabel} ${percent(other)}`,
      values: { [aLabel]: own, [bLabel]: other },
    };
  });
}

/** A cell for each true class, from the top down, and each predicted one. */
function matrix(
  kind: string,
  o: ConfusionOptions,
  labels: readonly string[],
  totals: readonly number[],
  { yLabel, countOf, ...spec }: Pick<Spec, "label" | "legend" | "notes"> & {
    yLabel: string;
    /** The images of a class, under its name. */
    countOf?: (i: number) => string;
  },
  cellOf: (i: number, j: number) => Cell,
): Chart {
  const own = d3.range(Math.min(labels.length, totals.length));
  const most = d3.sort(own, (i: number) => -totals[i]).slice(0, MOST);
  const shown: number[] = d3.sort(most);
  const notes = [
    ...spec.notes ?? [],
    shown.length < own.length &&
    `${MOST} of ${
      d3.format(",")(own.length)
    } classes: those with the most images`,
  ];
  const cells = d3.cross(shown.keys(), shown.keys(), (y: number, x: number) => {
    const [i, j] = [shown[y], shown[x]], cell = cellOf(i, j);
    const title = `true ${labels[i]}, predicted ${labels[j]}\n${cell.title}`;
    const place = { truth: rowKey(y), predicted: rowKey(x) };
    return { color: LESS, ...cell, title, ...place };
  });
  type Placed = Required<Cell> & Record<"truth" | "predicted", string>;
  const width = o.width ??
    Math.max(400, Math.min(720, 130 + 60 * shown.length));
  const names = shown.map((i) =>
    countOf ? `${labels[i]}\nn ${countOf(i)}` : labels[i]
  );
  const at = { x: "predicted", y: "truth" };
  const table = cells.map(({ truth, predicted, values }: Placed) => ({
    true: labels[shown[Number(truth)]],
    predicted: labels[shown[Number(predicted)]],
    ...values,
  }));
  return frame(kind, { ...o, width }, {
    rows: [tableOf(kind, table)],
    ...{ ...spec, notes, isEmpty: cells.length === 0 },
    x: namesAxis(shown.map((i) => labels[i]), "predicted class"),
    ...rowsAxis(names, {
      ...{ label: yLabel, width, least: shown.length > 20 ? 15 : 36 },
    }),
    marks: (area) => {
      const side = (area.right - area.left) / shown.length;
      const tall = (area.bottom - area.top) / shown.length;
      const lines = cells.flatMap((c: Placed) => c.lines);
      const fontSize = [FONT_SIZE, FONT_SIZE - 3]
        .find((size) => widest(lines, size) <= side);
      return [
        Plot.cell(cells, {
          ...{ ...at, fill: "color", fillOpacity: "strength", title: "title" },
          stroke: "currentColor",
          strokeOpacity: (c: Placed) => c.truth === c.predicted ? 0.6 : 0.15,
        }),
        Plot.text(fontSize && tall >= 13 ? cells : [], {
          ...{ ...at, fontSize, lineHeight: 1.15, pointerEvents: "none" },
          text: (c: Placed) => c.lines.slice(0, tall >= 30 ? 2 : 1).join("\n"),
          fill: (c: Placed) => textOver(c.color, c.strength),
        }),
      ];
    },
  });
}
