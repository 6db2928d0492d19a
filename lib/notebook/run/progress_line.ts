/** A run's progress as text: one line that changes on a terminal, else lines. */
import { stripAnsi } from "../ansi.ts";
import type { RunEvent } from "./cell_run.ts";
import { fit, HARMFUL } from "../terminal_text.ts";

const DIM = 2, RED = 31, YELLOW = 33, BOLD = 1;
const LONGEST = 300; // characters of a line that are shown
const LONGEST_REST = 10_000; // characters of a line without an end
const LEAST = 10; // columns of a title on a terminal that has few
const CLEAR = "\r\x1b[2K";

export interface ProgressOptions {
  write: (text: string) => void;
  quiet?: boolean;
  /** columns of the terminal whose last line may change; else lines are added */
  columns?: number;
  colour?: boolean;
  prefix?: string;
  /** in ms; default performance.now */
  now?: () => number;
}

/** Takes a run's events; `tick` renews the changing line, `end` removes it. */
export interface Progress {
  take(event: RunEvent): void;
  tick(): void;
  end(): void;
}

/** Writes events as lines: a cell, what it prints, how long it took. */
export function progress(o: ProgressOptions): Progress {
  const prefix = o.prefix ?? "";
  const now = o.now ?? (() => performance.now());
  const paint = (code: number, text: string) =>
    o.colour ? `\x1b[${code}m${text}\x1b[0m` : text;
  const write = (text: string) => {
    try {
      o.write(text);
    } catch { /* the terminal is gone; the run is ended by its signal */ }
  };
  const changes = o.columns !== undefined && !o.quiet;
  let cell: { count: string; title: string; start: number } | undefined;
  let rest = ""; // of a line that is not ended yet
  let last = "";
  const line = (text: string) => {
    write(`${changes ? CLEAR : ""}${prefix}${text}\n`);
  };
  const tick = () => {
    if (!changes || !cell) return;
    const seconds = Math.floor((now() - cell.start) / 1000);
    const room = o.columns! - 1 - prefix.length;
    const title = fit(cell.title, Math.max(Math.floor(room / 3), LEAST));
    const text = [`${cell.count} ${title}`, `${seconds} s`, last]
      .filter(Boolean).join(" · ");
    write(`${CLEAR}${prefix}${fit(text, Math.max(room, LEAST))}`);
  };
  /** What a line shows in the end, without colours and other orders. */
  const plain = (text: string) =>
    stripAnsi(text.replace(/\r$/, "").split("\r").at(-1)!)
      .replaceAll("\t", "  ").replace(HARMFUL, "");
  const print = (text: string) => {
    const shown = plain(text);
    if (!shown.trim()) return;
    last = shown.trim();
    if (!changes) line(paint(DIM, `    ${shown.slice(0, LONGEST)}`));
  };
  const take = (event: RunEvent) => {
    if (event.type === "warning") {
      line(`${paint(YELLOW, "warning:")} ${plain(event.message)}`);
      return tick();
    }
    if (o.quiet) return;
    if (event.type === "cell-start") {
      const count = `[${event.index}/${event.total}]`;
      cell = { count, title: plain(event.title), start: now() };
      last = "";
      if (changes) tick();
      else line(`${paint(BOLD, count)} ${cell.title}`);
    } else if (event.type === "output") {
      const lines = (rest + event.text).split("\n");
      rest = lines.pop()!.slice(-LONGEST_REST);
      lines.forEach(print);
      if (changes && rest.trim()) {
        last = plain(rest).trim() || last;
      }
      tick();
    } else if (event.type === "cell-end") {
      print(rest);
      rest = "";
      const time = `${event.seconds.toFixed(2)} s`;
      const told = event.ok ? paint(DIM, time) : paint(RED, `failed, ${time}`);
      if (!changes) line(`    ${told}`);
      else if (cell) {
        const taken = `${prefix}${cell.count}   ${event.ok ? "" : "failed, "}`;
        const room = o.columns! - 1 - taken.length - time.length;
        const title = fit(cell.title, Math.max(room, LEAST));
        line(`${paint(BOLD, cell.count)} ${title}  ${told}`);
      }
      cell = undefined;
    }
  };
  return {
    take,
    tick,
    end() {
      if (changes && cell) write(CLEAR);
      cell = undefined;
    },
  };
}
