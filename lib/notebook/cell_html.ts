/** The cells of one page, with their outputs, as HTML. */
import { joinedStreams } from "./outputs.ts";
import { ansiToHtml, escapeHtml, stripAnsi } from "./ansi.ts";
import type { Highlight } from "./highlight.ts";
import { Markdown } from "./markdown.ts";
import { math } from "./math.ts";
import { duration, failureOf, secondsOf } from "./provenance.ts";
import { sanitiseOutput } from "./sanitise.ts";
import type { Cell, MimeBundle, Output } from "./types.ts";

const IMAGES = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/**
 * An SVG with more characters than this is shown as an image: it looks the
 * same, but has no tooltips and takes no colour from the theme.
 */
export const LARGEST_SVG = 2_000_000;

/** The first line of an error. */
export const errorText = (o: { ename: string; evalue: string }) =>
  `${o.ename}: ${stripAnsi(o.evalue)}`;

const pre = (text: string, attributes = "") =>
  `<pre${attributes}>${ansiToHtml(text.replace(/\n$/, ""))}</pre>`;

/** Draws one page's cells; holds what must be unique across it. */
export class CellHtml {
  #outputs = 0;
  #code = 0;
  readonly markdown: Markdown;

  /** @param level of the heading above all cells; 0 where there is none */
  constructor(
    readonly highlight: Highlight,
    readonly trust: boolean,
    level: number,
  ) {
    this.markdown = new Markdown(this.#block, level);
  }

  readonly #block = (code: string, language: string) =>
    this.highlight.block(code, language);

  /** One cell; `executed` if any cell of the notebook was run. */
  cell(cell: Cell, executed: boolean): string {
    if (cell.cell_type === "markdown") {
      const html = this.markdown.render(cell.source, cell.attachments);
      return `<div class="md">${html}</div>`;
    }
    if (cell.cell_type !== "code") return "";
    const number = ++this.#code;
    if (!cell.source.trim()) return "";
    const failed = failureOf(cell) !== undefined;
    const first = cell.source.split("\n").find((l) => l.trim()) ?? "";
    const outputs = joinedStreams(cell.outputs ?? [])
      .map((o) => this.#output(o, cell, number)).join("\n");
    // The number is a link beside the summary: one inside it could not be
    // reached by every screen reader.
    return `<section class="cell" id="cell--${number}" aria-label="Cell ${number}">
<div class="box${failed ? " failed" : ""}">` +
      `<a class="n" href="#cell--${number}" aria-label="Link to cell ${number}">${number}</a>` +
      `<details class="code"${failed ? " open" : ""}>` +
      `<summary>` +
      `<code>${escapeHtml(first.trim())}</code>` +
      this.#time(cell, executed) +
      `</summary>${this.#block(cell.source, "typescript")}</details></div>
${outputs}</section>`;
  }

  #time(cell: Cell, executed: boolean): string {
    const seconds = secondsOf(cell);
    if (seconds !== undefined) {
      return `<span class="t">${duration(seconds)}</span>`;
    }
    return executed && cell.execution_count == null
      ? `<span class="t not-run">not run</span>`
      : "";
  }

  #output(o: Output, cell: Cell, number: number): string {
    if (o.output_type === "stream") {
      const name = o.name === "stderr" ? "stderr" : "stdout";
      return `<div class="out stream ${name}">${
        pre(o.text, ` tabindex="0"`)
      }</div>`;
    }
    if (o.output_type === "error") {
      const trace = o.traceback.join("\n");
      const meant = failureOf(cell) ? "" : "Expected: ";
      return `<div class="out error${meant ? " meant" : ""}">` +
        `<strong>${meant}${escapeHtml(errorText(o))}</strong>` +
        `${trace ? pre(trace, ` tabindex="0"`) : ""}</div>`;
    }
    return this.#display(o.data, number);
  }

  #display(data: MimeBundle, number: number): string {
    const id = `out${++this.#outputs}--`;
    const text = (mime: string) =>
      typeof data[mime] === "string" ? data[mime] as string : undefined;
    const alt = stripAnsi(text("text/plain") ?? "").trim().slice(0, 200) ||
      `Output of cell ${number}`;
    const html = text("text/html");
    const svg = text("image/svg+xml");
    if (html === undefined && svg !== undefined && svg.length > LARGEST_SVG) {
      return bigSvg(svg, alt);
    }
    const markup = html ?? svg;
    if (markup !== undefined) {
      return this.#markup(markup, id, `Chart of cell ${number}`);
    }
    for (const mime of IMAGES) {
      const base64 = text(mime)?.replace(/[^A-Za-z0-9+/=]/g, "");
      if (base64) {
        return `<div class="out image"><img alt="${escapeHtml(alt)}" ` +
          `src="data:${mime};base64,${base64}"></div>`;
      }
    }
    const latex = text("text/latex");
    const md = text("text/markdown") ?? latex;
    if (md !== undefined) {
      // its headings are no part of the contents
      const { level } = this.markdown;
      const html = md === latex && !md.includes("$")
        ? `<div class="math" tabindex="0">${math(md, true)}</div>`
        : new Markdown(this.#block, level, id).render(md);
      return `<div class="out md">${html}</div>`;
    }
    if (data["application/json"] !== undefined) {
      const json = JSON.stringify(data["application/json"], null, 2);
      return `<div class="out json">${this.#block(json, "json")}</div>`;
    }
    const plain = text("text/plain");
    return plain === undefined
      ? ""
      : `<div class="out text">${pre(plain, ` tabindex="0"`)}</div>`;
  }

  #markup(markup: string, id: string, label: string): string {
    if (this.trust) return `<div class="out ${id}">${markup}</div>`;
    const { html, scripts } = sanitiseOutput(markup, id, label);
    const note = scripts
      ? `<p class="note">Its scripts were left out: this page trusts no output.</p>`
      : "";
    // A wide table scrolls in its box, which the keyboard must reach.
    const scrolls = /<table/.test(html)
      ? ` role="region" aria-label="${
        label.replace("Chart", "Output")
      }" tabindex="0"`
      : "";
    return `<div class="out ${id}"${scrolls}>${html}</div>${note}`;
  }
}

/** A browser runs nothing and loads nothing of an SVG that is an image. */
function bigSvg(svg: string, alt: string): string {
  const named = /<svg[^>]*\sxmlns=/.test(svg)
    ? svg
    : svg.replace("<svg", `<svg xmlns="http://www.w3.org/2000/svg"`);
  const base64 = new TextEncoder().encode(named).toBase64();
  return `<div class="out image"><img alt="${escapeHtml(alt)}" ` +
    `src="data:image/svg+xml;base64,${base64}"></div>` +
    `<p class="note">An SVG of ${
      (svg.length / 1e6).toFixed(1)
    } MB, shown as an image.</p>`;
}
