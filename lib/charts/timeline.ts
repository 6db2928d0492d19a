/** When each trial ran, and beside which others: where a study's time went. */
import * as Plot from "@observablehq/plot";
import * as d3 from "d3";
import { axisFor, pluralOf } from "./axis.ts";
import {
  isNumber,
  maybe,
  readChannels,
  type Rows,
  trialWords,
} from "./channels.ts";
import { CLASS, frame, type FrameOptions, tip } from "./frame.ts";
import { rowsAxis } from "./text_layout.ts";
import { areaItem } from "./marks.ts";
import { type Chart, textWidth } from "./theme.ts";

/** Each state's colour, and the lines over it, so that grey print tells them. */
const LOOKS = new Map<string, [color: string, lines: string]>([
  ["complete", ["#0072B2", ""]],
  ["failed", ["#B34A00", "M0,8L8,0M-2,2L2,-2M6,10L10,6"]],
  ["pruned", ["#66707B", "M2,0V8"]],
]);
const OTHER = ["#8A4F7D", "M0,2H8"] as const;

/** A fill of white `lines` (in a box of 8 × 8) on a colour; its sample. */
function hatched(name: string, color: string, lines: string) {
  const id = `${CLASS}-${name}`, fill = `url(#${id})`;
  const defs = `<defs><pattern id="${id}" width="8" height="8" ` +
    `patternUnits="userSpaceOnUse"><rect width="8" height="8" ` +
    `fill="${color}"/><path d="${lines}" stroke="#fff" ` +
    `stroke-opacity="0.28" stroke-width="1.5"/></pattern></defs>`;
  const { mark } = areaItem(fill, "");
  return { fill, item: (label: string) => ({ mark: defs + mark, label }) };
}

/** Those in work are outlines. */
const isFilled = (state: string) => !/running|waiting/.test(state);

const OUTLINE = `stroke="currentColor" stroke-dasharray="3 2"`;

/** Hours from two on, seconds under two minutes. */
const unitOf = (ms: number): [ms: number, name: string] => {
  if (ms >= 7.2e6) return [3.6e6, "hours"];
  return ms >= 1.2e5 ? [6e4, "minutes"] : [1e3, "seconds"];
};

const timeText = (ms: number) => {
  const [unit, name] = unitOf(ms);
  return `${Number((ms / unit).toFixed(1))} ${name}`;
};

/**
 * Draws each trial (`number`, `state` in Optuna's words or one's own) as a bar
 * from its `start` to its `end`, milliseconds or dates, those that ran at one
 * time in lanes of their own. Above stand the trials' summed time, its share of
 * all lanes' time and the ended trials an hour. A trial without an end is drawn
 * up to the last known time.
 */
export function timelineChart(
  rows: Rows,
  o: Omit<FrameOptions, "noise"> = {},
): Chart {
  const table = readChannels("timelineChart", rows, {
    ...{ start: maybe("start"), end: maybe("end") },
    ...{ state: maybe("state"), number: maybe("number") },
  });
  type Started = typeof table.rows[number] & { start: number };
  const started: Started[] = d3.sort(
    table.rows.filter((r) => isNumber(r.start)),
    (r: Started) => r.start,
  );
  const lost = table.rows.length - started.length;
  const origin = started[0]?.start ?? 0;
  const times = started.flatMap((r) => [r.start, r.end]).filter(isNumber);
  const last: number = d3.max(times) ?? origin;
  const span = last - origin, [unit, unitName] = unitOf(span);
  // The first lane that is free when a trial starts.
  const ends: number[] = [];
  let earliest = Infinity;
  const bars = started.map(({ start, end, state, number, row }, i) => {
    const to = isNumber(end) ? Math.max(start, end) : last;
    // Not looked for among the lanes of very many open trials.
    const free = earliest > start ? -1 : ends.findIndex((e) => e <= start);
    const lane = free < 0 ? ends.length : free;
    ends[lane] = to;
    earliest = free < 0 ? Math.min(earliest, to) : d3.min(ends);
    const word = String(state ?? "unknown").toLowerCase();
    return {
      ...{ from: (start - origin) / unit, to: (to - origin) / unit },
      ...{ name: String(number ?? i), isOpen: !isNumber(end) },
      ...{ state: word === "fail" ? "failed" : word, lane, row },
    };
  });
  type Bar = typeof bars[number];

  const busy = d3.sum(bars, (b: Bar) => b.to - b.from) * unit;
  const ended = bars.filter((b) => !b.isOpen).length;
  const lanes = ends.length === 1 ? "one lane" : `${ends.length} lanes`;
  const share = Math.round(100 * busy / (ends.length * span));
  const pace = Number((ended / (span / 3.6e6)).toPrecision(3));
  const summary = span < 1
    ? ""
    : `busy ${
      timeText(busy)
    } (${share} % of ${lanes}), ${pace} trials per hour`;
  const known = [...LOOKS.keys()];
  const counts: Map<string, number> = d3.rollup(
    d3.sort(bars, (b: Bar) => known.indexOf(b.state) >>> 0),
    (own: Bar[]) => own.length,
    (b: Bar) => b.state,
  );
  const fills = new Map(
    [...counts.keys()].filter(isFilled).map((state, i) => {
      const [color, lines] = LOOKS.get(state) ?? OTHER;
      return [state, hatched(String(i), color, lines)];
    }),
  );
  const item = ([state, n]: [string, number]) =>
    fills.get(state)?.item(`${state} (${n})`) ??
      areaItem("none", `${state} (${n})`, OUTLINE);
  const names = ends.map(() => "");
  const lanesAxis = rowsAxis(names, { label: summary, least: 22 });
  const x = axisFor([0, span / unit || 1], {
    label: `${unitName} since the first start`,
    ...{ scale: "linear", pad: 0 },
  });
  return frame("timeline", o, {
    rows: [table],
    label: `${bars.length} trials over ${timeText(span)}` +
      (summary && `, ${summary}`),
    legend: [[...counts].map(item)],
    notes: [lost > 0 && `${pluralOf(lost, "row")} left out: no start`],
    ...{ ...lanesAxis, x, y: { ...lanesAxis.y, ticks: [] } },
    isEmpty: bars.length === 0,
    marks: (area) => {
      const pixel = 1 / (area.x(1) - area.x(0));
      const hasRoom = (b: Bar) =>
        textWidth(b.name, 11) + 6 <= (b.to - b.from) / pixel &&
        (area.bottom - area.top) / ends.length >= 14;
      return [
        Plot.barX(lanesAxis.y.domain, {
          ...{ x1: 0, x2: x.domain[1], y: (lane: number) => lane },
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
            tip(
              `trial ${b.name}, ${b.state}`,
              timeText((b.to - b.from) * unit) + (b.isOpen ? " so far" : ""),
              trialWords(b.row),
            ),
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
