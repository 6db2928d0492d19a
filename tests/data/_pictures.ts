/** Pictures for tests of files: soft patterns, each seed's own, and fixtures. */
import assert from "node:assert/strict";
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

const IMAGES = new URL("../fixtures/images/", import.meta.url);

/** The bytes of one of the fixtures' images, each 16 pixels wide and high. */
export function fixture(name: string): Uint8Array<ArrayBuffer> {
  return Deno.readFileSync(new URL(name, IMAGES));
}

/** The names of the fixtures' images. */
export const FIXTURES = [...Deno.readDirSync(IMAGES)].map(({ name }) => name)
  .filter((name) => !name.endsWith(".json")).sort();

const { files, pixels } = JSON.parse(
  Deno.readTextFileSync(new URL("expected.json", IMAGES)),
);
/** Pillow's pixels of each fixture, [16, 16, 3], and how far ours may be. */
export const PILLOW = Object.entries<{ pixels: string; tolerance: number }>(
  files,
).map(([name, { pixels: key, tolerance }]) => ({
  name,
  tolerance,
  pixels: Uint8Array.from(
    pixels[key].match(/../g),
    (hex: string) => parseInt(hex, 16),
  ),
}));

/** The greatest difference of two pictures' values. */
export function farthest(a: Uint8Array, b: Uint8Array): number {
  assert.equal(a.length, b.length);
  return a.reduce((most, v, i) => Math.max(most, Math.abs(v - b[i])), 0);
}

/** Gray values three times each, where `values` are not three planes yet. */
export function rgbOf(values: Uint8Array | string, length: number): Uint8Array {
  if (typeof values === "string") throw new Error(values);
  return values.length === length
    ? values
    : Uint8Array.from({ length }, (_, i) => values[Math.floor(i / 3)]);
}
