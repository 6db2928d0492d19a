/** A chart's rows as CSV, for those who take them along. */
import { PARAMETERS } from "./channels.ts";
import { some } from "./values.ts";

/** A `Table`, whatever its channels are. */
export interface AnyTable {
  chart: string;
  // deno-lint-ignore no-explicit-any
  name(channel: any): string;
  rows: readonly { row: unknown }[];
}

/** A chart keeps at most so many rows. */
const MOST_ROWS = 4000;

const field = (value: unknown): string => {
  const text = value === null || value === undefined ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/**
 * The values that a chart reads of its rows, each under its field's name, and
 * a trial's parameters and seed. Several tables are told apart by "source", the
 * end of their chart's name: "lineChart, published".
 */
export function csvOf(tables: readonly AnyTable[]): string {
  const rows = tables.flatMap(({ chart, name, rows }) =>
    some(rows, MOST_ROWS).map(({ row, ...channels }) => {
      const source = chart.split(", ").slice(1).join(", ");
      const own = (row ?? {}) as Record<string | symbol, unknown>;
      const trial = [...own[PARAMETERS] as string[] ?? [], "seed"]
        .filter((key) => typeof own[key] !== "object")
        .map((key) => [key, own[key]]);
      const values = Object.entries(channels).filter(([, v]) => v !== null);
      return {
        ...tables.length > 1 && source ? { source } : {},
        ...Object.fromEntries([
          ...values.map(([key, v]) => [name(key), v]),
          ...trial.filter(([, v]) => v !== undefined && v !== null),
        ]),
      } as Record<string, unknown>;
    })
  );
  const columns = [...new Set(rows.flatMap(Object.keys))];
  return [columns, ...rows.map((row) => columns.map((c) => row[c]))]
    .map((line) => line.map(field).join(",") + "\r\n").join("");
}

/** A table of values that no chart reads as channels. */
export const tableOf = (
  chart: string,
  rows: readonly Record<string, number | string | null>[],
): AnyTable => ({
  ...{ chart, name: (key) => key },
  rows: rows.map((row) => ({ ...row, row: undefined })),
});
