/**
 * Keys of code cells: what a cell's outputs follow from, as short hashes.
 *
 * A key has these parts, and stands in `metadata.ferlab.key` of a cell that ran:
 * - `source`: the cell's text;
 * - `needs`: the keys of the cells that it needs (graph.ts), in their order, and
 *   with them all that those need;
 * - `modules`: contents of the local files that it imports, and these import,
 *   by paths from the working folder;
 * - `parameters`: the injected parameters, when it needs them itself;
 * - `data`: names, sizes and times of the files that `metadata.ferlab.data`
 *   lists (paths or globs, from the working folder);
 * - `lock`: deno.lock, when an import, its own or a module's, leads to a package;
 * - `deno`: Deno's version;
 * - `all`: the hash of all these.
 *
 * A cell is fresh when its key, made anew, is the one that was kept. What no
 * file tells (time, network, chance, files not listed) does not count.
 */
import { globSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { hasTag } from "./cells.ts";
import { type GraphCell, listed, neededBy } from "./graph.ts";
import { tooWide } from "./globs.ts";
import { Modules, shortHash } from "./modules.ts";

/** The parts of a key; see this file's head. */
export interface CellKey {
  all: string;
  source: string;
  needs?: string[];
  modules?: Record<string, string>;
  parameters?: string;
  data?: string;
  lock?: string;
  deno: string;
}

const MOST_FILES = 100_000; // that the patterns of one cell may find

/** The files of a pattern, else itself. @throws {Error} in one line */
function filesOf(pattern: string, folder: string): string[] {
  if (!/[*?[{]/.test(pattern)) return [pattern];
  const wide = tooWide(pattern);
  if (wide) {
    throw new Error(
      `its data pattern ${JSON.stringify(pattern.slice(0, 60))} ${wide}; ` +
        "give several that are simpler",
    );
  }
  const found = globSync(pattern, {
    cwd: folder,
    exclude: (name) => /^(node_modules|\.git)$/.test(name),
  });
  return found.length ? found.sort() : [pattern];
}

/** Names, sizes and times of the data files that a cell lists. */
function dataHash(patterns: string[], folder: string): string | undefined {
  if (!patterns.length) return;
  const files = patterns.flatMap((pattern) => filesOf(pattern, folder));
  if (files.length > MOST_FILES) {
    throw new Error(
      `its data are ${files.length} files, more than ${MOST_FILES}; list one ` +
        "that changes with them",
    );
  }
  return shortHash(
    files.map((file) => {
      const info = statSync(join(folder, file), { throwIfNoEntry: false });
      return info ? `${file} ${info.size} ${info.mtimeMs}` : `${file} missing`;
    }).join("\n"),
  );
}

function dataOf({ cell, number }: GraphCell, folder: string) {
  try {
    return dataHash(listed(cell, "data"), folder);
  } catch (e) {
    throw new Error(`cell ${number}: ${(e as Error).message}`);
  }
}

const sorted = (entries: Iterable<[string, string]>) => {
  const list = [...entries].sort(([a], [b]) => a < b ? -1 : 1);
  return list.length ? Object.fromEntries(list) : undefined;
};

/** The parts of a key that do not hang on other cells. */
type OwnParts = Omit<CellKey, "all" | "needs">;

/** The keys of all cells of a graph: what they are now, and as cells run. */
export class CellKeys {
  readonly #modules: Modules;
  readonly #parts: OwnParts[];

  /**
   * @param folder where the kernel runs
   * @throws {Error} in one line that names the cell, when its data are too many
   */
  constructor(readonly graph: GraphCell[], readonly folder: string) {
    const modules = this.#modules = new Modules(folder);
    this.#parts = graph.map((cell) => {
      const { files, remote } = modules.closure(cell.code.imports);
      const injected = neededBy(cell)
        .map((n) => graph[n - 1].cell)
        .filter((c) => hasTag(c, "injected-parameters"));
      return {
        source: shortHash(cell.cell.source),
        modules: sorted(
          [...files].map(([path, hash]) => [relative(folder, path), hash]),
        ),
        parameters: injected.length
          ? shortHash(injected.map((c) => c.source).join("\n"))
          : undefined,
        data: dataOf(cell, folder),
        lock: remote ? modules.lockHash() : undefined,
        deno: Deno.version.deno,
      };
    });
  }

  /** Cell `number` begins: its data are what they are now. */
  begins(number: number): void {
    this.#parts[number - 1].data = dataOf(this.graph[number - 1], this.folder);
  }

  /** Cells ran: what they imported may have been added to the lock file. */
  ran(): void {
    for (const parts of this.#parts) {
      if (parts.lock !== undefined) parts.lock = this.#modules.lockHash();
    }
  }

  /** One a cell; keep it in `metadata.ferlab.key` of a cell that ran well. */
  get keys(): CellKey[] {
    const keys: CellKey[] = [];
    for (const [i, cell] of this.graph.entries()) {
      const needed = neededBy(cell);
      const { source, ...rest } = this.#parts[i];
      const needs = needed.length
        ? needed.map((n) => keys[n - 1].all)
        : undefined;
      const parts = { source, needs, ...rest };
      keys.push({
        all: shortHash(JSON.stringify(parts)),
        ...JSON.parse(JSON.stringify(parts)), // without the parts it has not
      });
    }
    return keys;
  }
}

const isText = (v: unknown) => typeof v === "string";
const isTexts = (v: unknown) =>
  v === undefined ||
  (typeof v === "object" && v !== null && !Array.isArray(v) &&
    Object.values(v).every(isText));

/** A kept key, or undefined when it is absent or damaged. */
export function keptKey(ferlab: unknown): CellKey | undefined {
  const key = (ferlab as { key?: CellKey } | undefined)?.key;
  if (typeof key !== "object" || key === null) return;
  const whole = [key.all, key.source, key.deno].every(isText) &&
    (key.needs === undefined ||
      (Array.isArray(key.needs) && key.needs.every(isText))) &&
    isTexts(key.modules) &&
    [key.parameters, key.data, key.lock].every((v) =>
      v === undefined || isText(v)
    );
  if (!whole) return;
  const { all, source, needs, modules, parameters, data, lock, deno } = key;
  const parts = { source, needs, modules, parameters, data, lock, deno };
  return shortHash(JSON.stringify(parts)) === all ? key : undefined;
}
