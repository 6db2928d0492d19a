/** Settings of rows of speed. */
import { quantile } from "../statistics/mod.ts";
import {
  parametersOf,
  paramsOf,
  type Row,
  rowsOf,
  withParameterNames,
} from "./row.ts";

/**
 * The settings of rows of speed, in the order of their first trial: as
 * `imagesPerSecond`, `secondsPerStep` and `spread` (of a trial's steps, a
 * share) the median of the `n` finished repeats, null where all failed; as
 * `low` and `high` the slowest and the fastest one; as `error` why one failed.
 */
export function speeds(rows: Iterable<Row>): Row[] {
  const groups = Map.groupBy(
    rowsOf("speeds", rows),
    (row) => JSON.stringify(paramsOf(row)),
  );
  return [...groups.values()].map((own) => {
    const at = (field: string, p: number) => {
      const numbers = own.map((row) => row[field]).filter(Number.isFinite);
      return numbers.length > 0 ? quantile(numbers, p) : null;
    };
    return withParameterNames({
      ...paramsOf(own[0]),
      imagesPerSecond: at("imagesPerSecond", 0.5),
      low: at("imagesPerSecond", 0),
      high: at("imagesPerSecond", 1),
      n: own.filter((row) => Number.isFinite(row.imagesPerSecond)).length,
      secondsPerStep: at("secondsPerStep", 0.5),
      spread: at("spread", 0.5),
      error: own.find((row) => row.reason)?.reason,
    }, parametersOf(own));
  });
}
