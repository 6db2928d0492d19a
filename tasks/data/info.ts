/** `deno task data info`: what a folder holds and how it is read. */
import {
  cacheEntries,
  type CacheFile,
  countsOf,
  defaultCacheDir,
  type Listing,
  publishedCounts,
  readHeads,
  READING_RULE,
  setHash,
  sizesOf,
} from "../../lib/data/commands.ts";
import { bytes, factLines, plural, roomOf, table } from "../text.ts";
import { leftText, sizesText } from "./audit_text.ts";
import { classTable, openSet, type SetOptions, withSetOptions } from "./set.ts";
import { command, printLine } from "../cli.ts";
import { Progress } from "../screen.ts";

/** `48 × 48 pixels, gray`. */
export function held({ images }: CacheFile): string {
  if (!images) return "damaged, or of an earlier version";
  const { size, planes } = images;
  return `${size} × ${size} pixels, ${planes === 1 ? "gray" : "colour"}`;
}

/** Cached pixels are known by content; of a set only the number is compared. */
function cacheText({ images }: Listing): string {
  const files = images.filter(({ source }) => "file" in source).length;
  if (files === 0) return "not needed: the table holds the pixels";
  const entries = cacheEntries(defaultCacheDir())
    .filter((entry) => entry.images?.count === files);
  return entries.length === 0
    ? `no decoded set of ${plural(files, "image")}`
    : entries.map((e) =>
      `a set of ${plural(files, "image")}: ${held(e)}, ${bytes(e.bytes)}`
    ).join("; ");
}

/** What images say beside their class. */
function alsoText({ images }: Listing): string {
  const subjects = new Set(images.map((i) => i.subject).filter(Boolean));
  return [
    subjects.size > 0 && plural(subjects.size, "subject"),
    images.some((i) => i.target) && "shares of the raters",
    images.some((i) => i.crop) && "boxes of the faces",
  ].filter(Boolean).join(", ");
}

async function info(given: string, o: SetOptions): Promise<number> {
  const { dir, format, listing } = openSet(given, o);
  const progress = new Progress();
  const facts = await readHeads(listing.images, {
    dir,
    onProgress: (_, done, total) =>
      progress.show("looking at images", done, total),
  }).finally(() => progress.end());
  const { classes, images, bad, left } = listing;
  const hasSplits = images.some((i) => i.split !== undefined);
  const lines: [string, string][] = [
    ["format", listing.format],
    ["layout", listing.layout],
    ["images", `${images.length} in ${classes.length} classes`],
    [
      "splits",
      hasSplits ? "official" : "none: a study's split rule divides it",
    ],
    ["with", alsoText(listing)],
    ["left out by rule", leftText(left)],
    ["cannot be used", bad.length ? `${bad.length}; the audit has all` : ""],
    ["sizes", sizesText(sizesOf(facts))],
    ["hash", setHash(listing, facts)],
    ["cache", cacheText(listing)],
  ];
  const published = publishedCounts(format, listing);
  printLine([
    factLines(lines),
    table(
      classTable(classes, countsOf(listing), published),
      roomOf(Deno.stdout),
    ),
    `What makes it ${format.name}: ${format.about}`,
    `How files become pixels:\n${READING_RULE}`,
  ].join("\n\n"));
  return 0;
}

export const infoCommand = command("info", {
  summary: "show what a folder holds and how it is read",
  about:
    "Show a data set's format, layout, classes, counts and sizes, the hash " +
    "of its names, splits, labels and contents (the same as the audit's), " +
    "what the cache holds, and how files are read. Decodes nothing.",
  examples: ["data info data/raf-db"],
  takes: withSetOptions,
}, info);
