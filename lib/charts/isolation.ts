/** A scientific parameter at its best over the nuisance ones. */
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
  type LegendItem,
  PALETTE,
  percent,
  textWidth,
  wrapWords,
} from "./old.ts";
import {
  domainWith,
  type Noise,
  noiseMarks,
  noiseText,
  withNoise,
} from "./noise_floor.ts";
import { valueDomain } from "./axes.ts";
import { heightAt } from "./place_labels.ts";
import {
  firstHighest,
  isNumber,
  levels,
  percentTick,
  thinned,
  valueFormat,
} from "./old.ts";

/** One value of the parameter, at its best; accuracies from 0 to 1. */
export interface IsolationRow {
  value: number | string;
  /** null (or NaN) where every setting failed. */
  mean: number | null;
  low?: number | null;
  high?: number | null;
  /** Runs in the mean. */
  n: number;
  /** The nuisance setting that won, its parts set apart by ", ". */
  nuisance?: string;
  /** Settings that failed. */
  infeasible?: number;
}

interface Run {
  value: number | string;
  accuracy: number | null;
}
type Done = IsolationRow & { mean: number };

const SMALL = 10;
const OURS = PALETTE[0], PUBLISHED = PALETTE[1];

function legendOf(has: Record<string, boolean>): LegendItem[][] {
  const items: [string, string, string][] = [
    [
      "best",
      `<path d="M13,0V12" stroke="${OURS}" stroke-width="1.5"/>` +
      `<circle cx="13" cy="6" r="4.5" fill="${OURS}"/>`,
      `best setting: mean${has.interval ? " and interval" : ""}`,
    ],
    [
      "runs",
      `<circle cx="13" cy="6" r="3" fill="currentColor" fill-opacity="0.3"/>`,
      "all runs",
    ],
    [
      "published",
      `<path d="M0,6H8M18,6H26" stroke="${PUBLISHED}" stroke-width="1.5" ` +
      `stroke-dasharray="5 3"/><rect x="9.5" y="2.5" width="7" height="7" ` +
      `fill="none" stroke="${PUBLISHED}" stroke-width="1.5"/>`,
      "published",
    ],
    [
      "failed",
      `<path d="M9,2L17,10M17,2L9,10" stroke="currentColor" ` +
      `stroke-width="1.5"/>`,
      "failed settings",
    ],
  ];
  return [
    items.filter(([key]) => key === "best" || has[key])
      .map(([, mark, label]) => ({ mark, label })),
  ];
}

/**
 * Draws an isolation plot (Google's tuning playbook): for each value of the
 * scientific parameter the best accuracy over the nuisance parameters, whose
 * setting stands above it; every run as a faint dot behind. Failed settings are
 * counted at the bottom. A line joins numbers, not categories. null noise says
 * that it is unknown.
 */
export function isolationChart(
  points: readonly IsolationRow[],
  o: ChartOptions & {
    xLabel: string;
    yLabel: string;
    /**
     * Default: linear. Words, and values of 0 for a log scale, make it category.
     */
    scale?: "log" | "linear" | "category";
    all?: readonly Run[];
    published?: readonly { value: number | string; accuracy: number }[];
    noise?: Noise | null;
  },
): Chart {
  const { all = [], published = [], noise, width = 720 } = o;
  let label = `${o.yLabel} by ${o.xLabel}, the best over the nuisance ` +
    `parameters`;
  if (o.title) label = `${o.title}: ${label}`;
  if (points.length + published.length + all.length === 0) {
    return emptyChart("isolation", label, o);
  }
  const values = levels([...points, ...published, ...all].map((p) => p.value));
  const valueText = valueFormat(values);
  // Words have no place on a scale, and neither has 0 on a log one.
  const fits = values.every((v) => isNumber(v) && (o.scale !== "log" || v > 0));
  const scale = fits ? o.scale ?? "linear" : "category";
  const isCategory = scale === "category";

  const done = points.filter((p): p is Done => isNumber(p.mean));
  const bars = done.filter((p) => isNumber(p.low) && isNumber(p.high));
  const runs = all.filter((r) => isNumber(r.accuracy));
  const failed = points.filter((p) =>
    !isNumber(p.mean) || (p.infeasible ?? 0) > 0
  );
  const shares = [
    ...done.flatMap((p) => [p.mean, p.low, p.high]),
    ...[...runs, ...published].map((r) => r.accuracy),
  ].filter(isNumber);
  const yDomain = domainWith(valueDomain(shares, true), noise, true);

  const marginLeft = 56, marginRight = noise ? 28 : 20;
  const slot = (width - marginLeft - marginRight) / values.length;
  const words = done.flatMap((p) => (p.nuisance ?? "").split(", "));
  const widest = Math.max(0, ...words.map((w) => textWidth(w, SMALL)));
  const most = Math.max(
    0,
    ...done.map((p) => (p.nuisance ?? "").split(", ").length),
  );
  const isTurned = widest > slot - 4;
  const insetTop = words.some((w) => w !== "")
    ? isTurned
      ? Math.max(
        ...done.map((p) => textWidth(p.nuisance ?? "", SMALL)),
      ) + 14
      : most * SMALL * 1.2 + 14
    : 4;

  // Words stand at whole numbers.
  const xOf = (p: { value: number | string }) =>
    isCategory ? values.indexOf(p.value) : Number(p.value);
  const numbers = values.map((value) => xOf({ value }));
  const [first, last] = [Math.min(...numbers), Math.max(...numbers)];
  const gaps = Math.max(1, 2 * values.length - 2);
  const pad = last > first ? (last - first) / gaps : 0.5;
  const factor = last > first ? (last / first) ** (1 / gaps) : 2;
  const height = o.height ?? Math.max(420, Math.ceil(320 + insetTop));
  const xDomain = scale === "log"
    ? [first / factor, last * factor]
    : [first - pad, last + pad];
  const ticks = values.map((v) =>
    isCategory ? wrapWords(valueText(v), slot - 6, FONT_SIZE) : [valueText(v)]
  );
  const widestTick = Math.max(...ticks.flat().map((t) => textWidth(t)));
  const isTickTurned = isCategory && widestTick > slot - 4;
  const sameN = new Set(done.map((p) => p.n)).size <= 1;
  const nOf = new Map(done.map((p) => [p.value, p.n]));
  const marginBottom = 34 + (sameN ? 0 : 14) +
    14 * Math.max(...ticks.map((t) => t.length)) +
    (isTickTurned ? Math.ceil(widestTick * 0.7) - 8 : 0);

  const legend = legendOf({
    interval: bars.length > 0,
    runs: runs.length > 0,
    published: published.length > 0,
    failed: failed.length > 0,
  });
  if (sameN && done.length > 0) legend[0][0].label += ` (n = ${done[0].n})`;
  let top = head({ title: o.title, width, yLabel: o.yLabel, legend });
  if (noise !== undefined) {
    const text = noiseText(noise, true);
    top = withNoise(top, text, { width, marginRight, yLabel: o.yLabel });
    label += `; ${text}`;
  }
  const best = firstHighest(done, (p) => p.mean);
  if (best) {
    label += `; best ${percent(best.mean)} at ${valueText(best.value)}`;
  }

  const describe = (p: Done) =>
    `${o.xLabel} ${valueText(p.value)}${p.nuisance ? `, ${p.nuisance}` : ""}` +
    `\n${percent(p.mean)}${
      isNumber(p.low) && isNumber(p.high)
        ? ` (${percent(p.low)} to ${percent(p.high)})`
        : ""
    }, n = ${p.n}`;
  const plotWidth = width - marginLeft - marginRight;
  const at = scale === "log" ? Math.log : Number;
  const xShare = (x: number) =>
    (at(x) - at(xDomain[0])) / (at(xDomain[1]) - at(xDomain[0]));
  // A label stands above our own points under its width, and above published
  // ones that it would cover.
  const halfLabel = isTurned ? 8 : widest / 2 + 8;
  const pixels = (rows: { value: number | string; y: number }[]) =>
    rows.map((r) => ({ x: plotWidth * xShare(xOf(r)), y: r.y }))
      .sort((a, b) => a.x - b.x);
  const line = pixels(done.map((p) => ({ value: p.value, y: p.mean })));
  const theirLine = pixels(
    published.map((p) => ({ value: p.value, y: p.accuracy })),
  );
  const plotHeight = height - top.height - marginBottom - insetTop - 10;
  const labelShare = (insetTop + 8) * (yDomain[1] - yDomain[0]) / plotHeight;
  const crest = (p: Done) => {
    const x = plotWidth * xShare(xOf(p));
    const beside = (line: typeof theirLine) =>
      isCategory
        ? []
        : [heightAt(line, x - halfLabel), heightAt(line, x + halfLabel)];
    const here = (rows: readonly Run[]) =>
      rows.filter((r) => r.value === p.value).map((r) => r.accuracy);
    const own = [p.mean, p.high, ...here(runs), ...beside(line)]
      .filter(isNumber);
    return [...here(published), ...beside(theirLine)].filter(isNumber)
      .sort((a, b) => a - b)
      .reduce(
        (crest, y) => y > crest + labelShare ? crest : Math.max(crest, y),
        Math.max(...own),
      );
  };
  const inOrder = <T extends { value: number | string }>(rows: readonly T[]) =>
    [...rows].sort((a, b) => values.indexOf(a.value) - values.indexOf(b.value));
  const ours = { x: xOf, y: "mean" };
  // Published stands a little to the right, so that neither hides the other.
  const theirs = { x: xOf, y: "accuracy", dx: 6 };
  const element = Plot.plot({
    document,
    className: contentClass("isolation", points, o),
    width,
    height,
    marginTop: top.height + 10,
    marginLeft,
    marginRight,
    marginBottom,
    x: { type: scale === "log" ? "log" : "linear", domain: xDomain },
    y: {
      domain: yDomain,
      insetTop,
      insetBottom: failed.length > 0 ? 22 : 0,
    },
    marks: [
      Plot.gridY({ ...GRID, ticks: 6 }),
      Plot.frame({ anchor: "bottom", strokeOpacity: 0.5 }),
      Plot.axisY({
        tickFormat: percentTick,
        ticks: 6,
        tickSize: 0,
        label: null,
      }),
      Plot.axisX(
        thinned(
          numbers,
          (x) => plotWidth * xShare(x),
          isTickTurned ? 0 : widestTick + 6,
        ),
        {
          tickFormat: (x: number) => {
            const value = values[numbers.indexOf(x)];
            const n = sameN ? "" : `\nn = ${nOf.get(value) ?? 0}`;
            return ticks[numbers.indexOf(x)].join("\n") + n;
          },
          label: o.xLabel,
          labelArrow: "none",
          labelAnchor: "center",
          labelOffset: marginBottom - 8,
          tickRotate: isTickTurned ? -45 : 0,
        },
      ),
      Plot.dot(runs, {
        x: xOf,
        y: "accuracy",
        r: 3,
        fill: "currentColor",
        fillOpacity: 0.22,
        title: (r: Run) => `${valueText(r.value)}: ${percent(r.accuracy!)}`,
        className: "ferlab-runs",
      }),
      Plot.line(isCategory ? [] : inOrder(published), {
        ...theirs,
        stroke: PUBLISHED,
        strokeDasharray: "5 4",
        strokeOpacity: 0.8,
      }),
      Plot.dot(published, {
        ...theirs,
        symbol: "square",
        r: 4.5,
        stroke: PUBLISHED,
        title: (p: { value: number | string; accuracy: number }) =>
          `published: ${o.xLabel} ${valueText(p.value)}\n${
            percent(p.accuracy)
          }`,
        className: "ferlab-published",
      }),
      Plot.line(
        isCategory ? [] : inOrder(points).map((p) => ({
          value: p.value,
          mean: p.mean ?? NaN,
        })),
        { ...ours, stroke: OURS, strokeWidth: 1.5, strokeOpacity: 0.6 },
      ),
      Plot.ruleX(bars, {
        x: xOf,
        y1: "low",
        y2: "high",
        stroke: OURS,
        strokeWidth: 2,
      }),
      Plot.dot(done, {
        ...ours,
        r: 5,
        fill: OURS,
        title: describe,
        className: "ferlab-best",
      }),
      Plot.text(done.filter((p) => p.nuisance), {
        x: xOf,
        y: crest,
        text: (p: Done) =>
          isTurned ? p.nuisance : p.nuisance!.split(", ").join("\n"),
        fontSize: SMALL,
        ...(isTurned
          ? { rotate: -90, textAnchor: "start" as const, dy: -10 }
          : { lineAnchor: "bottom" as const, dy: -8 }),
      }),
      Plot.dot(failed, {
        x: xOf,
        y: () => yDomain[0],
        dy: 10,
        dx: -5,
        symbol: "times",
        r: 4,
        stroke: "currentColor",
        title: (p: IsolationRow) =>
          `${o.xLabel} ${valueText(p.value)}: ${failures(p)} settings failed`,
        className: "ferlab-failed",
      }),
      Plot.text(failed, {
        x: xOf,
        y: () => yDomain[0],
        dy: 10,
        dx: 3,
        textAnchor: "start",
        text: failures,
        fontSize: SMALL,
      }),
      ...noiseMarks(noise, {
        x: xDomain[1],
        top: yDomain[1],
        isShare: true,
      }),
    ],
  });
  return finish(element, label, top);
}

/** How many settings failed: at least one where none gave a mean. */
function failures(p: IsolationRow): string {
  return String(Math.max(p.infeasible ?? 0, isNumber(p.mean) ? 0 : 1));
}
