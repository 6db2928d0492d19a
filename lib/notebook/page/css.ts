/** Style sheets and style attributes of outputs, written anew from allow-lists. */
import parse from "css-tree/parser";
import generate from "css-tree/generator";
import walk from "css-tree/walker";

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

/** A node and all below it. */
const partsOf = (node: Node): Node[] => {
  const all: Node[] = [];
  walk(node, (part: Node) => void all.push(part));
  return all;
};

const childrenOf = (node?: Node | null): Node[] => {
  const all: Node[] = [];
  node?.children?.forEach((child) => all.push(child));
  return all;
};

const within = (node: Node, types: Set<string>): boolean =>
  partsOf(node).every(({ type }) => types.has(type));

/** Names of one output's elements get its prefix; what loads is refused. */
const isSafePart = (node: Node, prefix: string): boolean => {
  if (node.type === "Function") return FUNCTIONS.has(node.name!.toLowerCase());
  if (node.type !== "Url") return VALUES.has(node.type);
  const url = node.value as string;
  node.value = `#${prefix}${url.slice(1)}`;
  return url.startsWith("#");
};

function declarationIsSafe(node: Node, prefix: string, urls: boolean): boolean {
  const property = node.property!.toLowerCase();
  const value = node.value as Node;
  if (!PROPERTY.test(property) || value.type !== "Value") return false;
  if (property === "position") {
    const [word, ...more] = childrenOf(value);
    return word?.type === "Identifier" && !more.length &&
      POSITIONS.has(word.name!.toLowerCase());
  }
  const parts = partsOf(value);
  if (!urls && parts.some(({ type }) => type === "Url")) return false;
  if (isCostly(property, value, parts)) return false;
  return parts.every((part) => isSafePart(part, prefix));
}

/** Variables that a value holds beside each other: each may hold as many. */
function variables(value: Node): number {
  let count = 0;
  walk(value, ({ type, name }: Node) => {
    if (type !== "Function" || name!.toLowerCase() !== "var") return;
    count++;
    return walk.skip; // what stands for one that is missing
  });
  return count;
}

/** Whether a browser takes long to draw a value, or never ends. */
function isCostly(property: string, value: Node, parts: Node[]): boolean {
  const limit = property.startsWith("--") ? 1 : MOST_PARTS;
  return parts.length > MOST_PARTS || variables(value) > limit ||
    parts.some(({ type, value }) =>
      type === "String" && property !== "d" &&
      (value as string).length > LONGEST_TEXT
    );
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
  for (const part of isRule ? partsOf(node.prelude) : []) {
    if (part.type === "IdSelector") part.name = prefix + part.name;
  }
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
