/** Each repeat of each setting as a dot: is a difference more than noise? */
import * as Plot from "@observablehq/plot";
import { valueDomain } from "./axes.ts";
import { domainWith, type Noise, noiseText } from "./noise_floor.ts";
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
} from "./old.ts";

/** One repeat of one setting. */
export interface RepeatRow {
  label: string;
  /** null (or NaN) for one that failed. */
  value: number | null;
  repeat: number;
  whose?: "ours" | "published";
}

type Done = RepeatRow & { value: number };

const isDone = (row: RepeatRow): row is Done =>
  row.value !== null && Number.isFinite(row.value);

const isPublished = (row: RepeatRow) => row.whose === "published";

const OURS = PALETTE[0], PUBLISHED = PALETTE[1];

interface Summary {
  label: string;
  whose: "ours" | "published";
  mean: number;
  /** null with fewer than two values. */
  sd: number | null;
  count: number;
  tried: number;
}

/** Mean and sd (n − 1 degrees of freedom) of a setting's finished repeats. */
function summaryOf(
  rows: readonly RepeatRow[],
  label: string,
  whose: "ours" | "published",
): Summary[] {
  const own = rows.filter((r) =>
    r.label === label && isPublished(r) === (whose === "published")
  );
  const values = own.filter(isDone).map((r) => r.value);
  const count = values.length;
  if (count === 0) return [];
  const mean = values.reduce((a, b) => a + b) / count;
  const squares = values.reduce((sum, v) => sum + (v - mean) ** 2, 0);
  const sd = count < 2 ? null : Math.sqrt(squares / (count - 1));
  return [{ label, whose, mean, sd, count, tried: own.length }];
}

/** "53.2 % ± 0.4, n 5", or "n 4 of 5" where one failed. */
function describe(s: Summary, isShare: boolean): string {
  const n = s.count === s.tried ? `${s.count}` : `${s.count} of ${s.tried}`;
  const mean = isShare
    ? percent(s.mean)
    : String(Number(s.mean.toPrecision(4)));
  const sd = s.sd === null
    ? ""
    : isShare
    ? ` ± ${(100 * s.sd).toFixed(1)}`
    : ` ± ${Number(s.sd.toPrecision(2))}`;
  return `${mean}${sd}, n ${n}`;
}

function legendOf(
  { ours, published, sd }: { ours: boolean; published: boolean; sd: boolean },
): LegendItem[] {
  const dot = (paint: string) => `<circle cx="13" cy="6" r="4" ${paint}/>`;
  return [
    ...(ours ? [{ mark: dot(`fill="${OURS}"`), label: "a repeat" }] : []),
    ...(published
      ? [{
        mark: dot(`fill="none" stroke="${PUBLISHED}" stroke-width="1.5"`),
        label: "a published repeat",
      }]
      : []),
    {
      mark: (sd ? `<path d="M0,6H26" stroke="currentColor"/>` : "") +
        `<path d="M13,0V12" stroke="currentColor" stroke-width="2.5"/>`,
      label: sd ? "mean ± sd of the repeats" : "mean",
    },
  ];
}

/**
 * Draws a row a setting, in the order of the rows: each repeat a dot (published
 * ones hollow, below), their mean as a tick with a bar of ± one sd, and both in
 * numbers at the right. Values are shown as percentages when `xLabel` speaks of
 * accuracy, else as they are. The noise is a scale bar of ± one sd over the
 * plot; null says that it is unknown.
 */
export function repeatsChart(
  rows: readonly RepeatRow[],
  o: ChartOptions & { xLabel?: string; noise?: Noise | null } = {},
): Chart {
  const { xLabel = "accuracy", width = 720, noise } = o;
  let label = `${o.title ?? xLabel} of each repeat`;
  if (rows.length === 0) return emptyChart("repeats", label, o);
  const isShare = /accuracy/i.test(xLabel);
  const labels = [...new Set(rows.map((r) => r.label))];
  const done = rows.filter(isDone);
  const summaries = labels.flatMap((name) => [
    ...summaryOf(rows, name, "ours"),
    ...summaryOf(rows, name, "published"),
  ]);
  const bars = summaries.flatMap((s) =>
    s.sd === null ? [] : [{ ...s, low: s.mean - s.sd, high: s.mean + s.sd }]
  );
  const ends = bars.flatMap((b) => [b.low, b.high]);
  const domain = domainWith(
    valueDomain([...done.map((r) => r.value), ...ends], isShare),
    noise,
    isShare,
  );
  const failed = labels.filter((name) => !done.some((r) => r.label === name));

  // A setting with both has two lines: ours, and the published below.
  const hasBoth = (name: string) =>
    summaries.filter((s) => s.label === name).length === 2;
  const dyOf = (r: { label: string; whose?: string }) =>
    !hasBoth(r.label) ? 0 : r.whose === "published" ? 10 : -10;
  const isSplit = labels.some(hasBoth);
  const says = (s: Summary) => describe(s, isShare);
  const longest = (texts: string[]) =>
    Math.ceil(Math.max(0, ...texts.map((t) => textWidth(t))));
  const marginLeft = longest(labels) + 18;
  const marginRight = longest([...summaries.map(says), "no value"]) + 20;
  const top = head({
    title: o.title,
    width,
    legend: [legendOf({
      ours: done.some((r) => !isPublished(r)),
      published: done.some(isPublished),
      sd: bars.length > 0,
    })],
  });
  const inner = width - marginLeft - marginRight;
  const ticks = Math.max(2, Math.min(7, Math.floor(inner / 75)));
  const pixels = inner / (domain[1] - domain[0]);
  if (noise !== undefined) {
    const text = noiseText(noise, isShare);
    const y = top.height + 10, right = width - marginRight;
    const left = right - 2 * (noise?.sd ?? 0) * pixels;
    const bar = noise === null
      ? ""
      : `<path class="ferlab-noise" d="M${left},${y}H${right}M${left},${
        y - 4
      }V${y + 4}M${right},${y - 4}V${y + 4}" stroke="currentColor" ` +
        `stroke-width="1.5"/>`;
    // Left of the bar where there is room, else at the chart's left edge.
    const x = left - 8 - textWidth(text) > 8 ? left - 8 : 8;
    const lower = x === 8 && noise !== null ? 16 : 0;
    top.markup += `${bar}<text x="${x}" y="${y + 4 + lower}" text-anchor="${
      x === 8 ? "start" : "end"
    }" fill-opacity="0.75">${text}</text>`;
    top.height += 20 + lower;
    label += `; ${text}`;
  }
  const marginTop = top.height + 6, marginBottom = 46;
  const height = o.height ??
    marginTop + marginBottom + (isSplit ? 46 : 28) * labels.length;

  /** The marks of rows that share a line: Plot's offsets are one a mark. */
  const marksAt = (dy: number) => {
    const on = <T extends { label: string; whose?: string }>(all: T[]) =>
      all.filter((r) => dyOf(r) === dy);
    return [
      Plot.ruleY(on(bars), {
        x1: "low",
        x2: "high",
        y: "label",
        dy,
        stroke: "currentColor",
        strokeOpacity: 0.7,
        className: "ferlab-sd",
      }),
      Plot.tickX(on(summaries), {
        x: "mean",
        y: "label",
        dy,
        inset: isSplit ? 13 : 4,
        stroke: "currentColor",
        strokeWidth: 2.5,
        className: "ferlab-means",
      }),
      ...[false, true].map((published) => {
        const color = published ? PUBLISHED : OURS;
        return Plot.dot(on(done).filter((r) => isPublished(r) === published), {
          x: "value",
          y: "label",
          dy,
          r: 4,
          ...(published
            ? { stroke: color, strokeWidth: 1.5 }
            : { fill: color, fillOpacity: 0.8 }),
          title: (r: Done) =>
            `${r.label}, repeat ${r.repeat}${published ? ", published" : ""}\n${
              isShare ? percent(r.value) : r.value.toPrecision(4)
            }`,
          className: published ? "ferlab-published" : "ferlab-ours",
        });
      }),
      Plot.text(on(summaries), {
        y: "label",
        dy,
        text: says,
        frameAnchor: "right",
        textAnchor: "start",
        dx: 10,
      }),
    ];
  };

  const element = Plot.plot({
    document,
    className: contentClass("repeats", rows, o),
    width,
    height,
    marginTop,
    marginLeft,
    marginRight,
    marginBottom,
    x: { domain },
    y: { domain: labels, type: "band", padding: 0 },
    marks: [
      Plot.gridX({ ...GRID, ticks }),
      Plot.axisX({
        ticks,
        label: xLabel,
        labelArrow: "none",
        labelAnchor: "center",
        labelOffset: 38,
        tickFormat: isShare
          ? (v: number) => `${Number((100 * v).toFixed(1))} %`
          : undefined,
      }),
      Plot.axisY({ label: null, tickSize: 0, fontSize: FONT_SIZE }),
      ...[0, -10, 10].flatMap(marksAt),
      Plot.text(failed, {
        y: (name: string) => name,
        text: () => "no value",
        frameAnchor: "right",
        textAnchor: "start",
        dx: 10,
      }),
    ],
  });
  return finish(
    element,
    `${label}: ${summaries.map((s) => `${s.label} ${says(s)}`).join("; ")}`,
    top,
  );
}
