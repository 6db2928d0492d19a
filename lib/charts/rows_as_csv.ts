/** A chart's rows as CSV, for those who take them along. */
import * as d3 from "d3";
import { PARAMETERS } from "./channels.ts";
import { escapeMarkup } from "./theme.ts";
import { evenlySpaced } from "./value_text.ts";

/** A `Table`, whatever its channels are. */
export interface AnyTable {
  chart: string;
  // deno-lint-ignore no-explicit-any
  name(channel: any): string;
  rows: readonly { row: unknown }[];
}

/** A chart keeps at most so many rows. */
const MOST_ROWS = 4000;

/**
 * An SVG's attribute with the values that a chart reads of its rows, each under
 * its field's name, and a trial's parameters and seed. Several tables are told
 * apart by "source", the end of their chart's name: "lineChart, published".
 */
export function csvAttribute(tables: readonly AnyTable[]): string {
  const rows = tables.flatMap(({ chart, name, rows }) =>
    evenlySpaced(rows, MOST_ROWS).map(({ row, ...channels }) => {
      const own = (row ?? {}) as Record<string | symbol, unknown>;
      const trial = [...own[PARAMETERS] as string[] ?? [], "seed"]
        .map((key) => [key, own[key]])
        .filter(([, v]) => typeof v !== "object" && v !== undefined);
      const values = Object.entries(channels).filter(([, v]) => v !== null)
        .map(([key, v]) => [name(key), v]);
      const source = chart.split(", ").slice(1).join(", ");
      const told = tables.length > 1 && source ? { source } : {};
      return { ...told, ...Object.fromEntries([...values, ...trial]) };
    })
  );
  const csv = escapeMarkup(d3.csvFormat(rows) + "\n");
  return ` data-csv="${csv.replaceAll("\n", "&#10;")}"`;
}

/** A table of values that no chart reads as channels. */
export const plainTable = (
  chart: string,
  rows: readonly Record<string, number | string | null>[],
): AnyTable => ({
  ...{ chart, name: (key) => key },
  rows: rows.map((row) => ({ ...row, row: undefined })),
});
