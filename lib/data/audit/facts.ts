/** Reading what an audit needs of each image: contents, sides, signature. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { readImageFile } from "../read/image_file.ts";
import { imageSides } from "../read/decode_image.ts";
import type { ListedImage } from "../listing.ts";
import { readPixels } from "../read/pixels.ts";
import { SIDE, type Signature, signatureOf } from "./signature.ts";

/** What is known of a listed image. */
export interface ImageFacts {
  /** SHA-256 of the file's bytes and crop, or of a table's pixels. */
  content?: string;
  /** SHA-256 of the decoded grey pixels at SIDE × SIDE. */
  pixels?: string;
  /** Of the file as stored, in pixels. */
  width?: number;
  height?: number;
  signature?: Signature;
  /** Why it cannot be used. */
  bad?: string;
}

/** What an audit is at. */
export type AuditPhase = "decode" | "read" | "compare";

/** What the readers take beside the images. */
export interface ReadImagesOptions {
  dir: string;
  /** Where decoded pixels are kept (the user's cache folder). */
  cacheDir?: string;
  /** Called with what has been done of how much. */
  onProgress?: (phase: AuditPhase, done: number, total: number) => void;
}

function sha256(...parts: (Uint8Array | string)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

/** Content and sides of an image; none where its file cannot be read. */
async function headOf(dir: string, image: ListedImage): Promise<ImageFacts> {
  const { source, crop } = image;
  if ("pixels" in source) {
    const { pixels, width } = source;
    return { content: sha256(pixels), width, height: pixels.length / width };
  }
  const bytes = readImageFile(join(dir, source.file));
  if (typeof bytes === "string") return {};
  // Several faces of one photograph are no copies of each other.
  const content = sha256(bytes, crop ? JSON.stringify(crop) : "");
  // Where there are none, decoding says why.
  const { width, height } = await imageSides(bytes) ?? {};
  return { content, width, height };
}

/** Reads contents and sides of every image; nothing is decoded. */
export async function readHeads(
  images: readonly ListedImage[],
  { dir, onProgress }: Omit<ReadImagesOptions, "cacheDir">,
): Promise<ImageFacts[]> {
  const facts: ImageFacts[] = [];
  for (const image of images) {
    facts.push(await headOf(dir, image));
    onProgress?.("read", facts.length, images.length);
  }
  return facts;
}

/** Reads and decodes every image; bad files are told, not thrown. */
export async function readImages(
  images: readonly ListedImage[],
  o: ReadImagesOptions,
): Promise<ImageFacts[]> {
  const { dir, cacheDir, onProgress } = o;
  const { pixels, bad } = await readPixels(images, {
    dir,
    size: SIDE,
    channels: 1,
    cacheDir,
    onProgress: (done, total) => onProgress?.("decode", done, total),
  });
  const facts = await readHeads(images, o);
  facts.forEach((fact, i) => {
    if (bad.has(i)) fact.bad = bad.get(i);
    else {
      const row = pixels.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE);
      fact.pixels = sha256(row);
      fact.signature = signatureOf(row);
    }
  });
  return facts;
}
