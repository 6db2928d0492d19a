/** Rows as lines over their parameters, the value last. */
import * as Plot from "@observablehq/plot";
import * as d3 from "d3";
import { type Axis, axisOf, count, pixels } from "./axis.ts";
import * as channels from "./channels.ts";
import { frame, type FrameOptions, tip } from "./frame.ts";
import { hiddenAxis, thinned, widest } from "./layout.ts";
import { crosses, tagged } from "./marks.ts";
import { type Chart, FONT_SIZE, lineColor, wrapWords } from "./theme.ts";
import { firstHighest, some } from "./values.ts";

/** Of the colour scale along the last axis. */
const STEPS = 24;
/** No chart draws more lines. */
const MOST_LINES = 1000;

/**
 * Draws each row as a line through its parameters to its value, the last axis.
 * Colours rise with the value; the best (highest) line is thick and on top, its
 * value written at its end. A row without a value is dashed and ends at a cross;
 * where a parameter is missing, or not to be shown on its axis, is a gap.
 */
export function parallelChart(
  rows: channels.Rows,
  o: FrameOptions & {
    axes: readonly channels.Channel[];
    /** Default: the accuracy, else the mean. */
    value?: channels.Channel;
    valueLabel?: string;
  },
): Chart {
  channels.checkOptions("parallelChart", o, '{ axes: ["depth", "lr"] }');
  channels.checkList("parallelChart: the axes", o.axes);
  const last = o.axes.length;
  const keys = [...o.axes.map((_, i) => `axis ${i + 1}`), "value"];
  const table = channels.read("parallelChart", rows, {
    ...Object.fromEntries(o.axes.map((channel, i) => [keys[i], channel])),
    value: o.value ?? channels.firstOf("accuracy", "mean"),
  } as Record<string, channels.Channel>);
  const axes = keys.map((key, i) =>
    axisOf(table, key, {
      ...(i === last
        ? { label: o.valueLabel, scale: "linear" }
        : { hasLevels: true }),
      pad: 0,
    })
  );
  type Row = channels.Read<string>;
  const end = axes[last], parameters = axes.slice(0, -1);
  const places = axes.map(sharesOf);
  const share = (r: Row, i: number) =>
    axes[i].why(r[keys[i]]) === null ? places[i](r[keys[i]]!) : NaN;
  const isDone = (r: Row) => !Number.isNaN(share(r, last));
  const say = (r: Row, i: number) =>
    r[keys[i]] === null ? "none" : axes[i].say(r[keys[i]]!);
  const best = firstHighest(table.rows.filter(isDone), (r) => Number(r.value));
  const drawn = some(table.rows, MOST_LINES).filter((r) => r !== best);
  const done = d3.sort(drawn.filter(isDone), (r: Row) => r.value) as Row[];
  const failed = drawn.filter((r) => !isDone(r));
  const notes = axes.map((axis, i) => {
    const gaps = table.rows.filter((r) => Number.isNaN(share(r, i)));
    const whys = [...new Set(gaps.map((r) => axis.why(r[keys[i]])))];
    return gaps.length > 0 && `${count(gaps.length, "row")} ` +
        (i === last
          ? `without ${axis.label} (failed)`
          : `with a gap: ${axis.label} ${whys.join(", or ")}`);
  });

  const width = o.width ?? 720;
  const names = axes.map((a) =>
    wrapWords(a.label, (width - 120) / Math.max(1, last) - 12, FONT_SIZE)
  );
  const wide = (texts: string[]) => widest(texts, FONT_SIZE + 1);
  const words = (a: Axis) => a.ticks.map((t) => a.format(t));
  /** Ticks of all axes that stand apart on such a height, at shares of it. */
  const ticksIn = (height: number) =>
    axes.flatMap((axis, x) => {
      const isWithin = (t: number | string) =>
        places[x](t) > -1e-9 && places[x](t) < 1 + 1e-9;
      const pixel = (t: number | string) => height * places[x](t);
      return thinned(axis.ticks.filter(isWithin), pixel, () => 12)
        .map((t) => ({ x, y: places[x](t), text: axis.format(t) }));
    });
  const at = best &&
    parameters.map((a, i) => `${a.label} ${say(best, i)}`).join(", ");
  return frame("parallel", o, {
    rows: [table],
    label: [
      `${end.label}: ${count(table.rows.length, "row")} over ` +
      parameters.map((a) => a.label).join(", "),
      best && `best ${say(best, last)} at ${at}`,
    ],
    notes: [
      ...notes,
      table.rows.length > MOST_LINES &&
      `${MOST_LINES} of ${table.rows.length} drawn, at even distances`,
    ],
    ...{ x: hiddenAxis(0, Math.max(1, last)), y: hiddenAxis(0, 1) },
    isEmpty: table.rows.length === 0,
    room: {
      left: Math.max(wide(words(axes[0])) + 16, wide(names[0]) / 2 + 8),
      right: Math.max(
        wide([...words(end), best ? say(best, last) : ""]) * 1.1 + 14,
        wide(names[last]) / 2 + 8,
      ),
      top: 14 * Math.max(...names.map((n) => n.length)) + 14,
      bottom: failed.length > 0 ? 16 : 6,
    },
    innerHeight: () => 280,
    marks: (area) => {
      const tall = area.bottom - area.top;
      const lowest = done.length > 0 ? share(done[0], last) : 0;
      const colorOf = (v: number) =>
        lineColor(lowest < 1 ? (v - lowest) / (1 - lowest) : 1);
      // What failed ends under the last axis.
      const under = -14 / tall;
      const line = (r: Row, style: Plot.LineOptions) =>
        tagged(
          () => ({ "data-at": keys.map((_, i) => placeOf(r, i)).join(" ") }),
          Plot.line(keys, {
            x: (_, i) => i,
            y: (_, i) => i === last && !isDone(r) ? under : share(r, i),
            curve: "monotone-x",
            title: () =>
              tip(
                ...axes.map((a, i) => `${a.label}: ${say(r, i)}`),
                channels.trialWords(r.row, keys.map(table.name)),
              ),
            ...style,
          }),
        );
      /** In pixels, for the page's script; a gap is "-". */
      const placeOf = (r: Row, i: number) =>
        Math.round(area.y(share(r, i))) || "-";
      const bestY = best ? share(best, last) : NaN;
      const [inner, outer] = [false, true].map((isLast) =>
        ticksIn(tall).filter((t) =>
          (t.x === last) === isLast &&
          !(isLast && Math.abs(t.y - bestY) * tall < 14)
        )
      );
      const label = { x: "x", y: "y", text: "text" };
      return [
        ...failed.map((r) =>
          line(r, {
            ...{ strokeOpacity: 0.45, strokeDasharray: "3 3" },
            className: "ferlab-failed",
          })
        ),
        ...done.map((r) =>
          line(r, {
            ...{ stroke: colorOf(share(r, last)), className: "ferlab-trial" },
            strokeOpacity: done.length > 60 ? 0.4 : 0.8,
          })
        ),
        best && line(best, {
          ...{ stroke: colorOf(1), strokeWidth: 4, className: "ferlab-best" },
        }),
        tagged(
          (key: string) => ({ "data-axis": keys.indexOf(key) }),
          Plot.ruleX(keys, { x: (_, i) => i, strokeOpacity: 0.7 }),
        ),
        // The last axis is the colours' scale as well.
        Plot.ruleX(d3.range(STEPS), {
          ...{ x: () => last, strokeWidth: 5 },
          y1: (i: number) => i / STEPS,
          y2: (i: number) => (i + 1) / STEPS,
          stroke: (i: number) => colorOf((i + 0.5) / STEPS),
        }),
        crosses(failed, { x: () => last, y: () => under }),
        Plot.dot(inner, { x: "x", y: "y", r: 2, fill: "currentColor" }),
        Plot.text(inner, { ...label, textAnchor: "end", dx: -7 }),
        Plot.text(outer, { ...label, textAnchor: "start", dx: 10 }),
        Plot.text(best ? [best] : [], {
          ...{ x: () => last, y: () => bestY, dx: 10, textAnchor: "start" },
          text: (r: Row) => say(r, last),
          ...{ fontWeight: 700, fontSize: FONT_SIZE + 1 },
        }),
        Plot.text(names, {
          ...{ x: (_, i) => i, y: () => 1, dy: -14, lineAnchor: "bottom" },
          text: (n: string[]) => n.join("\n"),
          ...{ lineHeight: 1.15, fontWeight: 600 },
        }),
      ];
    },
    fade: (area) =>
      ticksIn(area.bottom - area.top).filter((t) => t.x !== last)
        .map(({ x, y, text }) => {
          const width = widest([text]) + 4;
          const left = area.x(x) - 5 - width;
          return { x: left, y: area.y(y) - 8, width, height: 16 };
        }),
  });
}

/** A value's place on its axis, 0 at the bottom; categories from end to end. */
function sharesOf(axis: Axis): (value: number | string) => number {
  if (axis.type !== "category") return pixels(axis, [0, 1]);
  return d3.scalePoint().domain(axis.domain).range([0, 1]);
}
