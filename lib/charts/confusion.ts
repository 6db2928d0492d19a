/** Which class was taken for which, and in what two models differ there. */
import * as Plot from "@observablehq/plot";
import * as d3 from "d3";
import { count } from "./axis.ts";
import { isNumber } from "./channels.ts";
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

/** All of `of` added up; what is no count counts as 0. */
function countsOf(chart: string, of: Confusion, labels?: readonly string[]) {
  const list: unknown[] = Array.isArray(of) ? of : of ? [of] : [];
  const isMatrix = Array.isArray(list[0]);
  const all = (isMatrix ? [list] : list.map((t) => (t as Trial)?.confusion))
    .filter((m): m is Counts => !!m);
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
  const counts: number[][] = (all[0] ?? []).map((row, i) =>
    row.map((_, j) => d3.sum(all, (m: Counts) => valueOf(m[i][j])))
  );
  const without = isMatrix ? 0 : list.length - all.length;
  const totals: number[] = counts.map((row) => d3.sum(row));
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
  const { counts, totals, shareAt, labels, notes } = countsOf(
    "confusionChart",
    of,
    o.labels,
  );
  const none = labels.filter((_, i) => totals[i] === 0).slice(0, 20);
  return matrix("confusion", o, labels, totals, {
    label: `confusion of ${labels.length} classes`,
    yLabel: "true class; colour and percentage: share of its images",
    notes: [...notes, none.length > 0 && `no image of ${none.join(", ")}`],
  }, (i, j) => {
    const value = counts[i][j], share = shareAt(i, j);
    return share === null ? null : {
      strength: share,
      lines: [d3.format(",")(value), `${Math.round(100 * share)} %`],
      title: `${count(value, "image")}, ${percent(share)} of it`,
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
  const { aLabel = "a", bLabel = "b" } = o;
  const chart = "confusionDifferenceChart";
  const first = countsOf(`${chart}, ${aLabel}`, a, o.labels);
  const second = countsOf(
    `${chart}, ${bLabel}`,
    b,
    first.counts.length > 0 ? first.labels : o.labels,
  );
  const sides = [first, second];
  const isEmpty = sides.some((s) => s.counts.length === 0);
  const labels = isEmpty ? [] : first.labels, n = d3.range(labels.length);
  const sharesAt = (i: number, j: number) => sides.map((s) => s.shareAt(i, j));
  const differenceAt = (i: number, j: number) => {
    const [own, other] = sharesAt(i, j);
    return own === null || other === null ? null : other - own;
  };
  const most = d3.max(
    d3.cross(n, n, differenceAt),
    (v: number | null) => Math.abs(v ?? 0),
  ) ?? 0;
  const recall = d3.mean(n, (i: number) => differenceAt(i, i));
  return matrix("confusion-difference", o, labels, first.totals, {
    label: `confusion, ${bLabel} less ${aLabel}, in points`,
    yLabel: "true class; points of its images" +
      (recall === undefined
        ? ""
        : `, mean recall ${
          signed(100 * recall, 1)
        } (${bLabel} less ${aLabel})`),
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
    const difference = differenceAt(i, j), [own, other] = sharesAt(i, j);
    return difference === null ? null : {
      strength: most > 0 ? Math.abs(difference) / most : 0,
      color: difference < 0 ? LESS : MORE,
      lines: [signed(100 * difference, 1)],
      title: `${aLabel} ${percent(own!)}, ${bLabel} ${percent(other!)}`,
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
  /** null where a side has no image of the class. */
  cellOf: (i: number, j: number) => Cell | null,
): Chart {
  const most = d3.sort(totals.keys(), (i: number) => -totals[i]).slice(0, MOST);
  const shown = (labels.length > 0 ? d3.sort(most) : []) as number[];
  const isCut = shown.length < labels.length && shown.length > 0;
  const notes = [
    ...spec.notes ?? [],
    isCut && `${MOST} of ${d3.format(",")(labels.length)} classes: ` +
      "those with the most images",
  ];
  const place = (y: number, x: number) => {
    const [i, j] = [shown[y], shown[x]], cell = cellOf(i, j) ?? NONE;
    const of = `true ${labels[i]}, predicted ${labels[j]}`;
    return {
      ...{ color: LESS, ...cell, title: `${of}\n${cell.title}` },
      ...{ truth: rowKey(y), predicted: rowKey(x) },
    };
  };
  type Placed = ReturnType<typeof place>;
  const cells: Placed[] = d3.cross(shown.keys(), shown.keys(), place);
  const width = o.width ??
    Math.max(400, Math.min(720, 130 + 60 * shown.length));
  const names = shown.map((i) =>
    countOf ? `${labels[i]}\nn ${countOf(i)}` : labels[i]
  );
  const at = { x: "predicted", y: "truth" };
  return frame(kind, { ...o, width }, {
    ...{ ...spec, notes, isEmpty: cells.length === 0 },
    x: namesAxis(shown.map((i) => labels[i]), "predicted class"),
    ...rowsAxis(names, {
      ...{ label: yLabel, width, least: shown.length > 20 ? 15 : 36 },
    }),
    marks: (area) => {
      const side = (area.right - area.left) / shown.length;
      const tall = (area.bottom - area.top) / shown.length;
      const fontSize = [FONT_SIZE, FONT_SIZE - 3].find((size) =>
        widest(cells.flatMap((c) => c.lines), size) <= side
      );
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
