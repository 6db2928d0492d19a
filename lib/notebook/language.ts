/**
 * What TypeScript knows of names in cells: from `deno lsp`, Deno's own
 * language server, which resolves imports as the kernel does. It is a process
 * of its own, started by the first question; an answer that is late is none.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { cellCode } from "./code.ts";

const START = 10_000; // ms that the server may take to begin
const LIMIT = 3000; // ms that an answer may take; completion waits for it

interface Place {
  line: number;
  character: number;
}
interface Marked {
  kind?: string;
  value: string;
}
interface Hover {
  contents: Marked | string | (Marked | string)[];
}
interface Signatures {
  signatures: { label: string; documentation?: Marked | string }[];
  activeSignature?: number;
}
interface Item {
  label: string;
  kind?: number;
  sortText?: string;
}
interface Diagnostic {
  range: { start: Place };
  severity?: number;
  code?: number | string;
  source?: string;
  message: string;
}

/** Kinds of completion as front ends draw them, by LSP's numbers. */
const KINDS: Record<number, string> = {
  ...{ 2: "function", 3: "function", 5: "property", 6: "instance", 7: "class" },
  ...{ 8: "interface", 9: "module", 10: "property", 14: "keyword" },
};

/** A server that speaks JSON-RPC on its stdin and stdout. */
class Server {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #waiting = new Map<number, (result: unknown) => void>();
  #last = 0;
  #sent: Promise<unknown> = Promise.resolve();

  constructor(readonly folder: string) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["lsp", "--quiet"],
      cwd: folder,
      env: { DENO_NO_UPDATE_CHECK: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#read().catch(() => {}).finally(() => {
      for (const answer of this.#waiting.values()) answer(undefined);
    });
  }

  /** The result; `undefined` when it is an error, or late. */
  async ask(method: string, params: unknown, ms: number): Promise<unknown> {
    const id = ++this.#last;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<undefined>((r) =>
      timer = setTimeout(() => r(undefined), ms)
    );
    const answer = new Promise<unknown>((r) => this.#waiting.set(id, r));
    this.#send({ id, method, params });
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  tell(method: string, params: unknown): void {
    this.#send({ method, params });
  }

  async stop(): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch { /* it has ended */ }
    await this.#child.status;
    await this.#writer.close().catch(() => {});
  }

  #send(message: object) {
    const body = new TextEncoder().encode(
      JSON.stringify({ jsonrpc: "2.0", ...message }),
    );
    const head = new TextEncoder().encode(
      `Content-Length: ${body.length}\r\n\r\n`,
    );
    const whole = new Uint8Array([...head, ...body]);
    this.#sent = this.#sent.then(() => this.#writer.write(whole)).catch(
      () => {},
    );
  }

  async #read() {
    let bytes = new Uint8Array();
    for await (const chunk of this.#child.stdout) {
      bytes = new Uint8Array([...bytes, ...chunk]);
      while (true) {
        const head = new TextDecoder().decode(bytes.subarray(0, 200));
        const [all, length] = /Content-Length: (\d+)[^]*?\r\n\r\n/.exec(head) ??
          [];
        if (!all || bytes.length < all.length + Number(length)) break;
        const end = all.length + Number(length);
        const body = new TextDecoder().decode(bytes.subarray(all.length, end));
        bytes = bytes.slice(end);
        this.#take(JSON.parse(body));
      }
    }
  }

  #take(
    m: {
      id?: number;
      method?: string;
      result?: unknown;
      params?: { items?: unknown[] };
    },
  ) {
    if (m.method === undefined) return this.#waiting.get(m.id!)?.(m.result);
    // What the server asks, as for settings, is answered by its defaults.
    if (m.id !== undefined) {
      this.#send({
        id: m.id,
        result: m.params?.items?.map(() => null) ?? null,
      });
    }
  }
}

const textOf = (v: Hover["contents"] | undefined): string =>
  [v ?? []].flat().map((part) => typeof part === "string" ? part : part.value)
    .join("\n\n").trim();

/** Cells as one text, and questions about the last of them. */
export class Language {
  readonly #folder: string;
  readonly #cells = new Map<string, string>();
  #server: Server | undefined;
  #ready: Promise<unknown> | undefined;
  #version = 0;
  #open = false;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** A cell is run: what it defines is known below it. */
  ran(code: string, id: string = code): void {
    this.#cells.delete(id);
    this.#cells.set(id, code);
  }

  /** What a front end shows of the name under the cursor, as Markdown. */
  async inspect(code: string, cursor: number): Promise<string | undefined> {
    const at = await this.#show(code, cursor);
    const hover = await at.ask("textDocument/hover", START) as
      | Hover
      | undefined;
    const found = textOf(hover?.contents);
    if (found) return found;
    const help = await at.ask("textDocument/signatureHelp") as
      | Signatures
      | undefined;
    const signature = help?.signatures[help.activeSignature ?? 0];
    if (!signature) return;
    return ["```typescript", signature.label, "```"].join("\n") + "\n\n" +
      textOf(signature.documentation);
  }

  /** Names that may stand at the cursor, with their kinds. */
  async complete(
    code: string,
    cursor: number,
  ): Promise<{ text: string; type: string }[]> {
    const at = await this.#show(code, cursor);
    const answer = await at.ask("textDocument/completion") as
      | { items: Item[] }
      | Item[]
      | undefined;
    const items = Array.isArray(answer) ? answer : answer?.items ?? [];
    return items
      .toSorted((a, b) => (a.sortText ?? "") < (b.sortText ?? "") ? -1 : 1)
      .map(({ label, kind }) => ({
        text: label.replace(/[?(].*$/, ""),
        type: KINDS[kind ?? 0] ?? "",
      }));
  }

  /** What is wrong with the types of a cell: a line each. */
  async check(code: string): Promise<string[]> {
    const at = await this.#show(code, 0);
    const answer = await at.ask("textDocument/diagnostic", START) as
      | { items: Diagnostic[] }
      | undefined;
    return (answer?.items ?? [])
      .filter((d) => d.severity === 1 && d.range.start.line >= at.first)
      // A cell may declare again what one above has declared.
      .filter((d) => d.code !== 2451 && d.code !== 2300)
      .map((d) => `line ${d.range.start.line - at.first + 1}: ${d.message}`);
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
  }

  /** The document with `code` at its end. */
  async #show(code: string, cursor: number) {
    const server = this.#server ??= new Server(this.#folder);
    await (this.#ready ??= this.#start(server));
    const text = this.#above(code);
    const first = text.split("\n").length - 1;
    const uri = pathToFileURL(join(this.#folder, "cells-of-kernel.ts")).href;
    const version = ++this.#version;
    if (!this.#open) {
      this.#open = true;
      server.tell("textDocument/didOpen", {
        textDocument: {
          ...{ uri, version, languageId: "typescript", text: text + code },
        },
      });
    } else {
      server.tell("textDocument/didChange", {
        textDocument: { uri, version },
        contentChanges: [{ text: text + code }],
      });
    }
    const before = [...code].slice(0, cursor).join("").split("\n");
    const position = {
      line: first + before.length - 1,
      character: before.at(-1)!.length,
    };
    const params = { textDocument: { uri }, position };
    return {
      first,
      ask: (method: string, ms = LIMIT) => server.ask(method, params, ms),
    };
  }

  /** The cells above; not those whose names are all declared again. */
  #above(code: string): string {
    const names = new Set<string>(cellCode(code).defines);
    const kept: string[] = [];
    for (const cell of [...this.#cells.values()].reverse()) {
      const { defines } = cellCode(cell);
      if (defines.size && defines.isSubsetOf(names)) continue;
      defines.forEach((name) => names.add(name));
      kept.unshift(cell);
    }
    return kept.map((cell) => `${cell}\n;\n`).join("");
  }

  async #start(server: Server): Promise<void> {
    const rootUri = pathToFileURL(join(this.#folder, "/")).href;
    await server.ask("initialize", {
      processId: Deno.pid,
      rootUri,
      workspaceFolders: [{ uri: rootUri, name: "notebook" }],
      capabilities: {
        workspace: { workspaceFolders: true }, // else it reads no deno.json
        textDocument: {
          hover: { contentFormat: ["markdown"] },
          completion: { completionItem: {} },
          diagnostic: {},
        },
      },
      // It would read all files of the project first.
      initializationOptions: {
        enable: true,
        lint: false,
        documentPreloadLimit: 0,
      },
    }, START);
    server.tell("initialized", {});
  }
}
