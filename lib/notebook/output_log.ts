/**
 * What cells put out, as the prelude in the kernel writes it: files 0, 1, …, a
 * message a line as JSON. At a fence the kernel begins a new file, and the
 * fence names it, so that those before are read to their ends and removed.
 */
import { join } from "node:path";
import type { Message } from "./kernel.ts";

/** ms between two hints of the kernel that something was written. */
export const LOG_HINT = 50;

const CHUNK = 1 << 20; // bytes read at once
const JOINED = 1 << 16; // characters of printed text that make a message
const LINE_END = 10;

/** Reads the files while they grow. */
export class OutputLog {
  #number = 0;
  #file: Deno.FsFile | undefined;
  /** The beginning of a line whose end was not there yet. */
  #rest: Uint8Array[] = [];

  constructor(readonly folder: string) {}

  /** What is there and was not read before; of the files before `end` all. */
  async *read(end = 0): AsyncGenerator<Message> {
    while (true) {
      this.#file ??= await Deno.open(this.#path).catch(() => undefined);
      if (this.#file) yield* joined(this.#lines(this.#file));
      if (this.#number >= end || (!this.#file && end === Infinity)) return;
      await this.#next();
    }
  }

  /** Removes all files; nothing is read after it. */
  async close(): Promise<void> {
    this.#file?.close();
    this.#file = undefined;
    await Deno.remove(this.folder, { recursive: true }).catch(() => {});
  }

  get #path() {
    return join(this.folder, String(this.#number));
  }

  async #next() {
    this.#file?.close();
    this.#file = undefined;
    this.#rest = [];
    await Deno.remove(this.#path).catch(() => {});
    this.#number++;
  }

  async *#lines(file: Deno.FsFile): AsyncGenerator<Message> {
    for (let n; (n = await file.read(this.#chunk)) !== null;) {
      const bytes = this.#chunk.subarray(0, n);
      let from = 0;
      for (let to; (to = bytes.indexOf(LINE_END, from)) >= 0; from = to + 1) {
        const message = parsed([...this.#rest, bytes.subarray(from, to)]);
        this.#rest = [];
        if (message) yield message;
      }
      if (from < n) this.#rest.push(bytes.slice(from));
    }
  }

  readonly #chunk = new Uint8Array(CHUNK);
}

/** The message of a line; undefined of an empty one, and one that was cut. */
function parsed(parts: Uint8Array[]): Message | undefined {
  const decoder = new TextDecoder();
  const text = parts.map((p) => decoder.decode(p, { stream: true })).join("");
  if (!text) return;
  try {
    return { parent: undefined, ...JSON.parse(text) };
  } catch { /* a full disk cut it */ }
}

/** The same with printed lines of one stream that follow each other as one. */
async function* joined(
  messages: AsyncIterable<Message>,
): AsyncGenerator<Message> {
  let last: Message | undefined, texts: string[] = [], length = 0;
  const whole = () => ({
    ...last!,
    content: { ...last!.content, text: texts.join("") },
  });
  for await (const m of messages) {
    const { name, text, ferlab_fence } = m.content ?? {};
    const isText = m.type === "stream" && typeof text === "string";
    const goesOn = isText && last?.content.name === name &&
      last?.content.ferlab_fence === ferlab_fence;
    if (last && (!goesOn || length > JOINED)) {
      yield whole();
      last = undefined;
    }
    if (!isText) yield m;
    else if (last) {
      texts.push(text);
      length += text.length;
    } else [last, texts, length] = [m, [text], text.length];
  }
  if (last) yield whole();
}
