/** Decoded pixels on disk: one checked file a key, written atomically. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { SkippedFile } from "./types.ts";

/** What a cache file holds: pixels of all good files and what describes them. */
export interface CacheEntry {
  /** `[names, size, size, planes]`. */
  pixels: Uint8Array;
  planes: 1 | 3;
  /** Paths below the data folder, in row order. */
  names: string[];
  skipped: SkippedFile[];
}

const MAGIC = "FERLAB-DATA-1\n";

/** The user's cache folder for decoded data sets. */
export function defaultCacheDir(): string {
  const base = Deno.env.get("XDG_CACHE_HOME") ||
    join(Deno.env.get("HOME") ?? Deno.env.get("USERPROFILE") ?? ".", ".cache");
  return join(base, "ferlab", "data");
}

/** The cache file of `key` in `dir`. */
export function cacheFile(dir: string, key: string): string {
  return join(dir, `${key}.bin`);
}

function digest(head: Uint8Array, pixels: Uint8Array): string {
  return createHash("sha256").update(head).update(pixels).digest("hex");
}

/**
 * Layout: magic, SHA-256 (64 hex), header length (8 hex), JSON header, pixels.
 * Returns null where there is no such file or it is damaged.
 */
export function readCache(dir: string, key: string): CacheEntry | null {
  let bytes: Uint8Array;
  try {
    bytes = Deno.readFileSync(cacheFile(dir, key));
  } catch {
    return null;
  }
  const text = new TextDecoder();
  const start = MAGIC.length + 72;
  if (text.decode(bytes.subarray(0, MAGIC.length)) !== MAGIC) return null;
  const sum = text.decode(bytes.subarray(MAGIC.length, MAGIC.length + 64));
  const length = parseInt(text.decode(bytes.subarray(start - 8, start)), 16);
  if (!(length >= 0) || start + length > bytes.length) return null;
  const head = bytes.subarray(start, start + length);
  const pixels = bytes.subarray(start + length);
  if (digest(head, pixels) !== sum) return null;
  const { planes, names, skipped } = JSON.parse(text.decode(head));
  return { pixels, planes, names, skipped };
}

/**
 * Writes an entry through a temporary file and a rename. A cache that cannot
 * be written (full disk, no permission) only costs time: returns false.
 */
export function writeCache(
  dir: string,
  key: string,
  entry: CacheEntry,
): boolean {
  const { pixels, ...rest } = entry;
  const coder = new TextEncoder();
  const head = coder.encode(JSON.stringify(rest));
  const front = coder.encode(
    MAGIC + digest(head, pixels) + head.length.toString(16).padStart(8, "0"),
  );
  const final = cacheFile(dir, key);
  const temp = `${final}.${Deno.pid}.${crypto.randomUUID()}.tmp`;
  try {
    Deno.mkdirSync(dir, { recursive: true });
    const file = Deno.openSync(temp, { write: true, createNew: true });
    try {
      for (const part of [front, head, pixels]) {
        for (let at = 0; at < part.length;) {
          at += file.writeSync(part.subarray(at));
        }
      }
    } finally {
      file.close();
    }
    Deno.renameSync(temp, final);
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
