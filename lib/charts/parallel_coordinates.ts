/** Trials as lines over their parameters, the accuracy last. */
import * as Plot from "@observablehq/plot";
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
  wrapWords,
} from "./old.ts";
import { fadeBehind } from "./label_mask.ts";
import {
  isNumber,
  levels,
  lineColor,
  logTicks,
  roundTicks,
  valueFormat,
} from "./old.ts";

type Value = number | string | null;
export type ParallelRow = Record<string, Value>;

export interface ParallelAxis {
  /** The column in the rows. */
  name: string;
  label: string;
  scale: "log" | "linear" | "category";
  format?: (value: number | string) => string;
}

/** An axis with its place: `share` is 0 at the bottom and 1 at the top. */
interface Laid extends ParallelAxis {
  x: number;
  share: (value: Value) => number;
  ticks: (number | string)[];
  format: (value: number | string) => string;
}

/** Above this many levels an axis of numbers has round ticks instead. */
const MOST_LEVELS = 8;

function laidOut(
  axis: ParallelAxis,
  rows: readonly ParallelRow[],
  x: number,
  isValue: boolean,
): Laid {
  const isWord = (v: Value) => typeof v === "string";
  const own = levels(
    rows.map((r) => r[axis.name])
      .filter((v): v is number | string => isWord(v) || isNumber(v)),
  );
  // Words have no place on a scale, and neither has 0 on a log one.
  const fits = own.every((v) => isNumber(v) && (axis.scale !== "log" || v > 0));
  if (axis.scale === "category" || !fits) {
    const share = (v: Value) => {
      const i = v === null ? -1 : own.indexOf(v);
      return i < 0 ? NaN : own.length === 1 ? 0.5 : i / (own.length - 1);
    };
    return {
      ...axis,
      x,
      share,
      ticks: own,
      format: axis.format ?? valueFormat(own),
    };
  }
  const numbers = own.filter((v) => isNumber(v)) as number[];
  const at = axis.scale === "log" ? Math.log : Number;
  const low = numbers[0], high = numbers.at(-1)!;
  const share = (v: Value) =>
    !isNumber(v)
      ? NaN
      : high > low
      ? (at(v) - at(low)) / (at(high) - at(low))
      : 0.5;
  const ticks = numbers.length <= MOST_LEVELS && !isValue
    ? numbers
    : axis.scale === "log"
    ? logTicks([low, high])
    : roundTicks(low, high, 6);
  return {
    ...axis,
    x,
    share,
    ticks,
    format: axis.format ?? valueFormat(ticks),
  };
}

/**
 * Draws each row as a line through its parameters to its value, the last axis,
 * in that axis's own unit. Colours rise with the value; the best (highest) line
 * is thick and on top, its value written at its end. A failed row (no value)
 * is dashed and ends at a cross; a missing parameter is a gap.
 *
 * @throws {RangeError} if no axis is named `value`.
 */
export function parallelCoordinatesChart(
  rows: readonly ParallelRow[],
  axes: readonly ParallelAxis[],
  o: ChartOptions & {
    /** The name of the value's axis, which is drawn last. */
    value: string;
  },
): Chart {
  const { value, width = 720, height = 400 } = o;
  const last = axes.find((axis) => axis.name === value);
  if (last === undefined) {
    throw new RangeError(
      `parallel coordinates have no axis ${value}: add one of that name`,
    );
  }
  let label = `${o.title ?? last.label}: ${rows.length} trials over ${
    axes.filter((axis) => axis !== last).map((axis) => axis.label).join(", ")
  }`;
  if (rows.length === 0) return emptyChart("parallel", label, o);
  const ordered = [...axes.filter((axis) => axis !== last), last];
  const top = head({ title: o.title, width });

  const wide = (axis: ParallelAxis) => {
    const { ticks, format } = laidOut(axis, rows, 0, axis === last);
    return Math.max(0, ...ticks.map((t) => textWidth(format(t))));
  };
  const left = Math.ceil(
    Math.max(wide(ordered[0]) + 14, textWidth(ordered[0].label) / 2 + 8),
  );
  const failed = rows.filter((r) => !isNumber(r[value]));
  const right = width - Math.ceil(Math.max(
    wide(last) * 1.2 + 24,
    textWidth(last.label) / 2 + 8,
    failed.length > 0 ? 76 : 0,
  ));
  const step = ordered.length > 1 ? (right - left) / (ordered.length - 1) : 0;
  const laid = ordered.map((axis, i) =>
    laidOut(axis, rows, left + i * step, axis === last)
  );
  const names = laid.map((axis) => wrapWords(axis.label, step - 12, FONT_SIZE));
  const marginTop = top.height + 24 +
    14 * Math.max(...names.map((lines) => lines.length));
  const bottom = height - 26;
  const y = (share: number) => bottom - share * (bottom - marginTop);
  const end = laid.at(-1)!;

  const done = rows.filter((r) => isNumber(r[value]))
    .sort((a, b) => Number(a[value]) - Number(b[value]));
  // The first of equals is the best, as in the other charts.
  const best = done.find((r) => r[value] === done.at(-1)![value]);
  if (best) {
    label += `; best ${end.format(best[value]!)} at ${
      laid.slice(0, -1).map((axis) =>
        `${axis.label} ${
          best[axis.name] === null ? "none" : axis.format(best[axis.name]!)
        }`
      ).join(", ")
    }`;
  }
  const pointsOf = (row: ParallelRow) =>
    laid.map((axis) => ({
      x: axis.x,
      y: axis === end && !isNumber(row[value])
        ? bottom + 12
        : y(axis.share(row[axis.name])),
    }));
  const titleOf = (row: ParallelRow) =>
    laid.map((axis) => {
      const v = row[axis.name];
      return `${axis.label}: ${
        v === null || Number.isNaN(v) ? "none" : axis.format(v)
      }`;
    }).join("\n");
  const line = (row: ParallelRow, style: Plot.LineOptions) =>
    Plot.line(pointsOf(row), {
      x: "x",
      y: "y",
      curve: "monotone-x",
      title: () => titleOf(row),
      ...style,
    });

  const bestY = best ? y(end.share(best[value])) : NaN;
  const ticks = laid.flatMap((axis) =>
    axis.ticks.map((t) => ({
      x: axis.x,
      y: y(axis.share(t)),
      text: axis.format(t),
      isEnd: axis === end,
    }))
  ).filter((t, i, all) =>
    t.isEnd
      ? !(Math.abs(t.y - bestY) < 14)
      : all[i - 1]?.x !== t.x || all[i - 1].y - t.y >= 12
  );
  const lowest = done.length > 0 ? end.share(done[0][value]) : 0;
  const colorOf = (share: number) =>
    lineColor(lowest < 1 ? (share - lowest) / (1 - lowest) : 1);
  const steps = Array.from({ length: 24 }, (_, i) => i / 24);

  const className = contentClass("parallel", rows, axes, o);
  const element = Plot.plot({
    document,
    className,
    width,
    height,
    margin: 0,
    axis: null,
    color: { type: "identity" },
    x: { type: "identity" },
    y: { type: "identity" },
    marks: [
      ...failed.map((row) =>
        line(row, {
          stroke: "currentColor",
          strokeOpacity: 0.45,
          strokeDasharray: "3 3",
          className: "ferlab-failed",
        })
      ),
      ...done.filter((row) => row !== best).map((row) =>
        line(row, {
          stroke: colorOf(end.share(row[value])),
          strokeWidth: 1.5,
          strokeOpacity: done.length > 60 ? 0.5 : 0.8,
          className: "ferlab-trial",
        })
      ),
      ...(best
        ? [line(best, {
          stroke: colorOf(1),
          strokeWidth: 4,
          className: "ferlab-best",
        })]
        : []),
      Plot.ruleX(laid, {
        x: "x",
        y1: y(0) + 4,
        y2: y(1) - 4,
        strokeOpacity: 0.7,
      }),
      // The last axis is the colours' scale as well.
      Plot.ruleX(steps, {
        x: () => end.x,
        y1: (s: number) => y(s),
        y2: (s: number) => y(s + 1 / 24) - 0.5,
        stroke: (s: number) => colorOf(s + 0.5 / 24),
        strokeWidth: 5,
      }),
      Plot.dot(failed, {
        x: () => end.x,
        y: () => bottom + 12,
        symbol: "times",
        r: 4.5,
        stroke: "currentColor",
        strokeWidth: 1.5,
      }),
      Plot.text(failed.slice(0, 1), {
        x: () => end.x + 9,
        y: () => bottom + 12,
        text: () => `${failed.length} failed`,
        textAnchor: "start",
        fontSize: 10,
      }),
      Plot.dot(ticks.filter((t) => !t.isEnd), {
        x: "x",
        y: "y",
        r: 2,
        fill: "currentColor",
      }),
      Plot.text(ticks.filter((t) => !t.isEnd), {
        x: "x",
        y: "y",
        text: "text",
        textAnchor: "end",
        dx: -7,
      }),
      Plot.text(ticks.filter((t) => t.isEnd), {
        x: "x",
        y: "y",
        text: "text",
        textAnchor: "start",
        dx: 10,
      }),
      Plot.text(best ? [best] : [], {
        x: () => end.x,
        y: () => bestY,
        text: () => end.format(best![value]!),
        textAnchor: "start",
        fontWeight: 700,
        fontSize: 13,
        dx: 10,
      }),
      Plot.text(laid, {
        x: "x",
        y: () => marginTop - 14,
        text: (_: Laid, i: number) => names[i].join("\n"),
        lineAnchor: "bottom",
        fontWeight: 600,
      }),
    ],
  });
  const labels = ticks.filter((t) => !t.isEnd).map((t) => ({
    x: t.x - 9 - textWidth(t.text),
    y: t.y - 8,
    width: textWidth(t.text) + 4,
    height: 16,
  }));
  fadeBehind(element, labels, {
    id: `${className}-labels`,
    width,
    height,
    classes: ["ferlab-failed", "ferlab-trial", "ferlab-best"],
  });
  return finish(element, label, top);
}
