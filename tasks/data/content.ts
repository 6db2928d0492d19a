/** An image of a data set as the bytes of a file of its own. */
import { join } from "node:path";
import sharp from "sharp";
import {
  cutImage,
  type ListedImage,
  readImageFile,
} from "../../lib/data/commands.ts";

/**
 * A file's bytes as they are; a table's pixels and a face cut out of a
 * photograph as PNG. In words why there are none.
 */
export async function imageFile(
  dir: string,
  { source, crop }: ListedImage,
): Promise<Uint8Array | string> {
  if ("pixels" in source) {
    const { pixels, width } = source;
    const height = pixels.length / width;
    return await sharp(pixels, { raw: { width, height, channels: 1 } })
      .toColourspace("b-w").png().toBuffer();
  }
  const bytes = readImageFile(join(dir, source.file));
  if (typeof bytes === "string" || !crop) return bytes;
  return await cutImage(bytes, crop);
}
