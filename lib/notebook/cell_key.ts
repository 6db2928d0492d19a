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
import { shortHash } from "./ast.ts";

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

const isText = (v: unknown) => typeof v === "string";
const isTexts = (v: unknown) => Array.isArray(v) && v.every(isText);
const isRecord = (v: unknown) =>
  typeof v === "object" && v !== null && isTexts(Object.values(v));

/** What the parts of a key are, in the order in which they are hashed. */
const PARTS: [keyof CellKey, (v: unknown) => boolean][] = [
  ["source", isText],
  ["body", isText],
  ["needs", isTexts],
  ["imports", isText],
  ["modules", isRecord],
  ["files", isRecord],
  ["parameters", isText],
  ["data", isText],
  ["lock", isText],
  ["deno", isText],
];

/** A kept key, or undefined when it is absent or damaged. */
export function keptKey(ferlab: unknown): CellKey | undefined {
  const key = (ferlab as { key?: CellKey } | undefined)?.key;
  if (!key) return;
  const has = PARTS.filter(([part]) => key[part] !== undefined);
  const whole = has.every(([part, fits]) => fits(key[part])) &&
    isText(key.source) && isText(key.deno);
  const parts = Object.fromEntries(has.map(([part]) => [part, key[part]]));
  return whole && shortHash(JSON.stringify(parts)) === key.all
    ? key
    : undefined;
}
