/** Local modules that were edited after a kernel had loaded them. */
import { readFileSync, statSync } from "node:fs";
import { dirname, relative } from "node:path";
import { ModuleFiles } from "./module_files.ts";

const SPECIFIER = /\b(?:from|import)\s*\(?\s*(["'])([^"'\n]+)\1/g;
const CODE = /\.[cm]?[jt]sx?$/;

/** What tells a file from its earlier self without reading it. */
function stamp(path: string): string | undefined {
  const info = statSync(path, { throwIfNoEntry: false });
  return info?.isFile() ? `${info.mtimeMs} ${info.size}` : undefined;
}

/** The modules of one kernel; a look at the text finds what they import. */
export class Edited {
  readonly #stamps = new Map<string, string | undefined>();

  constructor(readonly folder: string) {}

  /** A cell has run, and loaded what it imports. */
  loaded(code: string): void {
    const files = new ModuleFiles(this.folder);
    const todo: [text: string, from: string][] = [[code, this.folder]];
    for (const [text, from] of todo) { // grows while it is read
      for (const [, , specifier] of text.matchAll(SPECIFIER)) {
        const { path } = files.resolve(specifier, from);
        if (!path || !CODE.test(path) || this.#stamps.has(path)) continue;
        const now = stamp(path);
        this.#stamps.set(path, now);
        if (now) todo.push([readFileSync(path, "utf8"), dirname(path)]);
      }
    }
  }

  /** Those that changed; each change is told once. */
  changed(): string[] {
    return [...this.#stamps].flatMap(([path, before]) => {
      const now = stamp(path);
      if (now === before) return [];
      this.#stamps.set(path, now);
      const short = relative(this.folder, path);
      return short.startsWith("..") ? path : short;
    });
  }
}
