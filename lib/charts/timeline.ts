/** When each trial ran, and on which lane: where a study's time went. */
import * as Plot from "@observablehq/plot";
import {
  type Chart,
  type ChartOptions,
  contentClass,
  document,
  emptyChart,
  finish,
  FONT_SIZE,
  GRID,
  head,
  textWidth,
} from "./old.ts";

/** One trial. */
export interface TimelineTrial {
  number: number;
  /** Milliseconds of one clock. */
  start: number;
  /** null for one that still runs: it is drawn up to the last known time. */
  end: number | null;
  /** "complete", "failed", "pruned", "running" or another. */
  state: string;
  /** A worker or device; trials without one are put where there is room. */
  lane?: string;
  /** What is written on the bar instead of the number. */
  label?: string;
}

interface Bar {
  trial: TimelineTrial;
  from: number;
  to: number;
  lane: string;
}

/** Each state's colour, and the lines over it, so that grey print tells them. */
const LOOKS: Record<string, { color: string; lines: string }> = {
  complete: { color: "#0072B2", lines: "" },
  failed: { color: "#B34A00", lines: "M0,8L8,0M-2,2L2,-2M6,10L10,6" },
  pruned: { color: "#66707B", lines: "M2,0V8" },
};
const OTHER = { color: "#8A4F7D", lines: "M0,2H8" };

const isFilled = (state: string) => state !== "running";

/** Gives each bar a lane: a named one, split where its trials overlap. */
function pack(bars: Omit<Bar, "lane">[]): { bars: Bar[]; lanes: string[][] } {
  const names = [...new Set(bars.map((b) => b.trial.lane))];
  // Lanes in the order of their names, unnamed ones last.
  names.sort((a, b) =>
    a === undefined
      ? 1
      : b === undefined
      ? -1
      : a.localeCompare(b, "en", { numeric: true })
  );
  const lanes: string[][] = [], packed: Bar[] = [];
  names.forEach((name, group) => {
    const ends: number[] = [];
    for (const bar of bars.filter((b) => b.trial.lane === name)) {
      const free = ends.findIndex((end) => end <= bar.from);
      const row = free < 0 ? ends.length : free;
      ends[row] = bar.to;
      packed.push({ ...bar, lane: `${group}/${row}` });
    }
    lanes.push(ends.map((_, row) => `${group}/${row}`));
  });
  return { bars: packed, lanes };
}

/** The axis's unit: hours from two on, seconds under two minutes. */
function unitOf(ms: number): { ms: number; name: string } {
  if (ms >= 7.2e6) return { ms: 3.6e6, name: "hours" };
  if (ms >= 1.2e5) return { ms: 6e4, name: "minutes" };
  return { ms: 1e3, name: "seconds" };
}

const inUnit = (ms: number): string => {
  const unit = unitOf(ms);
  return `${Number((ms / unit.ms).toFixed(1))} ${unit.name}`;
};

/**
 * Draws each trial as a bar from its start to its end, in minutes (or hours,
 * or seconds) since the first start, lanes one under the other. The head says
 * the trials' summed time, its share of all lanes' time, and the ended trials
 * an hour.
 */
export function timelineChart(
  trials: readonly TimelineTrial[],
  o: ChartOptions = {},
): Chart {
  const { width = 720 } = o;
  const label = o.title ?? "Timeline of trials";
  const started = trials.filter((t) => Number.isFinite(t.start))
    .sort((a, b) => a.start - b.start || a.number - b.number);
  if (started.length === 0) return emptyChart("timeline", label, o);
  const origin = started[0].start;
  const endOf = (t: TimelineTrial) =>
    t.end !== null && Number.isFinite(t.end) ? Math.max(t.start, t.end) : null;
  const span = Math.max(...started.map((t) => endOf(t) ?? t.start)) - origin;
  const unit = unitOf(span);
  const { bars, lanes } = pack(started.map((trial) => ({
    trial,
    from: (trial.start - origin) / unit.ms,
    to: ((endOf(trial) ?? origin + span) - origin) / unit.ms,
  })));
  const rows = lanes.flat();
  const last = span / unit.ms || 1;

  const busy = bars.reduce((sum, b) => sum + b.to - b.from, 0);
  const ended = started.filter((t) => endOf(t) !== null).length;
  const share = span === 0
    ? ""
    : ` (${Math.round(100 * busy / (rows.length * last))} % of ${
      rows.length === 1 ? "one lane" : `${rows.length} lanes`
    })`;
  const pace = span === 0
    ? ""
    : `, ${Number((ended / (span / 3.6e6)).toPrecision(3))} trials an hour`;
  const summary = `busy ${inUnit(busy * unit.ms)}${share}${pace}`;

  const kind = contentClass("timeline", trials, o);
  const states = [...new Set(started.map((t) => t.state))];
  const order = ["complete", "pruned", "failed"];
  const rank = (s: string) => order.includes(s) ? order.indexOf(s) : 3;
  states.sort((a, b) => rank(a) - rank(b));
  const paintOf = (state: string) =>
    isFilled(state) ? `url(#${kind}-${states.indexOf(state)})` : "none";
  const patterns = states.map((state, i) => {
    const { color, lines } = LOOKS[state] ?? OTHER;
    return `<pattern id="${kind}-${i}" width="8" height="8" ` +
      `patternUnits="userSpaceOnUse"><rect width="8" height="8" ` +
      `fill="${color}"/><path d="${lines}" stroke="#fff" ` +
      `stroke-opacity="0.28" stroke-width="1.5"/></pattern>`;
  });
  const top = head({
    title: o.title,
    width,
    yLabel: summary,
    legend: [states.map((state) => ({
      mark: `<rect x="1" y="0.5" width="24" height="11" rx="2" fill="${
        paintOf(state)
      }"${
        isFilled(state) ? "" : ` stroke="currentColor" stroke-dasharray="3 2"`
      }/>`,
      label: `${state} (${started.filter((t) => t.state === state).length})`,
    }))],
  });
  top.markup += `<defs>${patterns.join("")}</defs>`;

  const names = lanes.map(([first]) =>
    bars.find((b) => b.lane === first)!.trial.lane ?? ""
  );
  const marginLeft = Math.ceil(Math.max(...names.map((n) => textWidth(n)))) +
    16;
  const marginRight = 16, marginBottom = 46, marginTop = top.height + 6;
  const height = o.height ?? marginTop + marginBottom + 24 * rows.length;
  const scale = (width - marginLeft - marginRight) / last;
  const text = (b: Bar) => b.trial.label ?? String(b.trial.number);
  const hasRoom = (b: Bar) =>
    textWidth(text(b), FONT_SIZE - 1) + 6 <= (b.to - b.from) * scale;

  const place = {
    x1: "from",
    // The shortest trial is seen too.
    x2: (b: Bar) => Math.max(b.to, b.from + 2 / scale),
    y: "lane",
    rx: 2,
    insetRight: 0.75,
  };
  const element = Plot.plot({
    document,
    className: kind,
    width,
    height,
    marginTop,
    marginLeft,
    marginRight,
    marginBottom,
    x: { domain: [0, last] },
    y: { axis: null, domain: rows, padding: 0.15 },
    marks: [
      Plot.barX(rows, {
        x1: () => 0,
        x2: () => last,
        y: (lane: string) => lane,
        fill: "currentColor",
        fillOpacity: 0.06,
      }),
      Plot.gridX(GRID),
      Plot.axisX({
        label: `${unit.name} since the first start`,
        labelArrow: "none",
        labelAnchor: "center",
        labelOffset: 38,
      }),
      Plot.text(lanes.map(([first], i) => ({ lane: first, name: names[i] })), {
        y: "lane",
        text: "name",
        frameAnchor: "left",
        textAnchor: "end",
        dx: -8,
      }),
      Plot.barX(bars, {
        ...place,
        fill: (b: Bar) => paintOf(b.trial.state),
        stroke: (b: Bar) => isFilled(b.trial.state) ? "none" : "currentColor",
        strokeDasharray: "3 2",
        title: (b: Bar) =>
          `trial ${b.trial.number}, ${b.trial.state}\n${
            inUnit((b.to - b.from) * unit.ms)
          }${endOf(b.trial) === null ? " so far" : ""}`,
        className: "ferlab-trials",
      }),
      Plot.text(bars.filter(hasRoom), {
        x: (b: Bar) => (b.from + b.to) / 2,
        y: "lane",
        text,
        fill: (b: Bar) => isFilled(b.trial.state) ? "#fff" : "currentColor",
        fontSize: FONT_SIZE - 1,
        fontWeight: 600,
        pointerEvents: "none",
      }),
    ],
    color: { type: "identity" },
  });
  return finish(
    element,
    `${label}: ${started.length} trials over ${inUnit(span)}, ${summary}`,
    top,
  );
}
