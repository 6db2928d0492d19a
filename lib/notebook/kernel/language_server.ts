/**
 * What TypeScript knows of names in cells: from `deno lsp`, Deno's own
 * language server, which resolves imports as the kernel does. It is a process
 * of its own, started by the first question.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import type Lsp from "vscode-languageserver-protocol/node";
import type {
  CompletionItem,
  CompletionList,
  Diagnostic,
  Hover,
  MessageConnection,
  SignatureHelp,
} from "vscode-languageserver-protocol/node";
import { cellCode } from "../code/code.ts";

/** Kinds of completion as front ends draw them, by LSP's numbers. */
const KINDS: Record<number, string> = {
  ...{ 2: "function", 3: "function", 5: "property", 6: "instance", 7: "class" },
  ...{ 8: "interface", 9: "module", 10: "property", 14: "keyword" },
};

/** `deno lsp`, asked by JSON-RPC on its stdin and stdout. */
class Server {
  readonly #connection: MessageConnection;

  constructor(readonly child: ChildProcess, lsp: typeof Lsp) {
    this.#connection = lsp.createMessageConnection(
      new lsp.StreamMessageReader(child.stdout!),
      new lsp.StreamMessageWriter(child.stdin!),
    );
    // What the server asks, as for settings, is answered by its defaults.
    this.#connection.onRequest((_, params) =>
      (params as { items?: unknown[] } | null)?.items?.map(() => null) ?? null
    );
    this.#connection.onError(() => {});
    this.#connection.onClose(() => this.#connection.dispose());
    this.#connection.listen();
  }

  static async start(cwd: string): Promise<Server> {
    // Only here: a kernel that nobody asks has no need of it.
    const lsp = await import("vscode-languageserver-protocol/node");
    const env = { ...process.env, DENO_NO_UPDATE_CHECK: "1" };
    const child = spawn(Deno.execPath(), ["lsp", "--quiet"], {
      ...{ cwd, env, stdio: ["pipe", "pipe", "ignore"] },
    });
    child.stdin!.on("error", () => {});
    return new Server(child, lsp);
  }

  /** The result; `undefined` when it is an error, or the server has ended. */
  ask<T>(method: string, params: unknown): Promise<T | undefined> {
    return this.#connection.sendRequest<T | null>(method, params)
      .then((v) => v ?? undefined, () => undefined);
  }

  tell(method: string, params: unknown): void {
    this.#connection.sendNotification(method, params).catch(() => {});
  }

  async stop(): Promise<void> {
    const ended = new Promise((r) => this.child.once("exit", r));
    this.#connection.dispose();
    if (this.child.exitCode === null && this.child.kill("SIGKILL")) await ended;
  }
}

const hoverText = (v: Hover["contents"] | string = []): string =>
  [v].flat().map((part) => typeof part === "string" ? part : part.value)
    .join("\n\n").trim();

/** Cells as one text, and questions about the last of them. */
export class Language {
  readonly #folder: string;
  readonly #cells = new Map<string, string>();
  #server: Promise<Server> | undefined;
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
    const hover = await at.ask<Hover>("textDocument/hover");
    const found = hoverText(hover?.contents);
    if (found) return found;
    const help = await at.ask<SignatureHelp>("textDocument/signatureHelp");
    const signature = help?.signatures[help.activeSignature ?? 0];
    if (!signature) return;
    return ["```typescript", signature.label, "```"].join("\n") + "\n\n" +
      hoverText(signature.documentation);
  }

  /** Names that may stand at the cursor, with their kinds. */
  async complete(
    code: string,
    cursor: number,
  ): Promise<{ text: string; type: string }[]> {
    const at = await this.#show(code, cursor);
    const answer = await at.ask<CompletionList | CompletionItem[]>(
      "textDocument/completion",
    );
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
    const answer = await at.ask<{ items: Diagnostic[] }>(
      "textDocument/diagnostic",
    );
    return (answer?.items ?? [])
      .filter((d) => d.severity === 1 && d.range.start.line >= at.first)
      // A cell may declare again what one above has declared.
      .filter((d) => d.code !== 2451 && d.code !== 2300)
      .map((d) => `line ${d.range.start.line - at.first + 1}: ${d.message}`);
  }

  async stop(): Promise<void> {
    await (await this.#server)?.stop();
  }

  /** The document with `code` at its end. */
  async #show(code: string, cursor: number) {
    const server = await (this.#server ??= this.#start());
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
      ask: <T>(method: string) => server.ask<T>(method, params),
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

  async #start(): Promise<Server> {
    const server = await Server.start(this.#folder);
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
    });
    server.tell("initialized", {});
    return server;
  }
}
