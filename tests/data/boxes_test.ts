/** Faces by their boxes: read by the rule, clipped, told, cached, cut out. */
import assert from "node:assert/strict";
import { join } from "node:path";
import sharp from "sharp";
import { cutImage, decodeImage } from "../../lib/data/read/decode_image.ts";
import type { Crop, ListedImage } from "../../lib/data/listing.ts";
import { readPixels } from "../../lib/data/read/pixels.ts";
import { imageFile } from "../../tasks/data/content.ts";
import { farthest, fixture, PILLOW, rgbOf } from "./_pictures.ts";
import { atRest, treeOf } from "./_tree.ts";

const SIDE = 16;
const SIZE = 8;

function box(left: number, top: number, width: number, height: number): Crop {
  return { left, top, width, height };
}

function face(file: string, crop: Crop): ListedImage {
  return { name: `${file}#${crop.left}`, source: { file }, label: 0, crop };
}

/** A gray picture of 40 × 20 as PNG: left half 200, right half `right`. */
async function halves(right: number): Promise<Uint8Array> {
  const values = Uint8Array.from(
    { length: 800 },
    (_, i) => i % 40 < 20 ? 200 : right,
  );
  const raw = { width: 40, height: 20, channels: 1 } as const;
  return await sharp(values, { raw }).png({ compressionLevel: 0 }).toBuffer();
}

/** Reads faces through a cache; `decoded` counts those that were decoded. */
async function read(dir: string, images: ListedImage[], channels: 1 | 3 = 1) {
  let decoded = 0;
  const { pixels, bad } = await readPixels(images, {
    dir,
    size: SIZE,
    channels,
    cacheDir: join(dir, ".cache"),
    onProgress: (done) => decoded = done,
  });
  return { pixels, bad: [...bad], decoded };
}

/** `[height, width, 3]` out of `[16, 16, 3]`. */
function windowOf(pixels: Uint8Array, { left, top, width, height }: Crop) {
  return Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const at = Math.floor(i / 3);
    const x = left + at % width, y = top + Math.floor(at / width);
    return pixels[(y * SIDE + x) * 3 + i % 3];
  });
}

Deno.test("a box of any kind of image has the pixels that Pillow has there", async () => {
  const part = box(5, 2, SIZE, SIZE);
  for (const { name, pixels, tolerance } of PILLOW) {
    const want = windowOf(pixels, part);
    const values = await decodeImage(fixture(name), SIZE, 3, part);
    assert.ok(farthest(rgbOf(values, want.length), want) <= tolerance, name);
    const png = await cutImage(fixture(name), part);
    assert.ok(typeof png !== "string", name);
    const cut = await sharp(png).toColourspace("srgb").raw().toBuffer();
    assert.ok(farthest(new Uint8Array(cut), want) <= tolerance, name);
  }
});

Deno.test("of a picture with a box only the box is read, up to the edge", async () => {
  using tree = treeOf({ "a.jpg": await halves(50), "b.jpg": "" });
  const { pixels, bad } = await read(tree.dir, [
    face("a.jpg", box(0, 0, 20, 20)),
    face("a.jpg", box(20, 0, 60, 40)),
    face("a.jpg", box(15, 5, 25, 10)),
    face("a.jpg", box(40, 0, 9, 9)),
    face("a.jpg", box(0, 20, 9, 9)),
    face("b.jpg", box(0, 0, 9, 9)),
  ], 3);
  const at = (i: number, x: number) => pixels[(i * SIZE * SIZE + x) * 3];
  assert.deepEqual([at(0, 0), at(0, SIZE - 1)], [200, 200]);
  assert.deepEqual([at(1, 0), at(1, SIZE - 1)], [50, 50]);
  assert.ok(at(2, 0) > 190 && at(2, SIZE - 1) < 60);
  assert.deepEqual(bad.sort(), [
    [3, "its box begins at 40, 0; the image is 40 × 20"],
    [4, "its box begins at 0, 20; the image is 40 × 20"],
    [5, "empty file (0 bytes)"],
  ]);
});

Deno.test("a box that is cut out is clipped and told", async () => {
  const gray = fixture("gray.png");
  const outside = "its box begins at 16, 3; the image is 16 × 16";
  assert.equal(await decodeImage(gray, SIZE, 1, box(16, 3, 5, 5)), outside);
  assert.equal(await cutImage(gray, box(16, 3, 5, 5)), outside);
  const cut = await cutImage(gray, box(10, 12, 99, 99)) as Uint8Array;
  const { width, height } = await sharp(cut).metadata();
  assert.deepEqual([width, height], [6, 4]);
  assert.deepEqual(
    await decodeImage(fixture("gray.bmp"), SIZE, 1, box(10, 12, 99, 99)),
    await decodeImage(gray, SIZE, 1, box(10, 12, 99, 99)),
  );
});

Deno.test("a box does not let in what is too large or damaged", async () => {
  const vast = fixture("gray.png");
  vast.fill(0, 16, 24);
  vast.fill(0xff, 18, 20).fill(0xff, 22, 24);
  const gray = fixture("gray.jpg");
  const part = box(0, 0, SIZE, SIZE);
  const reasons: [Uint8Array, string][] = [
    [vast, "too large (65535 × 65535)"],
    [gray.subarray(0, gray.length - 40), "cut short"],
    [new TextEncoder().encode("<p>404"), "text or HTML, not an image"],
  ];
  for (const [bytes, reason] of reasons) {
    assert.equal(await decodeImage(bytes, SIZE, 3, part), reason);
    assert.equal(await cutImage(bytes, part), reason);
  }
});

Deno.test("boxes come from the cache by content and box", async () => {
  using tree = treeOf({ "a.png": await halves(50) });
  const left = face("a.png", box(0, 0, 20, 20));
  const right = face("a.png", box(20, 0, 20, 20));
  const both = await read(tree.dir, [left, right]);
  assert.deepEqual([both.pixels[0], both.pixels[SIZE * SIZE]], [200, 50]);
  assert.equal(both.decoded, 2);
  assert.deepEqual(await read(tree.dir, [left, right]), {
    ...both,
    decoded: 0,
  });
  const other = await read(tree.dir, [right, left]);
  assert.deepEqual([other.pixels[0], other.decoded], [50, 2]);
  const { crop: _, ...whole } = left;
  const seen = await read(tree.dir, [whole, whole]);
  assert.equal(seen.decoded, 2);
  assert.ok(seen.pixels[0] > 190 && seen.pixels[SIZE - 1] < 60);
  // Other content under the same name and size.
  Deno.writeFileSync(join(tree.dir, "a.png"), await halves(77));
  const changed = await read(tree.dir, [left, right]);
  assert.deepEqual([changed.pixels[SIZE * SIZE], changed.decoded], [77, 2]);
});

Deno.test("a stamp of files at rest tells boxes apart", async () => {
  using tree = treeOf({ "a.png": await halves(50) });
  const at = async (x: number) =>
    (await read(tree.dir, [face("a.png", box(x, 0, 20, 20))])).pixels[0];
  await atRest(async () => {
    for (const _ of ["fresh", "cached"]) {
      assert.deepEqual([await at(0), await at(20)], [200, 50]);
    }
  });
});

Deno.test("a face that is written out is cut as it is read", async () => {
  using tree = treeOf({ "a.png": fixture("colour.png") });
  const part = face("a.png", box(8, 0, 30, 8));
  const content = await imageFile(tree.dir, part);
  assert.ok(typeof content !== "string");
  Deno.writeFileSync(join(tree.dir, "b.png"), content);
  const { crop: _, ...written } = face("b.png", part.crop!);
  assert.deepEqual(
    (await read(tree.dir, [written], 3)).pixels,
    (await read(tree.dir, [part], 3)).pixels,
  );
  assert.equal(
    await imageFile(tree.dir, face("a.png", box(0, 16, 1, 1))),
    "its box begins at 0, 16; the image is 16 × 16",
  );
});
