/** Which image belongs to which split: official, held out, or by folds. */
import { shares } from "./dataset.ts";
import type { ListedImage } from "./listing.ts";
import { hash32, Random } from "./random.ts";
import { DataError } from "./types.ts";
import type { SplitName, SplitRule } from "./types.ts";

type Splittable = Pick<ListedImage, "label" | "split" | "subject">;

/** Numbers for hash32, so that each choice draws its own. */
const [GROUPS, CLASSES] = [0x67727073, 0x636c6173];

/**
 * The split of each image. Images of one subject stay together; without
 * subjects every class is divided in its own proportion. An official split is
 * kept: only training images and those without a split are divided. The rule,
 * the seed and the divided images alone decide.
 *
 * @throws DataError for a rule that does not fit the images
 */
export function assignSplits(
  images: readonly Splittable[],
  rule: SplitRule,
  seed: number,
): SplitName[] {
  if (rule.kind === "official") return official(images);
  const splits = images.map(({ split }) => split ?? "train");
  const pool = splits.flatMap((split, i) => split === "train" ? [i] : []);
  const has = (name: SplitName) => splits.includes(name);
  const assign = (rows: readonly number[], name: SplitName) => {
    for (const row of rows) splits[row] = name;
  };
  if (rule.kind === "holdout") {
    let rest = pool;
    for (const name of ["validation", "test"] as const) {
      const amount = rule[name];
      if (amount === undefined) continue;
      if (has(name)) {
        throw new DataError(
          `split.${name}: the data set has a ${name} split of its own: ` +
            `leave it out`,
        );
      }
      const count = countOf(name, amount, pool.length);
      const chosen = choose(images, rest, count, seed);
      assign(chosen, name);
      const gone = new Set(chosen);
      rest = rest.filter((row) => !gone.has(row));
    }
    if (rest.length === 0) {
      throw new DataError("split: nothing is left to train on: hold out less");
    }
    return splits;
  }
  if (has("test") && has("validation")) {
    throw new DataError(
      "split: the data set has validation and test splits of its own: " +
        'give { kind: "official" }',
    );
  }
  const parts = folds(images, pool, rule, seed);
  if (has("test")) {
    assign(parts[rule.fold], "validation");
  } else {
    assign(parts[rule.fold], "test");
    if (!has("validation")) {
      assign(parts[(rule.fold + 1) % rule.folds], "validation");
    }
  }
  return splits;
}

function official(images: readonly Splittable[]): SplitName[] {
  return images.map(({ split }, _, { length }) => {
    if (split !== undefined) return split;
    const n = images.filter((image) => image.split === undefined).length;
    throw new DataError(
      `split: ${n} of ${length} images have no official split: give a rule ` +
        'as { kind: "holdout", validation: 0.1, test: 0.2 } or ' +
        '{ kind: "folds", folds: 10, fold: 0 }',
    );
  });
}

/** A share below 1, or a number of images. */
function countOf(name: string, amount: number, of: number): number {
  const count = amount < 1 ? Math.round(amount * of) : amount;
  if (Number.isInteger(count) && count >= 1 && count < of) return count;
  throw new DataError(
    `split.${name}: ${amount} of ${of} images; give a share below 1 or a ` +
      `number of images, from 1 image to all but one`,
  );
}

/** Rows by subject, in a random order; null where no image has one. */
function groupsOf(
  images: readonly Splittable[],
  rows: readonly number[],
  seed: number,
): number[][] | null {
  if (!rows.some((row) => images[row].subject !== undefined)) return null;
  const groups = new Map<string | number, number[]>();
  for (const row of rows) {
    const key = images[row].subject ?? row;
    const members = groups.get(key);
    if (members) members.push(row);
    else groups.set(key, [row]);
  }
  return shuffled([...groups.values()], hash32(seed, GROUPS));
}

function shuffled<T>(items: T[], seed: number): T[] {
  const order = items.map((_, i) => i);
  new Random(seed).shuffle(order);
  return order.map((i) => items[i]);
}

/** Rows of each class, each in a random order. */
function classesOf(
  images: readonly Splittable[],
  rows: readonly number[],
  seed: number,
): number[][] {
  const classes: number[][] = [];
  for (const row of rows) (classes[images[row].label] ??= []).push(row);
  return Array.from(
    classes,
    (members = [], label) => shuffled(members, hash32(seed, CLASSES, label)),
  );
}

/** `count` rows, each class by its share; of whole subjects as near as can be. */
function choose(
  images: readonly Splittable[],
  rows: readonly number[],
  count: number,
  seed: number,
): number[] {
  const groups = groupsOf(images, rows, seed);
  if (groups === null) {
    const classes = classesOf(images, rows, seed);
    const wanted = shares(classes.map(({ length }) => length), count);
    return classes.flatMap((members, label) => members.slice(0, wanted[label]));
  }
  const chosen: number[] = [];
  for (const members of groups) {
    const now = count - chosen.length;
    if (Math.abs(now - members.length) < now) chosen.push(...members);
  }
  if (chosen.length > 0) return chosen;
  return groups.reduce((a, b) => b.length < a.length ? b : a);
}

/**
 * The rows of each fold. By class: sizes of each class and of all folds differ
 * by at most one. By subject: each subject, those of the most uneven classes
 * first, joins the fold that keeps the classes most even (scikit-learn 1.7,
 * `StratifiedGroupKFold`); there the seed only orders equally uneven subjects.
 */
function folds(
  images: readonly Splittable[],
  rows: readonly number[],
  { folds: k, fold }: { folds: number; fold: number },
  seed: number,
): number[][] {
  const groups = groupsOf(images, rows, seed);
  const most = groups?.length ?? rows.length;
  if (!Number.isInteger(k) || k < 3 || k > most) {
    throw new DataError(
      `split.folds: ${k}; give a whole number from 3 to ${most}, ` +
        `the number of ${groups ? "subjects" : "images"}`,
    );
  }
  if (!Number.isInteger(fold) || fold < 0 || fold >= k) {
    throw new DataError(`split.fold: ${fold}; give 0 to ${k - 1}`);
  }
  const parts = Array.from({ length: k }, (): number[] => []);
  if (groups === null) {
    classesOf(images, rows, seed).flat()
      .forEach((row, i) => parts[i % k].push(row));
    return parts;
  }
  const classes = 1 + rows.reduce((m, r) => Math.max(m, images[r].label), 0);
  const countsOf = (members: readonly number[]) => {
    const counts = new Array<number>(classes).fill(0);
    for (const row of members) counts[images[row].label]++;
    return counts;
  };
  const total = countsOf(rows);
  const held = parts.map(() => new Array<number>(classes).fill(0));
  const sorted = groups.map((members) => ({ members, n: countsOf(members) }))
    .sort((a, b) => deviation(b.n) - deviation(a.n));
  for (const { members, n } of sorted) {
    const unevenness = parts.map((_, candidate) => {
      let sum = 0;
      for (let c = 0; c < classes; c++) {
        if (total[c] === 0) continue;
        sum += deviation(
          held.map((h, i) => (h[c] + (i === candidate ? n[c] : 0)) / total[c]),
        );
      }
      return sum;
    });
    let best = 0;
    for (let i = 1; i < k; i++) {
      const less = unevenness[i] - unevenness[best];
      const even = Math.abs(less) < 1e-12;
      if (even ? parts[i].length < parts[best].length : less < 0) best = i;
    }
    parts[best].push(...members);
    n.forEach((count, c) => held[best][c] += count);
  }
  return parts;
}

function deviation(values: readonly number[]): number {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return Math.sqrt(
    values.reduce((a, v) => a + (v - mean) ** 2, 0) / values.length,
  );
}
