/** Terminal text: what a reader would see, as plain text or as HTML. */
import { contrast, onPage, readableColour } from "./colour.ts";

const ESCAPE =
  // deno-lint-ignore no-control-regex
  /\x1b(?:\[([0-9;:?]*)[ -/]*([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]+[0-~]|[0-Z\\^-~])/g;

/** The text without its escape sequences. */
export const stripAnsi = (text: string): string => text.replace(ESCAPE, "");

/** The text safe inside an element or a double-quoted attribute. */
export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

/** {@link escapeHtml} of words, in which 1e-3 stands in one line. */
export const wordsHtml = (text: string): string =>
  escapeHtml(text).replace(
    /(?<![\w.-])\d[\d.]*e-\d+(?![\w-])/g, // in linear time
    '<span style="white-space:nowrap">$&</span>',
  );

/** What {@link escapeHtml} wrote, as it was. */
export const unescapeHtml = (text: string): string =>
  text.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));

interface Style {
  classes: Set<string>;
  fg?: string;
  bg?: string;
}

const hex = (...rgb: number[]) =>
  "#" +
  rgb.map((v) => Math.min(255, v || 0).toString(16).padStart(2, "0")).join("");

/** Colour of a 256-colour index: a class name, or a #rrggbb value. */
function indexed(n: number): string {
  if (n < 16) return `${n}`;
  if (n >= 232) return hex(...Array(3).fill(8 + (n - 232) * 10));
  const level = (v: number) => v ? 55 + v * 40 : 0;
  return hex(...[36, 6, 1].map((by) => level(Math.floor((n - 16) / by) % 6)));
}

/** Codes that turn a class on, and those that turn classes off. */
const ON: Record<number, string> = {
  ...{ 1: "b", 2: "dim", 3: "i", 4: "u", 7: "inv", 9: "s" },
};
const OFF: Record<number, string[]> = {
  ...{ 22: ["b", "dim"], 23: ["i"], 24: ["u"], 27: ["inv"], 29: ["s"] },
};

function apply(style: Style, codes: number[]): Style {
  let s: Style = { ...style, classes: new Set(style.classes) };
  for (let i = 0; i < codes.length; i++) {
    const c = codes[i], digit = `${c % 10}`;
    if (c === 0) s = { classes: new Set() };
    else if (ON[c]) s.classes.add(ON[c]);
    else if (OFF[c]) OFF[c].forEach((name) => s.classes.delete(name));
    else if (c >= 30 && c <= 37) s.fg = digit;
    else if (c >= 90 && c <= 97) s.fg = `${c - 82}`;
    else if (c >= 40 && c <= 47) s.bg = digit;
    else if (c >= 100 && c <= 107) s.bg = `${c - 92}`;
    else if (c === 39) s.fg = undefined;
    else if (c === 49) s.bg = undefined;
    else if (c === 38 || c === 48) {
      const key = c === 38 ? "fg" : "bg";
      if (codes[i + 1] === 5) s[key] = indexed(codes[i += 2] || 0);
      else if (codes[i + 1] === 2) {
        s[key] = hex(...[2, 3, 4].map((n) => codes[i + n]));
        i += 4;
      }
    }
  }
  return s;
}

/** How a character is drawn: the tags around it. */
interface Pen {
  open: string;
  close: string;
}
const PLAIN: Pen = { open: "", close: "" };

function pen(s: Style, link: string): Pen {
  const inverse = s.classes.has("inv");
  const [fg, bg] = inverse ? [s.bg, s.fg] : [s.fg, s.bg];
  const classes = [...s.classes].filter((c) => c !== "inv").map((c) =>
    `a-${c}`
  );
  let css = "";
  if (bg?.startsWith("#")) {
    const auto = contrast("#000000", bg) > contrast("#ffffff", bg)
      ? "#000000"
      : "#ffffff";
    css = `background:${bg};color:${
      fg?.startsWith("#") ? readableColour(fg, bg) : auto
    }`;
  } else if (bg) classes.push(`a-g${bg}`);
  else if (inverse) classes.push("a-inv");
  else if (fg?.startsWith("#")) css = `color:${onPage(fg)}`;
  else if (fg) classes.push(`a-f${fg}`);
  let { open, close } = PLAIN;
  if (classes.length || css) {
    open = "<span" + (classes.length ? ` class="${classes.join(" ")}"` : "") +
      (css ? ` style="${css}"` : "") + ">";
    close = "</span>";
  }
  if (/^(https?:|mailto:)/i.test(link)) {
    open = `<a href="${escapeHtml(link)}">${open}`;
    close += "</a>";
  }
  return { open, close };
}

type Row = { char: string; pen: Pen }[];
/** No escape code moves further than this. */
const FURTHEST = 10_000;
/** Thrown by a {@link Screen} whose codes ask for more than their length. */
const TOO_MUCH = Symbol("too much");

/** A terminal without an edge: rows of characters and a place to write. */
class Screen {
  /** characters that it may still set, fill, erase or show */
  #left: number;
  readonly #rows: Row[] = [[]];
  #row = 0;
  #at = 0;
  #style: Style = { classes: new Set() };
  #link = "";
  #pen = PLAIN;

  /** @param length of the text that will be written, codes included */
  constructor(length: number) {
    this.#left = 20 * length + 100_000;
  }

  #spend(n: number) {
    this.#left -= n;
    if (this.#left < 0) throw TOO_MUCH;
  }

  write(text: string) {
    let row = this.#rows[this.#row];
    for (const c of text) {
      if (c === "\n") {
        this.#moveTo(this.#row + 1, 0);
        row = this.#rows[this.#row];
      } else if (c === "\r") this.#at = 0;
      else if (c === "\b") this.#at = Math.max(0, this.#at - 1);
      else if (c >= " " || c === "\t") {
        this.#spend(Math.max(1, this.#at - row.length));
        while (row.length < this.#at) row.push({ char: " ", pen: PLAIN });
        row[this.#at++] = { char: c, pen: this.#pen };
      }
    }
  }

  /** A code `ESC [ argument letter`. */
  control(letter: string, argument: string) {
    if (letter === "m") {
      const codes = (argument || "0").split(/[;:]/).map(Number);
      this.#style = apply(this.#style, codes);
      this.#pen = pen(this.#style, this.#link);
      return;
    }
    const [first, second] = argument.split(";").map(Number);
    const n = Math.min(FURTHEST, first || 0), by = n || 1;
    if (letter === "A") this.#moveTo(this.#row - by, this.#at);
    else if (letter === "B") this.#moveTo(this.#row + by, this.#at, true);
    else if (letter === "C") this.#at = Math.min(FURTHEST, this.#at + by);
    else if (letter === "D") this.#at = Math.max(0, this.#at - by);
    else if (letter === "E") this.#moveTo(this.#row + by, 0, true);
    else if (letter === "F") this.#moveTo(this.#row - by, 0);
    else if (letter === "G") this.#at = by - 1;
    else if (letter === "H" || letter === "f") {
      this.#moveTo(by - 1, (second || 1) - 1, true);
    } else if (letter === "K") this.#eraseLine(n);
    else if (letter === "J") this.#eraseScreen(n);
  }

  link(target: string) {
    this.#link = target;
    this.#pen = pen(this.#style, target);
  }

  /** Cursor codes stay on the screen; a newline (not `within`) adds a row. */
  #moveTo(row: number, at: number, within = false) {
    const last = this.#rows.length - 1;
    this.#row = Math.max(0, within ? Math.min(row, last) : row);
    if (this.#row > last) this.#rows.push([]);
    this.#at = Math.min(FURTHEST, Math.max(0, at));
  }

  #eraseLine(mode: number) {
    const row = this.#rows[this.#row];
    if (mode === 0) row.length = Math.min(row.length, this.#at);
    else if (mode === 2) row.length = 0;
    else {
      const last = Math.min(this.#at, row.length - 1);
      this.#spend(last + 1);
      for (let i = 0; i <= last; i++) row[i] = { char: " ", pen: PLAIN };
    }
  }

  #eraseScreen(mode: number) {
    this.#eraseLine(mode);
    if (mode === 0) this.#rows.length = this.#row + 1;
    else if (mode === 1) {
      this.#spend(this.#row);
      for (let i = 0; i < this.#row; i++) this.#rows[i] = [];
    } else {
      this.#rows.splice(0, Infinity, []);
      this.#row = 0;
    }
  }

  html(): string {
    return this.#rows.map((row) => {
      const html = rowHtml(row);
      this.#spend(html.length);
      return html;
    }).join("\n");
  }
}

function rowHtml(row: Row): string {
  let html = "", run = "", last = PLAIN;
  const flush = () => {
    if (run) html += last.open + escapeHtml(run) + last.close;
    run = "";
  };
  for (const { char, pen } of row) {
    if (pen !== last && pen.open !== last.open) flush();
    last = pen;
    run += char;
  }
  flush();
  return html;
}

/** Addresses that are longer are no links. */
const LONGEST_LINK = 2_000;

/** The text as a terminal would show it in the end, as HTML. */
function screenHtml(text: string): string {
  const screen = new Screen(text.length);
  let last = 0;
  for (const m of text.matchAll(ESCAPE)) {
    screen.write(text.slice(last, m.index));
    last = m.index + m[0].length;
    if (m[2]) screen.control(m[2], m[1]);
    else if (m[0].startsWith("\x1b]8;")) {
      // deno-lint-ignore no-control-regex
      const link = /^\x1b\]8;[^;]*;([^\x07\x1b]*)/.exec(m[0])?.[1] ?? "";
      screen.link(link.length > LONGEST_LINK ? "" : link);
    }
  }
  screen.write(text.slice(last));
  return screen.html();
}

/**
 * Text without codes: of each line what follows its last carriage return, as
 * a terminal would show it where nothing else moves the cursor.
 */
export const plainText = (text: string): string =>
  stripAnsi(text).replaceAll("\r\n", "\n").split("\n").map((line) => {
    const end = line.endsWith("\r") ? line.length - 1 : line.length;
    return line.slice(line.lastIndexOf("\r", end - 1) + 1, end);
  }).join("\n");

/**
 * Text with ANSI codes as HTML, as a terminal would show it in the end:
 * colours as spans (moved until they read well in both themes), links,
 * `\r`, `\b`, cursor moves and erasing done; other codes are dropped. Text
 * whose codes would make it many times longer is shown without them.
 */
export function ansiToHtml(text: string): string {
  // deno-lint-ignore no-control-regex
  if (!/[\x00-\x08\x0b-\x1f]/.test(text)) return escapeHtml(text);
  // A code whose end never came is no text.
  const whole = text.replaceAll("\r\n", "\n")
    // deno-lint-ignore no-control-regex
    .replace(/\x1b(\[[0-9;:?]*|\][^\x07\x1b]*)?$/, "");
  try {
    return screenHtml(whole);
  } catch (error) {
    if (error !== TOO_MUCH) throw error;
    return `${escapeHtml(plainText(whole))}\n` +
      `<span class="a-dim">[shown without its cursor moves and colours: they ` +
      `would make it many times longer]</span>`;
  }
}
