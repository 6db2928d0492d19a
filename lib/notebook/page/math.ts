/** Formulas as KaTeX draws them, with the fonts they need inside the page. */
import katex from "katex";
import { escapeHtml } from "../ansi.ts";
import { LIMITS, withCommas } from "../page_limits.ts";

/** A macro may stand for a text that is far longer than it. */
const DEFINES =
  /\\(?:[gex]?def|(?:re)?newcommand|providecommand|let|futurelet)\b/;
/** What old notebooks use and KaTeX does not know, and what looks the same. */
const OLD = /(\\(?:begin|end)\{)(eqnarray|multline)(\*?\})/g;

/**
 * A formula as HTML, with MathML beside it for screen readers. One that cannot
 * be drawn, as it is too long or nested too deep, is a box with its source.
 */
export function math(tex: string, displayMode: boolean): string {
  const most = DEFINES.test(tex) ? LIMITS.macros : LIMITS.formula;
  if (tex.length > most) {
    return undrawn(tex, `it has more than ${withCommas(most)} characters`);
  }
  if (depthOf(tex) > LIMITS.formulaDepth) {
    return undrawn(tex, `it is nested more than ${LIMITS.formulaDepth} deep`);
  }
  const known = tex.replace(
    OLD,
    (_, head, name, tail) =>
      head + (name === "multline" ? "gather" : "align") + tail,
  );
  try {
    return katex.renderToString(known, {
      displayMode,
      output: "htmlAndMathml",
      throwOnError: false,
      errorColor: "var(--bad)",
      strict: "ignore",
      maxSize: 50,
      trust: false,
    });
  } catch (error) {
    return undrawn(tex, (error as Error).message.split("\n")[0]);
  }
}

function depthOf(tex: string): number {
  let depth = 0, most = 0;
  for (const [, open] of tex.matchAll(/(\{|\\left\b)|\}|\\right\b/g)) {
    depth = Math.max(0, depth + (open ? 1 : -1));
    most = Math.max(most, depth);
  }
  return most;
}

function undrawn(tex: string, why: string): string {
  const part = tex.length > 500 ? `${tex.slice(0, 500)}…` : tex;
  return `<span class="missing">Formula not drawn: ${escapeHtml(why)}. <code>${
    escapeHtml(part)
  }</code></span>`;
}

interface Sheet {
  rules: string;
  faces: { family: string; weight: string; style: string; file: string }[];
}
let sheet: Sheet | undefined;

const value = (css: string, name: string) =>
  new RegExp(`(?:^|[;{])${name}:([^;}]+)`).exec(css)?.[1];

async function readSheet(): Promise<Sheet> {
  const url = import.meta.resolve("katex/dist/katex.min.css");
  const css = await Deno.readTextFile(new URL(url));
  const faces = [...css.matchAll(/@font-face\{([^}]*)\}/g)].map(([, body]) => ({
    family: value(body, "font-family") ?? "",
    weight: value(body, "font-weight") ?? "400",
    style: value(body, "font-style") ?? "normal",
    file: new URL(/url\(([^)]+\.woff2)\)/.exec(body)?.[1] ?? "", url).href,
  }));
  return { rules: css.replace(/@font-face\{[^}]*\}/g, ""), faces };
}

/** Family, weight and style of each rule that applies to one of `classes`. */
function usedFaces(rules: string, classes: Set<string>): Set<string> {
  const used = new Set<string>();
  const applied = (selector: string) =>
    [...selector.matchAll(/\.([\w-]+)/g)].every((m) => classes.has(m[1]));
  for (const [, selectors, body] of rules.matchAll(/([^{}]+)\{([^}]*)\}/g)) {
    const family = /KaTeX_\w+/.exec(body)?.[0];
    const weight = value(body, "font-weight");
    const style = value(body, "font-style");
    if (!family && !weight && !style) continue;
    if (!selectors.split(",").some(applied)) continue;
    // bold and italic text takes the family of what it stands in
    const inherited = classes.has("textsf")
      ? ["KaTeX_Main", "KaTeX_SansSerif"]
      : ["KaTeX_Main"];
    for (const f of family ? [family] : inherited) {
      used.add(`${f} ${weight ?? "400"} ${style ?? "normal"}`);
    }
  }
  if (classes.has("textbf") && classes.has("textit")) {
    used.add("KaTeX_Main 700 italic");
  }
  return used;
}

/**
 * The style sheet for the formulas in `html`, with the fonts that they use as
 * data URIs; empty where there are none.
 */
export async function mathCss(html: string): Promise<string> {
  const classes = new Set<string>();
  for (const [, names] of html.matchAll(/<span class="([^"]*)"/g)) {
    for (const name of names.split(/\s+/)) classes.add(name);
  }
  if (!classes.has("katex")) return "";
  sheet ??= await readSheet();
  const used = usedFaces(sheet.rules, classes);
  const faces: string[] = [];
  for (const { family, weight, style, file } of sheet.faces) {
    if (!used.has(`${family} ${weight} ${style}`)) continue;
    const data = (await Deno.readFile(new URL(file))).toBase64();
    faces.push(
      `@font-face{font-family:${family};font-weight:${weight};` +
        `font-style:${style};src:url(data:font/woff2;base64,${data}) ` +
        `format("woff2")}`,
    );
  }
  return faces.join("\n") + sheet.rules;
}
