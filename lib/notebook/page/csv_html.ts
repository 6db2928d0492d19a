/** Tables of outputs that are csv. */
import { parse } from "csv-parse/sync";
import { escapeHtml } from "../ansi.ts";
import { LIMITS, withCommas } from "../page_limits.ts";

/** The first rows of a csv text as a table; `undefined` where it is none. */
export function csvTableHtml(text: string, of: string): string | undefined {
  let rows: string[][];
  try {
    rows = parse(text, {
      delimiter: text.slice(0, 10_000).includes("\t") ? "\t" : ",",
      bom: true,
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
      to: LIMITS.rows + 2,
    });
  } catch {
    return;
  }
  if (rows.length < 2) return;
  const more = rows.length > LIMITS.rows + 1;
  const wide = rows.some((row) => row.length > LIMITS.columns);
  const line = (row: string[], tag: string) =>
    `<tr>${
      row.slice(0, LIMITS.columns).map((cell) =>
        `<${tag}>${escapeHtml(cell)}</${tag}>`
      ).join("")
    }</tr>`;
  const [head, ...body] = rows;
  const shown = [
    ...(more ? [`the first ${withCommas(LIMITS.rows)} rows`] : []),
    ...(wide ? [`the first ${withCommas(LIMITS.columns)} columns`] : []),
  ].join(", ");
  return `<div class="wide" role="region" aria-label="Table of ${of}" ` +
    `tabindex="0"><table><thead>${line(head, "th")}</thead><tbody>${
      body.slice(0, LIMITS.rows).map((row) => line(row, "td")).join("")
    }</tbody></table></div>` +
    (shown ? `<p class="note">Shown: ${shown}.</p>` : "");
}
