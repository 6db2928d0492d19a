/** The pixels of listed images, through a cache that knows files by content. */
import { createHash } from "node:crypto";
import type { ListedImage } from "../listing.ts";
import {
  cacheEntries,
  defaultCacheDir,
  readEntry,
  readStamp,
  writeEntry,
  writeStamp,
} from "./cache.ts";
import { READING_VERSION } from "./decode_image.ts";
import {
  type Decoded,
  decodeImages,
  type DecodeOptions,
  type ImageSource,
  widen,
} from "./decode_images.ts";
import { boxText, contentOf, readImageFile, UNREADABLE } from "./image_file.ts";

/** What cachedPixels takes beside the paths. */
export interface ImageOptions extends DecodeOptions {
  /** Where decoded pixels are kept (the user's cache folder). */
  cacheDir?: string;
}

/** Pixels of files, row i for path i. */
export interface Pixels {
  /** `[paths, size, size, channels]`; rows of bad files are zero. */
  pixels: Uint8Array;
  /** Reason per bad path index. */
  bad: Map<number, string>;
  /** SHA-256 of the cache's entry that holds them, where there is one. */
  sum?: string;
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
function stampOf(
  paths: string[],
  boxes?: ImageOptions["boxes"],
): string | null {
  const hash = createHash("sha256");
  const latest = Date.now() - SETTLED;
  for (const [i, path] of paths.entries()) {
    try {
      const { dev, ino, size, mtime, ctime } = Deno.statSync(path);
      if (!ctime || ctime.getTime() > latest) return null;
      const box = boxes?.[i];
      hash.update(
        `${dev} ${ino} ${size} ${mtime?.getTime()} ${ctime.getTime()}` +
          `${box ? ` ${boxText(box)}` : ""}\n`,
      );
    } catch {
      return null;
    }
  }
  return hash.digest("hex");
}

/** SHA-256 of the lines that `contents` are. */
function digestOf(contents: string[]): string {
  const hash = createHash("sha256");
  contents.forEach((line, i) => hash.update(i === 0 ? line : `\n${line}`));
  return hash.digest("hex");
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
  { boxes, signal }: Pick<ImageOptions, "boxes" | "signal">,
): Promise<string[]> {
  const contents: string[] = [];
  const scratch = new Uint8Array(2 ** 20);
  for (const [i, path] of paths.entries()) {
    // Timers and signals get their turn.
    if (contents.length % 256 === 0) {
      await new Promise((resolve) => setTimeout(resolve));
      signal?.throwIfAborted();
    }
    contents.push(contentOf(readImageFile(path, scratch), boxes?.[i]));
  }
  return contents;
}

/**
 * Pixels of the files by `READING_RULE`, from the cache where it has them.
 *
 * The cache's key is made of the files' contents in their order, their boxes,
 * the rule's version, size and channels; paths and times are no part of it. A
 * folder that was moved is found, and a file with other content under the same
 * name, size and time is not mistaken. So that not every file is read at each
 * start, device, inode, size and times of all files lead to the digest of their
 * contents (`stampOf`); with any difference all of them are read again.
 */
export async function cachedPixels(
  paths: string[],
  { cacheDir = defaultCacheDir(), ...o }: ImageOptions,
): Promise<Pixels> {
  const { size, channels, boxes } = o;
  const keyOf = (digest: string) =>
    createHash("sha256")
      .update(JSON.stringify([READING_VERSION, size, channels, digest]))
      .digest("hex");
  if (paths.length === 0) return { pixels: new Uint8Array(), bad: new Map() };
  const stamp = stampOf(paths, boxes);
  const keep = (contents: string[], digest: string) => {
    if (stamp === null) return;
    if (contents.some((content) => content.startsWith(UNREADABLE))) return;
    writeStamp(cacheDir, stamp, digest);
  };
  const load = (digest: string) => readEntry(cacheDir, keyOf(digest), channels);

  const stamped = stamp && readStamp(cacheDir, stamp);
  let found = stamped && load(stamped);
  if (!stamped && mayHold(cacheDir, paths.length, size)) {
    const contents = await contentsOf(paths, o);
    const digest = digestOf(contents);
    found = load(digest);
    if (found) keep(contents, digest);
  }
  if (found) return found;

  const contents: string[] = [];
  const decoded = await decodeImages(paths, o, contents);
  const entry = { size, count: paths.length, ...decoded };
  const digest = digestOf(contents);
  const sum = writeEntry(cacheDir, keyOf(digest), entry);
  keep(contents, digest);
  return { ...inChannels(decoded, channels), sum };
}

/** Decoded images with as many planes as were asked for. */
function inChannels(
  { pixels, planes, bad }: Decoded,
  channels: 1 | 3,
): Pixels {
  if (planes === channels) return { pixels, bad };
  const wide = new Uint8Array(pixels.buffer);
  widen(wide);
  return { pixels: wide, bad };
}

/** Pixels of `images`, row i for image i; lists of files come by the cache. */
export async function readPixels(
  images: readonly ListedImage[],
  { dir, ...o }: Omit<ImageOptions, "boxes"> & { dir: string },
): Promise<Pixels> {
  const sources = images.map(({ source }) =>
    "file" in source ? `${dir || "."}/${source.file}` : source
  );
  const boxes = images.some(({ crop }) => crop)
    ? images.map(({ crop }) => crop)
    : undefined;
  const isFile = (source: ImageSource) => typeof source === "string";
  return sources.every(isFile)
    ? await cachedPixels(sources, { ...o, boxes })
    : inChannels(await decodeImages(sources, { ...o, boxes }), o.channels);
}
