/** Links of a report to the index of its folder and to its neighbours there. */
import { escapeHtml } from "../ansi.ts";

/** Where a page has its links: at the top and at the end. */
export const LINKS = "<!--links--><!--/links-->";

/** A page that exists: its path with `/`, relative to the index. */
export interface Linked {
  file: string;
  title: string;
}

/**
 * A page that `exportHtml` wrote, with links to the index, to the page before
 * it and to the page after it; links that it has are replaced. The name of a
 * page, alone in a table's cell, leads there.
 */
export function withLinks(
  html: string,
  pages: readonly Linked[],
  file: string,
  index = "index.html",
): string {
  const i = pages.findIndex((page) => page.file === file);
  const up = "../".repeat(file.split("/").length - 1);
  const link = (to: string, words: string, rel = "") =>
    `<a href="${
      escapeHtml(up + to.split("/").map(encodeURIComponent).join("/"))
    }"${rel && ` rel="${rel}"`}>${escapeHtml(words)}</a>`;
  const before = pages[i - 1], after = pages[i + 1];
  const links = (label: string) =>
    `<!--links--><nav class="siblings" aria-label="${label}">${
      [
        before ? link(before.file, `← ${before.title}`, "prev") : "",
        link(index, "All reports"),
        after ? link(after.file, `${after.title} →`, "next") : "",
      ].join("")
    }</nav><!--/links-->`;
  const [open, close] = ["<!--links-->", "<!--/links-->"];
  // The page's own stand before all and after all that is of the notebook.
  const first = html.indexOf(open), last = html.lastIndexOf(open);
  if (i < 0 || first < 0 || last === first) return html;
  const end = (at: number) => html.indexOf(close, at) + close.length;
  const content = html.slice(end(first), last).replace(
    /<td>([\w.-]+)<\/td>/g,
    (cell, name) =>
      pages.some((page) => page.file === `${name}.html`)
        ? `<td>${link(`${name}.html`, name)}</td>`
        : cell,
  );
  return html.slice(0, first) + links("Reports") + content +
    links("Reports, at the end") +
    html.slice(end(last));
}
