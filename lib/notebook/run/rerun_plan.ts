/** Which cells a rerun executes, and why; decided before anything runs. */
import { hasTag } from "../file/cells.ts";
import { type GraphCell, SETUP } from "../code/graph.ts";
import { type CellKey, passedOn } from "../code/keys.ts";
import { shortHash } from "../file/ids.ts";

/** By name: the keys of the cells that made its value, in order. */
export type Writers = Record<string, string[]>;

export interface Replay {
  number: number;
  /** the cell that uses `names` of it */
  for: number;
  names: string[];
}

export interface RerunPlan {
  asked: number[];
  replays: Replay[];
}

/** The numbers of all cells that a plan runs, in order. */
export const cellsOfPlan = ({ asked, replays }: RerunPlan): number[] =>
  [...asked, ...replays.map((r) => r.number)].sort((a, b) => a - b);

export class NoSuchCell extends Error {}

/**
 * The numbers that `names` stand for: a code cell's number, its id, or a tag.
 * @throws {NoSuchCell} in one line
 */
export function askedCells(graph: GraphCell[], names: string[]): number[] {
  const found = names.flatMap((name) => {
    const rules: ((c: GraphCell) => boolean)[] = [
      (c) => String(c.number) === name,
      (c) => c.cell.id === name,
      (c) => hasTag(c.cell, name),
    ];
    const rule = rules.find((r) => graph.some(r));
    if (!rule) {
      throw new NoSuchCell(
        `no code cell has the number, id or tag "${name}"; numbers go from 1 ` +
          `to ${graph.length}`,
      );
    }
    const found = graph.filter(rule).map((c) => c.number);
    if (rule === rules[1] && found.length > 1) {
      throw new NoSuchCell(
        `cells ${
          found.join(" and ")
        } have the id "${name}"; give the number, ` +
          "or let `clean` give them ids of their own",
      );
    }
    return found;
  });
  return [...new Set(found)].sort((a, b) => a - b);
}

/** Whether a name's writers are those that a cell expects. */
function holds(writers: Writers, name: string, keys: string[]): boolean {
  const has = writers[name] ?? [];
  if (name === SETUP) return keys.every((key) => has.includes(key));
  return has.length === keys.length && keys.every((key, i) => key === has[i]);
}

/** What stands in {@link Writers} for a cell that wrote `name`. */
function writerKey(cell: GraphCell, key: CellKey, name: string): string {
  const passed = passedOn(key); // without imports
  const { specifier, name: of } = cell.code.imported.get(name) ?? {};
  return specifier ? shortHash([passed, specifier, of].join(" ")) : passed;
}

/** Notes in `writers` what a cell has done that ran to its end. */
export function wrote(writers: Writers, cell: GraphCell, by: CellKey): void {
  const { touches, code: { defines } } = cell;
  for (const name of touches) {
    if (defines.has(name)) continue;
    writers[name] = [...writers[name] ?? [], writerKey(cell, by, name)];
  }
  for (const name of defines) writers[name] = [writerKey(cell, by, name)];
  if (hasTag(cell.cell, "setup")) {
    const key = passedOn(by);
    writers[SETUP] = [
      ...(writers[SETUP] ?? []).filter((k) => k !== key),
      key,
    ];
  }
}

/** Notes that a cell runs: until it has ended well, what it writes is unknown. */
export function writing(writers: Writers, cell: GraphCell): void {
  const { touches, code: { defines } } = cell;
  for (const name of [...defines, ...touches]) writers[name] = ["unknown"];
}

/**
 * The earlier cells that must run for `asked` to find each name as it would be
 * in a run of the whole notebook.
 *
 * The run is played through on `writers`, what the kernel holds now: where a
 * cell would find a name in another state, the name's writers join in.
 */
export function planRerun(
  graph: GraphCell[],
  keys: CellKey[],
  asked: number[],
  writers: Writers = {},
): RerunPlan {
  const runs = new Set(asked);
  const replays = new Map<number, Replay>();
  const play = (): boolean => {
    const state = { ...writers };
    for (const number of [...runs].sort((a, b) => a - b)) {
      const cell = graph[number - 1];
      for (const [name, chain] of cell.needs) {
        const expected = chain.map((n) =>
          writerKey(graph[n - 1], keys[n - 1], name)
        );
        if (holds(state, name, expected)) continue;
        const more = chain.filter((n) => !runs.has(n));
        for (const n of more) {
          runs.add(n);
          replays.set(n, { number: n, for: number, names: [name] });
        }
        if (more.length) return false;
      }
      wrote(state, cell, keys[number - 1]);
    }
    return true;
  };
  while (!play()) { /* once more, with the cells that joined */ }
  for (const replay of replays.values()) {
    const { needs } = graph[replay.for - 1];
    replay.names = [...needs]
      .filter(([, chain]) => chain.includes(replay.number))
      .map(([name]) => name);
  }
  return {
    asked,
    replays: [...replays.values()].sort((a, b) => a.number - b.number),
  };
}

/** A replay in words: "replays cell 2: cell 5 uses data, model". */
export function replayText(r: Replay): string {
  const names = r.names.filter((n) => n !== SETUP);
  return names.length
    ? `replays cell ${r.number}: cell ${r.for} uses ${names.join(", ")}`
    : `replays cell ${r.number}: it is tagged setup`;
}

/**
 * Why a plan cannot work, in one line; undefined when it can.
 * A cell that is to throw may use what is not there.
 */
export function planProblem(
  graph: GraphCell[],
  plan: RerunPlan,
): string | undefined {
  for (const number of cellsOfPlan(plan)) {
    const { cell, code, missing } = graph[number - 1];
    if (hasTag(cell, "raises-exception")) continue;
    if (code.error) return `cell ${number} cannot be read: ${code.error}`;
    const [name] = missing;
    if (name === undefined) continue;
    const below = graph.find((c) => c.code.defines.has(name));
    const unread = graph.find((c) => c.number < number && c.code.error);
    const skipped = graph.find((c) =>
      c.number < number && c.code.defines.has(name)
    );
    return `cell ${number} needs ${name}, which no cell above it defines` +
      (skipped
        ? ` but cell ${skipped.number}, tagged skip`
        : below
        ? `; cell ${below.number} below does, move it up`
        : unread
        ? `; cell ${unread.number} cannot be read: ${unread.code.error}`
        : "; add it, or correct the name");
  }
}
