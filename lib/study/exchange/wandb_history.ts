/** Weights & Biases' CSV exports of charts as the epochs of their runs. */
import { type CsvTable, numberOf, readRows } from "./csv.ts";
import { StudyError } from "../errors.ts";
import { nameList, type WandbSource } from "./wandb.ts";

interface Point {
  run: string;
  metric: string;
  epoch: number;
  value: number;
}

/** A chart's points, and the columns that belong to no run. */
function epochPoints(
  table: CsvTable,
  runs: ReadonlySet<string>,
): { points: Point[]; strange: string[] } {
  const [axis, ...lines] = table.columns;
  const strange: string[] = [];
  const known = lines.filter((c) => !/__(MIN|MAX)$/.test(c)).flatMap((c) => {
    const [run] = [...runs].filter((name) => c.startsWith(`${name} - `))
      .sort((a, b) => b.length - a.length);
    if (run === undefined) strange.push(c);
    const metric = c.slice((run ?? "").length + " - ".length);
    return run === undefined || metric === "_step"
      ? []
      : [{ column: c, run, metric }];
  });
  const points = readRows(table, ({ cells }) => {
    const epoch = numberOf(cells[axis]);
    if (!Number.isSafeInteger(epoch)) {
      throw new StudyError(
        `${axis} is "${cells[axis]}", not a whole number: ` +
          `give the chart Step as its x axis`,
      );
    }
    return known.filter(({ column }) => cells[column] !== "").map(
      ({ column, run, metric }): Point => {
        const value = numberOf(cells[column]);
        if (value === undefined) {
          throw new StudyError(`${column} is "${cells[column]}", not a number`);
        }
        return { run, metric, epoch: epoch!, value };
      },
    );
  }).flat();
  return { points, strange };
}

/**
 * Adds charts to the runs that they show: a column `RUN - METRIC` for each
 * line, beside `__MIN` and `__MAX` columns that are not read. The x axis, whole
 * numbers as W&B's Step, becomes the epoch. The metric of the runs' value is
 * the intermediate value, or else the first one; NaN where an epoch lacks it.
 * All metrics are kept with the epoch under their names.
 *
 * @throws StudyError that names the bad rows by line, charts of other runs, and
 * runs of one name
 */
export function addHistory(
  source: WandbSource,
  tables: readonly CsvTable[],
): void {
  const runs = new Set(source.names);
  const points = tables.flatMap((table) => {
    const { points, strange } = epochPoints(table, runs);
    if (points.length === 0) {
      throw new StudyError(
        `${table.file}: no column is called RUN - METRIC after one of the ` +
          `runs ${source.names.slice(0, 5).join(", ")}`,
      );
    }
    if (strange.length > 0) {
      source.notes.push(
        `left out, ${table.file} has no imported run for: ` +
          nameList(strange, 5),
      );
    }
    return points;
  });
  const metrics = [...new Set(points.map((p) => p.metric))];
  const main = metrics.includes(source.metric) ? source.metric : metrics[0];
  if (main !== source.metric) {
    source.notes.push(
      `no chart shows ${source.metric}: ${main} is the epochs' value`,
    );
  }
  const byRun = Map.groupBy(points, (p) => p.run);
  for (const [run, list] of byRun) {
    const [at, second] = source.names.flatMap((n, i) => n === run ? [i] : []);
    if (second !== undefined) {
      throw new StudyError(
        `two runs are called ${run}: rename one in W&B and export again, ` +
          `a chart does not tell them apart`,
      );
    }
    source.trials[at].epochs = [...Map.groupBy(list, (p) => p.epoch)]
      .sort(([a], [b]) => a - b).map(([epoch, found]) => {
        const attrs: Record<string, number> = Object.fromEntries(
          found.map((p) => [p.metric, p.value]),
        );
        return { epoch, value: attrs[main] ?? NaN, attrs };
      });
  }
}
