/** Reading what an audit needs of each image: contents, sides, signature. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import sharp from "sharp";
import { readImageFile } from "../files.ts";
import type { ListedImage } from "../listing.ts";
import { readPixels } from "../pixels.ts";
import { SIDE, type Signature, signatureOf } from "./signature.ts";

/** What is known of a listed image. */
export interface ImageFacts {
  /** SHA-256 of the file's bytes and crop, or of a table's pixels. */
  content?: string;
  /** SHA-256 of the decoded grey pixels at SIDE × SIDE. */
  pixels?: string;
  /** Of the whole file, in pixels, before any resizing. */
  width?: number;
  height?: number;
  signature?: Signature;
  /** Why it cannot be used. */
  bad?: string;
}

export interface ReadImagesOptions {
  dir: string;
  cacheDir?: string;
  /** Called with (done, total) images. */
  onProgress?: (done: number, total: number) => void;
}

const WORKERS = 8;

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
  try {
    const { autoOrient } = await sharp(bytes).metadata();
    return { content, ...autoOrient };
  } catch {
    return { content }; // decoding says why
  }
}

/** Reads every image; bad files are told, not thrown. */
export async function readImages(
  images: readonly ListedImage[],
  { dir, cacheDir, onProgress }: ReadImagesOptions,
): Promise<ImageFacts[]> {
  const rows = await readPixels(images, {
    dir,
    size: SIDE,
    channels: 1,
    cacheDir,
    onProgress,
  });
  const facts: ImageFacts[] = new Array(images.length);
  let next = 0;
  const work = async () => {
    while (next < images.length) {
      const i = next++, row = rows[i];
      facts[i] = await headOf(dir, images[i]);
      if (typeof row === "string") facts[i].bad = row;
      else {
        facts[i].pixels = sha256(row);
        facts[i].signature = signatureOf(row);
      }
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  return facts;
}
