/** Which stored tensor goes where in a model, and what fits nowhere. */
import { renameKnown } from "./names.ts";
import { firstTen, printable, WeightsError } from "./tensor.ts";

/** A tensor that a model has; the shape in PyTorch's layout (OIHW, out × in). */
export interface Wanted {
  name: string;
  shape: readonly number[];
}

export type Allowed = "missing" | "unexpected" | "wrongShape";

export interface MatchOptions {
  /** What does not stop the match. */
  allow?: readonly Allowed[];
  /** The file's name, for the error. */
  source?: string;
}

export interface Matched<T> {
  /** By the model's names. */
  loaded: Map<string, T>;
  /** The model's names without a stored tensor. */
  missing: string[];
  /** Stored names, as in the file, that the model has not. */
  unexpected: string[];
  wrongShape: { name: string; stored: number[]; wanted: number[] }[];
  renamed: {
    /** What was done to names, one phrase each. */
    rules: string[];
    /** The file's name of each loaded tensor whose name was changed. */
    names: Map<string, string>;
  };
}

/** "a." of "a.b"; "" where there is none. */
const firstPart = (name: string) => name.slice(0, name.indexOf(".") + 1);

/**
 * The first part to take off and the one to put before, by which most names
 * are met: `irback.` before those of a bare backbone, `backbone.` off.
 */
function bestPrefix(
  stored: Iterable<string>,
  wanted: ReadonlyMap<string, Wanted>,
): [off: string, on: string] {
  const names = [...stored];
  const ours = new Set(Array.from(wanted.keys(), firstPart));
  const theirs = Map.groupBy(names, firstPart);
  const met = (own: readonly string[], off: string, on: string) =>
    own.filter((name) => wanted.has(swap(name, off, on))).length;
  const ons = ["", ...[...ours].filter((part) => part && !theirs.has(part))];
  const asIs = met(names, "", "");
  let best: [string, string] = ["", ""], most = asIs;
  const consider = (own: readonly string[], off: string, rest: number) => {
    for (const on of ons) {
      const count = rest + met(own, off, on);
      if (count > most) [best, most] = [[off, on], count];
    }
  };
  consider(names, "", 0);
  for (const [part, own] of theirs) {
    // Names that start so are none of ours, so the others are met as they are.
    if (part && !ours.has(part)) consider(own, part, asIs);
  }
  return best;
}

const swap = (name: string, off: string, on: string) =>
  name.startsWith(off) ? on + name.slice(off.length) : name;

/** A counter of BatchNorm or of a mean of weights, with no part in the model. */
const isCounter = (name: string) =>
  /(^|\.)(num_batches_tracked|n_averaged)$/.test(name);

function listed(what: string, entries: string[]): string {
  return `${entries.length} ${what}: ${firstTen(entries)}`;
}

/**
 * Finds the stored tensor of each wanted one: by its name, else after the known
 * renamings, else with a first part such as `irback.` put before or taken off.
 * Counters (`num_batches_tracked`, `n_averaged`) count neither as missing nor as unexpected.
 *
 * @throws WeightsError, one line with the missing, the unexpected and those of
 * another shape (ten of each), unless `allow` has all that there are; and
 * always when not one tensor fits.
 */
export function match<T extends { shape: readonly number[] }>(
  stored: ReadonlyMap<string, T>,
  wanted: Iterable<Wanted>,
  { allow = [], source = "the weights" }: MatchOptions = {},
): Matched<T> {
  const model = new Map([...wanted].map((entry) => [entry.name, entry]));
  const { names, rules } = renameKnown(stored.keys());
  const [off, on] = bestPrefix(names.values(), model);
  const steps = [
    ...rules,
    ...(off ? [`${printable(off)} taken off`] : []),
    ...(on ? [`${on} put before`] : []),
  ];
  /** The file's name of each of ours; a name that needs no prefix comes first. */
  const sources = new Map<string, string>();
  const exact = (name: string) => model.has(names.get(name)!);
  for (const wantExact of [true, false]) {
    for (const name of stored.keys()) {
      if (exact(name) !== wantExact) continue;
      const ours = names.get(name)!;
      const target = wantExact ? ours : swap(ours, off, on);
      if (!sources.has(target)) sources.set(target, name);
    }
  }
  const result: Matched<T> = {
    loaded: new Map(),
    missing: [],
    unexpected: [],
    wrongShape: [],
    renamed: { rules: steps, names: new Map() },
  };
  const used = new Set<string>();
  for (const { name, shape } of model.values()) {
    const from = sources.get(name);
    if (from === undefined) {
      if (!isCounter(name)) result.missing.push(name);
      continue;
    }
    used.add(from);
    const tensor = stored.get(from)!;
    if (String(tensor.shape) !== String(shape)) {
      result.wrongShape.push({
        name,
        stored: [...tensor.shape],
        wanted: [...shape],
      });
      continue;
    }
    result.loaded.set(name, tensor);
    if (from !== name) result.renamed.names.set(name, from);
  }
  result.unexpected = [...stored.keys()].filter((name) =>
    !used.has(name) && !isCounter(name)
  );
  complain(result, allow, source);
  return result;
}

function complain<T>(
  { loaded, missing, unexpected, wrongShape }: Matched<T>,
  allow: readonly Allowed[],
  source: string,
): void {
  const shapes = wrongShape.map(({ name, stored, wanted }) =>
    `${name} [${stored}] for [${wanted}]`
  );
  const lists: [Allowed, string, string[]][] = [
    ["missing", "missing", missing],
    ["unexpected", "unexpected", unexpected],
    ["wrongShape", "of another shape", shapes],
  ];
  const there = lists.filter(([, , entries]) => entries.length > 0);
  const stops = there.filter(([kind]) => !allow.includes(kind));
  // Weights that fit nowhere would leave the model untrained without a word.
  const nothing = loaded.size === 0 && missing.length + shapes.length > 0;
  if (stops.length === 0 && !nothing) return;
  const what = there.map(([, label, entries]) => listed(label, entries));
  const advice = nothing
    ? "not one tensor fits, so these weights are another model's"
    : `allow ${stops.map(([kind]) => `"${kind}"`).join(", ")} if that is meant`;
  throw new WeightsError(
    `${source}: does not fit the model: ${what.join("; ")}; ${advice}`,
  );
}
