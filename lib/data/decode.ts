/** Image files to raw pixels, a few at a time; damaged files are reported. */
import sharp from "sharp";
import type { SkippedFile } from "./types.ts";

/** Decoded pixels of many images, or the reasons they could not be decoded. */
export interface Decoded {
  /** `[paths, size, size, planes]`; rows of bad files are zero. */
  pixels: Uint8Array;
  /** 1 when every image is gray (or gray was asked for), else 3. */
  planes: 1 | 3;
  /** Reason per bad path index. */
  bad: Map<number, string>;
}

const WORKERS = 8;

/** Reason given to a file that exists but whose bytes cannot be read. */
export const UNREADABLE = "cannot be read";

/** True when a skipped file may become readable without changing. */
export function mayHeal(file: SkippedFile): boolean {
  return file.reason.startsWith(UNREADABLE);
}

/** Says from the bytes alone why a file is no image, or null. */
function sniff(bytes: Uint8Array): string | null {
  if (bytes.length === 0) return "empty file (0 bytes)";
  const head = new TextDecoder("latin1").decode(bytes.subarray(0, 64))
    .replace(/^\u00ef\u00bb\u00bf/, "").trimStart();
  if (head.startsWith("<")) return "text or HTML, not an image";
  return null;
}

/** A JPEG without its end mark. */
function isCut(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && bytes[1] === 0xd8 &&
    !(bytes.at(-2) === 0xff && bytes.at(-1) === 0xd9);
}

function reasonOf(error: unknown, bytes: Uint8Array): string {
  const text = (error instanceof Error ? error.message : String(error))
    .split("\n").map((line) => line.trim()).filter(Boolean).join("; ");
  if (/unsupported image format/i.test(text)) return "not an image";
  // libvips keeps one text of errors for all threads: it may be another's.
  if (isCut(bytes)) return "cut short";
  if (/premature|truncated|end of (file|input)|corrupt/i.test(text)) {
    return `cut short or damaged (${text})`;
  }
  return `cannot be decoded (${text})`;
}

/** Side lengths and planes of a JPEG, from its frame header, or null. */
function jpegFrame(
  b: Uint8Array,
): { width: number; height: number; planes: number } | null {
  if (b[0] !== 0xff || b[1] !== 0xd8) return null;
  for (let i = 2; i + 9 < b.length && b[i] === 0xff;) {
    const marker = b[i + 1];
    // SOF0..SOF15; 0xc4, 0xc8 and 0xcc in that range are other segments.
    if (marker === 0xc0 || (marker > 0xc0 && marker < 0xd0 && marker & 3)) {
      const height = b[i + 5] << 8 | b[i + 6];
      return { height, width: b[i + 7] << 8 | b[i + 8], planes: b[i + 9] };
    }
    i += 2 + (b[i + 2] << 8 | b[i + 3]);
  }
  return null;
}

/**
 * One image as `size * size` gray or `size * size * 3` colour bytes; throws on
 * damaged content. A gray JPEG of the right size takes a quicker way.
 */
async function decodeOne(
  bytes: Uint8Array,
  size: number,
  channels: 1 | 3,
): Promise<Uint8Array> {
  const frame = jpegFrame(bytes);
  const gray = channels === 1 || frame?.planes === 1;
  let image = sharp(bytes, { failOn: "truncated", sequentialRead: true });
  if (frame?.width !== size || frame.height !== size) {
    image = image.resize(size, size, { fit: "fill" });
  }
  if (frame === null) image = image.removeAlpha();
  const { data, info } = await image.toColourspace(gray ? "b-w" : "srgb")
    .raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
  if (info.channels !== (gray ? 1 : 3)) {
    throw new Error(`has ${info.channels} channels`);
  }
  return data;
}

/** Writes each gray value three times: `[n]` to `[n, 3]`. */
export function expandGray(gray: Uint8Array, rgb: Uint8Array): void {
  for (let i = 0, o = 0; i < gray.length; i++, o += 3) {
    rgb[o] = rgb[o + 1] = rgb[o + 2] = gray[i];
  }
}

/** Copies red to `gray` and returns true if all three planes are equal. */
function narrow(rgb: Uint8Array, gray: Uint8Array, at: number): boolean {
  for (let i = 0, o = 0; o < rgb.length; i++, o += 3) {
    if (rgb[o] !== rgb[o + 1] || rgb[o] !== rgb[o + 2]) return false;
    gray[at + i] = rgb[o];
  }
  return true;
}

/**
 * Decodes `paths` by content (a PNG named .jpg loads) to `size` x `size`.
 * Never throws for a bad file: its index and reason go to `bad`.
 * @param onProgress called with (done, total) about a hundred times
 */
export async function decodeFiles(
  paths: string[],
  size: number,
  channels: 1 | 3,
  onProgress?: (done: number, total: number) => void,
): Promise<Decoded> {
  const plane = size * size;
  const gray = new Uint8Array(paths.length * plane);
  const colour = new Map<number, Uint8Array>();
  const bad = new Map<number, string>();
  const every = Math.max(1, Math.ceil(paths.length / 100));
  let next = 0;
  let done = 0;
  const one = async (i: number) => {
    let bytes: Uint8Array;
    try {
      bytes = Deno.readFileSync(paths[i]);
    } catch (error) {
      const why = error instanceof Error ? error.name : String(error);
      bad.set(i, `${UNREADABLE} (${why})`);
      return;
    }
    const reason = sniff(bytes);
    if (reason !== null) {
      bad.set(i, reason);
      return;
    }
    try {
      const data = await decodeOne(bytes, size, channels);
      if (data.length === plane) gray.set(data, i * plane);
      else if (!narrow(data, gray, i * plane)) colour.set(i, data);
    } catch (error) {
      bad.set(i, reasonOf(error, bytes));
    }
  };
  const worker = async () => {
    while (next < paths.length) {
      await one(next++);
      done++;
      if (done % every === 0 || done === paths.length) {
        onProgress?.(done, paths.length);
      }
    }
  };
  // One libvips thread an image: the images themselves run in parallel.
  const threads = sharp.concurrency();
  sharp.concurrency(1);
  try {
    await Promise.all(Array.from({ length: WORKERS }, worker));
  } finally {
    sharp.concurrency(threads);
  }
  if (colour.size === 0) return { pixels: gray, planes: 1, bad };
  const rgb = new Uint8Array(gray.length * 3);
  expandGray(gray, rgb);
  for (const [i, data] of colour) rgb.set(data, i * plane * 3);
  return { pixels: rgb, planes: 3, bad };
}
