/** Decoded pixels on disk: one checked file a key, written atomically. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { expandGray } from "./decode_images.ts";

/** Pixels of all files of a data set, and why some have none. */
export interface Entry {
  /** Side of an image in pixels. */
  size: number;
  /** How many images the pixels hold, bad ones (all zero) included. */
  count: number;
  planes: 1 | 3;
  /** `[count, size, size, planes]`. */
  pixels: Uint8Array;
  /** Reason per bad row. */
  bad: Map<number, string>;
}

/** What stands before the pixels, as JSON. */
interface Header {
  key: string;
  size: number;
  count: number;
  planes: 1 | 3;
  bad: [number, string][];
}

const MAGIC = "FERLAB-DATA-2\n";
/** Magic, SHA-256 of all that follows it (hex), length of the header (hex). */
const FRONT = MAGIC.length + 64 + 8;
const CHUNK = 2 ** 22;
const ENDINGS = /\.(bin|stamp|tmp)$/;

/** The user's cache folder for decoded data sets. */
export function defaultCacheDir(): string {
  const base = Deno.env.get("XDG_CACHE_HOME") ||
    join(Deno.env.get("HOME") ?? Deno.env.get("USERPROFILE") ?? ".", ".cache");
  return join(base, "ferlab", "data");
}

const entryFile = (dir: string, key: string) => join(dir, `${key}.bin`);
const stampFile = (dir: string, stamp: string) => join(dir, `${stamp}.stamp`);

/** Fills `into` from `file`; false where the file ends before. */
function readFully(file: Deno.FsFile, into: Uint8Array): boolean {
  for (let at = 0; at < into.length;) {
    const n = file.readSync(into.subarray(at));
    if (n === null) return false;
    at += n;
  }
  return true;
}

/** The checksum and header of an open cache file, or null if not as written. */
function readHeader(
  file: Deno.FsFile,
): { sum: string; head: Uint8Array; header: Header } | null {
  const front = new Uint8Array(FRONT);
  if (!readFully(file, front)) return null;
  const text = new TextDecoder().decode(front);
  const length = parseInt(text.slice(-8), 16);
  const bytes = file.statSync().size;
  if (!text.startsWith(MAGIC) || !(length <= bytes - FRONT)) return null;
  const head = new Uint8Array(length);
  if (!readFully(file, head)) return null;
  const header: Header = JSON.parse(new TextDecoder().decode(head));
  const { size, count, planes } = header;
  if (FRONT + length + count * size * size * planes !== bytes) return null;
  return { sum: text.slice(MAGIC.length, -8), head, header };
}

/**
 * The entry `key` with `channels` planes at least; null where there is no such
 * file, or where it is cut, changed or of another version.
 */
export function readEntry(
  dir: string,
  key: string,
  channels: 1 | 3,
): Entry & { sum: string } | null {
  try {
    using file = Deno.openSync(entryFile(dir, key));
    const found = readHeader(file);
    if (found === null || found.header.key !== key) return null;
    const { size, count, planes: stored, bad } = found.header;
    const planes = stored === 3 ? 3 : channels;
    const sum = createHash("sha256").update(found.head);
    const pixels = new Uint8Array(count * size * size * planes);
    const times = planes / stored;
    const narrow = times === 1 ? null : new Uint8Array(CHUNK);
    const bytes = pixels.length / times;
    // In pieces: the pixels are never held twice.
    for (let at = 0; at < bytes; at += CHUNK) {
      const to = Math.min(at + CHUNK, bytes);
      const part = narrow?.subarray(0, to - at) ?? pixels.subarray(at, to);
      if (!readFully(file, part)) return null;
      sum.update(part);
      if (narrow) expandGray(part, pixels.subarray(at * 3, to * 3));
    }
    if (sum.digest("hex") !== found.sum) return null;
    return { size, count, planes, pixels, bad: new Map(bad), sum: found.sum };
  } catch {
    return null;
  }
}

/**
 * Writes through a temporary file and a rename. A cache that cannot be written
 * (full disk, no permission) only costs time: returns false.
 */
function write(dir: string, path: string, parts: Uint8Array[]): boolean {
  const temp = `${path}.${Deno.pid}.${crypto.randomUUID()}.tmp`;
  try {
    Deno.mkdirSync(dir, { recursive: true });
    {
      using file = Deno.openSync(temp, { write: true, createNew: true });
      for (const part of parts) {
        for (let at = 0; at < part.length;) {
          at += file.writeSync(part.subarray(at));
        }
      }
    }
    Deno.renameSync(temp, path);
    return true;
  } catch {
    try {
      Deno.removeSync(temp);
    } catch {
      // Never created.
    }
    return false;
  }
}

/** Writes an entry; returns its checksum, undefined where it was impossible. */
export function writeEntry(
  dir: string,
  key: string,
  { size, count, planes, pixels, bad }: Entry,
): string | undefined {
  const coder = new TextEncoder();
  const header: Header = { key, size, count, planes, bad: [...bad] };
  const head = coder.encode(JSON.stringify(header));
  const sum = createHash("sha256").update(head).update(pixels).digest("hex");
  const length = head.length.toString(16).padStart(8, "0");
  const front = coder.encode(MAGIC + sum + length);
  const written = write(dir, entryFile(dir, key), [front, head, pixels]);
  return written ? sum : undefined;
}

/** What a stamp's file says: the digest, and a sum over both. */
function stampText(stamp: string, digest: string): string {
  const sum = createHash("sha256").update(`${stamp} ${digest}`).digest("hex");
  return `${digest} ${sum}\n`;
}

/** The digest that was kept for `stamp`; null where none is, or a damaged one. */
export function readStamp(dir: string, stamp: string): string | null {
  try {
    const text = Deno.readTextFileSync(stampFile(dir, stamp));
    const digest = text.slice(0, 64);
    return text === stampText(stamp, digest) ? digest : null;
  } catch {
    return null;
  }
}

/** Keeps a digest under the one that it follows from. */
export function writeStamp(dir: string, stamp: string, digest: string): void {
  const text = new TextEncoder().encode(stampText(stamp, digest));
  write(dir, stampFile(dir, stamp), [text]);
}

/** A cache file as a list shows it. */
export interface CacheFile {
  path: string;
  bytes: number;
  written: Date;
  /** What it holds; undefined for one that is damaged or of old. */
  images?: { count: number; size: number; planes: 1 | 3 };
}

function ownFiles(dir: string): CacheFile[] {
  let names: string[];
  try {
    names = [...Deno.readDirSync(dir)]
      .filter((entry) => entry.isFile && ENDINGS.test(entry.name))
      .map(({ name }) => name).sort();
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    const path = join(dir, name);
    try {
      const { size, mtime } = Deno.statSync(path);
      return [{ path, bytes: size, written: mtime ?? new Date(0) }];
    } catch {
      return []; // Another process has cleared it.
    }
  });
}

/** The cached data sets in `dir`, by file name; none where there is no folder. */
export function cacheEntries(dir: string): CacheFile[] {
  return ownFiles(dir).filter(({ path }) => path.endsWith(".bin"))
    .map((entry) => {
      try {
        using file = Deno.openSync(entry.path);
        const { count, size, planes } = readHeader(file)!.header;
        return { ...entry, images: { count, size, planes } };
      } catch {
        return entry;
      }
    });
}

/**
 * Removes the cache's own files from `dir`, those of broken-off writes
 * included, and nothing else.
 *
 * @returns how many, and their bytes
 * @throws what the system says where a file cannot be removed
 */
export function clearCache(dir: string): { files: number; bytes: number } {
  let files = 0;
  let bytes = 0;
  for (const entry of ownFiles(dir)) {
    Deno.removeSync(entry.path);
    files++;
    bytes += entry.bytes;
  }
  return { files, bytes };
}
