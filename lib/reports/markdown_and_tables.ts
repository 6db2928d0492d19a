/** What a cell shows besides charts: tables, lists, words. */
import { channels, escapeMarkup } from "../charts/mod.ts";

/** What a cell shows when it is its last value. */
export interface Shown {
  [key: symbol]: () =>
    | Record<string, string>
    | Promise<Record<string, string>>;
}

export const displayed = (
  data: () => Record<string, string> | Promise<Record<string, string>>,
): Shown => ({ [Symbol.for("Jupyter.display")]: data });

/** Words with Markdown's marks. */
export const markdown = (text: string): Shown =>
  displayed(() => ({ "text/markdown": text, "text/plain": text }));

/** Lines as a list. */
export function list(lines: readonly string[]): Shown {
  channels.checkList("list: the lines", lines);
  return markdown(lines.map((line) => `- ${line}`).join("\n") || "Nothing.");
}

/** A number or an interval as reports write it, or that there is none. */
const NUMBER = /^(–|([+−-]?\d[\d.,]*(e-?\d+)?( [%s])?(?: to (?=.)|$)){1,2})$/;

/**
 * Rows as HTML; columns are those of all rows, in order of appearance, numbers
 * to the right. `label` says what the table holds; a page has it as caption.
 */
export function tableHtml(
  rows: readonly Record<string, unknown>[],
  label = "",
): string {
  const columns = [...new Set(rows.flatMap((r) => Object.keys(r)))];
  const isNumber = columns.map((c) =>
    rows.every((r) => NUMBER.test(cellText(r[c])))
  );
  const row = (cells: unknown[], tag: string) => {
    const all = cells.map((cell, i) => {
      const open = isNumber[i] ? `${tag} class="num"` : tag;
      return `<${open}>${escapeMarkup(cellText(cell))}</${tag}>`;
    });
    return `<tr>${all.join("")}</tr>`;
  };
  const named = label && ` aria-label="${escapeMarkup(label)}"`;
  return `<table${named}><thead>${row(columns, "th")}</thead><tbody>${
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

/** A table of rows, with `tableHtml`'s label; what is missing is "–". */
export function table(rows: Iterable<object>, label = ""): Shown {
  const all = channels.listOf("table", rows) as Record<string, unknown>[];
  return displayed(() => ({ "text/html": tableHtml(all, label) }));
}
