/** The cells of one page, with their outputs, as HTML. */
import { joinedStreams } from "../kernel/outputs.ts";
import { ansiToHtml, escapeHtml, plainText, stripAnsi } from "../ansi.ts";
import { csvTableHtml } from "./csv_html.ts";
import { Explored } from "./explore_page.ts";
import type { Highlight } from "./highlight.ts";
import { MOST_ROWS } from "./report_lead.ts";
import { LIMITS, sizeText, sizeWithoutPictures } from "../page_limits.ts";
import { Links } from "./links.ts";
import { Markdown, type MarkdownPage } from "./markdown.ts";
import { math } from "./math.ts";
import { type Captions, Figures } from "./figures.ts";
import { Pictures } from "./pictures.ts";
import { cellSeconds, failureOf, runTime } from "../run/page_provenance.ts";
import { drawable, missedNote, sanitise } from "./sanitise.ts";
import type { Cell, MimeBundle, Output } from "../file/types.ts";

const IMAGES = ["png", "jpeg", "gif", "webp", "avif"]
  .map((type) => `image/${type}`);
/** What a page shows beside {@link IMAGES}, or what only commands read. */
const SHOWN =
  /^(text\/.*|image\/svg\+xml|application\/json|application\/vnd\.ferlab\..*)$/;

export const errorText = (o: { ename: string; evalue: string }): string => {
  const text = `${o.ename}: ${stripAnsi(o.evalue)}`;
  return text.length > LIMITS.message
    ? `${text.slice(0, LIMITS.message)}…`
    : text;
};

const pre = (text: string, attributes = "") =>
  `<pre${attributes}>${ansiToHtml(text.replace(/\n$/, ""))}</pre>`;
const note = (html: string) => `<p class="note">${html}</p>`;
/** A box for what is not shown, or not whole. */
const left = (html: string) => `<div class="out left">${html}</div>`;

export const firstLineOf = (source: string): string =>
  (/\S.*/.exec(source)?.[0] ?? "").slice(0, 300).trim();

export interface CellOptions {
  /** of the heading above all cells; 0 where there is none */
  level: number;
  trust: boolean;
  file?: string;
  /** the folder that pictures with relative paths lie in */
  folder?: string;
  /** why a code cell, by its number, is no longer what was run */
  changed: ReadonlyMap<number, string>;
  /** cells whose outputs stand in the page's lead alone, where it has one */
  lifted?: ReadonlySet<Cell>;
  /** captions of code cells' outputs */
  captions: ReadonlyMap<Cell, Captions>;
  /** hears of what is missing in the page, with its cell */
  warn(message: string): void;
}

/** Draws one page's cells; holds what must be unique across it. */
export class CellHtml {
  #outputs = 0;
  readonly #counts = { code: 0, markdown: 0, raw: 0 };
  /** the cell that is drawn, as messages name it */
  #name = "";
  readonly links = new Links();
  readonly explored = new Explored();
  readonly markdown: Markdown;
  readonly #page: MarkdownPage;
  readonly #figures: Figures;

  constructor(readonly highlight: Highlight, readonly options: CellOptions) {
    this.#page = {
      highlight: this.#block,
      links: this.links,
      pictures: new Pictures(options.folder, this.#warn),
    };
    this.markdown = new Markdown(this.#page, options.level);
    this.#figures = new Figures(
      options.captions,
      this.links,
      (text) => this.markdown.render(text),
    );
  }

  readonly #block = (code: string, language: string) =>
    this.highlight.block(code, language);

  readonly #warn = (message: string) =>
    this.options.warn(`${this.#name}: ${message}`);

  /** What `draw` gives, or a box that says why it could not. */
  #boxed(what: string, draw: () => string): string {
    try {
      return draw();
    } catch (error) {
      const why = String((error as Error)?.message ?? error).split("\n")[0];
      this.#warn(`${what} cannot be shown: ${why}`);
      const told = escapeHtml(why.slice(0, 300));
      return left(note(`This ${what} cannot be shown: ${told}`));
    }
  }

  /** One cell; `executed` if any cell of the notebook was run. */
  cell(cell: Cell, executed: boolean): string {
    const kind = cell.cell_type;
    const number = ++this.#counts[kind];
    this.#name = kind === "code" ? `cell ${number}` : `${kind} cell ${number}`;
    if (kind === "code" && cell.id) {
      this.links.place(cell.id, `cell--${number}`);
    }
    if (kind === "markdown") return this.text(cell);
    if (kind !== "code" || !cell.source.trim()) return "";
    const failed = failureOf(cell) !== undefined;
    const outputs = this.options.lifted?.has(cell)
      ? note(`What it shows stands <a href="#answer--">at the top</a>.`)
      : this.outputs(cell, number, this.options.lifted !== undefined);
    const long = cell.source.length > LIMITS.text;
    const source = this.#boxed(
      "code",
      () =>
        long ? this.#text(cell.source) : this.#block(cell.source, "typescript"),
    );
    // The number is a link beside the summary: one inside it could not be
    // reached by every screen reader.
    return `<section class="cell" id="cell--${number}" aria-label="Cell ${number}">
<div class="box${failed ? " failed" : ""}">` +
      `<a class="n" href="#cell--${number}" aria-label="Link to cell ${number}">${number}</a>` +
      `<details class="code"${failed ? " open" : ""}>` +
      `<summary>` +
      `<code>${escapeHtml(firstLineOf(cell.source))}</code>` +
      this.#changed(number) +
      this.#time(cell, executed) +
      `</summary>${source}</details></div>
${outputs}</section>`;
  }

  text({ source, attachments }: Pick<Cell, "source" | "attachments">): string {
    const html = this.#boxed(
      "Markdown",
      () => this.markdown.render(source, attachments),
    );
    return `<div class="md">${html}</div>`;
  }

  /** What the code cell of that number shows; `folds` its long tables. */
  outputs(cell: Cell, number: number, folds = false): string {
    return joinedStreams(cell.outputs ?? []).map((o, place) => {
      const html = this.output(o, cell, number);
      const [all, heads] = [/<tr[\s>]/g, /<thead[\s>]/g]
        .map((tag) => html.match(tag)?.length ?? 0);
      const rows = all - heads;
      const fold = folds && rows > MOST_ROWS ? `Table of ${rows} rows` : "";
      return this.#figures.caption(html, { cell, number, place, fold });
    }).join("\n");
  }

  /** One output of a cell. */
  output(o: Output, cell: Cell, number: number): string {
    return this.#boxed("output", () => this.#output(o, cell, number));
  }

  #changed(number: number): string {
    const why = this.options.changed.get(number);
    if (why === undefined) return "";
    const title = escapeHtml(why);
    return `<span class="t changed" title="${title}">changed since it ran</span>`;
  }

  #time(cell: Cell, executed: boolean): string {
    const seconds = cellSeconds(cell);
    if (seconds !== undefined) {
      return `<span class="t">${runTime(seconds)}</span>`;
    }
    return executed && cell.execution_count == null
      ? `<span class="t not-run">not run</span>`
      : "";
  }

  /** Text, of which the middle is left out where it is long. */
  #text(text: string): string {
    const attributes = ` tabindex="0"`;
    const left = text.length - LIMITS.text;
    // what a run kept, with its note on the rest, is shown whole
    if (left <= 1_000) return pre(text, attributes);
    const head = plainText(text.slice(0, LIMITS.text * 3 / 4));
    const tail = plainText(text.slice(-LIMITS.text / 4));
    const told = `${sizeText(left)} left out here; all of it is in`;
    return pre(head, attributes) + note(`${told} ${this.#file}.`) +
      pre(tail, attributes);
  }

  get #file(): string {
    const { file } = this.options;
    return file ? `<code>${escapeHtml(file)}</code>` : "the notebook";
  }

  #output(o: Output, cell: Cell, number: number): string {
    if (o.output_type === "stream") {
      const name = o.name === "stderr" ? "stderr" : "stdout";
      return `<div class="out stream ${name}">${this.#text(o.text)}</div>`;
    }
    if (o.output_type === "error") {
      const trace = o.traceback.join("\n");
      const meant = failureOf(cell) ? "" : "Expected: ";
      return `<div class="out error${meant ? " meant" : ""}">` +
        `<strong>${meant}${escapeHtml(errorText(o))}</strong>` +
        `${trace ? this.#text(trace) : ""}</div>`;
    }
    return this.#display(o.data, number) + this.#unshown(o.data);
  }

  #display(data: MimeBundle, number: number): string {
    const id = `out${++this.#outputs}--`;
    const picture = this.explored.take(id, data);
    const text = (mime: string) =>
      typeof data[mime] === "string" ? data[mime] as string : undefined;
    const plain = text("text/plain");
    const alt = stripAnsi(plain?.slice(0, 2_000) ?? "").trim().slice(0, 200) ||
      `Output of cell ${number}`;
    const html = picture ?? text("text/html");
    const svg = text("image/svg+xml");
    if (html === undefined && svg !== undefined && svg.length > LIMITS.svg) {
      return this.#bigSvg(svg, alt);
    }
    const markup = html ?? svg;
    if (markup !== undefined) {
      return this.#markup(markup, id, number) ??
        this.#tooLarge("text/html", markup.length, LIMITS.html) +
          this.#plain(plain);
    }
    for (const mime of IMAGES) {
      const base64 = text(mime)?.replace(/[^A-Za-z0-9+/=]/g, "");
      if (!base64) continue;
      return base64.length > LIMITS.image
        ? this.#tooLarge(mime, base64.length, LIMITS.image)
        : `<div class="out image"><img alt="${escapeHtml(alt)}" ` +
          `src="data:${mime};base64,${base64}"></div>`;
    }
    const latex = text("text/latex");
    const md = text("text/markdown") ?? latex;
    if (md !== undefined) {
      // its headings are no part of the contents
      const { level } = this.markdown;
      const html = md === latex && !md.includes("$")
        ? `<div class="math" tabindex="0">${math(md, true)}</div>`
        : new Markdown(this.#page, level, id).render(md);
      return `<div class="out md ${id}">${html}</div>`;
    }
    if (data["application/json"] !== undefined) {
      return this.#json(data["application/json"]);
    }
    const csv = text("text/csv") ?? text("text/tab-separated-values");
    if (csv !== undefined) {
      const table = csvTableHtml(csv.slice(0, LIMITS.text), `cell ${number}`);
      if (table) return `<div class="out">${table}</div>`;
      return this.#plain(csv);
    }
    const other = plain ??
      Object.entries(data).find(([mime, value]) =>
        mime.startsWith("text/") && typeof value === "string"
      )?.[1];
    return this.#plain(other as string | undefined);
  }

  #plain(text: string | undefined): string {
    return text === undefined
      ? ""
      : `<div class="out text">${this.#text(text)}</div>`;
  }

  #json(value: unknown): string {
    const text = JSON.stringify(value) ?? "undefined";
    if (text.length <= LIMITS.code && !isDeep(text)) {
      const json = JSON.stringify(value, null, 2);
      return `<div class="out json">${this.#block(json, "json")}</div>`;
    }
    return left(
      `<details><summary>JSON of ${sizeText(text.length)}</summary>${
        this.#text(text)
      }</details>`,
    );
  }

  /** Names what of an output no page can show. */
  #unshown(data: MimeBundle): string {
    const types = Object.keys(data).filter((mime) =>
      !SHOWN.test(mime) && !IMAGES.includes(mime)
    );
    // what stands for it where a page has something better
    const rich = Object.keys(data).some((mime) =>
      mime !== "text/plain" && !types.includes(mime)
    );
    if (!types.length || rich) return "";
    return types.map((mime) => {
      const value = data[mime];
      const text = typeof value === "string" ? value : JSON.stringify(value);
      const size = isBinary(mime)
        ? Math.floor(text.length * 3 / 4)
        : text.length;
      const folded = mime.endsWith("json") && text !== undefined
        ? `<details><summary>What it holds</summary>${
          this.#text(text)
        }</details>`
        : "";
      const what = `<b>${escapeHtml(mime)}</b>, ${sizeText(size)}`;
      return left(note(`${what}: a page cannot show this type.`) + folded);
    }).join("");
  }

  #tooLarge(mime: string, size: number, limit: number): string {
    return left(note(
      `<b>${escapeHtml(mime)}</b>, ${sizeText(size)}: a page shows no more ` +
        `than ${sizeText(limit)} of it. It is in ${this.#file}.`,
    ));
  }

  /** `undefined` for more than a browser opens at once. */
  #markup(markup: string, id: string, number: number): string | undefined {
    const inside = (html: string, attributes = "") =>
      `<div class="out"${attributes}><div class="${id}">${html}</div></div>`;
    if (this.options.trust) return inside(markup);
    if (sizeWithoutPictures(markup) > LIMITS.htmlSource) return;
    const { html, scripts, missed, problem } = sanitise(markup, id, {
      label: `Chart of cell ${number}`,
      image: (src) => this.#page.pictures.find(src),
    });
    if (sizeWithoutPictures(html) > LIMITS.html) return;
    const notes = (problem ? note(`Not drawn: ${problem}.`) : "") +
      (scripts
        ? note("Its scripts were left out: this page trusts no output.")
        : "") +
      missedNote(missed);
    // A wide table scrolls in its box, which the keyboard must reach.
    const scrolls = /<table/.test(html)
      ? ` role="region" aria-label="Output of cell ${number}" tabindex="0"`
      : "";
    return inside(html, scrolls) + notes;
  }

  /** A browser runs nothing and loads nothing of an SVG that is an image. */
  #bigSvg(svg: string, alt: string): string {
    const mime = "image/svg+xml";
    if (svg.length > LIMITS.svgImage) {
      return this.#tooLarge(mime, svg.length, LIMITS.svgImage);
    }
    const at = svg.indexOf("<svg"), end = svg.indexOf(">", at);
    if (at < 0 || end < 0) throw new Error("it is no SVG");
    const named = /\sxmlns=/.test(svg.slice(at, end))
      ? svg
      : svg.replace("<svg", `<svg xmlns="http://www.w3.org/2000/svg"`);
    const base64 = new TextEncoder().encode(named).toBase64();
    const src = `data:${mime};base64,${base64}`;
    if (!drawable(src)) {
      throw new Error("a drawing that a browser would never finish");
    }
    return `<div class="out image"><img alt="${escapeHtml(alt)}" ` +
      `src="${src}"></div>` + note(
        `An SVG of ${sizeText(svg.length)}, shown as an image.`,
      );
  }
}

const isBinary = (mime: string) =>
  /^(image|audio|video)\/|^application\/(pdf|zip|octet-stream|x-.*)$/.test(
    mime,
  );

/** Whether a JSON text is nested so deep that indenting it makes it endless. */
function isDeep(json: string): boolean {
  let depth = 0;
  for (const [c] of json.matchAll(/[[\]{}]/g)) {
    depth += c === "[" || c === "{" ? 1 : -1;
    if (depth > 100) return true;
  }
  return false;
}
