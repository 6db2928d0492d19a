/** The audit of a data set: what is wrong with it, before anybody trains. */
import { createHash } from "node:crypto";
import type { Format, Listing } from "../listing.ts";
import {
  absentClasses,
  alsoInTrain,
  countFindings,
  countsOf,
  imageFindings,
  publishedCounts,
  subjectFindings,
  unlistedFindings,
} from "./checks.ts";
import { copies } from "./copies.ts";
import { type AuditPhase, type ImageFacts, readImages } from "./facts.ts";
import { type Audit, type FindingKind, KINDS } from "./types.ts";

/** What auditListing takes beside the listing. */
export interface AuditOptions {
  /** The folder that the listing was read from. */
  dir: string;
  published?: Format["published"];
  /** Where decoded pixels are kept (the user's cache folder). */
  cacheDir?: string;
  /** Called with what has been done of how much. */
  onProgress?: (phase: AuditPhase, done: number, total: number) => void;
}

/** How many images have each width and height, the most frequent first. */
export function sizesOf(facts: readonly ImageFacts[]): Audit["sizes"] {
  const sizes = new Map<string, Audit["sizes"][number]>();
  for (const { width, height } of facts) {
    if (!width || !height) continue;
    const key = `${width} ${height}`;
    const size = sizes.get(key) ?? { width, height, count: 0 };
    size.count++;
    sizes.set(key, size);
  }
  return [...sizes.values()].sort((a, b) =>
    b.count - a.count || a.width - b.width || a.height - b.height
  );
}

/** SHA-256 over names, splits, labels and contents, whatever their order. */
export function setHash(
  { images, classes }: Listing,
  facts: readonly ImageFacts[],
): string {
  const lines = images.map(({ name, split, label }, i) =>
    JSON.stringify([
      name,
      split ?? null,
      classes[label],
      facts[i].content ?? null,
    ])
  ).sort();
  return createHash("sha256").update(lines.join("\n")).digest("hex");
}

/**
 * Reads, decodes and compares every image that a data set lists. What is wrong
 * with it is found, not thrown.
 */
export async function auditListing(
  listing: Listing,
  { dir, published, cacheDir, onProgress }: AuditOptions,
): Promise<Audit> {
  const facts = await readImages(listing.images, {
    dir,
    cacheDir,
    onProgress,
  });
  const { classes, format, layout, left, images } = listing;
  const counts = countsOf(listing);
  const theirs = publishedCounts({ published }, listing);
  const findings = [
    ...copies(
      listing,
      facts,
      (done, total) => onProgress?.("compare", done, total),
    ),
    ...imageFindings(listing, facts),
    ...countFindings(classes, counts, theirs),
    ...absentClasses(classes, counts),
    ...subjectFindings(listing),
    ...unlistedFindings(listing.unlisted),
  ];
  const rank = Object.keys(KINDS) as FindingKind[];
  findings.sort((a, b) => rank.indexOf(a.kind) - rank.indexOf(b.kind));
  return {
    date: new Date().toISOString(),
    hash: setHash(listing, facts),
    format,
    layout,
    classes,
    images: images.length,
    counts,
    published: theirs,
    left,
    sizes: sizesOf(facts),
    alsoInTrain: alsoInTrain(listing, findings),
    findings,
  };
}
