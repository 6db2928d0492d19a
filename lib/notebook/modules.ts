/**
 * Where imported names come from, and what that code reads, transitively.
 *
 * A name is followed through modules that only pass it on (`export * from`,
 * `export { a as b } from`, an import that is exported again) to the one that
 * defines it; that module counts whole, and for each of its imports the same
 * holds. A module on the way counts when loading it does more than to define
 * things. `import "…"`, `import("…")` and `import * as` count whole.
 *
 * Of files that modules name by `new URL("…", import.meta.url)` and the like:
 * a module counts with what it imports, any other file with its content, and
 * a folder with all its files, unless it is large or holds the module itself.
 * Where the module makes names of files from strings, `${id}.json`, those count
 * whose string stands in the cell, or in a module that leads there.
 */
import { readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { fileHash, type NamedFolder } from "./folder_files.ts";
import { lockedHash } from "./locked.ts";
import {
  type Binding,
  type ModuleFacts,
  moduleFacts,
  shortHash,
} from "./module_facts.ts";

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

const CODE = /\.[cm]?[jt]sx?$/;

/** Whether `path` is `folder` or lies in it. */
const isIn = (path: string, folder: string) =>
  !/^\.\.(\/|\\|$)/.test(relative(folder, path));

/** What imports come to. */
export interface Imported {
  /** local files by path, each with its hash, or "missing" */
  files: Map<string, string>;
  /** what comes from a registry or the network, by specifier */
  remote: Set<string>;
}

/** What the code behind names is. */
export interface Behind extends Imported {
  /** what the name is: the module that defines it, and its name there */
  is: string;
  /** files that modules read, by path */
  reads: Map<string, string>;
  /** folders that modules read, and how their files are told */
  folders: NamedFolder[];
}

/** Where a specifier leads; nowhere when to what comes with Deno. */
interface Place {
  path?: string;
  remote?: string;
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

/** JSON with comments and trailing commas as plain JSON. */
export const plainJson = (text: string) =>
  text.replace(/("(?:\\.|[^"\\])*")|\/\/.*|\/\*[^]*?\*\//g, "$1")
    .replace(/("(?:\\.|[^"\\])*")|,(?=\s*[}\]])/g, "$1");

/** Resolves and reads modules for cells that run in `folder`, each file once. */
export class Modules {
  readonly #folder: string;
  readonly #map: Record<string, string> = {};
  readonly #mapFolder: string = "";
  readonly #files = new Map<string, ModuleFacts | undefined>();
  readonly #places = new Map<string, Place>();
  readonly #behind = new Map<string, Behind>();
  readonly #hashes = new Map<string, string>();
  readonly #origins = new Map<string, Origin | undefined>();

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

  /** What the lock file beside deno.json has for specifiers, or "none". */
  lockHash(specifiers: Iterable<string>): string {
    const text = this.#mapFolder && read(join(this.#mapFolder, "deno.lock"));
    return text ? lockedHash(text, specifiers) : "none";
  }

  /** All that a cell with these specifiers loads. */
  closure(specifiers: Iterable<string>): Imported {
    const result: Imported = { files: new Map(), remote: new Set() };
    const todo = [...specifiers].map((s) => [s, this.#folder]);
    for (const [specifier, folder] of todo) { // grows while it is read
      const { path, remote } = this.#resolve(specifier, folder);
      if (remote) result.remote.add(remote);
      if (path === undefined || result.files.has(path)) continue;
      const facts = this.#facts(path);
      result.files.set(path, this.hashOf(path));
      if (!facts) continue;
      const { imports, exports, stars, bare, dynamic } = facts;
      const bindings = [...imports.values(), ...exports.values()];
      todo.push(
        ...[...bindings.map((b) => b?.specifier), ...stars, ...bare, ...dynamic]
          .flatMap((s) => s === undefined ? [] : [[s, dirname(path)]]),
      );
    }
    return result;
  }

  /**
   * The code behind names that cells import, and behind modules that they
   * import whole (those named "*").
   * @param chain of a name that is a module: the names in it that are used
   */
  behind(binding: Binding, chain: string[] = []): Behind {
    const key = JSON.stringify([binding, chain]);
    let behind = this.#behind.get(key);
    if (!behind) {
      this.#behind.set(key, behind = this.#newBehind(binding, chain));
    }
    return behind;
  }

  #newBehind(binding: Binding, chain: string[]): Behind {
    const result: Behind = {
      files: new Map(),
      remote: new Set(),
      is: "",
      reads: new Map(),
      folders: [],
    };
    const whole = new Set<string>();
    /** by path, who leads there */
    const leads = new Map<string, Set<string>>();
    const folders = new Set<string>();

    const todo: [path: string, all: boolean, from?: string][] = [];
    const visit = (...one: typeof todo[number]) => void todo.push(one);
    const enter = (path: string, all: boolean, from?: string) => {
      if (from !== undefined) {
        leads.set(path, (leads.get(path) ?? new Set()).add(from));
      }
      const before = result.files.has(path);
      if (before && (!all || whole.has(path))) return;
      const facts = this.#facts(path);
      result.files.set(path, this.#hash(path, all));
      if (!facts) return;
      if (all) {
        whole.add(path);
        for (const given of facts.exports.values()) {
          if (given) take(given, path);
        }
        for (const s of facts.stars) take({ specifier: s, name: "*" }, path);
      }
      if (before) return;
      for (const given of facts.imports.values()) take(given, path);
      for (const s of [...facts.bare, ...facts.dynamic]) {
        take({ specifier: s, name: "*" }, path);
      }
      for (const place of facts.places) {
        const at = this.#resolve(place, dirname(path)).path;
        if (at === undefined) continue;
        const info = statSync(at, { throwIfNoEntry: false });
        if (info?.isDirectory()) {
          const holds = [path, this.#folder].some((p) => isIn(p, at));
          if (!holds) folders.add(`${at}\n${path}`);
        } else if (CODE.test(at)) visit(at, true, path);
        else result.reads.set(at, fileHash(at));
      }
    };
    const follow = (origin: Origin, from?: string) => {
      for (const path of origin.passed) {
        const { acts, bare } = this.#facts(path)!;
        if (acts) visit(path, false, from);
        else {
          for (const s of bare) take({ specifier: s, name: "*" }, path);
        }
      }
      if (origin.remote) result.remote.add(origin.at!);
      else if (origin.at) visit(origin.at, /^[*?]$/.test(origin.name), from);
    };
    const take = ({ specifier, name }: Binding, from: string) => {
      follow(this.#origin(specifier, dirname(from), name), from);
    };

    let origin = this.#origin(binding.specifier, this.#folder, binding.name);
    const passed = [...origin.passed];
    for (const name of chain) {
      if (origin.name !== "*" || !origin.at || origin.remote) break;
      const inner = this.#exported(origin.at, name);
      if (!inner) break;
      passed.push(...inner.passed);
      origin = inner;
    }
    result.is = this.#text(origin);
    follow({ ...origin, passed });
    for (const one of todo) enter(...one); // grows while it is read

    for (const pair of folders) {
      const [path, module] = pair.split("\n");
      const leading = new Set([module]);
      for (const one of leading) { // grows while it is read
        leads.get(one)?.forEach((other) => leading.add(other));
      }
      const words = new Set<string>();
      for (const one of leading) {
        this.#facts(one)?.words.forEach((w) => words.add(w));
      }
      const near = module === origin.at ||
        leads.get(module)?.has(origin.at ?? "") === true;
      const { patterns } = this.#facts(module)!;
      result.folders.push({ path, patterns, words, near });
    }
    return result;
  }

  /** The hash of a module's code, without what it imports. */
  hashOf(path: string): string {
    return this.#facts(path)?.all ?? "missing";
  }

  /** A path as keys have it. */
  relative(path: string): string {
    return relative(this.#folder, path);
  }

  #facts(path: string): ModuleFacts | undefined {
    if (!this.#files.has(path)) {
      const text = read(path);
      this.#files.set(
        path,
        text === undefined ? undefined : moduleFacts(text, path),
      );
    }
    return this.#files.get(path);
  }

  /** The hash of a module's code, and of what it means by names of others. */
  #hash(path: string, all: boolean): string {
    const key = `${path}\n${all}`;
    let hash = this.#hashes.get(key);
    if (!hash) this.#hashes.set(key, hash = this.#newHash(path, all));
    return hash;
  }

  #newHash(path: string, all: boolean): string {
    const facts = this.#facts(path);
    if (!facts) return "missing";
    const means = (
      [name, given]: [string, Binding | undefined],
    ) =>
      given
        ? `${name} ${
          this.#text(this.#origin(given.specifier, dirname(path), given.name))
        }`
        : name;
    const lines = [...facts.imports].map(means);
    if (all) lines.push("", ...[...facts.exports].map(means), ...facts.stars);
    return lines.length
      ? shortHash([facts.own, ...lines].join("\n"))
      : facts.own;
  }

  #text({ at = "Deno", remote, name }: Origin): string {
    return `${remote || at === "Deno" ? at : this.relative(at)}#${name}`;
  }

  /** Where a name of a module comes from; all of that module when unknown. */
  #origin(specifier: string, folder: string, name: string): Origin {
    const { path, remote } = this.#resolve(specifier, folder);
    if (remote) return { at: remote, remote: true, name, passed: [] };
    if (path === undefined) return { name: `${specifier} ${name}`, passed: [] };
    if (name === "*") return { at: path, name, passed: [] };
    return this.#exported(path, name) ?? { at: path, name: "?", passed: [] };
  }

  #exported(path: string, name: string): Origin | undefined {
    const key = `${path}\n${name}`;
    if (!this.#origins.has(key)) {
      this.#origins.set(key, this.#search(path, name, new Set()));
    }
    return this.#origins.get(key);
  }

  /** @param seen modules that are being asked for the name, or were */
  #search(path: string, name: string, seen: Set<string>): Origin | undefined {
    const facts = this.#facts(path);
    if (!facts || facts.opaque) return { at: path, name: "?", passed: [] };
    const key = `${path}\n${name}`;
    if (seen.has(key)) return;
    seen.add(key);
    const ask = (given: Binding): Origin | undefined => {
      const { path: at, remote } = this.#resolve(
        given.specifier,
        dirname(path),
      );
      if (remote || at === undefined || given.name === "*") {
        return this.#origin(given.specifier, dirname(path), given.name);
      }
      return this.#search(at, given.name, seen);
    };
    const through = (origin?: Origin) =>
      origin && { ...origin, passed: [path, ...origin.passed] };
    if (facts.exports.has(name)) {
      const given = facts.exports.get(name);
      return given ? through(ask(given)) : { at: path, name, passed: [] };
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

  /** A path, or the specifier of what is remote; none for what is Deno's. */
  #resolve(specifier: string, folder: string): Place {
    const key = `${folder}\n${specifier}`;
    let place = this.#places.get(key);
    if (!place) {
      this.#places.set(key, place = this.#newPlace(specifier, folder));
    }
    return place;
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
