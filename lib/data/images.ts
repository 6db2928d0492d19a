/** The pixels of image files, through a cache that knows them by content. */
import { createHash } from "node:crypto";
import {
  cacheEntries,
  defaultCacheDir,
  readEntry,
  readStamp,
  writeEntry,
  writeStamp,
} from "./cache.ts";
import { decodeFiles, widen } from "./decode.ts";
import { contentOf, readImageFile, UNREADABLE } from "./files.ts";
import { READING_VERSION } from "./rule.ts";

/** What cachedPixels takes beside the paths. */
export interface ImageOptions {
  /** Side in pixels. */
  size: number;
  channels: 1 | 3;
  /** Where decoded pixels are kept (the user's cache folder). */
  cacheDir?: string;
  /** Called with (done, total) about a hundred times while files are decoded. */
  onProgress?: (done: number, total: number) => void;
  /** Ends the work with its reason. */
  signal?: AbortSignal;
}

/** Pixels of files, row i for path i. */
export interface Pixels {
  /** `[paths, size, size, channels]`; rows of bad files are zero. */
  pixels: Uint8Array;
  /** Reason per bad path index. */
  bad: Map<number, string>;
}

/**
 * How long a file must have been at rest for its stamp to count, in ms: Deno
 * tells the time of status change in whole seconds, and some file systems in
 * steps of two.
 */
const SETTLED = 10_000;

/**
 * A digest of what the system says of the files: device, inode, size, times of
 * change. Null where that could hide a change: on systems without a time of
 * status change (which no program can set back), for files that changed within
 * the last ten seconds, whose next change might bear the same time, and for
 * files that cannot be asked about.
 */
function stampOf(paths: string[]): string | null {
  const hash = createHash("sha256");
  const latest = Date.now() - SETTLED;
  for (const path of paths) {
    try {
      const { dev, ino, size, mtime, ctime } = Deno.statSync(path);
      if (!ctime || ctime.getTime() > latest) return null;
      hash.update(
        `${dev} ${ino} ${size} ${mtime?.getTime()} ${ctime.getTime()}\n`,
      );
    } catch {
      return null;
    }
  }
  return hash.digest("hex");
}

function digestOf(contents: string[]): string {
  return createHash("sha256").update(contents.join("\n")).digest("hex");
}

/** Whether some entry is of these numbers: else files need no first reading. */
function mayHold(dir: string, count: number, size: number): boolean {
  return cacheEntries(dir).some(({ images }) =>
    images?.count === count && images.size === size
  );
}

/** Reads all files for their contents. */
async function contentsOf(
  paths: string[],
  signal?: AbortSignal,
): Promise<string[]> {
  const contents: string[] = [];
  const scratch = new Uint8Array(2 ** 20);
  for (const path of paths) {
    // Timers and signals get their turn.
    if (contents.length % 256 === 0) {
      await new Promise((resolve) => setTimeout(resolve));
      signal?.throwIfAborted();
    }
    contents.push(contentOf(readImageFile(path, scratch)));
  }
  return contents;
}

/**
 * Pixels of the files by `READING_RULE`, from the cache where it has them.
 *
 * The cache's key is made of the files' contents in their order, the rule's
 * version, size and channels; paths and times are no part of it. A folder that
 * was moved is found, and a file with other content under the same name, size
 * and time is not mistaken. So that not every file is read at each start,
 * device, inode, size and times of all files lead to the digest of their
 * contents (`stampOf`); with any difference all of them are read again.
 */
export async function cachedPixels(
  paths: string[],
  { size, channels, cacheDir = defaultCacheDir(), onProgress, signal }:
    ImageOptions,
): Promise<Pixels> {
  const keyOf = (digest: string) =>
    createHash("sha256")
      .update(JSON.stringify([READING_VERSION, size, channels, digest]))
      .digest("hex");
  if (paths.length === 0) return { pixels: new Uint8Array(), bad: new Map() };
  const stamp = stampOf(paths);
  const keep = (contents: string[]) => {
    if (stamp === null) return;
    if (contents.some((content) => content.startsWith(UNREADABLE))) return;
    writeStamp(cacheDir, stamp, digestOf(contents));
  };
  const load = (digest: string) => readEntry(cacheDir, keyOf(digest), channels);

  const digest = stamp && readStamp(cacheDir, stamp);
  let found = digest && load(digest);
  if (!digest && mayHold(cacheDir, paths.length, size)) {
    const contents = await contentsOf(paths, signal);
    found = load(digestOf(contents));
    if (found) keep(contents);
  }
  if (found) return { pixels: found.pixels, bad: found.bad };

  const contents: string[] = [];
  const { pixels, planes, bad } = await decodeFiles(
    paths,
    size,
    channels,
    onProgress,
    signal,
    contents,
  );
  const entry = { size, count: paths.length, planes, pixels, bad };
  writeEntry(cacheDir, keyOf(digestOf(contents)), entry);
  keep(contents);
  if (planes === channels) return { pixels, bad };
  const wide = new Uint8Array(pixels.buffer);
  widen(wide);
  return { pixels: wide, bad };
}

/**
 * Puts rows of `width` values in another order, in place: the new row i is the
 * old row `order[i]`. `order` holds every row once.
 */
export function arrangeRows(
  pixels: Uint8Array,
  width: number,
  order: Uint32Array,
): void {
  const row = (i: number) => i * width;
  const done = new Uint8Array(order.length);
  const first = new Uint8Array(width);
  for (let start = 0; start < order.length; start++) {
    if (done[start] || order[start] === start) continue;
    first.set(pixels.subarray(row(start), row(start + 1)));
    let i = start;
    for (; order[i] !== start; i = order[i]) {
      pixels.copyWithin(row(i), row(order[i]), row(order[i] + 1));
      done[i] = 1;
    }
    pixels.set(first, row(i));
    done[i] = 1;
  }
}
