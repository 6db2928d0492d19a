/** Markdown with formulas and anchors, as HTML that needs nothing else. */
import MarkdownIt, { type MarkdownIt as Parser } from "markdown-it";
import { escapeHtml } from "./ansi.ts";
import { math } from "./math.ts";
import { sanitise } from "./sanitise.ts";

/** A heading of the page; `text` is without markup. */
export interface Heading {
  level: number;
  id: string;
  text: string;
}

type Highlight = (code: string, language: string) => string;

/** Marks what raw HTML cannot forge: it is taken out of every source. */
const OURS = "\uE000";

function addMath(md: Parser) {
  md.inline.ruler.before("escape", "math", (state, silent) => {
    const text = state.src.slice(state.pos, state.posMax);
    // As in pandoc: no space inside the dollars, no digit after the last one.
    const m = /^\$\$([^]+?)\$\$/.exec(text) ??
      /^\$((?:[^\s$\\]|\\[^])(?:(?:[^$\\]|\\[^])*(?:[^\s$\\]|\\[^]))?)\$(?!\d)/
        .exec(text);
    if (!m) return false;
    if (!silent) {
      const token = state.push("math", "", 0);
      token.content = m[1];
      token.meta = { display: m[0].startsWith("$$") };
    }
    state.pos += m[0].length;
    return true;
  });
  md.block.ruler.before("fence", "math", (state, start, end, silent) => {
    const line = (n: number) =>
      state.src.slice(state.bMarks[n] + state.tShift[n], state.eMarks[n]);
    if (!line(start).startsWith("$$")) return false;
    let last = start;
    const closed = () =>
      line(last).trimEnd().endsWith("$$") &&
      (last > start || line(start).trim().length > 3);
    while (last < end && !closed()) last++;
    if (last >= end) return false;
    if (silent) return true;
    const body = Array.from(
      { length: last - start + 1 },
      (_, i) => line(start + i),
    ).join("\n");
    const token = state.push("math", "", 0);
    token.block = true;
    token.content = body.trim().slice(2, -2);
    token.meta = { display: true };
    token.map = [start, last + 1];
    state.line = last + 1;
    return true;
  }, { alt: ["paragraph", "blockquote", "list"] });
  md.renderer.rules.math = (tokens, i, _options, env) => {
    const { content, meta, block } = tokens[i];
    const display = meta?.display === true;
    const html = math(content, display);
    const tag = block ? "div" : "span";
    const whole = display
      ? `<${tag} class="math" tabindex="0">${html}</${tag}>`
      : html;
    const formulas = env?.formulas as string[] | undefined;
    if (!formulas) return whole;
    return `${OURS}${formulas.push(whole) - 1}${OURS}`;
  };
}

/** Renders the markdown cells of one page; headings get unique anchors. */
export class Markdown {
  readonly headings: Heading[] = [];
  readonly #md: Parser;
  readonly #taken = new Set<string>();
  readonly #prefix: string;
  #cells = 0;
  #level: number;

  /**
   * @param level of the heading that what is rendered stands under
   * @param prefix begins every anchor; for markdown that is an output
   */
  constructor(highlight: Highlight, level = 0, prefix = "") {
    this.#prefix = prefix;
    this.#level = level;
    this.#md = new MarkdownIt({ html: true, linkify: false, highlight });
    addMath(this.#md);
    const rules = this.#md.renderer.rules;
    rules.table_open = () =>
      `<div class="wide" role="region" aria-label="Table" tabindex="0"><table>`;
    rules.table_close = () => `</table></div>`;
    rules.image = (tokens, i, _options, env) => {
      const src = String(tokens[i].attrGet("src") ?? "");
      const alt = escapeHtml(tokens[i].content);
      const attached = src.startsWith("attachment:")
        ? attachment(env?.attachments, src.slice(11))
        : src;
      return attached.startsWith("data:image/")
        ? `<img src="${escapeHtml(attached)}" alt="${alt}">`
        : `<a href="${escapeHtml(attached)}">${alt || escapeHtml(src)}</a>`;
    };
  }

  /** Of the last heading. */
  get level(): number {
    return this.#level;
  }

  /** One cell; `attachments` are the cell's own. */
  render(source: string, attachments?: unknown): string {
    const text = source.replaceAll(OURS, "");
    const tokens = this.#md.parse(text, { attachments });
    const raw = hasHtml(tokens);
    const env = { attachments, ...(raw ? { formulas: [] as string[] } : {}) };
    const mark = raw ? OURS : "";
    tokens.forEach((token, i) => {
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
      const Token = token.constructor as new (
        type: string,
        tag: string,
        nesting: number,
      ) => typeof token;
      const link = new Token("html_inline", "", 0);
      link.content = ` <a class="anchor" href="#${mark}${id}" aria-label="${
        escapeHtml(`Link to “${text}”`)
      }">#</a>`;
      tokens[i + 1].children?.push(link);
    });
    const html = this.#md.renderer.render(tokens, this.#md.options, env);
    return raw ? this.#cleaned(html, env.formulas ?? []) : html;
  }

  /** A cell with raw HTML, made safe like an output; our own parts stay. */
  #cleaned(html: string, formulas: string[]): string {
    const prefix = `${this.#prefix}md${++this.#cells}--`;
    const safe = sanitise(html, prefix)
      .replaceAll(prefix + OURS, "")
      .replace(new RegExp(`${OURS}(\\d+)${OURS}`, "g"), (_, i) => formulas[i]);
    // A link to a heading of another cell is no link into this one.
    return safe.replace(
      new RegExp(`href="#${prefix}([^"]*)"`, "g"),
      (all, id) =>
        safe.includes(` id="${prefix}${id}"`) ? all : `href="#${id}"`,
    );
  }

  #anchor(text: string): string {
    const slug = text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-")
      .replace(/^-|-$/g, "") || "section";
    let id = this.#prefix + slug;
    for (let n = 2; this.#taken.has(id); n++) {
      id = `${this.#prefix}${slug}-${n}`;
    }
    this.#taken.add(id);
    return id;
  }
}

const hasHtml = (tokens: TokenLike[]): boolean =>
  tokens.some((t) => /^html_/.test(t.type) || hasHtml(t.children ?? []));

interface TokenLike {
  type: string;
  content: string;
  children: TokenLike[] | null;
}

function plainText(token: TokenLike): string {
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

function attachment(all: unknown, name: string): string {
  let key = name;
  try {
    key = decodeURI(name);
  } catch { /* a lone % is itself */ }
  const bundle = (all as Record<string, Record<string, string>> | undefined)
    ?.[key];
  const [mime, data] = Object.entries(bundle ?? {})[0] ?? [];
  if (!/^image\/[\w.+-]+$/.test(mime ?? "")) return "";
  const body = String(Array.isArray(data) ? data.join("") : data);
  // JupyterLab keeps an SVG as text.
  return /^\s*</.test(body)
    ? `data:${mime},${encodeURIComponent(body)}`
    : `data:${mime};base64,${body.replace(/[^A-Za-z0-9+/=]/g, "")}`;
}
