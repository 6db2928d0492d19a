/** Style sheets and style attributes of outputs, written anew from allow-lists. */
import parse from "css-tree/parser";
import generate from "css-tree/generator";

/** What is read of css-tree's syntax tree. */
interface Node {
  type: string;
  name?: string;
  value?: string | Node | null;
  property?: string;
  prelude?: Node | null;
  block?: Node | null;
  children?: { forEach(f: (n: Node) => void): void } | null;
}

/** A style sheet of more characters is left out. */
export const LARGEST_SHEET = 200_000;

/** Properties that draw; each may be followed by `-…`. */
const FAMILIES = `align background border fill flex flood font
  gap grid inset justify letter line list-style margin marker mask max min
  object outline overflow padding place stop stroke text transform transition
  white-space word break page-break counter`;
const SINGLE = `alignment-baseline aspect-ratio baseline-shift block-size bottom
  box-shadow box-sizing caption-side clear clip-path clip-rule color column-gap
  color-interpolation color-interpolation-filters color-scheme content cursor cx
  cy d direction display dominant-baseline empty-cells filter float height
  hyphens image-rendering inline-size isolation left mix-blend-mode opacity order
  orphans paint-order pointer-events position print-color-adjust quotes r right
  rotate row-gap rx ry scale shape-rendering tab-size table-layout top translate
  unicode-bidi user-select vector-effect vertical-align visibility widows width
  writing-mode x y z-index`;
const either = (names: string) => names.trim().split(/\s+/).join("|");
const PROPERTY = new RegExp(
  `^(--[\\w-]+|(${either(FAMILIES)})(-[a-z-]+)?|${either(SINGLE)})$`,
);
/**
 * Functions that load nothing, read nothing of the page and are drawn at once:
 * a few dozen blurs end a browser, and so do columns in columns.
 */
const FUNCTIONS = new Set(
  `brightness calc circle clamp color color-mix conic-gradient contrast
  counter counters cubic-bezier ellipse fit-content grayscale hsl
  hsla hue-rotate hwb inset invert lab lch light-dark linear-gradient matrix
  matrix3d max min minmax oklab oklch opacity path perspective polygon
  radial-gradient repeat repeating-conic-gradient repeating-linear-gradient
  repeating-radial-gradient rgb rgba rotate rotate3d rotatex rotatey rotatez
  saturate scale scale3d scalex scaley scalez sepia skew skewx skewy steps
  translate translate3d translatex translatey translatez var`.split(/\s+/),
);
const VALUES = new Set(
  `Value Identifier Number Percentage Dimension Hash String Operator Function
  Parentheses Brackets Url WhiteSpace`.split(/\s+/),
);
const SELECTORS = new Set(
  `SelectorList Selector TypeSelector ClassSelector IdSelector AttributeSelector
  PseudoClassSelector PseudoElementSelector Combinator NestingSelector Nth AnPlusB
  Identifier String`.split(/\s+/),
);
const QUERIES = new Set(
  `AtrulePrelude MediaQueryList MediaQuery Condition Feature FeatureRange Number
  Dimension Identifier Ratio`.split(/\s+/),
);
/** Parts of a value: of a thousand shadows each is drawn. */
const MOST_PARTS = 500;
/** Characters of a text that each element may repeat. */
const LONGEST_TEXT = 200;
/** An output may not choose what its place is measured from. */
const POSITIONS = new Set(["static", "relative", "absolute"]);

function childrenOf(node: Node): Node[] {
  const all: Node[] = [];
  node.children?.forEach((child) => all.push(child));
  for (const part of [node.value, node.prelude, node.block]) {
    if (part && typeof part === "object") all.push(part);
  }
  return all;
}

const within = (node: Node, types: Set<string>): boolean =>
  types.has(node.type) && childrenOf(node).every((n) => within(n, types));

/** Names of one output's elements get its prefix; what loads is refused. */
function valueIsSafe(node: Node, prefix: string): boolean {
  if (!VALUES.has(node.type)) return false;
  if (node.type === "Function" && !FUNCTIONS.has(node.name!.toLowerCase())) {
    return false;
  }
  if (node.type === "Url") {
    if (!/^#/.test(node.value as string)) return false;
    node.value = `#${prefix}${(node.value as string).slice(1)}`;
  }
  return childrenOf(node).every((n) => valueIsSafe(n, prefix));
}

function declarationIsSafe(node: Node, prefix: string, urls: boolean): boolean {
  const property = node.property!.toLowerCase();
  const value = node.value as Node;
  if (!PROPERTY.test(property) || value.type !== "Value") return false;
  if (property === "position") {
    const [word, ...more] = childrenOf(value);
    return word?.type === "Identifier" && !more.length &&
      POSITIONS.has(word.name!.toLowerCase());
  }
  if (!urls && hasUrl(value)) return false;
  if (isCostly(property, value)) return false;
  return valueIsSafe(value, prefix);
}

const partsOf = (node: Node): Node[] => [
  node,
  ...childrenOf(node).flatMap(partsOf),
];

/** Variables that a value holds beside each other: each may hold as many. */
const variables = (node: Node): number =>
  node.type === "Function" && node.name!.toLowerCase() === "var"
    ? 1
    : childrenOf(node).reduce((sum, child) => sum + variables(child), 0);

/** Whether a browser takes long to draw a value, or never ends. */
function isCostly(property: string, value: Node): boolean {
  const parts = partsOf(value);
  const limit = property.startsWith("--") ? 1 : MOST_PARTS;
  return parts.length > MOST_PARTS || variables(value) > limit ||
    parts.some(({ type, value }) =>
      type === "String" && property !== "d" &&
      (value as string).length > LONGEST_TEXT
    );
}

const hasUrl = (node: Node): boolean =>
  node.type === "Url" || childrenOf(node).some(hasUrl);

function prefixIds(node: Node, prefix: string) {
  if (node.type === "IdSelector") node.name = prefix + node.name;
  for (const child of childrenOf(node)) prefixIds(child, prefix);
}

/** A rule as text; empty where nothing of it may stay. */
function ruleText(node: Node, prefix: string): string {
  if (node.type === "Declaration") {
    return declarationIsSafe(node, prefix, false) ? generate(node) + ";" : "";
  }
  const isRule = node.type === "Rule";
  const isQuery = node.type === "Atrule" && /^media$/i.test(node.name!);
  if (!(isRule || isQuery) || !node.prelude || !node.block) return "";
  if (!within(node.prelude, isRule ? SELECTORS : QUERIES)) return "";
  if (isRule) prefixIds(node.prelude, prefix);
  const body = childrenOf(node.block).map((n) => ruleText(n, prefix)).join("");
  const head = generate(node.prelude);
  return body && `${isRule ? "" : "@media "}${head}{${body}}`;
}

/** What has more mistakes is no style sheet; each costs its reader time. */
const MOST_MISTAKES = 200;

/** `undefined` where it cannot be read. */
function tree(css: string, context: string): Node | undefined {
  let mistakes = 0;
  const onParseError = (error: Error) => {
    if (++mistakes > MOST_MISTAKES) throw error;
  };
  const options = { context, parseCustomProperty: true, onParseError };
  // The traces of a reader's mistakes take longer than the reading.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return parse(css, options) as Node;
  } catch {
    return; // not CSS, or nested without end
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/**
 * A style sheet that applies inside the element of the class `prefix` only.
 * Of its rules those stay whose selectors, properties and values are known to
 * be harmless; nothing in it refers to a picture or a pattern by `url()`.
 */
export function scopedSheet(css: string, prefix: string): string {
  if (css.length > LARGEST_SHEET) return "";
  const sheet = tree(css, "stylesheet");
  try {
    const rules = (sheet ? childrenOf(sheet) : [])
      .map((node) => ruleText(node, prefix))
      // In an SVG a style sheet's character references are decoded, and its
      // tags are tags.
      .filter((text) => !/<|&[#\w]/.test(text)).join("");
    return rules && `@scope (.${prefix}) {${rules}}`;
  } catch (error) {
    if (error instanceof RangeError) return ""; // nested without end
    throw error;
  }
}

/** A style attribute; its references to elements get `prefix`. */
export function safeStyle(css: string, prefix: string): string | undefined {
  const list = tree(css, "declarationList");
  const safe = (list ? childrenOf(list) : []).filter((node) =>
    node.type === "Declaration" && declarationIsSafe(node, prefix, true)
  );
  return safe.map((node) => generate(node)).join(";") || undefined;
}

const REFERENCE = /url\(\s*(["']?)#([^"'()\\]*)\1\s*\)/gi;
/** Words by which a value could load something. */
const LOADS = /url\s*\(|src\s*\(|image-set|\\/i;

/** The value of an attribute that draws, as `fill="url(#a)"`. */
export function safeValue(value: string, prefix: string): string | undefined {
  if (!LOADS.test(value)) return value;
  const safe = value.replace(REFERENCE, (_, _q, id) => `url(#${prefix}${id})`);
  return LOADS.test(safe.replace(REFERENCE, "")) ? undefined : safe;
}
