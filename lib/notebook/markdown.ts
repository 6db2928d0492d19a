/** Markdown with formulas and anchors, as HTML that needs nothing else. */
import katex from "katex";
import MarkdownIt, { type MarkdownIt as Parser } from "markdown-it";
import { escapeHtml } from "./ansi.ts";

/** A heading of the page; `text` is without markup. */
export interface Heading {
  level: number;
  id: string;
  text: string;
}

type Highlight = (code: string, language: string) => string;

/** A formula as MathML, which browsers draw without fonts or style sheets. */
function math(tex: string, displayMode: boolean): string {
  return katex.renderToString(tex, {
    displayMode,
    output: "mathml",
    throwOnError: false,
    trust: false,
  });
}

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
  md.renderer.rules.math = (tokens, i) => {
    const { content, meta } = tokens[i];
    const display = meta?.display === true;
    const html = math(content, display);
    return display ? `<div class="math">${html}</div>` : html;
  };
}

/** Renders the markdown cells of one page; headings get unique anchors. */
export class Markdown {
  readonly headings: Heading[] = [];
  readonly #md: Parser;
  readonly #taken = new Set<string>();

  constructor(highlight: Highlight) {
    this.#md = new MarkdownIt({ html: false, linkify: false, highlight });
    addMath(this.#md);
    const rules = this.#md.renderer.rules;
    rules.table_open = () => `<div class="wide"><table>`;
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

  /** One cell; `attachments` are the cell's own. */
  render(source: string, attachments?: unknown): string {
    const env = { attachments };
    const tokens = this.#md.parse(source, env);
    tokens.forEach((token, i) => {
      if (token.type !== "heading_open") return;
      const text = plainText(tokens[i + 1]);
      const id = this.#anchor(text);
      token.attrSet("id", id);
      this.headings.push({ level: Number(token.tag[1]), id, text });
      const Token = token.constructor as new (
        type: string,
        tag: string,
        nesting: number,
      ) => typeof token;
      const link = new Token("html_inline", "", 0);
      link.content =
        ` <a class="anchor" href="#${id}" aria-label="Link to this section">#</a>`;
      tokens[i + 1].children?.push(link);
    });
    return this.#md.renderer.render(tokens, this.#md.options, env);
  }

  #anchor(text: string): string {
    const slug = text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-")
      .replace(/^-|-$/g, "") || "section";
    let id = slug;
    for (let n = 2; this.#taken.has(id); n++) id = `${slug}-${n}`;
    this.#taken.add(id);
    return id;
  }
}

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
  const body = Array.isArray(data) ? data.join("") : data;
  return mime?.startsWith("image/") ? `data:${mime};base64,${body}` : "";
}
