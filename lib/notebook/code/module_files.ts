/** The modules of a project: where specifiers lead, and what their files say. */
import { readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { lockedHash } from "./packages.ts";
import { type ModuleFacts, moduleFacts } from "./module_facts.ts";
import { projectConfig } from "../project.ts";

function read(path: string): string | undefined {
  try {
    // A device may never end.
    return statSync(path).isFile() ? readFileSync(path, "utf8") : undefined;
  } catch {
    return undefined;
  }
}

export interface Imported {
  /** local files by path, each with its hash, or "missing" */
  files: Map<string, string>;
  /** what comes from a registry or the network, by specifier */
  remote: Set<string>;
}

/** Where a specifier leads; nowhere when to what comes with Deno. */
interface Place {
  path?: string;
  remote?: string;
}

/** Resolves and reads modules for cells that run in `folder`, each file once. */
export class ModuleFiles {
  readonly #map: Record<string, string>;
  readonly #mapFolder: string;
  readonly #files = new Map<string, ModuleFacts | undefined>();
  readonly #relative = new Map<string, string>();
  readonly #places = new Map<string, Place>();

  /** @param folder where the kernel runs; the import map is of its deno.json */
  constructor(readonly folder: string) {
    const project = projectConfig(folder);
    this.#map = project.config.imports ?? {};
    this.#mapFolder = project.folder;
  }

  /** What the lock file beside deno.json has for specifiers, or "none". */
  lockHash(specifiers: Iterable<string>): string {
    const text = read(join(this.#mapFolder, "deno.lock"));
    return text ? lockedHash(text, specifiers) : "none";
  }

  /** All that a cell with these specifiers loads. */
  closure(specifiers: Iterable<string>): Imported {
    const result: Imported = { files: new Map(), remote: new Set() };
    const todo = [...specifiers].map((s) => [s, this.folder]);
    for (const [specifier, folder] of todo) { // grows while it is read
      const { path, remote } = this.resolve(specifier, folder);
      if (remote) result.remote.add(remote);
      if (path === undefined || result.files.has(path)) continue;
      const facts = this.facts(path);
      result.files.set(path, this.hashOf(path));
      if (!facts) continue;
      const { imports, exports, stars, bare, parts } = facts;
      const all = [
        ...[...imports.values(), ...exports.values()]
          .flatMap((given) => typeof given === "string" ? [] : given.specifier),
        ...stars,
        ...bare,
        ...parts.flatMap((p) => p.dynamic),
      ];
      todo.push(...all.map((s) => [s, dirname(path)]));
    }
    return result;
  }

  /** The hash of a module's code, without what it imports. */
  hashOf(path: string): string {
    return this.facts(path)?.all ?? "missing";
  }

  /** A path as keys have it. */
  relative(path: string): string {
    return this.#relative.getOrInsertComputed(
      path,
      () => relative(this.folder, path),
    );
  }

  /** What the module at a path says; undefined when it is not there. */
  facts(path: string): ModuleFacts | undefined {
    return this.#files.getOrInsertComputed(path, () => {
      const text = read(path);
      return text === undefined ? undefined : moduleFacts(text, path);
    });
  }

  /** A path, or the specifier of what is remote; none for what is Deno's. */
  resolve(specifier: string, folder: string): Place {
    return this.#places.getOrInsertComputed(
      `${folder}\n${specifier}`,
      () => this.#newPlace(specifier, folder),
    );
  }

  #newPlace(specifier: string, folder: string): Place {
    if (/^\.{0,2}\//.test(specifier)) {
      return { path: resolve(folder, specifier.replace(/[?#].*$/, "")) };
    }
    if (specifier.startsWith("file:")) {
      try {
        return { path: fileURLToPath(specifier) };
      } catch {
        return {};
      }
    }
    if (/^(node|data):/.test(specifier)) return {};
    if (/^(npm|jsr|https?):/.test(specifier)) return { remote: specifier };
    const key = Object.keys(this.#map)
      .filter((k) =>
        k === specifier || (k.endsWith("/") && specifier.startsWith(k))
      )
      .sort((a, b) => b.length - a.length)[0];
    if (key === undefined) return { remote: specifier }; // of package.json, or unknown
    const target = this.#map[key] + specifier.slice(key.length);
    if (/^(node|data):/.test(target)) return {};
    if (!/^\.{0,2}\/|^file:/.test(target)) return { remote: target };
    return {
      path: fileURLToPath(
        new URL(target, pathToFileURL(this.#mapFolder + "/")),
      ),
    };
  }
}
