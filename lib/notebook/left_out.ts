/** Outputs of a cell that are too large to be kept in its notebook. */
import { wrongMessage } from "./malformed.ts";
import { basename } from "node:path";
import type { Message } from "./kernel.ts";
import { LIMITS, sizeText } from "./limits.ts";
import type { MimeBundle, Output } from "./types.ts";

/**
 * Cuts what one cell prints, shows as plain text or says in an error, and takes
 * out what else it shows where that is too large; what is left out goes into
 * files beside the notebook.
 */
export class LeftOut {
  #room: number = LIMITS.text;
  #displayRoom: number = LIMITS.display;
  #displays = 0;
  #left = 0;
  #problem: string | undefined;
  readonly #file: string | undefined;

  /**
   * @param notebook where the outputs are saved, if they are
   * @param cell its number
   */
  constructor(notebook: string | undefined, cell: number) {
    this.#file = notebook?.replace(/(\.ipynb)?$/, `.cell-${cell}.txt`);
  }

  /** The message as the notebook keeps it. */
  cut(m: Message): Message {
    const c = m.content ?? {};
    if (wrongMessage(m.type, c)) return m; // which is told where it is taken
    if (m.type === "stream") {
      return { ...m, content: { ...c, text: this.#kept(String(c.text)) } };
    }
    if (m.type === "error") {
      const traceback = (c.traceback as string[] | undefined) ?? [];
      const evalue = String(c.evalue);
      const short = evalue.length > LIMITS.message
        ? `${evalue.slice(0, LIMITS.message)}…`
        : evalue;
      const trace = this.#kept(traceback.join("\n"));
      return {
        ...m,
        content: { ...c, evalue: short, traceback: trace ? [trace] : [] },
      };
    }
    const data = c.data as MimeBundle | undefined;
    return data ? { ...m, content: { ...c, data: this.#bundle(data) } } : m;
  }

  #bundle(data: MimeBundle): MimeBundle {
    const kept: MimeBundle = {};
    const notes: string[] = [];
    for (const [mime, value] of Object.entries(data)) {
      const text = typeof value === "string" ? value : JSON.stringify(value);
      if (mime === "text/plain") {
        kept[mime] = typeof value === "string" ? this.#kept(value) : value;
      } else if (text.length <= this.#displayRoom) {
        this.#displayRoom -= text.length;
        kept[mime] = value;
      } else notes.push(this.#keepDisplay(mime, text));
    }
    if (!notes.length) return kept;
    const lines = [kept["text/plain"], ...notes].filter(Boolean);
    return { ...kept, "text/plain": lines.join("\n") };
  }

  /** Writes what a cell shows into a file of its own; what is told of it. */
  #keepDisplay(mime: string, text: string): string {
    const [, end] = /([a-z\d]+)$/i.exec(mime.replace(/\+xml$/, "")) ?? [];
    const file = this.#file
      ?.replace(/txt$/, `${++this.#displays}.${end ?? "txt"}`);
    const what = `[${sizeText(text.length)} of ${mime} left out`;
    if (!file) return `${what}]`;
    try {
      const binary = /^(image|audio|video)\/(?!svg)/.test(mime);
      if (binary) Deno.writeFileSync(file, Uint8Array.fromBase64(text));
      else Deno.writeTextFileSync(file, text);
      return `${what}, in ${basename(file)}]`;
    } catch (error) {
      return `${what} and lost: ${(error as Error).message.split("\n")[0]}]`;
    }
  }

  /** What is told at the end of the cell, when something was left out. */
  note(): Output | undefined {
    if (!this.#left) return;
    const where = this.#problem !== undefined
      ? ` and lost: ${this.#problem}`
      : this.#file
      ? `, in ${basename(this.#file)}`
      : "";
    const text = `\n[${sizeText(this.#left)} left out${where}]\n`;
    return { output_type: "stream", name: "stdout", text };
  }

  #kept(text: string): string {
    const kept = text.slice(0, this.#room);
    this.#room -= kept.length;
    if (kept.length < text.length) this.#keepRest(text.slice(kept.length));
    return kept;
  }

  #keepRest(text: string) {
    try {
      if (this.#file && this.#problem === undefined) {
        Deno.writeTextFileSync(this.#file, text, { append: this.#left > 0 });
      }
    } catch (error) {
      this.#problem = (error as Error).message.split("\n")[0];
    }
    this.#left += text.length;
  }
}
