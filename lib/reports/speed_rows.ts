/** Records of the studies of speed: settings, ratios, the machine, tables. */
import { meanInterval } from "../statistics/mod.ts";
import { ownNet } from "./speed.ts";
import type { MeasuredRow, Results } from "./report.ts";
import { type Shown, table } from "./show.ts";

/** Three significant digits, as in 1590 or 0.0123. */
export const rateText = (value: number) =>
  String(Number(value.toPrecision(value >= 1000 ? 4 : 3)));

/** Rows with these settings. */
export const withParams = (
  rows: readonly MeasuredRow[],
  params: MeasuredRow["params"],
): MeasuredRow[] =>
  rows.filter((r) =>
    Object.entries(params).every(([name, value]) => r.params[name] === value)
  );

const valuesOf = (rows: readonly MeasuredRow[]) =>
  rows.flatMap((r) => r.value === null ? [] : [r.value]);

/** The middle value; null without one. */
export function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b), half = sorted.length >> 1;
  if (sorted.length === 0) return null;
  return sorted.length % 2
    ? sorted[half]
    : (sorted[half - 1] + sorted[half]) / 2;
}

/** All repeats of one setting. */
export interface Speed {
  params: MeasuredRow["params"];
  /** Median of the repeats' images a second; null where all failed. */
  imagesPerSecond: number | null;
  /** The slowest and the fastest repeat. */
  low?: number;
  high?: number;
  /** Finished repeats. */
  n: number;
  /** Why a repeat failed. */
  error?: string;
}

/** The settings on record, in order of their first trial. */
export function speedsOf(rows: readonly MeasuredRow[]): Speed[] {
  const groups = Map.groupBy(rows, (r) => JSON.stringify(r.params));
  return [...groups.values()].map((own) => {
    const values = valuesOf(own);
    const error = own.find((r) => r.value === null)?.reason;
    return {
      params: own[0].params,
      imagesPerSecond: median(values),
      ...values.length > 0
        ? { low: Math.min(...values), high: Math.max(...values) }
        : {},
      n: values.length,
      ...error ? { error } : {},
    };
  });
}

/** How many times `a` is as fast as `b`. */
export interface Ratio {
  /** Geometric mean over the repeats. */
  ratio: number;
  /** 95 % Student t interval of the logarithms; null for one repeat. */
  low: number | null;
  high: number | null;
  n: number;
}

/**
 * The ratio of two settings, paired by repeat: each repeat runs all settings
 * one after the other, so what slows the machine for a while slows both. Null
 * where no repeat has both.
 */
export function ratioOf(
  a: readonly MeasuredRow[],
  b: readonly MeasuredRow[],
): Ratio | null {
  const logs = a.flatMap((row) => {
    const other = b.find((r) => r.repeat === row.repeat);
    return row.value && other?.value ? [Math.log(row.value / other.value)] : [];
  });
  if (logs.length === 0) return null;
  const { mean, low, high, n } = meanInterval(logs);
  return {
    ratio: Math.exp(mean),
    low: low === null ? null : Math.exp(low),
    high: high === null ? null : Math.exp(high),
    n,
  };
}

/** "1.21 (1.18 to 1.24, 5 repeats)". */
export function ratioText({ ratio, low, high, n }: Ratio): string {
  const interval = low === null || high === null || n < 3
    ? ""
    : `${low.toFixed(3)} to ${high.toFixed(3)}, `;
  return `${ratio.toFixed(3)} (${interval}${n} repeat${n === 1 ? "" : "s"})`;
}

/** The full net's rows where it has finished ones, else the profile's net's. */
export function largestNet(
  results: Results,
  isUseful: (rows: MeasuredRow[]) => boolean,
): { net: string; rows: MeasuredRow[]; isFull: boolean } {
  const rows = results.measured();
  const full = withParams(rows, { net: "full" });
  if (isUseful(full)) return { net: "full", rows: full, isFull: true };
  const net = ownNet[results.profile];
  return { net, rows: withParams(rows, { net }), isFull: false };
}

/** Where the rows were measured: processor or GPU, threads, engine. */
export function machineText(rows: readonly MeasuredRow[]): string {
  const texts = rows.flatMap(({ attrs }) => {
    const { cpu, threads } = (attrs.provenance ?? {}) as {
      cpu?: string;
      threads?: number;
    };
    const { version, devices = [] } = (attrs.engine ?? {}) as {
      version?: string;
      devices?: { type: string; name: string }[];
    };
    if (!cpu) return [];
    const gpu = devices.find((d) => d.type === "GPU");
    return [
      `${gpu ? `${gpu.name}, ` : ""}${cpu}, ${threads} threads, TensorFlow ${
        version ?? "unknown"
      }`,
    ];
  });
  return [...new Set(texts)].join("; ") || "no machine on record";
}

/** Each setting: images a second, seconds a step, the repeats' range. */
export function speedTable(results: Results): Shown {
  const rows = results.measured();
  if (rows.length === 0) return table([{ trials: "none on record" }]);
  return table(
    speedsOf(rows).map((s) => {
      const own = withParams(rows, s.params);
      const steps = own.flatMap((r) =>
        typeof r.attrs.secondsPerStep === "number"
          ? [r.attrs.secondsPerStep]
          : []
      );
      const spreads = own.flatMap((r) =>
        typeof r.attrs.spread === "number" ? [r.attrs.spread] : []
      );
      const step = median(steps), spread = median(spreads);
      const precisions = new Set(own.map((r) => r.attrs.precision ?? "–"));
      return {
        ...Object.fromEntries(
          Object.entries(s.params).map((
            [name, value],
          ) => [name, String(value)]),
        ),
        arithmetic: [...precisions].join(", "),
        "images/s (median)": s.imagesPerSecond === null
          ? s.error ?? "failed"
          : rateText(s.imagesPerSecond),
        "slowest to fastest repeat": s.n > 1
          ? `${rateText(s.low!)} – ${rateText(s.high!)}`
          : "–",
        repeats: s.n,
        "s a step": step === null ? "–" : rateText(step),
        "spread of steps": spread === null
          ? "–"
          : `${(100 * spread).toFixed(0)} %`,
      };
    }),
  );
}
