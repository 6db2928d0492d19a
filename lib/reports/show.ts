/** What a cell shows besides charts: tables, words, numbers as text. */
import { channels, escapeMarkup } from "../charts/mod.ts";

/** What a cell shows when it is its last value. */
export interface Shown {
  [key: symbol]: () =>
    | Record<string, string>
    | Promise<Record<string, string>>;
}

export const shown = (
  data: () => Record<string, string> | Promise<Record<string, string>>,
): Shown => ({ [Symbol.for("Jupyter.display")]: data });

/** Words with Markdown's marks. */
export const markdown = (text: string): Shown =>
  shown(() => ({ "text/markdown": text, "text/plain": text }));

/** Lines as a list. */
export function list(lines: readonly string[]): Shown {
  channels.checkList("list: the lines", lines);
  return markdown(lines.map((line) => `- ${line}`).join("\n") || "Nothing.");
}

/** Rows as HTML; columns are those of all rows, in order of appearance. */
export function tableHtml(rows: readonly Record<string, unknown>[]): string {
  const row = (cells: unknown[], tag: string) =>
    `<tr>${
      cells.map((c) => `<${tag}>${escapeMarkup(cellText(c))}</${tag}>`).join("")
    }</tr>`;
  const columns = [...new Set(rows.flatMap((r) => Object.keys(r)))];
  return `<table><thead>${row(columns, "th")}</thead><tbody>${
    rows.map((r) => row(columns.map((c) => r[c]), "td")).join("")
  }</tbody></table>`;
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "object") return String(value);
  const plain = (_: string, v: unknown) => typeof v === "bigint" ? `${v}` : v;
  try {
    return JSON.stringify(value, plain);
  } catch {
    return "…"; // it goes round in a circle
  }
}

/** A table of rows; a value that is missing or null is "–". */
export function table(rows: Iterable<Record<string, unknown>>): Shown {
  const all = channels.listOf("table", rows) as Record<string, unknown>[];
  return shown(() => ({ "text/html": tableHtml(all) }));
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
export const points = (share: number): string =>
  `${share < 0 ? "−" : "+"}${(100 * Math.abs(share)).toFixed(2)}`;

/** An interval of shares in points: "+0.44 to +2.85"; "–" without one. */
export const pointsInterval = (
  of: { low: number | null; high: number | null } | null | undefined,
): string =>
  of == null || of.low === null || of.high === null
    ? "–"
    : `${points(of.low)} to ${points(of.high)}`;

/** A p-value: "0.034", "< 0.001"; "–" where no test was made. */
export const pText = (p: number | null | undefined): string =>
  p == null ? "–" : p < 0.001 ? "< 0.001" : p.toFixed(3);
