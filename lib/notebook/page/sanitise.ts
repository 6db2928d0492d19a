/** HTML and SVG of outputs, reduced to what cannot run, load or collide. */
import { Parser } from "htmlparser2";
import { escapeHtml, wordsHtml } from "../ansi.ts";
import { safeStyle, safeValue, scopedSheet } from "./css.ts";
import { costOfPicture, costOfReferences, MOST_DRAWN } from "./svg_cost.ts";

/** Elements that stay; the rest goes, with content if in {@link DROPPED}. */
const ALLOWED = new Map(
  `a abbr b bdi bdo blockquote br caption cite code col colgroup dd del details
  dfn div dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header hr i img
  ins kbd li mark meter ol p pre progress q rp rt ruby s samp section small span
  strong style sub summary sup table tbody td tfoot th thead time title tr u ul
  var wbr svg g path rect circle ellipse line polyline polygon text tspan
  textPath defs clipPath mask pattern marker symbol use image linearGradient
  radialGradient stop desc filter feBlend feColorMatrix feComposite feFlood
  feGaussianBlur feMerge feMergeNode feOffset feDropShadow`
    .split(/\s+/).map((name) => [name.toLowerCase(), name]),
);
const DROPPED = new Set(
  `script iframe frame frameset object embed applet template noscript textarea
  select xmp plaintext noembed noframes foreignobject math head animate set
  animatetransform animatemotion audio video canvas link meta base`.split(
    /\s+/,
  ),
);
/** What is missed where it is left out, as a note calls it. */
const MISSED: Record<string, string> = {
  iframe: "frame",
  frame: "frame",
  object: "frame",
  embed: "frame",
  video: "video",
  audio: "recording",
};
/** Attributes whose value is text or an address that is checked elsewhere. */
const TEXTS = /^(aria-.*|data-.*|title|alt|class|id|href|xlink:href|src|d)$/;
/** Deeper elements lose their tags: no parser follows them further either. */
const DEEPEST = 200;
/** What is nested deeper is shown as text. */
const TOO_DEEP = 2_000;
/** No element of a chart or a table has as many attributes. */
const MOST_ATTRIBUTES = 100;
/** Cells of tables that all that span more than one take the place of. */
const MOST_SPANNED = 100_000;
/** Different style attributes of one output that are read. */
const MOST_STYLES = 50_000;
const VOID = new Set(["br", "col", "hr", "img", "wbr"]);
const FORBIDDEN_ATTRIBUTES = new Set(
  `action formaction srcset ping background poster srcdoc target autofocus
  contenteditable manifest http-equiv xml:base is slot popover
  popovertarget nonce name attributionsrc usemap`.split(/\s+/),
);
const REFERENCES = new Set(
  `for headers aria-labelledby aria-describedby aria-controls aria-owns`
    .split(/\s+/),
);

/** How {@link sanitise} treats an output; all may be left out. */
export interface SanitiseOptions {
  /** what a chart that has no name of its own is called */
  label?: string;
  /** an image that is a file: its data URI, or what is shown in its place */
  image?: (src: string) => { src: string } | { html: string } | undefined;
}

/** Markup that cannot harm, and what became of it. */
export interface Sanitised {
  html: string;
  scripts: number;
  /** what else was, in words: "a frame, 2 pictures"; empty where nothing was */
  missed: string;
  /** why the output is not drawn; `html` is its text then, or empty */
  problem?: string;
}

/** A note below what misses something; empty where it does not. */
export const missedNote = (missed: string): string =>
  missed &&
  `<p class="note">Left out, since this page loads nothing: ${missed}.</p>`;

function safeUrl(url: string, tag: string, prefix: string): string | undefined {
  // deno-lint-ignore no-control-regex
  const plain = url.replace(/[\x00-\x20]/g, "");
  if (plain.startsWith("#")) return `#${prefix}${plain.slice(1)}`;
  if (tag === "a") {
    return /^(https?:|mailto:)/i.test(plain) ? url.trim() : undefined;
  }
  if (tag === "img" || tag === "image") {
    return /^data:image\/(png|jpe?g|gif|webp|avif|svg\+xml)[;,]/i.test(plain)
      ? plain
      : undefined;
  }
}

/** Whether a browser can draw a picture that is a data URI in a second. */
export const drawable = (uri: string): boolean =>
  costOfPicture(uri) <= MOST_DRAWN;

const SPAN = /^(col|row)?span$/i;
const isData = (src: string): boolean => /^\s*data:/i.test(src);

/** Thrown to end the parsing of what is nested without end. */
const DEEP = Symbol("too deep");

class Writer {
  readonly parts: string[] = [];
  scripts = 0;
  readonly #missed = new Map<string, number>();
  #spanned = 0;
  /** for each open element what closes it, `undefined` where it is left out */
  readonly #open: { tag?: string; lower: string }[] = [];
  /** open elements that are dropped with their content */
  #dropped = 0;
  #sheet = "";
  /** the outermost open `<svg>`: its depth, its place, whether it has a title */
  #svg: { depth: number; part: number; titled: boolean } | undefined;
  readonly #ids = new Set<string>();
  readonly #styles = new Map<string, string | undefined>();

  constructor(
    readonly prefix: string,
    readonly options: SanitiseOptions,
  ) {}

  onopentag(lower: string, attributes: Record<string, string>) {
    const depth = this.#open.length;
    if (depth > TOO_DEEP) throw DEEP;
    if (lower === "script") this.scripts++;
    const element: { tag?: string; lower: string } = { lower };
    this.#open.push(element);
    if (DROPPED.has(lower)) {
      if (!this.#dropped) this.#miss(MISSED[lower]);
      this.#dropped++;
    }
    if (this.#dropped) return;
    if (lower === "style") {
      this.#sheet = "";
      return;
    }
    const svg = this.#svg;
    if (lower === "title" && svg?.depth === depth - 1) svg.titled = true;
    const tag = ALLOWED.get(lower);
    if (!tag || (depth > DEEPEST && !VOID.has(tag))) return;
    const html = this.#tag(tag, attributes);
    if (lower === "svg" && !svg) {
      this.#svg = { depth, part: this.parts.length, titled: false };
    }
    this.parts.push(html);
    if (!VOID.has(tag)) element.tag = tag;
  }

  ontext(text: string) {
    if (this.#dropped) return;
    if (this.#open.at(-1)?.lower === "style") this.#sheet += text;
    else this.parts.push(this.#svg ? escapeHtml(text) : wordsHtml(text));
  }

  onclosetag(name: string) {
    // A tag that the markup ends in was never opened.
    if (this.#open.at(-1)?.lower !== name) return;
    const { tag, lower } = this.#open.pop()!;
    const dropped = this.#dropped > 0;
    if (DROPPED.has(lower)) this.#dropped--;
    if (dropped) return;
    if (lower === "style") {
      const sheet = scopedSheet(this.#sheet, this.prefix);
      if (sheet) this.parts.push(`<style>${sheet}</style>`);
    }
    if (tag) this.parts.push(`</${tag}>`);
    if (this.#svg?.depth === this.#open.length) this.#nameSvg();
  }

  #miss(name: string | undefined) {
    if (name) this.#missed.set(name, (this.#missed.get(name) ?? 0) + 1);
  }

  get missed(): string {
    return Array.from(
      this.#missed,
      ([name, n]) => n === 1 ? `a ${name}` : `${n} ${name}s`,
    ).join(", ");
  }

  /** Whether cells of a table that span others are too many to be laid out. */
  #spansTooMuch(attributes: Record<string, string>): boolean {
    let cells = 1;
    for (const [name, value] of Object.entries(attributes)) {
      if (SPAN.test(name)) cells *= Math.max(1, parseInt(value) || 1);
    }
    if (cells > 1) this.#spanned += cells;
    return this.#spanned > MOST_SPANNED;
  }

  /** Completes the outermost `<svg>` with a name to be read out. */
  #nameSvg() {
    const { part, titled } = this.#svg!;
    this.#svg = undefined;
    const open = this.parts[part];
    if (titled || / (role|aria-(label|labelledby|hidden))="/.test(open)) return;
    const label = escapeHtml(this.options.label ?? "Chart");
    this.parts[part] = `${open.slice(0, -1)} role="img" aria-label="${label}">`;
  }

  #tag(tag: string, attributes: Record<string, string>): string {
    const named = (name: string) =>
      Object.keys(attributes).find((key) => key.toLowerCase() === name);
    if (tag === "img") {
      const key = named("src");
      const found = this.options.image?.(key ? attributes[key] : "");
      if (found && "html" in found) return found.html;
      if (found) attributes = { ...attributes, [key ?? "src"]: found.src };
      const src = key ? attributes[key].trim() : "";
      if (src && !found && !isData(src)) return this.#remote(src);
    }
    const href = tag === "image" && (named("href") ?? named("xlink:href"));
    if (href && !isData(attributes[href])) this.#miss("picture");
    const narrow = this.#spansTooMuch(attributes);
    let html = `<${tag}`;
    // The oldest way to make a place that links lead to.
    const name = tag === "a" && !named("id") ? named("name") : undefined;
    if (name) html += this.#attribute(tag, "id", attributes[name]);
    for (const key of Object.keys(attributes).slice(0, MOST_ATTRIBUTES)) {
      if (narrow && SPAN.test(key)) continue;
      html += this.#attribute(tag, key, attributes[key]);
    }
    if (tag === "svg" && !this.#svg && !("xmlns" in attributes)) {
      html += ` xmlns="http://www.w3.org/2000/svg"`;
    }
    if (tag === "img" && !("alt" in attributes)) html += ` alt=""`;
    return html + ">";
  }

  /** What stands for a picture that the page does not load. */
  #remote(src: string): string {
    const shown = escapeHtml(src.slice(0, 200));
    const href = this.#attribute("a", "href", src);
    return `<span class="missing">Picture ${
      href ? `<a${href}>${shown}</a>` : shown
    }: not in this page</span>`;
  }

  #attribute(tag: string, name: string, value: string): string {
    const { prefix } = this;
    const lower = name.toLowerCase();
    if (!/^[a-z][\w:.-]*$/i.test(name) || lower.startsWith("on")) return "";
    if (FORBIDDEN_ATTRIBUTES.has(lower)) return "";
    let safe: string | undefined = value;
    if (lower === "id") {
      safe = prefix + value;
      if (this.#ids.has(safe)) return "";
      this.#ids.add(safe);
    } else if (/^(xlink:)?href$|^src$/.test(lower)) {
      safe = safeUrl(value, tag, prefix);
    } else if (REFERENCES.has(lower)) {
      safe = value.split(/\s+/).map((id) => prefix + id).join(" ");
    } else if (lower === "style") safe = this.#style(value);
    else if (lower === "filter") {
      safe = this.#style(`filter:${value}`)?.slice("filter:".length);
    } else if (!TEXTS.test(lower)) safe = safeValue(value, prefix);
    return safe === undefined ? "" : ` ${name}="${escapeHtml(safe)}"`;
  }

  #style(value: string): string | undefined {
    if (!this.#styles.has(value)) {
      if (this.#styles.size >= MOST_STYLES) return;
      this.#styles.set(value, safeStyle(value, this.prefix));
    }
    return this.#styles.get(value);
  }
}

/**
 * HTML or SVG without scripts, event handlers, frames, forms or anything
 * loaded from outside. Every id, and every reference to one, gets `prefix`;
 * style sheets apply inside the element with the class `prefix` only, which
 * whoever shows the result puts around it.
 *
 * The markup is written anew from an allowlist, never passed through.
 */
export function sanitise(
  markup: string,
  prefix: string,
  options: SanitiseOptions = {},
): Sanitised {
  const writer = new Writer(prefix, options);
  try {
    new Parser(writer, { lowerCaseAttributeNames: false }).end(markup);
  } catch (error) {
    if (error !== DEEP) throw error;
    const html = `<pre>${escapeHtml(markup.slice(0, 10_000))}</pre>`;
    const problem = `elements nested more than ${TOO_DEEP} deep`;
    return { html, scripts: writer.scripts, missed: writer.missed, problem };
  }
  const html = writer.parts.join("");
  const { scripts, missed } = writer;
  if (costOfReferences(html) > MOST_DRAWN) {
    const problem = "a drawing whose parts refer to each other so often that " +
      "a browser would never finish it";
    return { html: "", scripts, missed, problem };
  }
  return { html, scripts, missed };
}
