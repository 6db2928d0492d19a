/** Text of a cell that is too long to be kept in its notebook. */
import { basename } from "node:path";
import type { Message } from "./kernel.ts";
import { LIMITS, sizeText } from "./limits.ts";
import type { MimeBundle, Output } from "./types.ts";

/**
 * Cuts what one cell prints, shows as plain text or says in an error; what is
 * left out goes into a file beside the notebook.
 */
export class LeftOut {
  #room: number = LIMITS.text;
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
    const { content: c } = m;
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
    const plain = data?.["text/plain"];
    if (typeof plain !== "string" || plain.length <= this.#room) return m;
    const kept = { ...data, "text/plain": this.#kept(plain) };
    return { ...m, content: { ...c, data: kept } };
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
