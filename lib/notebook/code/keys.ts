/**
 * Keys of code cells: what a cell's outputs follow from, as short hashes.
 *
 * A key has these parts, and stands in `metadata.ferlab.key` of a cell that ran:
 * - `source`: the cell's text;
 * - `body`: its code without imports, comments and layout;
 * - `needs`: what the cells that it needs (graph.ts) pass on, in their order,
 *   and with them all that those need: their keys without `source`. A cell
 *   needs none for a name that it imports;
 * - `imports`: what the imported names that it uses are;
 * - `modules`: the code behind these names (modules.ts), by paths from the
 *   working folder; what cells that it needs have is left out;
 * - `files`: other files that this code reads, in the same way;
 * - `parameters`: the injected parameters, when it needs them itself;
 * - `data`: names, sizes and times of the files that `metadata.ferlab.data`
 *   lists (paths or globs, from the working folder);
 * - `lock`: what deno.lock has of the packages behind these names;
 * - `deno`: Deno's version;
 * - `all`: the hash of all these.
 *
 * A cell is fresh when its key, made anew, is the one that was kept. What no
 * file tells (time, network, chance, files not listed) does not count, nor what
 * a module changes in others that do not import it.
 */
import { join } from "node:path";
import { type Binding } from "./ast.ts";
import { shortHash } from "../file/ids.ts";
import { hasTag } from "../file/cells.ts";
import { dataHash, fileHash, folderFiles } from "./data_files.ts";
import { type GraphCell, neededBy } from "./graph.ts";
import { ModuleFiles } from "./module_files.ts";
import { type Behind, Modules } from "./modules.ts";

/** The parts of a key; see this file's head. */
export interface CellKey {
  all: string;
  source: string;
  /** absent in keys of earlier versions */
  body?: string;
  needs?: string[];
  imports?: string;
  modules?: Record<string, string>;
  files?: Record<string, string>;
  parameters?: string;
  data?: string;
  lock?: string;
  deno: string;
}

/** What cells that need a cell take over of its key. */
export function passedOn(key: CellKey): string {
  const { all: _, source: __, ...rest } = key;
  return shortHash(JSON.stringify(rest));
}

/** The parts of a key in the order in which they are hashed. */
const PARTS: (keyof CellKey)[] = [
  ...["source", "body", "needs", "imports", "modules", "files"] as const,
  ...["parameters", "data", "lock", "deno"] as const,
];

/** A kept key, or undefined when it is absent or damaged. */
export function keptKey(ferlab: unknown): CellKey | undefined {
  const key = (ferlab as { key?: CellKey } | undefined)?.key;
  if (!key) return;
  const parts = Object.fromEntries(PARTS.map((part) => [part, key[part]]));
  return shortHash(JSON.stringify(parts)) === key.all ? key : undefined;
}

const sorted = (map: Map<string, string>) => {
  const list = [...map].sort(([a], [b]) => a < b ? -1 : 1);
  return list.length ? Object.fromEntries(list) : undefined;
};

/**
 * The cells whose keys a cell's takes over: those that it needs, but not for
 * the names that they only import.
 */
export function keyNeeds(graph: GraphCell[], cell: GraphCell): number[] {
  const needed = [...cell.needs].flatMap(([name, writers]) => {
    const { imported, acts } = graph[writers[0] - 1].code;
    return writers.length === 1 && imported.has(name) && !acts ? [] : writers;
  });
  return [...new Set(needed)].sort((a, b) => a - b);
}

/** The parts of a key that do not hang on other cells. */
type OwnParts = Omit<CellKey, "all" | "needs">;

interface Taken {
  names: string[];
  modules: Map<string, string>;
  files: Map<string, string>;
  remote: Set<string>;
}

export class CellKeys {
  readonly #files: ModuleFiles;
  readonly #modules: Modules;
  readonly #taken: Taken[] = [];
  readonly #parts: OwnParts[];

  /**
   * @param folder where the kernel runs
   * @throws {Error} in one line that names the cell, when its data are too many
   */
  constructor(readonly graph: GraphCell[], readonly folder: string) {
    this.#files = new ModuleFiles(folder);
    this.#modules = new Modules(this.#files);
    /** by cell: itself and all that it needs, and those need */
    const reached: Set<number>[] = [];
    this.#parts = graph.map((cell) => {
      const { number, code } = cell;
      const above = new Set(
        keyNeeds(graph, cell).flatMap((n) => [...reached[n - 1]]),
      );
      reached.push(new Set([...above, number]));
      const taken = this.#takes(cell, above);
      this.#taken.push(taken);
      const injected = neededBy(cell)
        .map((n) => graph[n - 1].cell)
        .filter((c) => hasTag(c, "injected-parameters"));
      const own = (of: "modules" | "files") =>
        sorted(
          new Map([...taken[of]].filter(([path, hash]) =>
            ![...above].some((n) => this.#taken[n - 1][of].get(path) === hash)
          )),
        );
      return {
        source: shortHash(cell.cell.source),
        body: code.body || shortHash(cell.cell.source),
        imports: taken.names.length
          ? shortHash(taken.names.join("\n"))
          : undefined,
        modules: own("modules"),
        files: own("files"),
        parameters: injected.length
          ? shortHash(injected.map((c) => c.source).join("\n"))
          : undefined,
        data: dataHash(cell, folder),
        lock: this.#lock(taken),
        deno: Deno.version.deno,
      };
    });
  }

  /** Cell `number` begins: its data are what they are now. */
  begins(number: number): void {
    this.#parts[number - 1].data = dataHash(
      this.graph[number - 1],
      this.folder,
    );
  }

  /** Cells ran: what they imported may have been added to the lock file. */
  ran(): void {
    for (const [i, parts] of this.#parts.entries()) {
      parts.lock = this.#lock(this.#taken[i]);
    }
  }

  /** Hashes of all modules that a cell loads, by path. */
  loads(number: number): Record<string, string> {
    const { imports } = this.graph[number - 1].code;
    return Object.fromEntries(
      [...this.#files.closure(imports).files]
        .map(([path, hash]) => [this.#files.relative(path), hash]),
    );
  }

  /** The hash of a module, by its path as in a key, as it is now. */
  moduleHash(path: string): string {
    return this.#files.hashOf(join(this.folder, path));
  }

  /** One a cell; keep it in `metadata.ferlab.key` of a cell that ran well. */
  get keys(): CellKey[] {
    const keys: CellKey[] = [];
    for (const [i, cell] of this.graph.entries()) {
      const needed = keyNeeds(this.graph, cell);
      const { source, body, ...rest } = this.#parts[i];
      const needs = needed.length
        ? needed.map((n) => passedOn(keys[n - 1]))
        : undefined;
      const parts = { source, body, needs, ...rest };
      keys.push({
        all: shortHash(JSON.stringify(parts)),
        ...JSON.parse(JSON.stringify(parts)), // without the parts it has not
      });
    }
    return keys;
  }

  #lock({ remote }: Taken): string | undefined {
    return remote.size ? this.#files.lockHash(remote) : undefined;
  }

  #takes(cell: GraphCell, above: Set<number>): Taken {
    const { code } = cell;
    const taken: Taken = {
      names: [],
      modules: new Map(),
      files: new Map(),
      remote: new Set(),
    };
    const texts = {
      words: new Set(code.words),
      beginnings: new Set(code.beginnings),
    };
    for (const n of above) {
      const { words, beginnings } = this.graph[n - 1].code;
      words.forEach((w) => texts.words.add(w));
      beginnings.forEach((w) => texts.beginnings.add(w));
    }
    const add = (behind: Behind, name?: string) => {
      if (name) taken.names.push(`${name} ${behind.is}`);
      const put = (into: Map<string, string>, path: string, hash: string) => {
        const key = this.#files.relative(path), had = into.get(key) ?? hash;
        into.set(
          key,
          had === hash ? hash : shortHash([had, hash].sort().join()),
        );
      };
      behind.files.forEach((hash, path) => put(taken.modules, path, hash));
      behind.reads.forEach((hash, path) => put(taken.files, path, hash));
      behind.remote.forEach((r) => taken.remote.add(r));
      for (const folder of behind.folders) {
        for (const file of folderFiles(folder, texts)) {
          put(taken.files, file, fileHash(file));
        }
      }
    };
    for (const specifier of code.loads) {
      add(this.#modules.behind({ specifier, name: "*" }));
    }
    const use = (name: string, binding: Binding | undefined) => {
      if (!binding) return;
      for (const chain of code.members.get(name) ?? [[]]) {
        add(this.#modules.behind(binding, chain), name);
      }
    };
    for (const [name, binding] of code.imported) {
      if (code.members.has(name)) use(name, binding);
    }
    for (const [name, [definer]] of cell.needs) {
      use(name, this.graph[definer - 1].code.imported.get(name));
    }
    taken.names = [...new Set(taken.names)].sort();
    return taken;
  }
}
