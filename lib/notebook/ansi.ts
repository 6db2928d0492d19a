/** Terminal text: what a reader would see, as plain text or as HTML. */

const ESCAPE =
  // deno-lint-ignore no-control-regex
  /\x1b(?:\[([0-9;:?]*)[ -/]*([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]+[0-~]|[0-Z\\^-~])/g;

/** The text without its escape sequences. */
export const stripAnsi = (text: string): string => text.replace(ESCAPE, "");

/** The text safe inside an element or a double-quoted attribute. */
export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

interface Style {
  classes: Set<string>;
  fg?: string;
  bg?: string;
}

const hex = (r: number, g: number, b: number) =>
  "#" +
  [r, g, b].map((v) => Math.min(255, v || 0).toString(16).padStart(2, "0"))
    .join("");

/** Colour of a 256-colour index: a class name, or a #rrggbb value. */
function indexed(n: number): string {
  if (n < 16) return `${n}`;
  if (n >= 232) {
    return hex(...[0, 0, 0].map(() => 8 + (n - 232) * 10) as [
      number,
      number,
      number,
    ]);
  }
  const level = (v: number) => v ? 55 + v * 40 : 0;
  const i = n - 16;
  return hex(
    level(Math.floor(i / 36)),
    level(Math.floor(i / 6) % 6),
    level(i % 6),
  );
}

function apply(style: Style, codes: number[]): Style {
  let s: Style = { ...style, classes: new Set(style.classes) };
  for (let i = 0; i < codes.length; i++) {
    const c = codes[i];
    if (c === 0) s = { classes: new Set() };
    else if (c >= 1 && c <= 9) {
      const name = { 1: "b", 2: "dim", 3: "i", 4: "u", 7: "inv", 9: "s" }[c];
      if (name) s.classes.add(name);
    } else if (c === 22) s.classes = minus(s.classes, "b", "dim");
    else if (c === 23) s.classes = minus(s.classes, "i");
    else if (c === 24) s.classes = minus(s.classes, "u");
    else if (c === 27) s.classes = minus(s.classes, "inv");
    else if (c === 29) s.classes = minus(s.classes, "s");
    else if (c >= 30 && c <= 37) s.fg = `${c - 30}`;
    else if (c >= 90 && c <= 97) s.fg = `${c - 82}`;
    else if (c >= 40 && c <= 47) s.bg = `${c - 40}`;
    else if (c >= 100 && c <= 107) s.bg = `${c - 92}`;
    else if (c === 39) s.fg = undefined;
    else if (c === 49) s.bg = undefined;
    else if (c === 38 || c === 48) {
      const key = c === 38 ? "fg" : "bg";
      if (codes[i + 1] === 5) s[key] = indexed(codes[i += 2] || 0);
      else if (codes[i + 1] === 2) {
        s[key] = hex(codes[i + 2], codes[i + 3], codes[i + 4]);
        i += 4;
      }
    }
  }
  return s;
}

const minus = (set: Set<string>, ...names: string[]) =>
  new Set([...set].filter((n) => !names.includes(n)));

function openTag(s: Style): string {
  const classes = [...s.classes].map((c) => `a-${c}`);
  const inline: string[] = [];
  for (
    const [value, name, css] of [[s.fg, "f", "color"], [
      s.bg,
      "g",
      "background",
    ]]
  ) {
    if (value?.startsWith("#")) inline.push(`${css}:${value}`);
    else if (value) classes.push(`a-${name}${value}`);
  }
  if (!classes.length && !inline.length) return "";
  return "<span" + (classes.length ? ` class="${classes.join(" ")}"` : "") +
    (inline.length ? ` style="${inline.join(";")}"` : "") + ">";
}

/**
 * Text with ANSI colours as HTML spans. `\r` goes back to the line's start
 * and writes over it, `\b` goes one back, as on a terminal; other escape
 * sequences are dropped.
 */
export function ansiToHtml(text: string): string {
  let style: Style = { classes: new Set() };
  let tag = "";
  const html = text.replaceAll("\r\n", "\n").split("\n").map((line) => {
    const cells: [string, string][] = []; // character, opening tag
    let at = 0;
    const write = (part: string) => {
      for (const c of part) {
        if (c === "\r") at = 0;
        else if (c === "\b") at = Math.max(0, at - 1);
        else if (c >= " " || c === "\t") cells[at++] = [c, tag];
      }
    };
    let last = 0;
    for (const m of line.matchAll(ESCAPE)) {
      write(line.slice(last, m.index));
      last = m.index + m[0].length;
      if (m[2] === "m") {
        style = apply(style, (m[1] || "0").split(/[;:]/).map(Number));
        tag = openTag(style);
      } else if (m[2] === "K") {
        if (m[1] === "2") cells.length = 0;
        else if (m[1] !== "1") cells.length = Math.min(cells.length, at);
      } else if (m[2] === "G") at = Math.max(0, (Number(m[1]) || 1) - 1);
    }
    write(line.slice(last));
    return group(cells);
  });
  return html.join("\n");
}

function group(cells: [string, string][]): string {
  let html = "", run = "", tag = "";
  const flush = () => {
    if (run) html += tag ? `${tag}${escapeHtml(run)}</span>` : escapeHtml(run);
    run = "";
  };
  for (const cell of Array.from(cells)) {
    const [c, t] = cell ?? [" ", ""];
    if (t !== tag) {
      flush();
      tag = t;
    }
    run += c;
  }
  flush();
  return html;
}
