/**
 * Where imported names come from, and what that code reads, transitively.
 *
 * A name is followed through modules that only pass it on (`export * from`,
 * `export { a as b } from`, an import that is exported again) to the statement
 * that defines it. What that statement uses counts in the same way: statements
 * of its module, and names that are imported. With a variable go the statements
 * that may change its value, and with each module, one on the way too, those
 * that do more than to define something when it is loaded.
 * `import "…"`, `import("…")` and a module that is passed around count whole.
 *
 * Of files that modules name by `new URL("…", import.meta.url)` and the like:
 * a module counts with what it imports, any other file with its content, and
 * a folder with all its files, unless it is large or holds the module itself.
 * Where the module makes names of files from strings, `${id}.json`, those count
 * whose string stands in the cell, or in a module that leads there.
 */
import { statSync } from "node:fs";
import { dirname, relative } from "node:path";
import { type Binding } from "./ast.ts";
import { shortHash } from "../file/ids.ts";
import { fileHash, type NamedFolder } from "./data_files.ts";
import type { ModuleFacts, ModulePart } from "./module_facts.ts";
import type { Imported, ModuleFiles } from "./module_files.ts";

const DEEPEST = 100; // modules that pass a name on to each other
const CODE = /\.[cm]?[jt]sx?$/;

/** Whether `path` is `folder` or lies in it. */
const isIn = (path: string, folder: string) =>
  !/^\.\.(\/|\\|$)/.test(relative(folder, path));

export interface Behind extends Imported {
  /** what the name is: the module that defines it, and its name there */
  is: string;
  /** files that modules read, by path */
  reads: Map<string, string>;
  /** folders that modules read, and how their files are told */
  folders: NamedFolder[];
}

/** The module that defines a name. */
interface Origin {
  /** its path; a specifier when it is remote; undefined when it is Deno's */
  at?: string;
  remote?: boolean;
  /** its name there; "*" is the module itself, "?" may be anything in it */
  name: string;
  /** modules that only pass it on */
  passed: string[];
}

/** What is taken of a module. */
interface Taken {
  parts: Set<ModulePart>;
  /** what its imported names are */
  means: Set<string>;
  whole: boolean;
  /** modules that lead to it */
  from: Set<string>;
}

/** Finds the code behind names for cells that run in `folder`. */
export class Modules {
  readonly #behind = new Map<string, Behind>();
  readonly #origins = new Map<string, Origin | undefined>();

  constructor(readonly files: ModuleFiles) {}

  /**
   * The code behind names that cells import, and behind modules that they
   * import whole (those named "*").
   * @param chain of a name that is a module: the names in it that are used
   */
  behind(binding: Binding, chain: string[] = []): Behind {
    return this.#behind.getOrInsertComputed(
      JSON.stringify([binding, chain]),
      () => this.#newBehind(binding, chain),
    );
  }

  #newBehind(binding: Binding, chain: string[]): Behind {
    const result: Behind = {
      files: new Map(),
      remote: new Set(),
      is: "",
      reads: new Map(),
      folders: [],
    };
    const taken = new Map<string, Taken>();
    const todo: [path: string, name: string, from?: string][] = [];
    const folders = new Map<string, { path: string; module: string }>();

    const follow = (origin: Origin, from?: string) => {
      for (const path of origin.passed) {
        const { parts, bare } = this.files.facts(path)!;
        if (bare.length || parts.some((p) => p.acts)) {
          todo.push([path, "", from]);
        }
      }
      if (origin.remote) result.remote.add(origin.at!);
      else if (origin.at) todo.push([origin.at, origin.name, from]);
    };
    const take = (given: Binding, path: string, chain: string[] = []) => {
      const origin = this.#origin(given.specifier, dirname(path), given.name);
      const inner = this.#narrow(origin, chain);
      follow(inner, path);
      return this.#text(inner);
    };
    const takeWhole = (specifiers: string[], path: string) =>
      specifiers.forEach((specifier) => take({ specifier, name: "*" }, path));
    const takePlace = (place: string, path: string) => {
      const at = this.files.resolve(place, dirname(path)).path;
      if (at === undefined) return;
      if (statSync(at, { throwIfNoEntry: false })?.isDirectory()) {
        const holds = [path, this.files.folder].some((p) => isIn(p, at));
        if (!holds) folders.set(`${at}\n${path}`, { path: at, module: path });
      } else if (CODE.test(at)) todo.push([at, "*", path]);
      else result.reads.set(at, fileHash(at));
    };
    const takeParts = (
      path: string,
      facts: ModuleFacts,
      first: ModulePart[],
    ) => {
      const { parts, means } = taken.get(path)!;
      const found = new Set(first);
      for (const part of found) { // grows while it is read
        if (parts.has(part)) continue;
        parts.add(part);
        for (const [name, chains] of part.uses) {
          const given = facts.imports.get(name);
          if (!given) found.add(facts.declares.get(name)!);
          else {
            for (const chain of chains) {
              means.add(`${name} ${take(given, path, chain)}`);
            }
          }
        }
        for (const name of part.declares) {
          facts.changers.get(name)?.forEach((p) => found.add(p));
        }
        takeWhole(part.dynamic, path);
        part.places.forEach((place) => takePlace(place, path));
      }
    };
    const enter = (path: string, name: string, from?: string) => {
      const facts = this.files.facts(path);
      const isNew = !taken.has(path);
      const here = taken.getOrInsertComputed(path, () => ({
        parts: new Set(),
        means: new Set(),
        whole: false,
        from: new Set(),
      }));
      if (isNew && facts) {
        takeWhole(facts.bare, path);
        takeParts(path, facts, facts.parts.filter((p) => p.acts));
      }
      if (from !== undefined) here.from.add(from);
      if (!facts || !name) return;
      const local = facts.exports.get(name);
      if (typeof local === "string") {
        const part = facts.declares.get(local);
        if (part) return takeParts(path, facts, [part]);
      }
      if (here.whole) return;
      here.whole = true;
      takeParts(path, facts, facts.parts);
      for (const [as, given] of facts.exports) {
        const is = typeof given === "string" ? given : take(given, path);
        here.means.add(`export ${as} ${is}`);
      }
      takeWhole(facts.stars, path);
      here.means.add(`export * ${facts.stars.join(" ")}`);
    };

    const start = this.#origin(
      binding.specifier,
      this.files.folder,
      binding.name,
    );
    const origin = this.#narrow(start, chain);
    result.is = this.#text(origin);
    follow(origin);
    for (const one of todo) enter(...one); // grows while it is read

    for (const [path, { parts, means }] of taken) {
      const order = this.files.facts(path)?.parts.filter((p) => parts.has(p));
      const lines = [...(order ?? []).map((p) => p.hash), ...[...means].sort()];
      result.files.set(path, order ? shortHash(lines.join("\n")) : "missing");
    }
    for (const { path, module } of folders.values()) {
      const leading = new Set([module]);
      for (const one of leading) { // grows while it is read
        taken.get(one)?.from.forEach((other) => leading.add(other));
      }
      const words = new Set<string>();
      for (const one of leading) {
        for (const part of taken.get(one)?.parts ?? []) {
          part.words.forEach((w) => words.add(w));
        }
      }
      const { parts, from } = taken.get(module)!;
      const patterns = [...parts].flatMap((p) => p.patterns);
      const near = module === origin.at || from.has(origin.at ?? "");
      result.folders.push({ path, patterns, words, near });
    }
    return result;
  }

  /** Where properties that are read of a module come from. */
  #narrow(origin: Origin, chain: string[]): Origin {
    let at = origin;
    for (const name of chain) {
      if (at.name !== "*" || at.at === undefined || at.remote) break;
      const inner = this.#exported(at.at, name);
      if (!inner) break;
      at = { ...inner, passed: [...at.passed, ...inner.passed] };
    }
    return at;
  }

  #text({ at = "Deno", remote, name }: Origin): string {
    return `${remote || at === "Deno" ? at : this.files.relative(at)}#${name}`;
  }

  /** Where a name of a module comes from; all of that module when unknown. */
  #origin(specifier: string, folder: string, name: string): Origin {
    const { path, remote } = this.files.resolve(specifier, folder);
    if (remote) return { at: remote, remote: true, name, passed: [] };
    if (path === undefined) return { name: `${specifier} ${name}`, passed: [] };
    if (name === "*") return { at: path, name, passed: [] };
    return this.#exported(path, name) ?? { at: path, name: "?", passed: [] };
  }

  #exported(path: string, name: string): Origin | undefined {
    return this.#origins.getOrInsertComputed(
      `${path}\n${name}`,
      () => this.#search(path, name, new Set()),
    );
  }

  /** @param seen modules that are being asked for the name, or were */
  #search(
    path: string,
    name: string,
    seen: Set<string>,
    depth = 0,
  ): Origin | undefined {
    const facts = this.files.facts(path);
    if (!facts || facts.opaque) return { at: path, name: "?", passed: [] };
    const key = `${path}\n${name}`;
    if (seen.has(key)) return;
    seen.add(key);
    if (depth > DEEPEST) return { at: path, name: "?", passed: [] };
    const ask = (given: Binding): Origin | undefined => {
      const { path: at, remote } = this.files.resolve(
        given.specifier,
        dirname(path),
      );
      if (remote || at === undefined || given.name === "*") {
        return this.#origin(given.specifier, dirname(path), given.name);
      }
      return this.#search(at, given.name, seen, depth + 1);
    };
    const through = (origin?: Origin) =>
      origin && { ...origin, passed: [path, ...origin.passed] };
    if (facts.exports.has(name)) {
      const given = facts.exports.get(name);
      return typeof given === "object"
        ? through(ask(given))
        : { at: path, name, passed: [] };
    }
    if (name === "default") return; // `export *` leaves it out
    const found = facts.stars
      .map((specifier) => ask({ specifier, name }))
      .filter((o) => o !== undefined);
    const local = found.filter((o) => o.at !== undefined && !o.remote);
    const [first, ...others] = local.length ? local : found;
    const clash = others.some((o) => this.#text(o) !== this.#text(first));
    return clash ? undefined : through(first);
  }
}
