/** A notebook as one HTML file that needs no network and runs no script. */
import { createHighlighter, type Highlighter } from "shiki";
import { ansiToHtml, escapeHtml, stripAnsi } from "./ansi.ts";
import { type Heading, Markdown } from "./markdown.ts";
import { sanitise } from "./sanitise.ts";
import { STYLE } from "./style.ts";
import type { Cell, MimeBundle, Notebook, Output } from "./types.ts";

/** Options of {@link exportHtml}. */
export interface ExportOptions {
  /** default: the text of the first h1 */
  title?: string;
  /** names and values shown at the end of the page */
  provenance?: Record<string, string>;
  /** keeps outputs' HTML and SVG as they are and lets their scripts run */
  trust?: boolean;
}

const LANGUAGES = ["typescript", "javascript", "tsx", "json", "bash", "python"];
let highlighter: Promise<Highlighter> | undefined;

async function makeHighlight(): Promise<(c: string, l: string) => string> {
  highlighter ??= createHighlighter({
    themes: ["github-light", "github-dark"],
    langs: LANGUAGES,
  });
  const shiki = await highlighter;
  const loaded = new Set<string>(shiki.getLoadedLanguages());
  return (code, language) =>
    shiki.codeToHtml(code, {
      lang: loaded.has(language) ? language : "text",
      themes: { light: "github-light", dark: "github-dark" },
      defaultColor: false,
    });
}

const IMAGES = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/** Draws one page; holds what must be unique across it. */
class Page {
  #outputs = 0;
  readonly markdown: Markdown;

  constructor(
    readonly highlight: (code: string, language: string) => string,
    readonly trust: boolean,
  ) {
    this.markdown = new Markdown(highlight);
  }

  /** A cell; `number` for code cells, `executed` if the notebook was run. */
  cell(cell: Cell, number: number | undefined, executed: boolean): string {
    if (cell.cell_type === "markdown") {
      const html = this.markdown.render(cell.source, cell.attachments);
      return `<div class="md">${html}</div>`;
    }
    if (number === undefined || !cell.source.trim()) return "";
    const outputs = cell.outputs ?? [];
    const failed = outputs.some((o) => o.output_type === "error");
    const seconds = secondsOf(cell);
    const time = executed && cell.execution_count == null
      ? "not run"
      : seconds === undefined
      ? ""
      : duration(seconds);
    const first = cell.source.split("\n").find((l) => l.trim()) ?? "";
    return `<section class="cell" id="cell--${number}">
<details class="code${failed ? " failed" : ""}"${failed ? " open" : ""}>` +
      `<summary><span class="n">${number}</span>` +
      `<code>${escapeHtml(first.trim())}</code>` +
      (time && `<span class="t">${time}</span>`) +
      `</summary>${this.highlight(cell.source, "typescript")}</details>
${outputs.map((o) => this.output(o)).join("\n")}</section>`;
  }

  output(o: Output): string {
    if (o.output_type === "stream") {
      const name = o.name === "stderr" ? "stderr" : "stdout";
      return `<div class="out stream ${name}">${pre(o.text)}</div>`;
    }
    if (o.output_type === "error") {
      const trace = o.traceback.join("\n");
      return `<div class="out error" role="alert">` +
        `<strong>${escapeHtml(errorText(o))}</strong>` +
        `${trace ? pre(trace) : ""}</div>`;
    }
    return this.#display(o.data);
  }

  #display(data: MimeBundle): string {
    const prefix = `out${++this.#outputs}--`;
    const text = (mime: string) =>
      typeof data[mime] === "string" ? data[mime] as string : undefined;
    const markup = text("text/html") ?? text("image/svg+xml");
    if (markup !== undefined) {
      const html = this.trust ? markup : sanitise(markup, prefix);
      return `<div class="out ${prefix}">${html}</div>`;
    }
    const alt = stripAnsi(text("text/plain") ?? "Image");
    for (const mime of IMAGES) {
      const base64 = text(mime)?.replace(/[^A-Za-z0-9+/=]/g, "");
      if (base64) {
        return `<div class="out image"><img alt="${escapeHtml(alt)}" ` +
          `src="data:${mime};base64,${base64}"></div>`;
      }
    }
    const md = text("text/markdown") ?? text("text/latex");
    if (md !== undefined) {
      // a page of its own: its headings are no part of the contents
      return `<div class="out md">${
        new Markdown(this.highlight).render(md).replace(
          / id="([^"]*)"| href="#([^"]*)"/g,
          (_, id, ref) =>
            id === undefined
              ? ` href="#${prefix}${ref}"`
              : ` id="${prefix}${id}"`,
        )
      }</div>`;
    }
    if (data["application/json"] !== undefined) {
      const json = JSON.stringify(data["application/json"], null, 2);
      return `<div class="out">${this.highlight(json, "json")}</div>`;
    }
    const plain = text("text/plain");
    return plain === undefined ? "" : `<div class="out">${pre(plain)}</div>`;
  }
}

const pre = (text: string) =>
  `<pre>${ansiToHtml(text.replace(/\n$/, ""))}</pre>`;

const errorText = (o: { ename: string; evalue: string }) =>
  `${o.ename}: ${stripAnsi(o.evalue)}`;

function secondsOf(cell: Cell): number | undefined {
  const value = (cell.metadata.ferlab as { seconds?: unknown } | undefined)
    ?.seconds;
  return typeof value === "number" ? value : undefined;
}

function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(2)} s`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const s = Math.round(seconds);
  const [h, m] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  return h ? `${h} h ${m} min` : `${m} min ${s % 60} s`;
}

function contents(headings: Heading[]): string {
  const items = headings.filter((h) => h.level === 2 || h.level === 3);
  if (items.length < 2) return "";
  const list = items.map((h) =>
    `<li class="l${h.level}"><a href="#${h.id}">${escapeHtml(h.text)}</a></li>`
  );
  return `<nav aria-label="Contents"><details open><summary>Contents</summary>` +
    `<ol>${list.join("")}</ol></details></nav>`;
}

function banner(cells: Cell[]): string {
  for (const [i, cell] of cells.entries()) {
    const error = cell.outputs?.find((o) => o.output_type === "error");
    if (!error) continue;
    const text = escapeHtml(errorText(error).split("\n")[0]);
    return `<div class="banner" role="alert"><b>The run failed</b> in ` +
      `<a href="#cell--${i + 1}">cell ${i + 1}</a>: ${text}</div>`;
  }
  return "";
}

function provenance(cells: Cell[], given: Record<string, string>): string {
  const times = cells.map(secondsOf).filter((s) => s !== undefined);
  const rows = Object.entries(given);
  if (times.length) {
    const total = times.reduce((a, b) => a + b, 0);
    rows.push(["Run time", `${duration(total)} in ${times.length} cells`]);
  }
  if (!rows.length) return "";
  const list = rows.map(([k, v]) =>
    `<dt>${escapeHtml(k)}</dt><dd>${escapeHtml(v)}</dd>`
  );
  return `<footer class="provenance"><h2>How this page was made</h2>` +
    `<dl>${list.join("")}</dl></footer>`;
}

/**
 * The notebook, as it is saved, as one HTML page; never runs anything.
 * Outputs' HTML and SVG are sanitised unless `trust` is set.
 */
export async function exportHtml(
  nb: Notebook,
  o: ExportOptions = {},
): Promise<string> {
  const page = new Page(await makeHighlight(), o.trust ?? false);
  const code = nb.cells.filter((c) => c.cell_type === "code");
  const executed = code.some((c) => c.execution_count != null);
  const body = nb.cells.map((cell) => {
    const at = code.indexOf(cell);
    return page.cell(cell, at < 0 ? undefined : at + 1, executed);
  }).join("\n");
  const { headings } = page.markdown;
  const title = o.title ?? headings.find((h) => h.level === 1)?.text ??
    "Notebook";
  const toc = contents(headings);
  const policy = [
    "default-src 'none'",
    "style-src 'unsafe-inline'",
    "img-src data:",
    "font-src data:",
    `script-src ${o.trust ? "'unsafe-inline'" : "'none'"}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<div class="page${toc ? " has-toc" : ""}">
${toc}
<main>
${banner(code)}
${body}
${provenance(code, o.provenance ?? {})}
</main>
</div>
</body>
</html>
`;
}
