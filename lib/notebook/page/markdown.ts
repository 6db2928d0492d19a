/** Markdown with formulas and anchors, as HTML that needs nothing else. */
import MarkdownIt, { type MarkdownIt as Parser } from "markdown-it";
import { escapeHtml, unescapeHtml, wordsHtml } from "../ansi.ts";
import { LIMITS, sizeWithoutPictures, withCommas } from "../page_limits.ts";
import { decoded, type Links } from "./links.ts";
import { addMath } from "./markdown_math.ts";
import { math } from "./math.ts";
import type { Pictures } from "./pictures.ts";
import { missedNote, sanitise } from "./sanitise.ts";

/** A heading of the page; `text` is without markup. */
export interface Heading {
  level: number;
  id: string;
  text: string;
}

type Token = ReturnType<Parser["parse"]>[number];
type Highlight = (code: string, language: string) => string;

/** What stands in the renderer's `env`. */
interface Env {
  [key: PropertyKey]: unknown;
  attachments?: unknown;
  /** drawn formulas of a cell with raw HTML, which the sanitiser never sees */
  formulas?: string[];
}

/** A paragraph that is too long to be read as Markdown. */
function addLimit(md: Parser) {
  md.core.ruler.before("inline", "limit", (state) => {
    for (const token of state.tokens) {
      if (
        token.type === "inline" &&
        sizeWithoutPictures(token.content) > LIMITS.paragraph
      ) token.type = "too_long";
    }
  });
  md.renderer.rules.too_long = (tokens, i) =>
    escapeHtml(tokens[i].content) +
    `<span class="note">Shown as it is written: a paragraph of more than ${
      withCommas(LIMITS.paragraph)
    } characters.</span>`;
}

/** What all Markdown of a page shares. */
export interface MarkdownPage {
  highlight: Highlight;
  links: Links;
  pictures: Pictures;
}

/** Renders the markdown cells of one page; headings get unique anchors. */
export class Markdown {
  readonly headings: Heading[] = [];
  readonly #md: Parser;
  readonly #page: MarkdownPage;
  readonly #prefix: string;
  /** takes what is ours through the sanitiser; raw HTML cannot know it */
  readonly #ours: string;
  #cells = 0;
  #level: number;

  /**
   * @param level of the heading that what is rendered stands under
   * @param prefix begins every anchor; for markdown that is an output
   */
  constructor(page: MarkdownPage, level = 0, prefix = "") {
    this.#page = page;
    this.#ours = page.links.mark;
    this.#prefix = prefix;
    this.#level = level;
    const { highlight, pictures } = page;
    this.#md = new MarkdownIt({ html: true, linkify: false, highlight });
    addMath(this.#md);
    addLimit(this.#md);
    const rules = this.#md.renderer.rules;
    rules.table_open = () =>
      `<div class="wide" role="region" aria-label="Table" tabindex="0"><table>`;
    rules.table_close = () => `</table></div>`;
    rules.text = (tokens, i) => wordsHtml(tokens[i].content);
    rules.image = (tokens, i, _options, env?: Env) => {
      const src = String(tokens[i].attrGet("src") ?? "");
      const alt = escapeHtml(tokens[i].content);
      const found = pictures.find(src, env?.attachments);
      if (!found) {
        return `<a href="${escapeHtml(src)}">${alt || escapeHtml(src)}</a>`;
      }
      return "html" in found
        ? found.html
        : `<img src="${escapeHtml(found.src)}" alt="${alt}">`;
    };
    rules.math = (tokens, i, _options, env?: Env) => {
      const { content, meta, block } = tokens[i];
      const display = meta?.display === true;
      const html = math(content, display);
      const tag = block ? "div" : "span";
      const whole = display
        ? `<${tag} class="math" tabindex="0">${html}</${tag}>`
        : html;
      return env?.formulas
        ? `${this.#ours}=${env.formulas.push(whole) - 1};`
        : whole;
    };
  }

  /** Of the last heading. */
  get level(): number {
    return this.#level;
  }

  /** One cell; `attachments` are the cell's own. */
  render(source: string, attachments?: unknown): string {
    if (sizeWithoutPictures(source) > LIMITS.markdown) {
      return `<pre tabindex="0">${escapeHtml(source.slice(0, LIMITS.text))}` +
        `</pre><p class="note">Shown as it is written: Markdown of more than ${
          withCommas(LIMITS.markdown)
        } characters.</p>`;
    }
    const tokens = this.#md.parse(source, {});
    const raw = hasHtml(tokens);
    const inner = raw ? `${this.#prefix}md${++this.#cells}--` : "";
    const env: Env = { attachments, ...(raw ? { formulas: [] } : {}) };
    const mark = raw ? this.#ours + "!" : "";
    tokens.forEach((token, i) => {
      if (token.type === "inline") this.#linkInside(token, inner);
      if (token.type !== "heading_open") return;
      const text = plainText(tokens[i + 1]);
      const id = this.#anchor(text);
      const level = Number(token.tag[1]);
      // Levels that are left out would confuse who jumps from one to the next.
      this.#level = Math.min(level, this.#level + 1);
      token.attrSet("id", mark + id);
      token.attrSet("class", `h${level}`);
      token.tag = tokens[i + 2].tag = `h${this.#level}`;
      this.headings.push({ level, id, text });
      const link: Token = Reflect.construct(token.constructor, [
        ...["html_inline", "", 0],
      ]);
      link.content = ` <a class="anchor" href="#${mark}${id}" aria-label="${
        escapeHtml(`Link to “${text}”`)
      }">#</a>`;
      tokens[i + 1].children?.push(link);
    });
    const html = this.#md.renderer.render(tokens, this.#md.options, env);
    return raw ? this.#cleaned(html, inner, env) : html;
  }

  /**
   * Links within the page lead where the page will have them; `[figure](#cell)`
   * gets the number of that cell's figure.
   */
  #linkInside({ children }: Token, inner: string) {
    const all = children ?? [];
    for (const [i, link] of all.entries()) {
      if (link.type !== "link_open") continue;
      const href = String(link.attrGet("href") ?? "");
      if (!/^#./s.test(href)) continue;
      const name = href.slice(1);
      const words = all[i + 1], kind = NUMBERED.exec(words.content)?.[1];
      if (all[i + 2].type !== "link_close" || !kind) {
        link.attrSet("href", this.#link(name, inner));
        continue;
      }
      const to = this.#page.links.toNumbered(
        /^f/i.test(kind) ? "Figure" : "Table",
        decoded(name),
        this.#prefixes(inner),
      );
      link.attrSet("href", to.href);
      words.content += `\u00a0${to.number}`;
    }
  }

  readonly #prefixes = (inner: string) => [inner || this.#prefix, this.#prefix];

  #link(name: string, inner: string): string {
    return this.#page.links.to(decoded(name), this.#prefixes(inner));
  }

  /** A cell with raw HTML, made safe like an output; our own parts stay. */
  #cleaned(html: string, prefix: string, env: Env): string {
    const { links, pictures } = this.#page;
    const { html: safe, missed, problem } = sanitise(html, prefix, {
      image: (src) => pictures.find(src, env.attachments),
    });
    const ours = safe.replaceAll(prefix + this.#ours, this.#ours)
      .replaceAll(this.#ours + "!", "")
      .replace(
        new RegExp(`${this.#ours}=(\\d+);`, "g"),
        (_, i) => env.formulas![i],
      )
      .replace(
        new RegExp(` (id|href)="(#?)${prefix}([^"]*)"`, "g"),
        (all, attribute, _, name) => {
          if (attribute === "href") {
            return ` href="${this.#link(unescapeHtml(name), prefix)}"`;
          }
          links.place(unescapeHtml(name), prefix + unescapeHtml(name));
          return all;
        },
      );
    const note = problem ? `<p class="note">Not drawn: ${problem}.</p>` : "";
    return `<div class="raw ${prefix}">${ours}</div>${note}${
      missedNote(missed)
    }`;
  }

  #anchor(text: string): string {
    const slug = text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-")
      .replace(/^-|-$/g, "") || "section";
    return this.#page.links.heading(text, slug, this.#prefix);
  }
}

/** The words of a link that take the number of what it leads to. */
const NUMBERED = /^(figure|table)$/i;

const hasHtml = (tokens: Token[]): boolean =>
  tokens.some((t) => /^html_/.test(t.type) || hasHtml(t.children ?? []));

function plainText(token: Token): string {
  return (token.children ?? []).map((t) =>
    /^(text|code_inline|math|text_special)$/.test(t.type)
      ? t.content
      : /break$/.test(t.type)
      ? " "
      : t.children
      ? plainText(t)
      : ""
  ).join("");
}
