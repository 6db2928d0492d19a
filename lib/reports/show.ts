/** Tables and words that a notebook shows. */
import { escapeMarkup } from "../charts/mod.ts";

/** What a cell shows when it is its last value. */
export interface Shown {
  [key: symbol]: () => Record<string, string>;
}

const shown = (data: Record<string, string>): Shown => ({
  [Symbol.for("Jupyter.display")]: () => data,
});

/** Words with Markdown's marks. */
export const markdown = (text: string): Shown =>
  shown({ "text/markdown": text, "text/plain": text });

/** A table; its columns are the first row's. */
export function table(rows: Record<string, string | number>[]): Shown {
  const row = (cells: unknown[], tag: string) =>
    `<tr>${
      cells.map((c) => `<${tag}>${escapeMarkup(String(c))}</${tag}>`).join("")
    }</tr>`;
  const columns = Object.keys(rows[0] ?? {});
  const html = `<table><thead>${row(columns, "th")}</thead><tbody>${
    rows.map((r) => row(columns.map((c) => r[c]), "td")).join("")
  }</tbody></table>`;
  return shown({ "text/html": html });
}

/** Seconds as people say them: "41 s", "3 min 20 s", "2 h 5 min". */
export function duration(seconds: number): string {
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  const m = Math.floor(s / 60);
  if (m < 60) return s % 60 ? `${m} min ${s % 60} s` : `${m} min`;
  return m % 60 ? `${Math.floor(m / 60)} h ${m % 60} min` : `${m / 60} h`;
}

/** A difference of shares in points, with its sign: "+0.76". */
export const points = (share: number) =>
  `${share < 0 ? "−" : "+"}${(100 * Math.abs(share)).toFixed(2)}`;

/** An interval of shares in points: "+0.44 to +2.85"; "–" without one. */
export const pointsInterval = (
  of: { low: number | null; high: number | null } | null,
): string =>
  of === null || of.low === null || of.high === null
    ? "–"
    : `${points(of.low)} to ${points(of.high)}`;

/** A p-value: "0.034", "< 0.001"; "–" where no test was made. */
export const pText = (p: number | null | undefined): string =>
  p == null ? "–" : p < 0.001 ? "< 0.001" : p.toFixed(3);
