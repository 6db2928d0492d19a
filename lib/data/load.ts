/** A data set by name: listed, divided, checked, decoded, hashed. */
import { assertSize, contentHash, limited, partOf } from "./dataset.ts";
import { knownHash, splitsOf } from "./read/dataset_of.ts";
import { detectFormat, formatOf } from "./formats/mod.ts";
import type { ListedImage } from "./listing.ts";
import { readPixels } from "./read/pixels.ts";
import { trainWithoutCopies } from "./repeated_images.ts";
import { checkSource } from "./source.ts";
import { assignSplits } from "./split.ts";
import { syntheticFaces } from "./synthetic/faces.ts";
import { DataError, SPLITS } from "./types.ts";
import type {
  Dataset,
  DataSource,
  SkippedFile,
  SplitName,
  SplitRule,
} from "./types.ts";

/** What loadDataset takes. */
export interface LoadOptions extends DataSource {
  /** The data folder; all but synthetic faces need one. */
  dir?: string;
  /** Where decoded pixels are kept (the user's cache folder). */
  cacheDir?: string;
  onProgress?: (done: number, total: number) => void;
}

/**
 * Loads a data set by name: "synthetic", a format's name, or "auto" for the
 * one that the folder fits. Images keep the order of the data set's own list,
 * else of their paths; classes are in the order of `EXPRESSIONS`, mapped by
 * name. Files are decoded by content, once for each size.
 *
 * @throws DataError for an unknown name or folder, an empty split, a rule that
 * does not fit, and (with onBad "stop") rows and files that cannot be used,
 * each with its reason
 */
export async function loadDataset(
  { dir, cacheDir, onProgress, ...asked }: LoadOptions,
): Promise<Dataset> {
  const named = ["synthetic", "auto"].includes(asked.name)
    ? null
    : formatOf(asked.name);
  checkSource(asked);
  const isReduced = asked.copies === "drop" || asked.part !== undefined;
  if (asked.name === "synthetic") {
    const drawn = syntheticFaces(asked);
    return {
      ...isReduced ? reduced(drawn, asked, asked.seed ?? 0) : drawn,
      source: askedFields(asked),
    };
  }
  if (dir === undefined) {
    throw new DataError(
      `${asked.name} needs its folder; give dir, the folder that holds it`,
    );
  }
  const size = assertSize(asked.size ?? 48);
  const { channels = 3, seed = 0, onBad = "stop" } = asked;
  const format = named ?? detectFormat(dir);
  const { name } = format;
  const listing = format.list(dir, asked);
  const rule = asked.split ?? usualRule(listing.images);
  const splits = assignSplits(listing.images, rule, seed);
  refuseEmpty(name, dir, new Set(splits));
  const pixels = await readPixels(
    listing.images,
    { dir, size, channels, cacheDir, onProgress },
  );
  const skipped = [...listing.bad];
  for (const [i, reason] of pixels.bad) {
    skipped.push({ path: listing.images[i].name, reason });
  }
  skipped.sort((a, b) => a.path.localeCompare(b.path, "en", { numeric: true }));
  if (onBad === "stop" && skipped.length > 0) {
    throw badFiles(name, dir, skipped);
  }
  refuseEmpty(name, dir, new Set(splits.filter((_, i) => !pixels.bad.has(i))));
  const { layout, left } = listing;
  const body = { name, layout, size, channels, left, skipped };
  const { rows, ...parts } = splitsOf(listing, splits, pixels);
  const source = askedFields({ ...asked, name, split: rule });
  const listed = { ...body, ...parts };
  const whole = isReduced
    ? reduced(listed, asked, seed)
    : { ...listed, hash: knownHash(listed, pixels, rows, cacheDir) };
  return limited(
    { ...whole, source },
    { train: asked.train, validation: asked.validation, test: asked.test },
    seed,
  );
}

/** With the training images that are asked for: without copies, in part. */
function reduced(
  d: Omit<Dataset, "hash">,
  { copies, part }: Pick<DataSource, "copies" | "part">,
  seed: number,
): Dataset {
  let train = copies === "drop" ? trainWithoutCopies(d) : d.train;
  const dropped = d.train.n - train.n;
  if (part) train = partOf(train, d.classes.length, part, seed);
  const cut = {
    ...d,
    train,
    left: {
      ...d.left,
      ...dropped > 0 ? { "copies of test or validation images": dropped } : {},
    },
  };
  return { ...cut, hash: contentHash(cut) };
}

function refuseEmpty(name: string, dir: string, filled: Set<SplitName>): void {
  const empty = SPLITS.find((split) => !filled.has(split));
  if (empty === undefined) return;
  throw new DataError(
    `${name}: no ${empty} images in ${dir}: give a split, as ` +
      `{ kind: "holdout", validation: 0.1, test: 0.2 }`,
  );
}

/** The official split; a tenth of training images where no validation is. */
function usualRule(images: readonly ListedImage[]): SplitRule {
  return images.some(({ split }) => split === "validation") ||
      images.some(({ split }) => split === undefined)
    ? { kind: "official" }
    : { kind: "holdout", validation: 0.1 };
}

const RECORDED: readonly (keyof DataSource)[] = [
  ...["name", "size", "channels", "seed"] as const,
  ...SPLITS,
  ...["classes", "firstLabel", "votes", "split", "onBad", "faces"] as const,
  ...["copies", "part"] as const,
];

/** What was asked for, without the fields that were not. */
function askedFields(asked: DataSource): DataSource {
  return Object.fromEntries(
    RECORDED.filter((key) => asked[key] !== undefined)
      .map((key) => [key, asked[key]]),
  ) as unknown as DataSource;
}

/** How many bad paths a message lists. */
const SHOWN = 200;

function badFiles(name: string, dir: string, bad: SkippedFile[]): DataError {
  const lines = bad.slice(0, SHOWN).map((b) => `\n  ${b.path}: ${b.reason}`);
  const more = bad.length > SHOWN ? `\n  and ${bad.length - SHOWN} more` : "";
  return new DataError(
    `${name}: ${bad.length} file(s) or row(s) in ${dir} cannot be used; ` +
      `mend them, or load with onBad "skip":${lines.join("")}${more}`,
  );
}
