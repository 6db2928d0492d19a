/** Labels of synthetic faces: class balance and label noise. */
import { hash32, Random } from "../random.ts";
import { DataError } from "../types.ts";
import type { FaceOptions } from "../types.ts";

/** Training images of each class in FER2013's order, as published. */
const PUBLISHED: Record<string, readonly number[]> = {
  "fer2013": [3995, 436, 4097, 7215, 4830, 3171, 4965],
  "raf-db": [705, 717, 281, 4772, 1982, 1290, 2524],
};

/**
 * The share of each class, summing to 1.
 * @throws {DataError} an unknown balance or class, shares that cannot be
 */
export function classShares(
  balance: FaceOptions["balance"],
  classes: readonly string[],
): number[] {
  if (typeof balance === "string") {
    const counts = PUBLISHED[balance];
    if (counts?.length !== classes.length) {
      throw new DataError(
        counts
          ? `balance "${balance}" has no contempt; take 7 classes or name shares`
          : `unknown balance "${balance}"; choose "fer2013" or "raf-db", or give shares such as {"Disgust": 0.02}`,
      );
    }
    const total = counts.reduce((a, b) => a + b);
    return counts.map((count) => count / total);
  }
  const named = Object.entries(balance ?? {});
  for (const [name, share] of named) {
    if (!classes.includes(name)) {
      throw new DataError(
        `balance: no class "${name}"; choose from ${classes.join(", ")}`,
      );
    }
    if (!(share >= 0 && share <= 1)) {
      throw new DataError(
        `balance: share ${share} of ${name} is out of range; give 0 to 1`,
      );
    }
  }
  const sum = named.reduce((total, [, share]) => total + share, 0);
  const others = classes.length - named.length;
  if (sum > 1 + 1e-9 || (others === 0 && sum < 1 - 1e-9)) {
    throw new DataError(
      `balance: the shares sum to ${sum}; ${
        others === 0 ? "make it 1" : "leave the other classes some of 1"
      }`,
    );
  }
  const rest = Math.max(0, 1 - sum) / others;
  return classes.map((name) => balance?.[name] ?? rest);
}

/**
 * The class of each of `n` images: always the one that lacks most to its
 * share, so that the first k labels are the same for every `n`.
 */
export function labelSequence(shares: readonly number[], n: number) {
  const counts = shares.map(() => 0);
  return Int32Array.from({ length: n }, (_, i) => {
    let label = 0, most = -Infinity;
    shares.forEach((share, c) => {
      const lack = share * (i + 1) - counts[c];
      if (lack > most) [label, most] = [c, lack];
    });
    counts[label]++;
    return label;
  });
}

/**
 * Each label replaced with the chance `noise` by another class, all of them
 * equally likely. The labels replaced at a lower noise are among those at a
 * higher one, and by the same class.
 */
export function noisyLabels(
  labels: Int32Array,
  noise: number,
  classes: number,
  seed: number,
): Int32Array {
  return labels.map((label, i) => {
    // Streams 0 to 2 draw the splits' faces.
    const random = new Random(hash32(seed, 3, i));
    if (!random.chance(noise)) return label;
    return (label + 1 + Math.floor(random.next() * (classes - 1))) % classes;
  });
}
