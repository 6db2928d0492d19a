/** Training on one data set and testing on another, classes by their names. */
import { classCounts, contentHash, imagesOf } from "./dataset.ts";
import { expressionOf, EXPRESSIONS } from "./expressions.ts";
import { DataError } from "./types.ts";
import type { Dataset, Split } from "./types.ts";

/** What a class is compared by: the expression that it means, else its name. */
function keyOf(name: string): string {
  return expressionOf(name) ?? name.trim().toLowerCase();
}

/**
 * Train and validation of one data set, test of another. Classes are matched by
 * name, never by number; images of a class that one of the two lacks are left
 * out and counted in `left`.
 *
 * @throws DataError for images of another size, or fewer than two classes that
 * both have
 */
export function acrossSets(train: Dataset, test: Dataset): Dataset {
  const { size, channels } = train;
  if (test.size !== size || test.channels !== channels) {
    throw new DataError(
      `${train.name} has images of ${size} × ${size} × ${channels}, ` +
        `${test.name} of ${test.size} × ${test.size} × ${test.channels}: ` +
        `load both at one size`,
    );
  }
  const ours = train.classes.map(keyOf), theirs = test.classes.map(keyOf);
  const shared = ours.filter((key) => theirs.includes(key));
  if (shared.length < 2) {
    throw new DataError(
      `${train.name} and ${test.name} have fewer than two classes in common: ` +
        `${train.classes.join(", ")}; ${test.classes.join(", ")}`,
    );
  }
  const rank = (key: string) => EXPRESSIONS.findIndex((e) => e === key);
  shared.sort((a, b) => rank(a) - rank(b));
  const classes = shared.map((key) => train.classes[ours.indexOf(key)]);
  const left: Record<string, number> = {};
  const taken = (d: Dataset, name: "train" | "validation" | "test") => {
    const to = d.classes.map((c) => shared.indexOf(keyOf(c)));
    const other = d === train ? test : train;
    classCounts(d[name], d.classes).forEach((n, label) => {
      if (n === 0 || to[label] >= 0) return;
      left[
        `${name} images of ${d.name}: ${d.classes[label]}, ` +
        `no class of ${other.name}`
      ] = n;
    });
    return mapped(d[name], to, classes.length);
  };
  const body = {
    name: `${train.name} to ${test.name}`,
    classes,
    size,
    channels,
    train: taken(train, "train"),
    validation: taken(train, "validation"),
    test: taken(test, "test"),
    skipped: [train, test].flatMap((d) =>
      d.skipped.map(({ path, reason }) => ({
        path: `${d.name}: ${path}`,
        reason,
      }))
    ),
    left,
  };
  return { ...body, hash: contentHash(body) };
}

/** The images whose class has a new number in `to` (from 0), with that one. */
function mapped(split: Split, to: readonly number[], classes: number): Split {
  const rows = [...split.labels.keys()]
    .filter((row) => to[split.labels[row]] >= 0);
  const { images, labels, targets } = imagesOf(split, rows);
  const n = rows.length;
  return {
    images,
    labels: labels.map((label) => to[label]),
    n,
    names: rows.map((row) => split.names[row]),
    ...targets && { targets: reshared(targets, n, to, classes) },
  };
}

/** Shares in the new order of classes, each row's sum 1 again. */
function reshared(
  from: Float32Array,
  n: number,
  to: readonly number[],
  classes: number,
): Float32Array {
  const targets = new Float32Array(n * classes);
  for (let i = 0; i < n; i++) {
    const row = from.subarray(i * to.length, (i + 1) * to.length);
    const kept = row.reduce((sum, v, c) => to[c] < 0 ? sum : sum + v, 0);
    row.forEach((share, c) => {
      if (to[c] >= 0) targets[i * classes + to[c]] = share / kept;
    });
  }
  return targets;
}
