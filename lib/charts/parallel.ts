/** Rows as lines over their parameters, the value last. */
import * as Plot from "@observablehq/plot";
import * as d3 from "d3";
import { axisOf, pixels, pluralOf } from "./axis.ts";
import * as channels from "./channels.ts";
import { frame, type FrameOptions, tip } from "./frame.ts";
import { hiddenAxis, thinned, widest } from "./text_layout.ts";
import { crosses, tagged } from "./marks.ts";
import { type Chart, FONT_SIZE, lineColor, wrapWords } from "./theme.ts";
import { evenlySpaced, firstHighest } from "./value_text.ts";

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
  const table = channels.readChannels("parallelChart", rows, {
    ...Object.fromEntries(o.axes.map((channel, i) => [keys[i], channel])),
    value: o.value ?? channels.firstOf("accuracy", "mean"),
  } as Record<string, channels.Channel>);
  type Row = channels.Read<string>;
  const axes = keys.map((key, i) => {
    const axis = axisOf(table, key, {
      ...(i === last
        ? { label: o.valueLabel, scale: "linear" }
        : { hasLevels: true }),
      pad: 0,
    });
    // A value's place, 0 at the bottom; categories go from end to end.
    const place: (value: number | string) => number = axis.type === "category"
      ? d3.scalePoint().domain(axis.domain).range([0, 1])
      : pixels(axis, [0, 1]);
    const isShown = (r: Row) => axis.why(r[key]) === null;
    const shareOf = (r: Row) => isShown(r) ? place(r[key]!) : NaN;
    const say = (r: Row) => r[key] === null ? "none" : axis.say(r[key]);
    return { ...axis, place, isShown, shareOf, say };
  });
  const end = axes[last], parameters = axes.slice(0, -1);
  const best = firstHighest(
    table.rows.filter(end.isShown),
    (r) => Number(r.value),
  );
  const drawn = evenlySpaced(table.rows, MOST_LINES).filter((r) => r !== best);
  const done = d3.sort(drawn.filter(end.isShown), (r: Row) => r.value) as Row[];
  const failed = drawn.filter((r) => !end.isShown(r));
  const notes = axes.map((axis, i) => {
    const gaps = table.rows.filter((r) => !axis.isShown(r));
    const whys = [...new Set(gaps.map((r) => axis.why(r[keys[i]])))];
    const what = i === last
      ? `without ${axis.label} (failed)`
      : `with a gap: ${axis.label} ${whys.join(", or ")}`;
    return gaps.length > 0 && `${pluralOf(gaps.length, "row")} ${what}`;
  });

  const width = o.width ?? 720;
  const wide = (texts: string[]) => widest(texts, FONT_SIZE + 1);
  const words = (i: number) => axes[i].ticks.map(axes[i].format);
  const leftOf = wide(words(0)) + 16;
  const rightOf = 14 +
    1.1 * wide([...words(last), best ? end.say(best) : ""]);
  // Names are no wider than from axis to axis; where words are, in two rows.
  const between = (width - leftOf - rightOf) / Math.max(1, last);
  const namesIn = (room: number) =>
    axes.map((a) => wrapWords(a.label, room - 12, FONT_SIZE));
  const inOneRow = namesIn(between), inTwo = namesIn(2 * between);
  const isTight = inOneRow.some((name, i) =>
    i > 0 && (wide(name) + wide(inOneRow[i - 1])) / 2 > between - 4
  );
  const lower = inTwo.filter((_, i) => i % 2 === 0);
  const under = Array(Math.max(...lower.map((n) => n.length))).fill("");
  const names = isTight
    ? inTwo.map((name, i) => i % 2 === 0 ? name : [...name, ...under])
    : inOneRow;
  /** Ticks of all axes that stand apart on such a height, at shares of it. */
  const ticksIn = (height: number) =>
    axes.flatMap(({ ticks, place, format }, x) => {
      const within = ticks.filter((t) => Math.abs(place(t) - 0.5) < 0.5 + 1e-9);
      return thinned(within, (t) => height * place(t), () => 12)
        .map((t) => ({ x, y: place(t), text: format(t) }));
    });
  const at = best &&
    parameters.map((a) => `${a.label} ${a.say(best)}`).join(", ");
  return frame("parallel", o, {
    rows: [table],
    label: [
      `${end.label}: ${pluralOf(table.rows.length, "row")} over ` +
      parameters.map((a) => a.label).join(", "),
      best && `best ${end.say(best)} at ${at}`,
    ],
    notes: [
      ...notes,
      table.rows.length > MOST_LINES &&
      `${MOST_LINES} of ${table.rows.length} drawn, at even distances`,
    ],
    ...{ x: hiddenAxis(0, Math.max(1, last)), y: hiddenAxis(0, 1) },
    isEmpty: table.rows.length === 0,
    room: {
      left: Math.max(leftOf, wide(names[0]) / 2 + 8),
      right: Math.max(rightOf, wide(names[last]) / 2 + 8),
      top: 14 * Math.max(...names.map((n) => n.length)) + 14,
      bottom: failed.length > 0 ? 16 : 6,
    },
    innerHeight: () => 280,
    marks: (area) => {
      const tall = area.bottom - area.top;
      const lowest = done.length > 0 ? end.shareOf(done[0]) : 0;
      const colorOf = (v: number) =>
        lineColor(lowest < 1 ? (v - lowest) / (1 - lowest) : 1);
      // What failed ends under the last axis.
      const under = -14 / tall;
      const line = (r: Row, style: Plot.LineOptions) => {
        const shares = axes.map((a) => a.shareOf(r));
        const y = shares.map((v, i) =>
          i === last && !end.isShown(r) ? under : v
        );
        // In pixels, for the page's script; a gap is "-".
        const places = shares.map((v) => Math.round(area.y(v)) || "-");
        const told = channels.trialWords(r.row, keys.map(table.name));
        const values = axes.map((a) => `${a.label}: ${a.say(r)}`);
        return tagged(
          () => ({ "data-at": places.join(" ") }),
          Plot.line(y, {
            ...{ x: (_, i) => i, y, curve: "monotone-x" },
            title: () => tip(...values, told),
            ...style,
          }),
        );
      };
      const bestY = best ? end.shareOf(best) : NaN;
      const ticks = ticksIn(tall);
      const inner = ticks.filter((t) => t.x !== last);
      const outer = ticks
        .filter((t) => t.x === last && !(Math.abs(t.y - bestY) * tall < 14));
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
            ...{ stroke: colorOf(end.shareOf(r)), className: "ferlab-trial" },
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
          ...{ text: end.say, fontWeight: 700, fontSize: FONT_SIZE + 1 },
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
