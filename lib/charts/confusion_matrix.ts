/** Which class was taken for which: counts, coloured by their row's share. */
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
  count: number;
  /** Of the row; null where no image has the true class. */
  share: number | null;
}

/** A blue dark enough for white text, light enough for a dark page. */
const COLOR = "#0072B2";

/**
 * Draws `matrix[true][predicted]`, counts of shape [classes, classes]. A cell's
 * colour and percentage are its share of the row, the true class; n/a where
 * no image has that class.
 *
 * @throws {RangeError} if the matrix is not one row and column a class.
 */
export function confusionMatrixChart(
  matrix: readonly (readonly number[])[],
  classes: readonly string[],
  o: ChartOptions = {},
): Chart {
  const label = o.title ?? "Confusion matrix";
  if (matrix.length === 0) return emptyChart("confusion", label, o);
  const n = classes.length;
  if (matrix.length !== n || matrix.some((row) => row.length !== n)) {
    throw new RangeError(
      `confusion matrix has ${matrix.length} rows for ${n} classes: give ${n} rows of ${n} counts`,
    );
  }
  const cells: Cell[] = matrix.flatMap((row, i) => {
    const total = row.reduce((a, b) => a + b, 0);
    return row.map((count, j) => ({
      truth: classes[i],
      predicted: classes[j],
      count,
      share: total === 0 ? null : count / total,
    }));
  });

  const widest = Math.max(...classes.map((c) => textWidth(c)));
  const marginLeft = Math.ceil(widest) + 44, marginRight = 16;
  const width = o.width ?? Math.max(marginLeft + marginRight + n * 58, 300);
  const side = (width - marginLeft - marginRight) / n;
  const isTurned = widest > side;
  const marginBottom = isTurned ? Math.ceil(widest * 0.75) + 46 : 48;
  const top = head({ title: o.title, width });
  const height = o.height ?? top.height + 8 + n * Math.min(side, 46) +
      marginBottom;

  const at = { x: "predicted", y: "truth" };
  const paint = { fill: (c: Cell) => textOver(COLOR, c.share ?? 0) };
  const element = Plot.plot({
    document,
    className: contentClass("confusion", matrix, classes, o),
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
      }),
      Plot.cell(cells, {
        ...at,
        fill: COLOR,
        fillOpacity: (c: Cell) => c.share ?? 0,
        stroke: "currentColor",
        strokeOpacity: 0.15,
        title: (c: Cell) =>
          `true ${c.truth}, predicted ${c.predicted}\n${
            c.share === null
              ? `no image is ${c.truth}`
              : `${c.count} images, ${
                (100 * c.share).toFixed(1)
              } % of ${c.truth}`
          }`,
        className: "ferlab-cells",
      }),
      Plot.text(cells, {
        ...at,
        ...paint,
        text: (c: Cell) => String(c.count),
        fontWeight: 600,
        dy: -6,
        pointerEvents: "none",
      }),
      Plot.text(cells, {
        ...at,
        ...paint,
        text: (c: Cell) =>
          c.share === null ? "n/a" : `${Math.round(100 * c.share)} %`,
        fontSize: FONT_SIZE - 2,
        dy: 8,
        pointerEvents: "none",
      }),
    ],
  });
  return finish(element, `${label}, ${n} classes, rows true`, top);
}
