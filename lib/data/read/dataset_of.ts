/** From a list and its pixels to splits in memory, and the hash of it all. */
import { contentHash } from "../dataset.ts";
import { expressionOf, EXPRESSIONS } from "../expressions.ts";
import type { Listing } from "../listing.ts";
import { SPLITS } from "../types.ts";
import type { Dataset, Split, SplitName } from "../types.ts";
import { defaultCacheDir, readStamp, writeStamp } from "./cache.ts";
import type { Pixels } from "./pixels.ts";

/** The listed images of each split, in its order. */
export type SplitRows = Record<SplitName, number[]>;

/** Classes in their final order; `place` has the new label of each old one. */
function ordered(
  classes: readonly string[],
): { classes: string[]; place: number[] } {
  const rank = (name: string) =>
    EXPRESSIONS.findIndex((expression) => expression === expressionOf(name));
  const sorted = classes.every(expressionOf)
    ? [...classes].sort((a, b) => rank(a) - rank(b))
    : [...classes];
  return { classes: sorted, place: classes.map((c) => sorted.indexOf(c)) };
}

/**
 * The classes and splits of listed images, those without pixels left out.
 * Expressions are put in the order of `EXPRESSIONS`, other classes keep theirs.
 * The splits' images are views of `pixels`, whose rows are moved; `rows` has
 * the listed image of each.
 *
 * @param splits of each listed image
 */
export function splitsOf(
  { classes: listed, images }: Listing,
  splits: readonly SplitName[],
  { pixels, bad }: Pixels,
): Pick<Dataset, "classes" | SplitName> & { rows: SplitRows } {
  const { classes, place } = ordered(listed);
  const width = pixels.length / images.length;
  const rows: SplitRows = { train: [], validation: [], test: [] };
  splits.forEach((name, i) => {
    if (!bad.has(i)) rows[name].push(i);
  });
  // In memory the splits lie as they begin in the list: fewest rows are moved.
  const laid = SPLITS.toSorted((a, b) => rows[a][0] - rows[b][0]);
  const order = [...laid.flatMap((name) => rows[name]), ...bad.keys()];
  arrangeRows(pixels, width, Uint32Array.from(order));
  const rated = images.some(({ target }) => target);
  let from = 0;
  const made = {} as Record<SplitName, Split>;
  for (const name of laid) {
    const members = rows[name];
    const n = members.length;
    made[name] = {
      images: pixels.subarray(from * width, (from + n) * width),
      labels: Int32Array.from(members, (i) => place[images[i].label]),
      n,
      names: members.map((i) => images[i].name),
    };
    from += n;
    if (!rated) continue;
    const targets = new Float32Array(n * classes.length);
    members.forEach((i, row) => {
      const { label, target } = images[i];
      place.forEach((to, c) => {
        targets[row * classes.length + to] = target?.[c] ?? Number(c === label);
      });
    });
    made[name].targets = targets;
  }
  const { train, validation, test } = made;
  return { classes, rows, train, validation, test };
}

/**
 * Puts rows of `width` values in another order, in place: the new row i is the
 * old row `order[i]`. `order` holds every row once.
 */
export function arrangeRows(
  pixels: Uint8Array,
  width: number,
  order: Uint32Array,
): void {
  const row = (i: number) => i * width;
  const done = new Uint8Array(order.length);
  const first = new Uint8Array(width);
  for (let start = 0; start < order.length; start++) {
    if (done[start] || order[start] === start) continue;
    first.set(pixels.subarray(row(start), row(start + 1)));
    let i = start;
    for (; order[i] !== start; i = order[i]) {
      pixels.copyWithin(row(i), row(order[i]), row(order[i] + 1));
      done[i] = 1;
    }
    pixels.set(first, row(i));
    done[i] = 1;
  }
}

/**
 * `contentHash(d)`, kept under the same hash with the name of the pixels in
 * their place: the checksum of their cache entry and its rows in each split. So
 * labels, targets, classes and splits are looked at each time, pixels once.
 */
export function knownHash(
  d: Pick<Dataset, "size" | "channels" | "classes" | SplitName>,
  { sum }: Pixels,
  rows: SplitRows,
  cacheDir = defaultCacheDir(),
): string {
  if (sum === undefined) return contentHash(d);
  const named = { ...d };
  for (const split of SPLITS) {
    const images = new TextEncoder().encode(`${sum} ${rows[split]}`);
    named[split] = { ...d[split], images };
  }
  const key = contentHash(named);
  const known = readStamp(cacheDir, key);
  if (known !== null) return known;
  const hash = contentHash(d);
  writeStamp(cacheDir, key, hash);
  return hash;
}
