/** Local modules that cells import, transitively, and what these contain. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** Twelve hex digits that stand for a text or bytes. */
export const shortHash = (content: string | Uint8Array): string =>
  createHash("sha256").update(content).digest("hex").slice(0, 12);

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** What imports come to. */
export interface Imported {
  /** local files by path, each with its hash, or "missing" */
  files: Map<string, string>;
  /** something comes from a registry or the network, as the lock file says */
  remote: boolean;
  /** of that, what is imported by `npm:` or `jsr:`, as it is written */
  packages: Set<string>;
}

// One too many (from a comment, a string) only makes a file count that need not.
const IMPORT =
  /\b(?:import|export)\s+(?!type\b)[^;'"`()]*?\bfrom\s*["']([^"'\n]+)["']|\bimport\s*\(?\s*["']([^"'\n]+)["']|\bnew URL\(\s*["'](\.[^"'\n]+)["']\s*,\s*import\.meta\.url/g;

/** JSON with comments and trailing commas as plain JSON. */
export const plainJson = (text: string) =>
  text.replace(/("(?:\\.|[^"\\])*")|\/\/.*|\/\*[^]*?\*\//g, "$1")
    .replace(/("(?:\\.|[^"\\])*")|,(?=\s*[}\]])/g, "$1");

/** Resolves and reads modules for cells that run in `folder`, each file once. */
export class Modules {
  readonly #folder: string;
  readonly #map: Record<string, string> = {};
  readonly #mapFolder: string = "";
  readonly #files = new Map<string, { hash: string; imports: string[] }>();

  /** @param folder where the kernel runs; the import map is of its deno.json */
  constructor(folder: string) {
    this.#folder = folder;
    for (let dir = folder;; dir = dirname(dir)) {
      for (const name of ["deno.json", "deno.jsonc"]) {
        const text = read(join(dir, name));
        if (text === undefined) continue;
        this.#mapFolder = dir;
        try {
          this.#map = JSON.parse(plainJson(text)).imports ?? {};
        } catch { /* Deno will say what is wrong with it */ }
        return;
      }
      if (dir === dirname(dir)) return;
    }
  }

  /** The hash of the lock file beside deno.json, or "none". */
  lockHash(): string {
    const text = this.#mapFolder && read(join(this.#mapFolder, "deno.lock"));
    return text ? shortHash(text) : "none";
  }

  /** All that a cell with these specifiers loads. */
  closure(specifiers: Iterable<string>): Imported {
    const packages = new Set<string>();
    const result: Imported = { files: new Map(), remote: false, packages };
    const todo = [...specifiers].map((s) => [s, this.#folder]);
    for (const [specifier, folder] of todo) { // grows while it is read
      const at = this.#resolve(specifier, folder);
      if (at === undefined || result.files.has(at)) continue;
      if (at === "remote") {
        result.remote = true;
        if (/^(npm|jsr):/.test(specifier)) packages.add(specifier);
        continue;
      }
      const { hash, imports } = this.#read(at);
      result.files.set(at, hash);
      todo.push(...imports.map((s) => [s, dirname(at)]));
    }
    return result;
  }

  #read(path: string) {
    let file = this.#files.get(path);
    if (!file) {
      const text = read(path);
      const found = /\.[cm]?[jt]sx?$/.test(path)
        ? [...(text ?? "").matchAll(IMPORT)].map((m) => m[1] ?? m[2] ?? m[3])
        : [];
      const hash = text === undefined ? "missing" : shortHash(text);
      file = { hash, imports: found };
      this.#files.set(path, file);
    }
    return file;
  }

  /** A path; "remote"; undefined for what comes with Deno. */
  #resolve(specifier: string, folder: string): string | undefined {
    if (/^\.{0,2}\//.test(specifier)) return resolve(folder, specifier);
    if (specifier.startsWith("file:")) return fileURLToPath(specifier);
    if (specifier.startsWith("node:")) return;
    if (/^(npm|jsr|https?):/.test(specifier)) return "remote";
    const key = Object.keys(this.#map)
      .filter((k) =>
        k === specifier || (k.endsWith("/") && specifier.startsWith(k))
      )
      .sort((a, b) => b.length - a.length)[0];
    if (key === undefined) return "remote"; // of package.json, or unknown
    const target = this.#map[key] + specifier.slice(key.length);
    if (!/^\.{0,2}\/|^file:/.test(target)) {
      return this.#resolve(target, this.#mapFolder);
    }
    return fileURLToPath(
      new URL(target, pathToFileURL(this.#mapFolder + "/")),
    );
  }
}
