/** Rows of one setting as their mean. */
import * as d3 from "d3";
import { isNumber, type Read } from "./channels.ts";

/**
 * Rows of equal `keys` as one: the mean of their values (NaN where all failed),
 * from the lowest to the highest, or the interval that a row alone tells, how
 * many runs it stands for, and how many rows failed.
 */
export function meansOf<K extends string>(
  rows: readonly (Read<K> & { n?: unknown; low?: unknown; high?: unknown })[],
  keys: readonly NoInfer<K>[],
  value: NoInfer<K>,
) {
  // Types are told apart: 1 and "1" are two keys.
  const groups = Map.groupBy(
    rows,
    (r) => JSON.stringify(keys.map((k) => r[k])),
  );
  return [...groups.values()].map((own) => {
    const done = own.filter((r) => isNumber(r[value]));
    const values = done.map((r) => Number(r[value])), isOne = own.length === 1;
    const [first] = own, [low = NaN, high = NaN] = d3.extent(values);
    return {
      ...first,
      mean: (d3.mean(values) as number | undefined) ?? NaN,
      low: isOne && isNumber(first.low) ? first.low : Number(low),
      high: isOne && isNumber(first.high) ? first.high : Number(high),
      n: d3.sum(done, (r: typeof first) => r.n ?? 1) as number,
      failed: own.length - done.length,
      row: isOne ? first.row : undefined,
    };
  });
}
