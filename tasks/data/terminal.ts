/** What the data commands write: results on stdout, all else on stderr. */
import { clean, fit, roomOf } from "../study/format.ts";

export { say, UsageError } from "../cli.ts";

/** Writes text to standard output; a reader may have closed it (`| head`). */
export function print(text: string): void {
  const bytes = new TextEncoder().encode(`${text}\n`);
  try {
    for (let at = 0; at < bytes.length;) {
      at += Deno.stdout.writeSync(bytes.subarray(at));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

export const BOLD = 1, DIM = 2, RED = 31, YELLOW = 33;

/** `text` in a colour, where standard output is a terminal. */
export function paint(code: number, text: string): string {
  return Deno.stdout.isTerminal() && !Deno.noColor
    ? `\x1b[${code}m${text}\x1b[0m`
    : text;
}

/** Least time between two drawings, in milliseconds. */
const DRAW_MS = 100;

/** A line that says how far long work is, where stderr is a terminal. */
export class Progress {
  #drawn = 0;
  readonly #shown = Deno.stderr.isTerminal() &&
    Deno.env.get("TERM") !== "dumb";

  /** `verb` as in "decoding images". */
  show(verb: string, done: number, total: number): void {
    const now = performance.now();
    if (!this.#shown || (done < total && now - this.#drawn < DRAW_MS)) return;
    this.#drawn = now;
    const share = total === 0 ? 100 : Math.floor(100 * done / total);
    const text = clean(`${verb}: ${done} of ${total} (${share} %)`);
    this.#write(`\r\x1b[K${fit(text, roomOf(Deno.stderr) - 1)}`);
  }

  /** Takes the line away. */
  end(): void {
    if (this.#shown) this.#write("\r\x1b[K");
  }

  #write(text: string): void {
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  }
}
