/** Opening image files: what cannot be one is told, and nothing can hang. */
import { createHash } from "node:crypto";
import type { Crop } from "../listing.ts";

/** Bytes above which a file is not opened. */
const MAX_BYTES = 2 ** 28;

/** Reason given to a file whose bytes cannot be read; the cause follows. */
export const UNREADABLE = "cannot be read";

/**
 * The bytes of a file, or in one line why there are none. Follows links; a
 * folder, a pipe or a device is not opened.
 *
 * @param scratch memory for files that fit: the bytes are then a view of it
 */
export function readImageFile(
  path: string,
  scratch?: Uint8Array,
): Uint8Array | string {
  try {
    // Opening a pipe would wait for its writer.
    const { isFile, isDirectory, size } = Deno.statSync(path);
    if (isDirectory) return `${UNREADABLE} (a folder)`;
    if (!isFile) return `${UNREADABLE} (not a regular file)`;
    if (size > MAX_BYTES) {
      return `too large (${Math.ceil(size / 2 ** 20)} MiB)`;
    }
    if (!scratch || size > scratch.length) return Deno.readFileSync(path);
    using file = Deno.openSync(path);
    let length = 0;
    while (length < size) {
      const n = file.readSync(scratch.subarray(length, size));
      if (n === null) break;
      length += n;
    }
    return scratch.subarray(0, length);
  } catch (error) {
    const why = error instanceof Error ? error.name : String(error);
    return `${UNREADABLE} (${why})`;
  }
}

/**
 * What identifies a file's content: its SHA-256 and, where only a box of it
 * counts, that box; or why it cannot be read.
 */
export function contentOf(bytes: Uint8Array | string, box?: Crop): string {
  if (typeof bytes === "string") return bytes;
  const sum = createHash("sha256").update(bytes).digest("hex");
  return box ? `${sum} ${boxText(box)}` : sum;
}

/** A box in one word. */
export function boxText({ left, top, width, height }: Crop): string {
  return `${left},${top},${width},${height}`;
}
