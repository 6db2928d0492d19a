/** What one confusion matrix has more or less of than another, in points. */
import * as Plot from "@observablehq/plot";
import { textOver } from "./old.ts";
import {
  type Chart,
  type ChartOptions,
  contentClass,
  document,
  emptyChart,
  finish,
  FONT_SIZE,
  head,
  textWidth,
} from "./old.ts";

interface Cell {
  truth: string;
  predicted: string;
  /** Shares of the true class's images. */
  shares: [number, number];
  /** b − a in points; null where one side has no image of the class. */
  points: number | null;
}

/** Dark enough for white text, light enough for a dark page. */
const LESS = "#0072B2", MORE = "#C05000";

const colorOf = (points: number) => points < 0 ? LESS : MORE;

/** 3.21 → "+3.2", −0.04 → "0". */
function signed(points: number): string {
  const text = Math.abs(points).toFixed(1);
  if (text === "0.0") return "0";
  return `${points < 0 ? "−" : "+"}${text}`;
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

function check(
  matrix: readonly (readonly number[])[],
  n: number,
  whose: string,
): void {
  if (matrix.length === n && matrix.every((row) => row.length === n)) return;
  throw new RangeError(
    `confusion matrix of ${whose} has ${matrix.length} rows for ${n} classes: give ${n} rows of ${n} counts`,
  );
}

/**
 * Draws b − a of two confusion matrices `[true][predicted]` of counts, shape
 * [classes, classes]: each row as shares of its true class, their difference in
 * points. Orange is what b predicts more often, blue less often; n is the
 * number of images of a class (a's, and b's where they differ).
 *
 * @throws {RangeError} if a matrix is not one row and column a class.
 */
export function confusionDifferenceChart(
  a: readonly (readonly number[])[],
  b: readonly (readonly number[])[],
  classes: readonly string[],
  o: ChartOptions & { aLabel: string; bLabel: string },
): Chart {
  const { aLabel, bLabel } = o;
  const label = o.title ?? `${bLabel} minus ${aLabel}`;
  const n = classes.length;
  if (n === 0 || a.length === 0 || b.length === 0) {
    return emptyChart("confusion-difference", label, o);
  }
  check(a, n, aLabel);
  check(b, n, bLabel);
  const totals = a.map((row, i) => [sum(row), sum(b[i])]);
  const cells: Cell[] = a.flatMap((row, i) => {
    const [ofA, ofB] = totals[i];
    return row.map((count, j) => {
      const shares: [number, number] = [count / ofA, b[i][j] / ofB];
      return {
        truth: classes[i],
        predicted: classes[j],
        shares,
        points: ofA > 0 && ofB > 0 ? 100 * (shares[1] - shares[0]) : null,
      };
    });
  });
  const most = Math.max(0, ...cells.map((c) => Math.abs(c.points ?? 0)));
  const opacityOf = (c: Cell) => most > 0 ? Math.abs(c.points ?? 0) / most : 0;
  const recalls = cells.filter((c) =>
    c.truth === c.predicted && c.points !== null
  ).map((c) => c.points!);
  const recall = recalls.length === 0
    ? ""
    : `, mean recall ${signed(sum(recalls) / recalls.length)}`;

  const rowNames = new Map(classes.map((name, i) => {
    const [ofA, ofB] = totals[i];
    const count = ofA === ofB ? `${ofA}` : `${ofA} | ${ofB}`;
    return [name, `${name}\nn ${count}`];
  }));
  const lines = [...rowNames.values()].flatMap((name) => name.split("\n"));
  const marginLeft = Math.ceil(Math.max(...lines.map((l) => textWidth(l)))) +
    44;
  const marginRight = 16;
  const widest = Math.max(...classes.map((c) => textWidth(c)));
  const width = o.width ?? Math.max(marginLeft + marginRight + n * 62, 440);
  const side = (width - marginLeft - marginRight) / n;
  const isTurned = widest > side;
  const marginBottom = isTurned ? Math.ceil(widest * 0.75) + 46 : 48;
  const box = (color: string) =>
    `<rect x="1" y="0.5" width="24" height="11" fill="${color}"/>`;
  const scale = `±${most.toFixed(1)}`;
  const top = head({
    title: o.title,
    width,
    legend: [[
      { mark: box(LESS), label: `less often by ${bLabel}` },
      { mark: box(MORE), label: `more often by ${bLabel} than ${aLabel}` },
    ]],
    yLabel: `points of the true class (full colour ${scale})${recall}`,
  });
  const height = o.height ??
    top.height + 8 + n * Math.min(side, 44) + marginBottom;

  const at = { x: "predicted", y: "truth" };
  const element = Plot.plot({
    document,
    className: contentClass("confusion-difference", a, b, classes, o),
    width,
    height,
    marginTop: top.height + 8,
    marginLeft,
    marginRight,
    marginBottom,
    padding: 0.04,
    color: { type: "identity" },
    x: { domain: [...classes] },
    y: { domain: [...classes] },
    marks: [
      Plot.axisX({
        label: "predicted",
        labelArrow: "none",
        labelAnchor: "center",
        labelOffset: marginBottom - 8,
        tickSize: 0,
        tickRotate: isTurned ? -45 : 0,
      }),
      Plot.axisY({
        label: "true",
        labelArrow: "none",
        labelAnchor: "center",
        labelOffset: marginLeft - 8,
        tickSize: 0,
        tickFormat: (name: string) => rowNames.get(name)!,
        lineHeight: 1.2,
      }),
      Plot.cell(cells, {
        ...at,
        fill: (c: Cell) => colorOf(c.points ?? 0),
        fillOpacity: opacityOf,
        stroke: "currentColor",
        strokeOpacity: (c: Cell) => c.truth === c.predicted ? 0.7 : 0.15,
        title: (c: Cell) =>
          `true ${c.truth}, predicted ${c.predicted}\n${
            c.points === null
              ? "no image on one side"
              : `${aLabel} ${(100 * c.shares[0]).toFixed(1)} %, ${bLabel} ${
                (100 * c.shares[1]).toFixed(1)
              } %`
          }`,
        className: "ferlab-cells",
      }),
      Plot.text(cells, {
        ...at,
        text: (c: Cell) => c.points === null ? "n/a" : signed(c.points),
        fill: (c: Cell) => textOver(colorOf(c.points ?? 0), opacityOf(c)),
        fontSize: side < 40 ? FONT_SIZE - 2 : FONT_SIZE,
        fontWeight: 600,
        pointerEvents: "none",
      }),
    ],
  });
  return finish(
    element,
    `${label}: differences of confusion in points, ${bLabel} minus ${aLabel}, ${n} classes, rows true${recall}`,
    top,
  );
}
