/** Which class was taken for which, and in what two models differ there. */
import * as Plot from "@observablehq/plot";
import * as d3 from "d3";
import { pluralOf } from "./axis.ts";
import * as channels from "./channels.ts";
import { plainTable } from "./rows_as_csv.ts";
import { frame, type FrameOptions, type Spec } from "./frame.ts";
import { namesAxis, rowsAxis } from "./text_layout.ts";
import { areaItem, cellWords } from "./marks.ts";
import type { Chart } from "./theme.ts";
import { percent, signed } from "./value_text.ts";

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

/** What is shown of a true and a predicted class; its colour is 0 to 1 strong. */
interface Cell {
  strength: number;
  color?: string;
  /** Lines, the second only where there is room; then shorter wordings. */
  wordings: string[][];
  title: string;
  values?: Record<string, number>;
}

const NONE: Cell = {
  ...{ strength: 0, wordings: [["n/a"]], title: "no image of the class" },
};

const LESS = "#0072B2", MORE = "#C05000";
/** The page's text has a contrast of 4.5 and more on these, light or dark. */
const STRONGEST = 0.77, OPACITY = `fill-opacity="${STRONGEST}"`;
/** More classes have no room: those with the most images are drawn. */
const MOST = 60;

type Side = ReturnType<typeof confusionCounts>;

/** All of `of` added up; what is no count counts as 0. */
function confusionCounts(
  chart: string,
  of: Confusion,
  labels?: readonly string[],
) {
  const isMatrix = channels.isList(of) && channels.isList(of[0]);
  const given = isMatrix ? { confusion: of as Counts } : of;
  const trials = !given
    ? []
    : channels.isGroups(given)
    ? [given as Trial]
    : channels.listOf(chart, given) as Trial[];
  const all = trials.map((t) => t.confusion).filter((m): m is Counts => !!m);
  const size = labels?.length ?? all[0]?.length ?? 0;
  const wrong = all.find((m) => [m, ...m].some((own) => own.length !== size));
  if (wrong) {
    throw new RangeError(
      `${chart}: a matrix has ${wrong.length} rows for ${size} classes; ` +
        `give ${size} rows of ${size} counts`,
    );
  }
  let missing = 0;
  const valueOf = (value: number | bigint | null) => {
    const own = Number(value ?? NaN),
      isCount = channels.isNumber(own) && own >= 0;
    if (!isCount) missing++;
    return isCount ? own : 0;
  };
  const n = d3.range(all[0]?.length ?? 0);
  const counts: number[][] = n.map((i: number) =>
    n.map((j: number) => d3.sum(all, (m: Counts) => valueOf(m[i][j])))
  );
  const totals: number[] = counts.map((row) => d3.sum(row));
  const without = trials.length - all.length;
  return {
    ...{ counts, totals, labels: labels ?? n.map((i: number) => `class ${i}`) },
    /** Of a class's images; null where it has none. */
    shareAt: (i: number, j: number) =>
      totals[i] > 0 ? counts[i][j] / totals[i] : null,
    notes: [
      without > 0 && `${pluralOf(without, "trial")} without a confusion matrix`,
      missing > 0 && `${pluralOf(missing, "cell")} without a count, as 0`,
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
  channels.checkOptions("confusionChart", o, "{ labels }");
  const side = confusionCounts("confusionChart", of, o.labels);
  const { counts, totals, labels } = side;
  const none = labels.filter((_: string, i: number) => totals[i] === 0);
  return matrix("confusion", o, [side], {
    label: `confusion of ${labels.length} classes`,
    yLabel: "true class; colour and percentage: share of its images",
    notes: [
      ...side.notes,
      none.length > 0 && `no image of ${none.slice(0, 20).join(", ")}`,
    ],
  }, (i, j) => {
    const value = counts[i][j], share = side.shareAt(i, j);
    const rounded = Math.round(100 * (share ?? 0));
    return share === null ? NONE : {
      strength: share,
      wordings: [
        [d3.format(",")(value), `${rounded} %`],
        [`${rounded} %`],
        [`${rounded}`],
      ],
      title: `${pluralOf(value, "image")}, ${percent(share)} of it`,
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
  channels.checkOptions(chart, o, "{ labels }");
  const { aLabel = "a", bLabel = "b" } = o;
  const first = confusionCounts(`${chart}, ${aLabel}`, a, o.labels);
  const known = first.counts.length > 0 ? first.labels : o.labels;
  const second = confusionCounts(`${chart}, ${bLabel}`, b, known);
  const sides = [first, second];
  const n = d3.range(Math.min(first.counts.length, second.counts.length));
  const at = (i: number, j: number) => {
    const [own, other] = sides.map((s) => s.shareAt(i, j));
    if (own === null || other === null) return null;
    return { own, other, difference: other - own };
  };
  const size = (i: number, j: number) => Math.abs(at(i, j)?.difference ?? 0);
  const most = d3.max(d3.cross(n, n, size)) ?? 0;
  const recall = d3.mean(n, (i: number) => at(i, i)?.difference) ?? NaN;
  const recallWords = Number.isNaN(recall)
    ? ""
    : `, mean recall ${signed(100 * recall, 1)} (${bLabel} minus ${aLabel})`;
  const full = `full colour: ±${(100 * most).toFixed(1)} points`;
  const more = `more often by ${bLabel} than by ${aLabel} (${full})`;
  return matrix("confusion-difference", o, sides, {
    label: `confusion, ${bLabel} minus ${aLabel}, in points`,
    yLabel: `true class; points of its images${recallWords}`,
    legend: most === 0 ? [] : [
      [
        areaItem(LESS, `less often by ${bLabel}`, OPACITY),
        areaItem(MORE, more, OPACITY),
      ],
    ],
    notes: sides.flatMap(({ notes }, i) =>
      notes.map((note) => note && `${[aLabel, bLabel][i]}: ${note}`)
    ),
  }, (i, j) => {
    const shares = at(i, j);
    if (!shares) return NONE;
    const { own, other, difference } = shares;
    return {
      strength: most > 0 ? Math.abs(difference) / most : 0,
      color: difference < 0 ? LESS : MORE,
      wordings: [1, 0].map((digits) => [signed(100 * difference, digits)]),
      title: `${aLabel} ${percent(own)}, ${bLabel} ${percent(other)}`,
      values: { [aLabel]: own, [bLabel]: other },
    };
  });
}

/** A cell for each true class, from the top down, and each predicted one. */
function matrix(
  kind: string,
  o: ConfusionOptions,
  sides: readonly Side[],
  { yLabel, ...spec }:
    & Pick<Spec, "label" | "legend" | "notes">
    & { yLabel: string },
  cellOf: (i: number, j: number) => Cell,
): Chart {
  const [{ labels, totals }] = sides;
  const own = d3.range(Math.min(...sides.map((s) => s.totals.length)));
  const most = d3.sort(own, (i: number) => -totals[i]).slice(0, MOST);
  const shown: number[] = d3.sort(most), all = d3.format(",")(own.length);
  const notes = [
    ...spec.notes ?? [],
    shown.length < own.length &&
    `${MOST} of ${all} classes: those with the most images`,
  ];
  const cells = d3.cross(shown.keys(), shown.keys(), (y: number, x: number) => {
    const cell = cellOf(shown[y], shown[x]);
    const [truth, predicted] = [y, x].map((i) => labels[shown[i]]);
    const title = `true ${truth}, predicted ${predicted}\n${cell.title}`;
    const values = { true: truth, predicted, ...cell.values };
    return { color: LESS, ...cell, title, values, x, y };
  });
  type Placed = Required<Cell> & Record<"x" | "y", number>;
  const width = o.width ??
    Math.max(400, Math.min(720, 130 + 60 * shown.length));
  const names = shown.map((i) => String(labels[i]));
  // Of two sides, a class's images stand under its name.
  const counts = (i: number) => [...new Set(sides.map((s) => s.totals[i]))];
  const rows = sides.length < 2
    ? names
    : names.map((name, k) => `${name}\nn ${counts(shown[k]).join(" | ")}`);
  const at = { x: "x", y: "y" };
  return frame(kind, { ...o, width }, {
    rows: [plainTable(kind, cells.map((c: Placed) => c.values))],
    ...{ ...spec, notes, isEmpty: cells.length === 0 },
    x: namesAxis(names, "predicted class"),
    ...rowsAxis(rows, {
      ...{ label: yLabel, width, least: shown.length > 20 ? 15 : 36 },
    }),
    marks: (area) => {
      const side = (area.right - area.left) / shown.length;
      const tall = (area.bottom - area.top) / shown.length;
      return [
        Plot.cell(cells, {
          ...{ ...at, fill: "color", title: "title" },
          fillOpacity: (c: Placed) => STRONGEST * c.strength,
          stroke: "currentColor",
          strokeOpacity: (c: Placed) => c.x === c.y ? 0.6 : 0.15,
        }),
        cellWords(
          cells as Placed[],
          { side, tall },
          [0, 1, 2].map((k) => ({ wordings }) => wordings[k] ?? wordings[0]),
          at,
        ),
      ];
    },
  });
}
