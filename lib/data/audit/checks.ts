/** Findings about single images, counts and subjects. */
import { dirname } from "node:path";
import type { Format, ListedImage, Listing } from "../listing.ts";
import { MISSING } from "../formats/collector.ts";
import { type SplitName, SPLITS } from "../types.ts";
import { isBlank } from "./copies.ts";
import type { ImageFacts } from "./facts.ts";
import type {
  Audit,
  AuditSplit,
  Counts,
  Finding,
  FindingKind,
} from "./types.ts";

const placeOf = (image: ListedImage): AuditSplit => image.split ?? "all";

/** Images of each class and split; splits without an image are absent. */
export function countsOf({ images, classes }: Listing): Counts {
  const counts: Counts = {};
  for (const image of images) {
    const row = counts[placeOf(image)] ??= classes.map(() => 0);
    row[image.label]++;
  }
  return Object.fromEntries(
    [...SPLITS, "all" as const].filter((s) => counts[s])
      .map((s) => [s, counts[s]]),
  );
}

/** A format's published counts of a listing's classes, for its splits. */
export function publishedCounts(
  { published }: Pick<Format, "published">,
  { classes, images }: Listing,
): Counts | undefined {
  if (published === undefined) return;
  const splits = SPLITS.filter((s) => published[s]);
  const row = (split: typeof splits[number]) =>
    classes.map((c) => published[split]![c] ?? 0);
  if (images.some((i) => i.split !== undefined)) {
    return Object.fromEntries(splits.map((s) => [s, row(s)]));
  }
  const rows = splits.map(row);
  return {
    all: classes.map((_, i) => rows.reduce((sum, r) => sum + r[i], 0)),
  };
}

/** Classes whose count is not the published one. */
export function countFindings(
  classes: readonly string[],
  counts: Counts,
  published: Counts = {},
): Finding[] {
  return (Object.keys(published) as AuditSplit[]).flatMap((split) =>
    classes.flatMap((name, i) => {
      const ours = counts[split]?.[i] ?? 0, theirs = published[split]![i];
      const more = ours - theirs;
      return more === 0 ? [] : [{
        kind: "counts" as const,
        text: `${split} ${name}: ${ours} images, published ${theirs} ` +
          `(${more > 0 ? "+" : "−"}${Math.abs(more)})`,
        images: [],
      }];
    })
  );
}

/** Classes that a split has no image of. */
export function absentClasses(
  classes: readonly string[],
  counts: Counts,
): Finding[] {
  return (Object.keys(counts) as AuditSplit[]).flatMap((split) =>
    classes.filter((_, i) => counts[split]![i] === 0).map((name) => ({
      kind: "absent" as const,
      text: `${name}: no image${
        split === "all" ? "" : ` in ${split}`
      }, so its recall there is n/a`,
      images: [],
    }))
  );
}

/** Files that are missing or damaged, and images that show nothing. */
export function imageFindings(
  { images, bad }: Listing,
  facts: readonly ImageFacts[],
): Finding[] {
  const found: Finding[] = bad.map(({ path, reason }) => ({
    kind: reason === MISSING ? "missing" : "unusable",
    text: `${path}: ${reason}`,
    images: [path],
  }));
  const add = (kind: FindingKind, name: string, why: string) =>
    found.push({ kind, text: `${name}: ${why}`, images: [name] });
  images.forEach(({ name }, i) => {
    const fact = facts[i];
    if (fact.bad?.includes("NotFound")) add("missing", name, MISSING);
    else if (fact.bad !== undefined) add("undecodable", name, fact.bad);
    else if (isBlank(fact)) {
      const { deviation } = fact.signature!;
      add("blank", name, `standard deviation ${deviation.toFixed(1)} of 255`);
    }
  });
  return found;
}

/** How many images outside of train share a finding of copies with train. */
export function alsoInTrain(
  { images }: Listing,
  findings: readonly Finding[],
): Audit["alsoInTrain"] {
  const splitOfName = new Map(images.map(({ name, split }) => [name, split]));
  const copied = new Set(
    findings.filter((f) => f.kind === "leak" || f.kind === "nearLeak")
      .filter((f) => f.images.some((name) => splitOfName.get(name) === "train"))
      .flatMap((f) => f.images),
  );
  const count = (split: SplitName) =>
    images.filter((i) => i.split === split && copied.has(i.name)).length;
  return Object.fromEntries(
    (["validation", "test"] as const).map((split) => [split, count(split)])
      .filter(([, n]) => n),
  );
}

/** Subjects who are shown in more than one split. */
export function subjectFindings({ images }: Listing): Finding[] {
  const shown = images.filter((i) => i.subject !== undefined);
  return [...Map.groupBy(shown, (i) => i.subject!)].flatMap(([who, theirs]) => {
    const parts = [...Map.groupBy(theirs, placeOf)];
    if (parts.length < 2) return [];
    const words = parts.map(([split, some]) =>
      `${some.length} in ${split} (${some[0].name})`
    );
    return [{
      kind: "subject" as const,
      text: `${who}: ${words.join(", ")}`,
      images: theirs.map((i) => i.name),
    }];
  });
}

/** Folders with images that nothing lists. */
export function unlistedFindings(files: readonly string[] = []): Finding[] {
  return [...Map.groupBy(files, dirname)].map(([folder, some]) => ({
    kind: "unlisted" as const,
    text: some.length === 1
      ? some[0]
      : `${folder}: ${some.length} images, ${some[0]} among them`,
    images: some,
  }));
}
