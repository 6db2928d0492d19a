/** A data set in a few lines: classes, counts, what is not in it. */
import { classCounts, imageAt } from "./dataset.ts";
import { isUniform, repeatedLines } from "./repeated_images.ts";
import { SPLITS } from "./types.ts";
import type { Dataset, Split, SplitRule } from "./types.ts";

const countWords = (n: number) => n.toLocaleString("en-US");

/** How many images of a split are blank. */
function blanks(split: Split): number {
  let blank = 0;
  for (let i = 0; i < split.n; i++) {
    if (isUniform(imageAt(split, i))) blank++;
  }
  return blank;
}

function ruleInWords(rule: SplitRule, seed: number): string {
  const amount = (n: number) =>
    n < 1 ? `${+(n * 100).toFixed(2)} %` : `${countWords(n)} images`;
  switch (rule.kind) {
    case "official":
      return "official";
    case "holdout": {
      const held = (["validation", "test"] as const).flatMap((name) =>
        rule[name] === undefined ? [] : [`${name} ${amount(rule[name])}`]
      );
      return `${held.join(" and ")} held out of the training images, ` +
        `seed ${seed}`;
    }
    case "folds":
      return `fold ${rule.fold} (from 0) of ${rule.folds}, seed ${seed}`;
  }
}

/**
 * Lines for a terminal: name, classes with counts in each split, how it was
 * divided, and what was left out or skipped. A class that a split lacks is
 * named with 0.
 */
export function describeDataset(d: Dataset): string[] {
  const { name, layout, classes, size, channels, source, skipped } = d;
  const lines = [
    `${name}${layout ? ` (${layout})` : ""}: ${classes.length} classes, ` +
    `${size} × ${size} × ${channels}`,
  ];
  for (const split of SPLITS) {
    const counts = classCounts(d[split], classes);
    lines.push(
      `${split} ${countWords(d[split].n)}: ` +
        classes.map((c, i) => `${c} ${countWords(counts[i])}`).join(", "),
    );
  }
  if (source?.split) {
    lines.push(`split: ${ruleInWords(source.split, source.seed ?? 0)}`);
  }
  if (source?.part) {
    const { of, take } = source.part;
    lines.push(
      `train is part ${take + 1} of ${of} of the training images, seed ${
        source.seed ?? 0
      }`,
    );
  }
  for (const split of SPLITS) {
    const n = blanks(d[split]);
    if (n > 0) lines.push(`blank images in ${split}: ${countWords(n)}`);
  }
  lines.push(...repeatedLines(d));
  for (const [what, n] of Object.entries(d.left ?? {})) {
    lines.push(`left out: ${what}, ${countWords(n)}`);
  }
  if (skipped.length > 0) {
    const [{ path, reason }] = skipped;
    lines.push(
      `skipped: ${countWords(skipped.length)}, first ${path}: ${reason}`,
    );
  }
  return lines;
}
