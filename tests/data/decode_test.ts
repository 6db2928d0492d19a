/** Image files of every kind give the pixels that Pillow and libjpeg give. */
import assert from "node:assert/strict";
import { join } from "node:path";
import sharp from "sharp";
import {
  decodeImages,
  expandGray,
  widen,
} from "../../lib/data/read/decode_images.ts";
import {
  decodeImage,
  imageSides,
  READING_RULE,
  resizePixels,
} from "../../lib/data/read/decode_image.ts";
import { decodeGrayJpeg } from "../../lib/data/read/gray_jpeg.ts";
import { Random } from "../../lib/data/random.ts";
import { folderTest as test } from "../_folder.ts";
import { farthest, fixture, PILLOW, rgbOf } from "./_pictures.ts";

const SIDE = 16;

/** A picture's pixels as `[16, 16, 3]`, by us. */
async function decoded(bytes: Uint8Array): Promise<Uint8Array> {
  return rgbOf(await decodeImage(bytes, SIDE, 3), SIDE * SIDE * 3);
}

for (const { name, pixels, tolerance } of PILLOW) {
  Deno.test(`${name} has Pillow's sides, and pixels within ${tolerance}`, async () => {
    const { width, height } = await imageSides(fixture(name)) ?? {};
    assert.deepEqual([width, height], [SIDE, SIDE]);
    assert.ok(farthest(await decoded(fixture(name)), pixels) <= tolerance);
  });
}

Deno.test("CMYK and YCCK are the right way round and agree", async () => {
  const cmyk = await decoded(fixture("cmyk.jpg"));
  const ycck = await decoded(fixture("ycck.jpg"));
  assert.ok(farthest(cmyk, ycck) <= 4);
  const at = (x: number, y: number) => [
    ...cmyk.subarray((y * SIDE + x) * 3, (y * SIDE + x) * 3 + 3),
  ];
  // Quarters of red, green, blue and a dark gray in full process inks.
  for (const [plane, x, y] of [[0, 3, 3], [1, 12, 3], [2, 3, 12]]) {
    const colour = at(x, y);
    const rest = colour.filter((_, i) => i !== plane);
    assert.ok(colour[plane] > Math.max(...rest) + 60, String(colour));
  }
  const [r, g, b] = at(12, 12);
  assert.ok(
    Math.max(r, g, b) < 100 && Math.max(r, g, b) - Math.min(r, g, b) < 12,
  );
});

Deno.test("plain gray JPEGs get libjpeg's very values without it", async () => {
  const random = new Random(7);
  let plain = 0;
  for (const side of [8, 13, 16, 48, 100]) {
    for (const quality of [1, 25, 60, 85, 97, 100]) {
      for (const noise of [0, 40, 255]) {
        const raw = Uint8Array.from({ length: side * side }, (_, i) => {
          const ramp = i % side * 3 + Math.floor(i / side) * 2;
          return Math.max(
            0,
            Math.min(255, ramp + noise * (random.next() - 0.5)),
          );
        });
        const grid = { width: side, height: side, channels: 1 as const };
        const jpeg = await sharp(raw, { raw: grid }).toColourspace("b-w")
          .jpeg({ quality, optimiseCoding: noise > 0 }).toBuffer();
        const out = new Uint8Array(side * side + 2).fill(9);
        assert.ok(decodeGrayJpeg(jpeg, side, out, 1));
        const want = await sharp(jpeg).toColourspace("b-w").raw().toBuffer();
        assert.deepEqual([...out], [9, ...want, 9]);
        plain++;
      }
    }
  }
  assert.equal(plain, 90);
});

Deno.test("the quick way leaves all but plain gray JPEGs to sharp", () => {
  const out = new Uint8Array(SIDE * SIDE);
  const takes = (bytes: Uint8Array) => decodeGrayJpeg(bytes, SIDE, out, 0);
  const gray = fixture("gray.jpg");
  assert.equal(takes(gray), true);
  for (
    const name of [
      "orientation3_gray.jpg",
      "progressive_gray.jpg",
      "colour.jpg",
      "cmyk.jpg",
      "gray.png",
    ]
  ) assert.equal(takes(fixture(name)), false, name);
  assert.equal(decodeGrayJpeg(gray, SIDE + 1, out, 0), false);
  for (let end = 0; end < gray.length; end++) {
    assert.equal(takes(gray.subarray(0, end)), false, `cut at ${end}`);
  }
  assert.equal(takes(Uint8Array.of(...gray, 0)), false);
});

Deno.test("colour becomes gray by BT.601 luma", async () => {
  const rgb = await decoded(fixture("colour.png"));
  const gray = await decodeImage(fixture("colour.png"), SIDE, 1) as Uint8Array;
  assert.equal(gray.length, SIDE * SIDE);
  gray.forEach((v, i) => {
    const [r, g, b] = rgb.subarray(i * 3, i * 3 + 3);
    assert.ok(Math.abs(v - (0.299 * r + 0.587 * g + 0.114 * b)) <= 0.51);
  });
});

Deno.test("another size is libvips' Lanczos resize, of tables too", async () => {
  const png = fixture("gray.png");
  const want = await sharp(png).resize(9, 9, { fit: "fill" })
    .toColourspace("b-w").raw().toBuffer();
  assert.deepEqual(await decodeImage(png, 9, 1), new Uint8Array(want));
  const table = await sharp(png).toColourspace("b-w").raw().toBuffer();
  assert.ok(farthest(await resizePixels(table, SIDE, 9), want) <= 0);
  assert.equal(await resizePixels(table, SIDE, SIDE), table);
});

Deno.test("gray is repeated at any length and place in memory", () => {
  for (let length = 0; length < 10; length++) {
    const gray = Uint8Array.from({ length }, (_, i) => 255 - i * 17);
    const want = [...gray].flatMap((v) => [v, v, v]);
    for (let offset = 0; offset < 5; offset++) {
      const room = new Uint8Array(offset + length * 3 + 1).fill(1);
      const rgb = room.subarray(offset, offset + length * 3);
      expandGray(gray, rgb);
      assert.deepEqual([...rgb], want);
      assert.equal(room.at(-1), 1);
      rgb.set(gray);
      widen(rgb);
      assert.deepEqual([...rgb], want);
    }
  }
});

/** A TIFF of 2 × 2 floats from 0 to 1, as Pillow 13.0 writes it. */
const FLOATS = "SUkqAAgAAAAKAAABBAABAAAAAgAAAAEBBAABAAAAAgAAAAIBAwABAAAA" +
  "IAAAAAMBAwABAAAAAQAAAAYBAwABAAAAAQAAABEBBAABAAAAhgAAABYBBAABAAAAAgAAABcB" +
  "BAABAAAAEAAAABwBAwABAAAAAQAAAFMBAwABAAAAAwAAAAAAAAAAAAAAAAAAPwAAgD8AAAAA";

/** Files with one reason each. */
async function badFiles(): Promise<[Uint8Array, string][]> {
  const text = new TextEncoder();
  const png = fixture("colour.png");
  const flipped = png.slice();
  flipped[png.length - 30] ^= 4;
  const huge = png.slice();
  new DataView(huge.buffer).setUint32(16, 65535);
  new DataView(huge.buffer).setUint32(20, 65535);
  const hugeJpeg = fixture("gray.jpg").slice();
  const frame = hugeJpeg.findIndex((v, i) =>
    v === 0xff && hugeJpeg[i + 1] === 0xc0
  );
  hugeJpeg.fill(0xff, frame + 5, frame + 9);
  const side = 8200;
  const grid = { width: side, height: side, channels: 1 as const };
  const tiff = await sharp(new Uint8Array(side * side), { raw: grid })
    .tiff({ compression: "deflate" }).toBuffer();
  const other = "an image of a kind that is not read (such as HEIC, AVIF): " +
    "save it as PNG";
  const rle = fixture("palette.bmp").slice();
  rle[30] = 1;
  const half = (name: string) => {
    const bytes = fixture(name);
    return bytes.subarray(0, Math.ceil(bytes.length / 2));
  };
  return [
    [new Uint8Array(), "empty file (0 bytes)"],
    [text.encode("\ufeff <!doctype html><p>404"), "text or HTML, not an image"],
    [text.encode("version https://git-lfs"), "text or HTML, not an image"],
    [Uint8Array.of(0, 1, 2, 3, 4, 200), "not an image"],
    [half("colour.jpg"), "cut short"],
    [half("progressive.jpg"), "cut short"],
    [half("gray.jpg"), "cut short"],
    [half("colour.png"), "cut short"],
    [half("lossless.webp"), "cut short"],
    [half("colour.bmp"), "cut short"],
    [half("palette.gif"), "cut short"],
    [flipped, "damaged"],
    [huge, "too large (65535 × 65535)"],
    [hugeJpeg, "too large (65535 × 65535)"],
    [tiff, "too large (8200 × 8200)"],
    [rle, "a compressed BMP: save it as PNG"],
    [await sharp(png).avif().toBuffer(), other],
    [text.encode("P5\n4 4\n255\n"), other],
    [
      Uint8Array.from(atob(FLOATS), (c) => c.charCodeAt(0)),
      "values of the type float, whose range is unknown: save it with 8 or " +
      "16 bits",
    ],
    [text.encode("BM\x76\x01\0\0\0\0\0\0\x36\0\0\0"), "cut short"],
  ];
}

Deno.test("what is no image, cut, damaged or too large is told in one line", async () => {
  for (const [bytes, reason] of await badFiles()) {
    assert.equal(await decodeImage(bytes, SIDE, 3), reason);
  }
});

test("content decides, not the name, and rows stay with their files", async (dir) => {
  const gray = await decoded(fixture("gray.jpg"));
  const colour = await decoded(fixture("colour.png"));
  const put = (name: string, bytes: Uint8Array) => {
    Deno.writeFileSync(join(dir, name), bytes);
    return join(dir, name);
  };
  // The colour comes late: rows before it were kept gray until then.
  const paths = [
    put("0.png", fixture("gray.jpg")),
    put("1.jpg", new TextEncoder().encode("<html>")),
    put("2.txt", fixture("gray.jpg")),
    put("3.jpg", fixture("colour.png")),
    join(dir, "missing.jpg"),
    put("5", fixture("gray.jpg")),
  ];
  const { pixels, planes, bad } = await decodeImages(paths, {
    size: SIDE,
    channels: 3,
  });
  assert.equal(planes, 3);
  const none = new Uint8Array(colour.length);
  [gray, none, gray, colour, none, gray].forEach((want, i) => {
    const row = pixels.subarray(i * want.length, (i + 1) * want.length);
    assert.deepEqual([...row], [...want], `row ${i}`);
  });
  assert.deepEqual([...bad].sort(), [
    [1, "text or HTML, not an image"],
    [4, "cannot be read (NotFound)"],
  ]);
});

test("gray images stay one plane, whatever the file's own planes", async (dir) => {
  const names = ["gray.jpg", "gray.png", "gray.bmp", "one_bit.png"];
  const paths = names.map((name) => {
    Deno.writeFileSync(join(dir, name), fixture(name));
    return join(dir, name);
  });
  const three = await decodeImages(paths, { size: SIDE, channels: 3 });
  const one = await decodeImages(paths, { size: SIDE, channels: 1 });
  assert.equal(three.planes, 1);
  assert.deepEqual([...three.pixels], [...one.pixels]);
});

Deno.test("progress reaches the total and an abort ends the work", async () => {
  const { pathname } = new URL("../fixtures/images/gray.jpg", import.meta.url);
  const paths = new Array<string>(250).fill(decodeURIComponent(pathname));
  const seen: number[] = [];
  await decodeImages(paths, {
    size: SIDE,
    channels: 1,
    onProgress(done, total) {
      assert.equal(total, 250);
      seen.push(done);
    },
  });
  assert.equal(seen.at(-1), 250);
  const stop = new AbortController();
  const work = decodeImages(paths, {
    size: SIDE,
    channels: 1,
    onProgress: (done) => done > 10 && stop.abort(new Error("enough")),
    signal: stop.signal,
  });
  await assert.rejects(work, /enough/);
});

Deno.test("the reading rule says what it does with each peculiarity, and data/README.md quotes it", () => {
  for (
    const word of ["EXIF", "black", "16-bit", "CMYK", "BT.601", "profile"]
  ) assert.ok(READING_RULE.includes(word), word);
  const readme = new URL("../../data/README.md", import.meta.url);
  assert.ok(Deno.readTextFileSync(readme).includes(READING_RULE));
});
