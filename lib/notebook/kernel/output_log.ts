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

/** Reads the files while they grow. */
export class OutputLog {
  #number = 0;
  #file: Deno.FsFile | undefined;
  /** The beginning of a line whose end was not there yet. */
  #rest: string[] = [];
  #decoder = new TextDecoder();

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
    this.#decoder = new TextDecoder();
    await Deno.remove(this.#path).catch(() => {});
    this.#number++;
  }

  async *#lines(file: Deno.FsFile): AsyncGenerator<Message> {
    for (let n; (n = await file.read(this.#chunk)) !== null;) {
      const bytes = this.#chunk.subarray(0, n);
      const [end, ...lines] = this.#decoder.decode(bytes, { stream: true })
        .split("\n");
      this.#rest.push(end);
      for (const line of lines) {
        const message = parsed(this.#rest.join(""));
        this.#rest = [line];
        if (message) yield message;
      }
    }
  }

  readonly #chunk = new Uint8Array(CHUNK);
}

/** The message of a line; undefined of an empty one, and one that was cut. */
function parsed(line: string): Message | undefined {
  try {
    return line ? { parent: undefined, ...JSON.parse(line) } : undefined;
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
