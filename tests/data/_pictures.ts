/** Pictures for tests of files: soft patterns, each seed's own. */
import sharp, { type Sharp } from "sharp";
import { Random } from "../../lib/data/random.ts";

/** A gray pattern that no other seed gives, `side` pixels wide. */
export async function picture(seed: number, side = 64): Promise<Sharp> {
  const random = new Random(seed);
  const cells = Uint8Array.from({ length: 36 }, () => 256 * random.next());
  const raw = await sharp(cells, { raw: { width: 6, height: 6, channels: 1 } })
    .resize(side, side, { kernel: "cubic" }).toColourspace("b-w").raw()
    .toBuffer();
  return sharp(raw, { raw: { width: side, height: side, channels: 1 } });
}

/** The same as a PNG file's bytes. */
export async function png(seed: number): Promise<Uint8Array> {
  return await (await picture(seed)).png().toBuffer();
}
