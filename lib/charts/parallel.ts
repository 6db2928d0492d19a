/** Rows as lines over their parameters, the value last. */
import * as Plot from "@observablehq/plot";
import {
  type Axis,
  axisFor,
  axisOf,
  count,
  pixels,
  type Scale,
} from "./axis.ts";
import {
  type Channel,
  firstOf,
  read,
  type Rows,
  type Value,
} from "./channels.ts";
import { CLASS, frame, type FrameOptions, tip } from "./frame.ts";
import { fadeBehind } from "./label_mask.ts";
import { firstHighest, lineColor } from "./scales.ts";
import { type Chart, textWidth, wrapWords } from "./theme.ts";

export interface ParallelAxis {
  /** A channel's field. */
  name: string;
  label?: string;
  scale?: Scale;
  format?: Axis["format"];
}

const VALUE = "value";
/** Of the colour scale along the last axis. */
const STEPS = 24;

/**
 * Draws each row as a line through its parameters to its value, the last axis.
 * Colours rise with the value; the best (highest) line is thick and on top, its
 * value written at its end. A row without a value is dashed and ends at a cross;
 * where a parameter is missing, or not to be shown on its axis, is a gap.
 */
export function parallelChart(
  rows: Rows,
  o: FrameOptions & {
    axes: readonly (string | ParallelAxis)[];
    /** Default: the accuracy, else the mean. */
    value?: Channel;
    valueLabel?: string;
  },
): Chart {
  const specs = o.axes.map((a) => typeof a === "string" ? { name: a } : a);
  const table = read("parallelChart", rows, {
    ...Object.fromEntries(specs.map((s, i) => [`axis ${i + 1}`, s.name])),
    [VALUE]: o.value ?? firstOf("accuracy", "mean"),
  } as Record<string, Channel>);
  const keys = [...specs.map((_, i) => `axis ${i + 1}`), VALUE];
  const axes = [
    ...specs.map((s, i) =>
      axisOf(table, keys[i], { ...s, hasLevels: true, pad: 0 })
    ),
    axisOf(table, VALUE, { label: o.valueLabel, scale: "linear", pad: 0 }),
  ];
  const end = axes.at(-1)!;
  const shown = (v: Value, i: number) => axes[i].why(v) === null ? v! : null;
  const done = table.rows.filter((r) =>
    shown(r[VALUE], keys.length - 1) !== null
  )
    .sort((a, b) => Number(a[VALUE]) - Number(b[VALUE]));
  const failed = table.rows.filter((r) => !done.includes(r));
  const best = firstHighest(
    table.rows.filter((r) => done.includes(r)),
    (r) => Number(r[VALUE]),
  );
  const notes = keys.slice(0, -1).flatMap((key, i) => {
    const gaps = table.rows.filter((r) => shown(r[key], i) === null);
    const whys = new Set(gaps.map((r) => axes[i].why(r[key])));
    return gaps.length === 0 ? [] : [
      `${count(gaps.length, "row")} with a gap: ${table.name(key)} ` +
      [...whys].join(", or "),
    ];
  });
  if (failed.length > 0) {
    notes.push(
      `${count(failed.length, "row")} without ${table.name(VALUE)} (failed)`,
    );
  }

  const width = o.width ?? 720;
  const step = (width - 120) / Math.max(1, axes.length - 1);
  const names = axes.map((a) => wrapWords(a.label, step - 12, 12));
  const wide = (a: Axis) =>
    Math.max(0, ...a.ticks.map((t) => textWidth(a.format(t))));
  const x = axisFor(axes.map((_, i) => i), {
    label: "",
    scale: "linear",
    pad: axes.length > 1 ? 0 : 1,
  });
  const y = axisFor([0, 1], { label: "", scale: "linear", pad: 0 });
  const words = best
    ? `; best ${end.say(best[VALUE]!)} at ` +
      axes.slice(0, -1).map((a, i) =>
        `${a.label} ${best[keys[i]] === null ? "none" : a.say(best[keys[i]]!)}`
      ).join(", ")
    : "";
  return frame("parallel", o, {
    label: `${end.label}: ${count(table.rows.length, "row")} over ` +
      axes.slice(0, -1).map((a) => a.label).join(", ") + words,
    notes,
    x: { ...x, isHidden: true },
    y: { ...y, isHidden: true },
    isEmpty: table.rows.length === 0,
    room: {
      left: Math.max(wide(axes[0]) + 16, textWidth(names[0].join(" ")) / 2 + 8),
      right: Math.max(
        wide(end) + 14,
        best ? textWidth(end.say(best[VALUE]!), 14) + 14 : 0,
        longest(names.at(-1)!) / 2 + 8,
      ),
      top: 14 * Math.max(...names.map((n) => n.length)) + 14,
      bottom: failed.length > 0 ? 16 : 6,
    },
    innerHeight: () => 280,
    marks: (area) => {
      const at = axes.map(sharesOf);
      const shareOf = (v: Value, i: number) => {
        const value = shown(v, i);
        return value === null ? NaN : at[i](value);
      };
      const last = axes.length - 1;
      const below = -14 / (area.bottom - area.top);
      const pointsOf = (r: typeof done[number]) =>
        keys.map((key, i) => ({
          x: i,
          y: i === last && shown(r[key], i) === null
            ? below
            : shareOf(r[key], i),
        }));
      const lowest = done.length > 0 ? shareOf(done[0][VALUE], last) : 0;
      const colorOf = (share: number) =>
        lineColor(lowest < 1 ? (share - lowest) / (1 - lowest) : 1);
      const line = (r: typeof done[number], style: Plot.LineOptions) =>
        Plot.line(pointsOf(r), {
          x: "x",
          y: "y",
          curve: "monotone-x",
          title: () =>
            tip(
              ...keys.map((key, i) =>
                `${axes[i].label}: ${
                  r[key] === null ? "none" : axes[i].say(r[key]!)
                }`
              ),
            ),
          ...style,
        });
      const bestY = best ? shareOf(best[VALUE], last) : NaN;
      const ticks = ticksOf(axes, at, area.bottom - area.top)
        .filter((t) =>
          t.x !== last ||
          !(Math.abs(t.y - bestY) * (area.bottom - area.top) < 14)
        );
      const steps = Array.from({ length: STEPS }, (_, i) => i / STEPS);
      return [
        ...failed.map((r) =>
          line(r, {
            stroke: "currentColor",
            strokeOpacity: 0.45,
            strokeDasharray: "3 3",
            className: "ferlab-failed",
          })
        ),
        ...done.filter((r) => r !== best).map((r) =>
          line(r, {
            stroke: colorOf(shareOf(r[VALUE], last)),
            strokeWidth: 1.5,
            strokeOpacity: done.length > 60 ? 0.4 : 0.8,
            className: "ferlab-trial",
          })
        ),
        best
          ? line(best, {
            stroke: colorOf(1),
            strokeWidth: 4,
            className: "ferlab-best",
          })
          : null,
        Plot.ruleX(keys, { x: (_, i) => i, strokeOpacity: 0.7 }),
        // The last axis is the colours' scale as well.
        Plot.ruleX(steps, {
          x: () => last,
          y1: (s: number) => s,
          y2: (s: number) => s + 1 / STEPS,
          stroke: (s: number) => colorOf(s + 0.5 / STEPS),
          strokeWidth: 5,
        }),
        Plot.dot(failed, {
          x: () => last,
          y: () => below,
          symbol: "times",
          r: 4.5,
          stroke: "currentColor",
          strokeWidth: 1.5,
          className: "ferlab-failed",
        }),
        ...[true, false].flatMap((isEnd) => {
          const own = ticks.filter((t) => (t.x === last) === isEnd);
          return [
            isEnd
              ? null
              : Plot.dot(own, { x: "x", y: "y", r: 2, fill: "currentColor" }),
            Plot.text(own, {
              x: "x",
              y: "y",
              text: "text",
              textAnchor: isEnd ? "start" : "end",
              dx: isEnd ? 10 : -7,
            }),
          ];
        }),
        Plot.text(best ? [best] : [], {
          x: () => last,
          y: () => bestY,
          text: () => end.say(best![VALUE]!),
          textAnchor: "start",
          fontWeight: 700,
          fontSize: 13,
          dx: 10,
        }),
        Plot.text(names, {
          x: (_, i) => i,
          y: () => 1,
          text: (n: string[]) => n.join("\n"),
          lineAnchor: "bottom",
          lineHeight: 1.15,
          dy: -14,
          fontWeight: 600,
        }),
      ];
    },
    after: (element, area) =>
      fadeBehind(
        element,
        ticksOf(
          axes,
          axes.map(sharesOf),
          area.bottom - area.top,
        )
          .filter((t) => t.x < axes.length - 1)
          .map((t) => ({
            x: area.x(t.x) - 9 - textWidth(t.text),
            y: area.y(t.y) - 8,
            width: textWidth(t.text) + 4,
            height: 16,
          })),
        {
          id: `${CLASS}-labels`,
          width: area.width,
          height: area.height,
          classes: ["ferlab-failed", "ferlab-trial", "ferlab-best"],
        },
      ),
  });
}

const longest = (lines: string[]) =>
  Math.max(...lines.map((l) => textWidth(l, 13)));

/** A value's place on its axis, 0 at the bottom; categories from end to end. */
function sharesOf(axis: Axis): (value: number | string) => number {
  if (axis.type !== "category") return pixels(axis, [0, 1]);
  const last = axis.domain.length - 1;
  const index = new Map(axis.domain.map((v, i) => [v, i]));
  return (v) => last > 0 ? index.get(v)! / last : 0.5;
}

/** Ticks of all axes that stand apart, at shares of the height. */
function ticksOf(
  axes: readonly Axis[],
  at: readonly ((v: number | string) => number)[],
  height: number,
) {
  return axes.flatMap((axis, i) => {
    let last = -Infinity;
    return axis.ticks.map((t) => ({ x: i, y: at[i](t), text: axis.format(t) }))
      .filter((t) => t.y >= -1e-9 && t.y <= 1 + 1e-9)
      .filter((t) => {
        if ((t.y - last) * height < 12) return false;
        last = t.y;
        return true;
      });
  });
}
