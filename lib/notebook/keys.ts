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

/** Names, sizes and times of the data files that a cell lists. */
function dataHash(patterns: string[], folder: string): string | undefined {
  if (!patterns.length) return;
  const files = patterns.flatMap((pattern) => {
    const found = /[*?[{]/.test(pattern)
      ? globSync(pattern, { cwd: folder }).sort()
      : [pattern];
    return found.length ? found : [pattern];
  });
  return shortHash(
    files.map((file) => {
      const info = statSync(join(folder, file), { throwIfNoEntry: false });
      return info ? `${file} ${info.size} ${info.mtimeMs}` : `${file} missing`;
    }).join("\n"),
  );
}

const sorted = (entries: Iterable<[string, string]>) => {
  const list = [...entries].sort(([a], [b]) => a < b ? -1 : 1);
  return list.length ? Object.fromEntries(list) : undefined;
};

/**
 * The keys of all cells of a graph, in its order.
 * @param folder where the kernel runs
 */
export function cellKeys(graph: GraphCell[], folder: string): CellKey[] {
  const modules = new Modules(folder);
  const keys: CellKey[] = [];
  for (const cell of graph) {
    const { files, remote } = modules.closure(cell.code.imports);
    const needed = neededBy(cell);
    const injected = needed
      .map((n) => graph[n - 1].cell)
      .filter((c) => hasTag(c, "injected-parameters"));
    const parts = {
      source: shortHash(cell.cell.source),
      needs: needed.length ? needed.map((n) => keys[n - 1].all) : undefined,
      modules: sorted(
        [...files].map(([path, hash]) => [relative(folder, path), hash]),
      ),
      parameters: injected.length
        ? shortHash(injected.map((c) => c.source).join("\n"))
        : undefined,
      data: dataHash(listed(cell.cell, "data"), folder),
      lock: remote ? modules.lockHash() : undefined,
      deno: Deno.version.deno,
    };
    keys.push({
      all: shortHash(JSON.stringify(parts)),
      ...JSON.parse(JSON.stringify(parts)), // without the parts it has not
    });
  }
  return keys;
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
