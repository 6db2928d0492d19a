/** HTML and SVG of outputs, reduced to what cannot run, load or collide. */
import { escapeHtml } from "./ansi.ts";

let parseHTML: typeof import("linkedom").parseHTML | undefined;

/** Loads the parser: 0.1 s, which a page without markup does not need. */
export async function loadSanitiser(): Promise<void> {
  parseHTML ??= (await import("linkedom")).parseHTML;
}

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
/** Attributes whose value is text or an address that is checked elsewhere. */
const TEXTS = /^(aria-.*|data-.*|title|alt|class|id|href|xlink:href|src|d)$/;
/** Words by which a presentation attribute could load something. */
const LOADS = /url\s*\(|src\s*\(|image-set|\\/i;
/** Deeper elements lose their tags: no parser follows them further either. */
const DEEPEST = 200;
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
const ELEMENT = 1, TEXT = 3;

/** What is read of a node; linkedom's own types do not name it. */
interface Node {
  nodeType: number;
  textContent: string | null;
  childNodes: ArrayLike<Node>;
  localName: string;
  attributes: ArrayLike<{ name: string; value: string }>;
}
interface Parsed {
  document: {
    body: Node;
    querySelectorAll(
      selector: string,
    ): Iterable<{ getAttribute(name: string): string | null }>;
  };
}

interface Context {
  prefix: string;
  ids: Set<string>;
  /** what a chart without a name of its own is called */
  label: string;
  /** scripts that were left out */
  scripts: number;
}

/** CSS that loads nothing; `undefined` when it cannot be made safe. */
function safeCss(css: string, { prefix, ids }: Context): string | undefined {
  const text = css.replace(/\/\*[^]*?\*\//g, "");
  // An escape could spell any of the words below; `<` could end the node.
  if (/[\\<]|\/\*|@import|@charset|@namespace|expression\s*\(/i.test(text)) {
    return;
  }
  if (/-moz-binding|behavior\s*:|image-set\s*\(|src\s*\(/i.test(text)) return;
  if (/position\s*:\s*(fixed|sticky)/i.test(text)) return;
  // In an svg, a style sheet's character references are decoded.
  if (/&(#|\w+;)/.test(text)) return;
  for (const [, target] of text.matchAll(/url\(\s*([^)]*)/gi)) {
    if (!/^['"]?#/.test(target)) return;
  }
  return text.replace(
    /#([A-Za-z_][\w-]*)/g,
    (all, id) => ids.has(id) ? `#${prefix}${id}` : all,
  );
}

/** A style sheet held inside the output by `@scope`. */
function scoped(css: string, context: Context): string {
  // An import is left out; the rest of the sheet may stay.
  const text = safeCss(css.replace(/@import[^;]*(;|$)/gi, ""), context);
  if (text === undefined) return "";
  const bare = text.replace(/"[^"\n]*"|'[^'\n]*'/g, "")
    .replace(/url\([^)]*\)?/gi, "");
  if (/["']/.test(bare)) return "";
  let depth = 0;
  for (const [c] of bare.matchAll(/[{}]/g)) {
    if (c === "{") depth++;
    else if (--depth < 0) return ""; // would leave the scope
  }
  if (depth !== 0) return "";
  return `<style>@scope (.${context.prefix}) {${text}}</style>`;
}

function safeUrl(url: string, tag: string, prefix: string): string | undefined {
  // deno-lint-ignore no-control-regex
  const plain = url.replace(/[\x00-\x20]/g, "");
  if (plain.startsWith("#")) return `#${prefix}${plain.slice(1)}`;
  if (tag === "a") {
    return /^(https?:|mailto:)/i.test(plain) ? url.trim() : undefined;
  }
  if (tag === "img" || tag === "image") {
    return /^data:image\/(png|jpe?g|gif|webp|svg\+xml)[;,]/i.test(plain)
      ? plain
      : undefined;
  }
}

function attribute(
  tag: string,
  name: string,
  value: string,
  context: Context,
): string {
  const { prefix } = context;
  const lower = name.toLowerCase();
  if (!/^[a-z][\w:.-]*$/i.test(name) || lower.startsWith("on")) return "";
  if (FORBIDDEN_ATTRIBUTES.has(lower)) return "";
  let safe: string | undefined = value;
  if (lower === "id") safe = prefix + value;
  else if (/^(xlink:)?href$|^src$/.test(lower)) {
    safe = safeUrl(value, tag, prefix);
  } else if (REFERENCES.has(lower)) {
    safe = value.split(/\s+/).map((id) => prefix + id).join(" ");
  } else if (lower === "style" || (!TEXTS.test(lower) && LOADS.test(value))) {
    safe = safeCss(value, context);
    if (safe !== undefined) {
      safe = safe.replace(
        /url\(\s*(['"]?)#([^)'"]*)\1\s*\)/gi,
        (_, _q, id) => `url(#${id.startsWith(prefix) ? id : prefix + id})`,
      );
    }
  }
  return safe === undefined ? "" : ` ${name}="${escapeHtml(safe)}"`;
}

/** Completes the outermost `<svg>`: a namespace, and a name to be read out. */
function svgAttributes(node: Node, { label }: Context): string {
  const names = new Set(Array.from(node.attributes, (a) => a.name));
  const named = ["role", "aria-label", "aria-labelledby", "aria-hidden"]
    .some((name) => names.has(name));
  const titled = Array.from(node.childNodes).some((c) =>
    c.localName === "title"
  );
  return (names.has("xmlns") ? "" : ` xmlns="http://www.w3.org/2000/svg"`) +
    (named || titled ? "" : ` role="img" aria-label="${escapeHtml(label)}"`);
}

function serialise(
  node: Node,
  context: Context,
  depth = 0,
  svg = false,
): string {
  if (node.nodeType === TEXT) return escapeHtml(node.textContent ?? "");
  if (node.nodeType !== ELEMENT) return "";
  const lower = node.localName.toLowerCase();
  if (lower === "script") context.scripts++;
  if (DROPPED.has(lower)) return "";
  if (lower === "style") return scoped(node.textContent ?? "", context);
  const inner = () =>
    Array.from(
      node.childNodes,
      (n) => serialise(n, context, depth + 1, svg || lower === "svg"),
    ).join("");
  const tag = ALLOWED.get(lower);
  if (!tag || (depth > DEEPEST && !VOID.has(tag))) return inner();
  let attributes = Array.from(
    node.attributes,
    (a) => attribute(tag, a.name, a.value, context),
  ).join("");
  if (tag === "svg" && !svg) attributes += svgAttributes(node, context);
  if (tag === "img" && !/ alt="/.test(attributes)) attributes += ` alt=""`;
  const open = `<${tag}${attributes}>`;
  return VOID.has(tag) ? open : `${open}${inner()}</${tag}>`;
}

/**
 * HTML or SVG without scripts, event handlers, frames, forms or anything
 * loaded from outside. Every id, and every reference to one, gets `prefix`;
 * style sheets apply inside the element with the class `prefix` only.
 *
 * The markup is written anew from an allowlist, never passed through.
 * @param label what a chart that has no name of its own is called
 * @throws {Error} before {@link loadSanitiser} is done
 */
export function sanitise(
  markup: string,
  prefix: string,
  label = "Chart",
): string {
  return sanitiseOutput(markup, prefix, label).html;
}

/**
 * {@link sanitise}, and how many scripts it left out.
 * @throws {Error} before {@link loadSanitiser} is done
 */
export function sanitiseOutput(
  markup: string,
  prefix: string,
  label = "Chart",
): { html: string; scripts: number } {
  if (!parseHTML) throw new Error("the sanitiser is not loaded");
  const text = markup.replace(/^\s*<\?xml[^]*?\?>/, "")
    .replace(/<!doctype[^>]*>/gi, "");
  const { document } = parseHTML(
    `<!doctype html><html><body><div>${text}</div></body></html>`,
  ) as unknown as Parsed;
  const ids = new Set<string>();
  for (const e of document.querySelectorAll("[id]")) {
    ids.add(e.getAttribute("id") ?? "");
  }
  const context = { prefix, ids, label, scripts: 0 };
  try {
    const html = Array.from(
      document.body.childNodes,
      (n) => serialise(n, context),
    ).join("");
    return { html, scripts: context.scripts };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    // thousands of elements inside each other
    return {
      html: `<pre>${escapeHtml(text.slice(0, 10_000))}</pre>`,
      scripts: 0,
    };
  }
}
