/** HTML and SVG of outputs, reduced to what cannot run, load or collide. */
import { parseHTML } from "linkedom";
import { escapeHtml } from "./ansi.ts";

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
const VOID = new Set(["br", "col", "hr", "img", "wbr"]);
const FORBIDDEN_ATTRIBUTES = new Set(
  `action formaction srcset ping background poster srcdoc target autofocus
  contenteditable manifest http-equiv xml:base is slot popover
  popovertarget nonce name`.split(/\s+/),
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
  } else if (lower === "style" || /url\s*\(/i.test(value)) {
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

function serialise(node: Node, context: Context): string {
  if (node.nodeType === TEXT) return escapeHtml(node.textContent ?? "");
  if (node.nodeType !== ELEMENT) return "";
  const lower = node.localName.toLowerCase();
  if (DROPPED.has(lower)) return "";
  if (lower === "style") return scoped(node.textContent ?? "", context);
  const inner = () =>
    Array.from(node.childNodes, (n) => serialise(n, context)).join("");
  const tag = ALLOWED.get(lower);
  if (!tag) return inner();
  const attributes = Array.from(
    node.attributes,
    (a) => attribute(tag, a.name, a.value, context),
  ).join("");
  const open = `<${tag}${attributes}>`;
  return VOID.has(tag) ? open : `${open}${inner()}</${tag}>`;
}

/**
 * HTML or SVG without scripts, event handlers, frames, forms or anything
 * loaded from outside. Every id, and every reference to one, gets `prefix`;
 * style sheets apply inside the element with the class `prefix` only.
 *
 * The markup is written anew from an allowlist, never passed through.
 */
export function sanitise(markup: string, prefix: string): string {
  const text = markup.replace(/^\s*<\?xml[^]*?\?>/, "")
    .replace(/<!doctype[^>]*>/gi, "");
  const { document } = parseHTML(
    `<!doctype html><html><body><div>${text}</div></body></html>`,
  ) as unknown as Parsed;
  const ids = new Set<string>();
  for (const e of document.querySelectorAll("[id]")) {
    ids.add(e.getAttribute("id") ?? "");
  }
  return Array.from(
    document.body.childNodes,
    (n) => serialise(n, { prefix, ids }),
  ).join("");
}
