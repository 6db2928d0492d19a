/** Lines at the foot of a terminal that are drawn anew while work goes on. */
import stringWidth from "string-width";
import { writeAll } from "../lib/notebook/commands/mod.ts";
import { clean, fit, NARROWEST, roomOf } from "./text.ts";

/** A line; of one that is too long `setting` is cut before its end is. */
export interface Line {
  text: string;
  /** A part of the text. */
  setting?: string;
  /** A part that is left out where a shorter setting is not enough. */
  spare?: string;
  colour?: number;
}

/** What a screen draws on. */
export interface ScreenOptions {
  stream: { write(text: string): void };
  /** Whether lines can be drawn over. */
  isTerminal: boolean;
  /** Of the terminal, now: it may be resized. */
  columns: () => number;
  color: boolean;
  /** In milliseconds. */
  now: () => number;
}

/** Whether lines of the error stream can be drawn over. */
const isDrawn = Deno.stderr.isTerminal() && Deno.env.get("TERM") !== "dumb";

/** The error stream of this process. */
export const stderrScreen = (): ScreenOptions => ({
  stream: { write: (text) => writeAll(Deno.stderr, text) },
  isTerminal: isDrawn,
  columns: () => roomOf(Deno.stderr),
  color: isDrawn && !Deno.noColor,
  now: () => performance.now(),
});

interface Screen {
  /** There is something new; `line` stays above for good. */
  changed(line?: Line): void;
  /** Lets `work` write to the terminal while nothing is drawn on it. */
  outside(work: () => void): void;
  /** Leaves the last state, and the cursor as it was. */
  end(): void;
}

const DRAW_MS = 100;
const CLOCK_MS = 1000;

/** The line within `room` columns. */
function cut({ text, setting = "", spare = "" }: Line, room: number): string {
  const over = stringWidth(text) - room;
  if (over <= 0) return text;
  const width = Math.max(NARROWEST, stringWidth(setting) - over);
  const shorter = text.replace(setting, () => fit(setting, width));
  return fit(
    stringWidth(shorter) > room ? text.replace(spare, "") : shorter,
    room,
  );
}

/** Writing that outlives the terminal: the work is ended by its signal. */
export const writer =
  ({ stream }: Pick<ScreenOptions, "stream">) => (text: string) => {
    try {
      stream.write(text);
    } catch { /* the terminal or the pipe is gone */ }
  };

/** Draws `frame` whenever something changed, and every second. */
export function screen(
  o: ScreenOptions,
  frame: (room: number, isEnded: boolean) => Line[],
): Screen {
  const write = writer(o);
  let above: Line[] = [];
  /** Widths of the lines that the next frame is drawn over. */
  let drawn: number[] = [];
  let last = -Infinity;
  let dirty = false;
  let ended = false;

  const columns = () => Math.max(2, o.columns());
  /** Moves up over what is drawn. */
  const over = () => {
    // A terminal that was made narrower has wrapped what was drawn.
    const height = drawn.reduce(
      (sum, width) => sum + Math.max(1, Math.ceil(width / columns())),
      0,
    );
    drawn = [];
    return `${height ? `\x1b[${height}A` : ""}\r`;
  };
  const draw = () => {
    // The last column stays free: some terminals wrap after it.
    const room = columns() - 1;
    const shown = (line: Line) => ({ ...line, text: cut(line, room) });
    const foot = frame(room, ended).map(shown);
    const text = [...above.map(shown), ...foot].map(({ text, colour }) =>
      (o.color && colour ? `\x1b[${colour}m${text}\x1b[0m` : text) + "\x1b[K\n"
    ).join("");
    const start = last === -Infinity ? "\x1b[?25l" : "";
    write(`${start}${over()}${text}\x1b[J`);
    drawn = foot.map((line) => stringWidth(line.text));
    above = [];
    dirty = false;
    last = o.now();
  };

  const timer = setInterval(() => {
    if (o.now() - last >= (dirty ? DRAW_MS : CLOCK_MS)) draw();
  }, DRAW_MS);
  const end = () => {
    if (ended) return;
    ended = true;
    clearInterval(timer);
    globalThis.removeEventListener("unload", end);
    draw();
    write("\x1b[?25h");
  };
  globalThis.addEventListener("unload", end);

  return {
    changed(line) {
      if (line) above.push(line);
      dirty = true;
      if (o.now() - last >= DRAW_MS) draw();
    },
    outside(work) {
      if (!ended && last !== -Infinity) write(`${over()}\x1b[J`);
      work();
      if (!ended) draw();
    },
    end,
  };
}

/** A line that says how far long work is, where stderr is a terminal. */
export class Progress {
  #drawn = 0;
  readonly #write = isDrawn ? writer(stderrScreen()) : () => {};

  /** `verb` as in "decoding images". */
  show(verb: string, done: number, total: number): void {
    const now = performance.now();
    if (done < total && now - this.#drawn < DRAW_MS) return;
    this.#drawn = now;
    const share = total === 0 ? 100 : Math.floor(100 * done / total);
    const text = clean(`${verb}: ${done} of ${total} (${share} %)`);
    this.#write(`\r\x1b[K${fit(text, roomOf(Deno.stderr) - 1)}`);
  }

  /** Takes the line away. */
  end(): void {
    this.#write("\r\x1b[K");
  }
}
