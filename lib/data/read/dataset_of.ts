/** From a list and its pixels to splits in memory, classes by name. */
import { expressionOf, EXPRESSIONS } from "../expressions.ts";
import { arrangeRows } from "./cached_pixels.ts";
import type { Pixels } from "./cached_pixels.ts";
import type { Listing } from "../listing.ts";
import { SPLITS } from "../types.ts";
import type { Dataset, Split, SplitName } from "../types.ts";

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
