/** When each trial ran, and beside which others: where a study's time went. */
import * as Plot from "@observablehq/plot";
import * as d3 from "d3";
import { axisFor, count } from "./axis.ts";
import { type Channel, isNumber, maybe, read, type Rows } from "./channels.ts";
import { frame, type FrameOptions } from "./frame.ts";
import { rowKey, rowsAxis } from "./layout.ts";
import { areaItem, DIAGONALS, hatched } from "./marks.ts";
import { type Chart, textWidth } from "./theme.ts";

/** A trial's state, of which Optuna has words in capitals. */
const stateOf = (word: string) =>
  word === "FAIL" ? "failed" : word.toLowerCase();

/** Each state's colour, and the lines over it, so that grey print tells them. */
const LOOKS: Record<string, { color: string; lines: string }> = {
  complete: { color: "#0072B2", lines: "" },
  failed: { color: "#B34A00", lines: DIAGONALS },
  pruned: { color: "#66707B", lines: "M2,0V8" },
};
const OTHER = { color: "#8A4F7D", lines: "M0,2H8" };

interface Bar {
  /** In the axis's unit, since the first start. */
  from: number;
  to: number;
  state: string;
  name: string;
  isOpen: boolean;
  lane: string;
}

/** Hours from two on, seconds under two minutes. */
function unitOf(ms: number): { ms: number; name: string } {
  if (ms >= 7.2e6) return { ms: 3.6e6, name: "hours" };
  if (ms >= 1.2e5) return { ms: 6e4, name: "minutes" };
  return { ms: 1e3, name: "seconds" };
}

const timeText = (ms: number) => {
  const unit = unitOf(ms);
  return `${Number((ms / unit.ms).toFixed(1))} ${unit.name}`;
};

/**
 * Draws each trial as a bar from its start to its end, those that ran at one
 * time in lanes of their own. Above stand the trials' summed time, its share of
 * all lanes' time and the ended trials an hour. A trial without an end is drawn
 * up to the last known time.
 */
export function timelineChart(
  rows: Rows,
  o: Omit<FrameOptions, "noise"> & {
    /** Milliseconds or dates; default: start and end. */
    start?: Channel;
    end?: Channel;
    /** Default: the state, in Optuna's words or one's own. */
    state?: Channel;
    /** Written on the bar; default: the number. */
    label?: Channel;
  } = {},
): Chart {
  const table = read("timelineChart", rows, {
    start: o.start ?? maybe("start"),
    end: o.end ?? maybe("end"),
    state: o.state ?? maybe("state"),
    label: o.label ?? maybe("number"),
  });
  const started = d3.sort(
    table.rows.filter((r) => isNumber(r.start)),
    (r: { start: number }) => r.start,
  ) as (typeof table.rows[number] & { start: number })[];
  const lost = table.rows.length - started.length;
  const origin = started[0]?.start ?? 0;
  const last: number = d3.max(
    started.flatMap((r) => [r.start, isNumber(r.end) ? r.end : r.start]),
  ) ?? origin;
  const span = last - origin, unit = unitOf(span);
  // The first lane that is free when a trial starts.
  const ends: number[] = [];
  const bars = started.map((r, i): Bar => {
    const isOpen = !isNumber(r.end);
    const to = isOpen ? last : Math.max(r.start, r.end as number);
    const free = ends.findIndex((end) => end <= r.start);
    const lane = free < 0 ? ends.length : free;
    ends[lane] = to;
    return {
      from: (r.start - origin) / unit.ms,
      to: (to - origin) / unit.ms,
      state: stateOf(String(r.state ?? "unknown")),
      name: String(r.label ?? i),
      isOpen,
      lane: rowKey(lane),
    };
  });

  const busy = d3.sum(bars, (b: Bar) => b.to - b.from) * unit.ms;
  const ended = bars.filter((b) => !b.isOpen).length;
  const lanes = ends.length === 1 ? "one lane" : `${ends.length} lanes`;
  const share = Math.round(100 * busy / (ends.length * span));
  const pace = Number((ended / (span / 3.6e6)).toPrecision(3));
  const summary = span === 0
    ? ""
    : `busy ${timeText(busy)} (${share} % of ${lanes}), ${pace} trials an hour`;
  const known = Object.keys(LOOKS);
  const states = [...new Set(bars.map((b) => b.state))]
    .sort((a, b) => (known.indexOf(a) >>> 0) - (known.indexOf(b) >>> 0));
  const isFilled = (state: string) => !/running|waiting/.test(state);
  const fills = new Map(
    states.filter(isFilled).map((state, i) => {
      const { color, lines } = LOOKS[state] ?? OTHER;
      return [state, hatched(String(i), color, lines)];
    }),
  );
  const item = (state: string) => {
    const n = bars.filter((b) => b.state === state).length;
    const label = `${state} (${n})`;
    return fills.get(state)?.item(label) ??
      areaItem("none", label, `stroke="currentColor" stroke-dasharray="3 2"`);
  };
  const lanesAxis = rowsAxis(ends.map(() => ""), { label: summary, least: 22 });
  const x = axisFor([0, span / unit.ms || 1], {
    label: `${unit.name} since the first start`,
    ...{ scale: "linear", pad: 0 },
  });
  return frame("timeline", o, {
    label: `${bars.length} trials over ${timeText(span)}` +
      (summary ? `, ${summary}` : ""),
    legend: [states.map(item)],
    notes: [lost > 0 && `${count(lost, "row")} left out: no start`],
    ...{ ...lanesAxis, x, y: { ...lanesAxis.y, ticks: [] } },
    isEmpty: bars.length === 0,
    marks: (area) => {
      const pixel = 1 / (area.x(1) - area.x(0));
      const hasRoom = (b: Bar) =>
        textWidth(b.name, 11) + 6 <= (b.to - b.from) / pixel &&
        (area.bottom - area.top) / ends.length >= 14;
      return [
        Plot.barX(lanesAxis.y.domain, {
          ...{ x1: 0, x2: x.domain[1], y: (lane: string) => lane },
          fillOpacity: 0.06,
        }),
        Plot.barX(bars, {
          ...{ x1: "from", y: "lane", rx: 2 },
          // The shortest trial is seen too.
          x2: (b: Bar) => Math.max(b.to, b.from + 2 * pixel),
          ...{ insetRight: 0.75, insetTop: 1.5, insetBottom: 1.5 },
          fill: (b: Bar) => fills.get(b.state)?.fill ?? "none",
          stroke: (b: Bar) => isFilled(b.state) ? "none" : "currentColor",
          strokeDasharray: "3 2",
          title: (b: Bar) =>
            `trial ${b.name}, ${b.state}\n` +
            timeText((b.to - b.from) * unit.ms) + (b.isOpen ? " so far" : ""),
          className: "ferlab-trials",
        }),
        Plot.text(bars.filter(hasRoom), {
          ...{ x: (b: Bar) => (b.from + b.to) / 2, y: "lane", text: "name" },
          fill: (b: Bar) => isFilled(b.state) ? "#fff" : "currentColor",
          ...{ fontSize: 11, fontWeight: 600, pointerEvents: "none" },
        }),
      ];
    },
  });
}
