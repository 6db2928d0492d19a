/** Throughput by batch size as rows, and where it stops to rise. */

/** One batch size of one series (a device, a model, a precision). */
export interface ThroughputRow {
  series: string;
  /** Images a step. */
  batchSize: number;
  /** null (or NaN) where there is no measurement. */
  imagesPerSecond: number | null;
  /** The ends of the measurements' spread, in images a second. */
  low?: number;
  high?: number;
  /** Why there is none; one that speaks of memory is shown as such. */
  error?: string | null;
}

/** A row with a measurement. */
export interface Done extends ThroughputRow {
  imagesPerSecond: number;
}

export const isDone = (row: { imagesPerSecond: number | null }): row is Done =>
  row.imagesPerSecond !== null && Number.isFinite(row.imagesPerSecond);

/**
 * The smallest batch size with at least `share` of the rows' best throughput;
 * null without a measurement.
 */
export function kneeOf(
  rows: readonly Pick<ThroughputRow, "batchSize" | "imagesPerSecond">[],
  share: number,
): number | null {
  const done = rows.flatMap((r) => isDone(r) ? [r] : []);
  const best = Math.max(...done.map((r) => r.imagesPerSecond!));
  const flat = done.filter((r) => r.imagesPerSecond! >= share * best);
  return flat.length === 0 ? null : Math.min(...flat.map((r) => r.batchSize));
}
