/**
 * How much a browser has to draw for an SVG whose parts refer to each other:
 * ten groups that each show the next one ten times are 10^10 shapes.
 */

import { Parser } from "htmlparser2";
import { decoded } from "./links.ts";

/** Elements, counted with what each refers to, that a browser draws in 3 s. */
export const MOST_DRAWN = 100_000;
/** Such elements that each step of a filter takes as long as. */
const FILTER_STEP = 1_000;
const BLURS = /\b(blur|drop-shadow)\s*\(/gi;
/** Pictures within pictures within pictures. */
const DEEPEST_PICTURE = 3;

interface Element {
  id?: string;
  weight: number;
  children: Element[];
  /** ids that it refers to */
  refs: string[];
  /** ids that what is in it refers to as well: patterns and markers */
  inherited: string[];
  /** of the pictures that it holds as data URIs */
  pictures: number;
}

/** What a CSS escape stands for. */
const unescape = (css: string) =>
  css.includes("\\")
    ? css.replace(
      /\\([0-9a-f]{1,6})\s?/gi,
      (_, hex) => String.fromCodePoint(Math.min(parseInt(hex, 16), 0x10ffff)),
    ).replace(/\\(.)/g, "$1")
    : css;

/** Adds what an attribute refers to. */
function addReferences(to: Element, name: string, value: string) {
  if (/^(xlink:)?href$/i.test(name)) {
    if (/^\s*#/.test(value)) to.refs.push(decoded(value.trim().slice(1)));
    return;
  }
  const css = unescape(value);
  if (/^style$/i.test(name)) {
    for (const declaration of css.split(";")) {
      const colon = declaration.indexOf(":");
      const property = declaration.slice(0, Math.max(colon, 0)).trim();
      addReferences(to, `${property}-`, declaration.slice(colon + 1));
    }
    return;
  }
  const list = /^(fill|stroke|marker)/i.test(name) ? to.inherited : to.refs;
  for (const [, id] of css.matchAll(/url\(\s*["']?#([^"')\s]*)/gi)) {
    list.push(decoded(id));
  }
}

/** The text of an SVG in a data URI, where `uri` is one. */
function pictureIn(uri: string): string | undefined {
  const [head] = /^\s*data:image\/svg\+xml[^,]{0,99},/i.exec(uri) ?? [];
  if (head === undefined) return;
  const body = uri.slice(head.length);
  try {
    return /;base64,$/i.test(head) ? atob(body) : decodeURIComponent(body);
  } catch {
    return ""; // no browser reads it either
  }
}

/** {@link costOfReferences} of a picture that is a data URI. */
export function costOfPicture(uri: string): number {
  const svg = pictureIn(uri);
  return svg ? costOfReferences(svg, true) : 0;
}

/**
 * Shapes drawn for `markup`, each with all that it and the groups around it
 * refer to; infinite where they cannot be counted.
 */
export function costOfReferences(
  markup: string,
  xml = false,
  depth = 0,
): number {
  if (
    !/<(\w+:)?use\b|url\s*\(|\\|data:image\/svg|(blur|shadow)\s*\(/i.test(
      markup,
    )
  ) return 0;
  if (depth > DEEPEST_PICTURE || (xml && /<!ENTITY/i.test(markup))) {
    return Infinity;
  }
  // Markers are drawn at every point of a line.
  const marked = /marker/i.test(markup);
  const root: Element = element({});
  const open = [root];
  const byId = new Map<string, Element>();
  let sheets = false;
  const parser = new Parser({
    onopentag(name, attributes) {
      const made = element(attributes);
      // one colour at each point, however many stops
      if (/gradient$|^stop$/i.test(name)) made.weight = 0;
      if (/^(.*:)?style$/i.test(name)) sheets = true;
      else if (/^(.*:)?fe[A-Z]/i.test(name)) made.weight = FILTER_STEP;
      open.at(-1)!.children.push(made);
      open.push(made);
      if (made.id !== undefined && !byId.has(made.id)) byId.set(made.id, made);
    },
    ontext(text) {
      if (sheets && /(url|blur|shadow)\s*\(/i.test(unescape(text))) {
        root.weight = Infinity;
      }
    },
    onclosetag(name) {
      if (/^(.*:)?style$/i.test(name)) sheets = false;
      if (open.length > 1) open.pop();
    },
  }, { xmlMode: xml, lowerCaseAttributeNames: false });

  function element(attributes: Record<string, string>): Element {
    const made: Element = {
      weight: 1,
      children: [],
      refs: [],
      inherited: [],
      pictures: 0,
    };
    for (const [name, value] of Object.entries(attributes)) {
      if (/^id$/i.test(name)) made.id = value;
      if (/^(d|points)$/i.test(name)) {
        if (marked) made.weight += value.length / 4;
        continue;
      }
      addReferences(made, name, value);
      if (/^(filter|style)$/i.test(name)) {
        made.weight += FILTER_STEP *
          (unescape(value).match(BLURS)?.length ?? 0);
      }
      const picture = pictureIn(value);
      if (picture !== undefined) {
        made.pictures += costOfReferences(picture, true, depth + 1);
      }
    }
    return made;
  }

  parser.end(markup);

  const known = new Map<Element, number>();
  const busy = new Set<Element>();
  const cost = (one: Element): number => {
    const before = known.get(one);
    if (before !== undefined) return before;
    if (busy.has(one)) return 0; // a ring is drawn nowhere
    busy.add(one);
    const sum = (elements: Element[]) =>
      elements.reduce((n, element) => n + cost(element), 0);
    const all = (ids: string[]) => sum(ids.flatMap((id) => byId.get(id) ?? []));
    const drawn = sum(one.children) + one.weight + all(one.refs);
    const total = drawn * (1 + all(one.inherited)) + one.pictures;
    busy.delete(one);
    known.set(one, total);
    return total;
  };
  try {
    return cost(root);
  } catch (error) {
    if (error instanceof RangeError) return Infinity; // a chain without end
    throw error;
  }
}
