/** FER2013 from its folder form: class folders, official split in the name. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { defaultCacheDir, readCache, writeCache } from "./cache.ts";
import type { CacheEntry } from "./cache.ts";
import { decodeFiles, expandGray, mayHeal } from "./decode.ts";
import { assertSize, withHash } from "./dataset.ts";
import { DataError, FER_CLASSES, SPLITS } from "./types.ts";
import type { Dataset, SkippedFile, Split, SplitName } from "./types.ts";

/** What loadFer2013 takes. */
export interface Fer2013Options {
  /** Folder that holds `train/` and `test/`. */
  dir: string;
  /** Side in pixels (48). */
  size?: number;
  /** 3 repeats the gray plane (3). */
  channels?: 1 | 3;
  /** What to do about files that cannot be used ("stop"). */
  onBad?: "stop" | "skip";
  /** Where decoded pixels are kept (the user's cache folder). */
  cacheDir?: string;
  onProgress?: (done: number, total: number) => void;
}

const PREFIX: Record<string, SplitName> = {
  Training: "train",
  PublicTest: "validation",
  PrivateTest: "test",
};

const CLASS_OF = new Map(FER_CLASSES.map((c, i) => [c.toLowerCase(), i]));

interface Listing {
  /** Usable paths below the folder, sorted. */
  files: string[];
  bad: SkippedFile[];
}

/** Split and class index of a path below the data folder, or null. */
function place(path: string): { split: SplitName; label: number } | null {
  const [, folder, name] = path.split("/");
  const split = PREFIX[/^([A-Za-z]+)_/.exec(name)?.[1] ?? ""];
  const label = CLASS_OF.get(folder.toLowerCase());
  return split === undefined || label === undefined ? null : { split, label };
}

function list(dir: string): Listing {
  let isDir = false;
  try {
    isDir = Deno.statSync(dir).isDirectory;
  } catch {
    // Said below.
  }
  if (!isDir) {
    throw new DataError(
      `FER2013: no folder at ${dir}; give the folder that holds train/ and test/`,
    );
  }
  const files: string[] = [];
  const bad: SkippedFile[] = [];
  let classFolders = 0;
  for (const half of ["train", "test"]) {
    for (const folder of entries(join(dir, half))) {
      if (!isFolder(join(dir, half, folder))) {
        bad.push({
          path: `${half}/${folder}`,
          reason: "not in a class folder",
        });
        continue;
      }
      if (!CLASS_OF.has(folder.toLowerCase())) {
        bad.push({ path: `${half}/${folder}`, reason: "unknown class folder" });
        continue;
      }
      classFolders++;
      for (const name of entries(join(dir, half, folder))) {
        const path = `${half}/${folder}/${name}`;
        if (place(path) !== null) files.push(path);
        else {
          bad.push({
            path,
            reason:
              "unknown name prefix (want Training_, PublicTest_ or PrivateTest_)",
          });
        }
      }
    }
  }
  if (classFolders === 0) {
    throw new DataError(
      `FER2013: no class folders in ${dir}; want train/ and test/ with angry, disgust, fear, happy, neutral, sad, surprise`,
    );
  }
  return { files: files.sort(), bad };
}

/** Visible names in a folder; none where it is missing. */
function entries(dir: string): string[] {
  try {
    return [...Deno.readDirSync(dir)].map((e) => e.name)
      .filter((name) => !name.startsWith("."));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw new DataError(
      `FER2013: cannot list ${dir}; check that it is a readable folder`,
    );
  }
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

/** Cache key: every path with size and time of change, and the options. */
function keyOf(
  dir: string,
  { files, bad }: Listing,
  size: number,
  channels: number,
): string {
  const lines = [`fer2013 ${size} ${channels}`];
  for (const path of files) {
    try {
      const { size, mtime } = Deno.statSync(join(dir, path));
      lines.push(`${path} ${size} ${mtime?.getTime()}`);
    } catch {
      lines.push(`${path} unreadable`);
    }
  }
  for (const { path } of bad) lines.push(`bad ${path}`);
  return createHash("sha256").update(lines.join("\n")).digest("hex");
}

function complain(dir: string, bad: SkippedFile[]): never {
  const shown = bad.slice(0, 20).map((b) => `\n  ${b.path}: ${b.reason}`);
  const more = bad.length > 20 ? `\n  and ${bad.length - 20} more` : "";
  throw new DataError(
    `FER2013: ${bad.length} file(s) in ${dir} cannot be used; replace them, or load with onBad "skip":${
      shown.join("")
    }${more}`,
  );
}

async function decode(
  o: Fer2013Options,
  { files, bad }: Listing,
  size: number,
  channels: 1 | 3,
): Promise<CacheEntry> {
  const paths = files.map((path) => join(o.dir, path));
  const decoded = await decodeFiles(paths, size, channels, o.onProgress);
  const width = size * size * decoded.planes;
  const skipped = [...bad];
  const names: string[] = [];
  let pixels = decoded.pixels;
  for (let i = 0; i < files.length; i++) {
    const reason = decoded.bad.get(i);
    if (reason !== undefined) skipped.push({ path: files[i], reason });
    else {
      if (names.length < i) {
        pixels.copyWithin(names.length * width, i * width, (i + 1) * width);
      }
      names.push(files[i]);
    }
  }
  pixels = pixels.subarray(0, names.length * width);
  skipped.sort((a, b) => a.path < b.path ? -1 : 1);
  return { pixels, planes: decoded.planes, names, skipped };
}

/** Rows of `entry` that belong to `split`, as a split of `channels` planes. */
function take(
  entry: CacheEntry,
  split: SplitName,
  size: number,
  channels: 1 | 3,
): Split {
  const rows: number[] = [];
  const labels: number[] = [];
  entry.names.forEach((name, row) => {
    const at = place(name)!;
    if (at.split === split) {
      rows.push(row);
      labels.push(at.label);
    }
  });
  const from = size * size * entry.planes;
  const to = size * size * channels;
  const images = new Uint8Array(rows.length * to);
  rows.forEach((row, i) => {
    const source = entry.pixels.subarray(row * from, (row + 1) * from);
    if (from === to) images.set(source, i * to);
    else expandGray(source, images.subarray(i * to, (i + 1) * to));
  });
  return {
    images,
    labels: Int32Array.from(labels),
    n: rows.length,
    names: rows.map((row) => entry.names[row]),
  };
}

/**
 * Loads FER2013 from `train|test/{angry,...}/{Training,PublicTest,PrivateTest}_N.jpg`.
 * The name's prefix gives the official split (train, validation, test); labels
 * are FER2013's 0..6. Files are decoded by content once and kept in the cache.
 * Rows are in path order.
 * @throws {DataError} missing folder, no class folders, an empty split, or
 * (with onBad "stop") any file that cannot be used, each with its reason
 */
export async function loadFer2013(o: Fer2013Options): Promise<Dataset> {
  const size = assertSize(o.size ?? 48);
  const channels = o.channels ?? 3;
  const onBad = o.onBad ?? "stop";
  const cacheDir = o.cacheDir ?? defaultCacheDir();
  const listing = list(o.dir);
  const key = keyOf(o.dir, listing, size, channels);
  let entry = readCache(cacheDir, key);
  if (entry === null || (onBad === "stop" && entry.skipped.length > 0)) {
    entry = await decode(o, listing, size, channels);
    if (onBad === "stop" && entry.skipped.length > 0) {
      complain(o.dir, entry.skipped);
    }
    if (!entry.skipped.some(mayHeal)) writeCache(cacheDir, key, entry);
  }
  const found = entry;
  const splits = SPLITS.map((name) => {
    const split = take(found, name, size, channels);
    if (split.n === 0) {
      const prefix = Object.keys(PREFIX).find((p) => PREFIX[p] === name);
      throw new DataError(
        `FER2013: no ${name} images in ${o.dir}; want files named ${prefix}_N.jpg`,
      );
    }
    return split;
  });
  const { skipped } = found;
  return withHash({ name: "fer2013", size, channels, skipped }, splits);
}
