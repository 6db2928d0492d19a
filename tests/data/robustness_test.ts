/** Whatever lies in a data folder, reading ends in pixels or a clear reason. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import { decodeImages } from "../../lib/data/read/decode_images.ts";
import type { Decoded } from "../../lib/data/read/decode_images.ts";
import { decodeImage } from "../../lib/data/read/decode_image.ts";
import { cachedPixels } from "../../lib/data/read/pixels.ts";
import { Random } from "../../lib/data/random.ts";
import { folderTest as test } from "../_folder.ts";
import { fixture, FIXTURES } from "./_pictures.ts";

const SIDE = 16;
const GIB = 2 ** 30;

/** All that a reason may be. */
const REASONS = [
  /^empty file \(0 bytes\)$/,
  /^text or HTML, not an image$/,
  /^not an image$/,
  /^cut short$/,
  /^damaged$/,
  /^too large \(\d+ × \d+\)$/,
  /^too large \(\d+ MiB\)$/,
  /^cannot be read \([A-Za-z ]+\)$/,
  /^an image of a kind that is not read .*: save it as PNG$/,
  /^values of the type \w+, whose range is unknown: save it with 8 or 16 bits$/,
  /^a (compressed BMP|BMP with \d+ bits|BMP with unusual masks): save it as PNG$/,
];

function assertClear({ pixels, planes, bad }: Decoded, count: number): void {
  assert.equal(pixels.length, count * SIDE * SIDE * planes);
  for (const reason of bad.values()) {
    assert.ok(REASONS.some((known) => known.test(reason)), reason);
  }
}

/** The most memory that this process has held, in bytes. */
function peak(): number {
  try {
    const status = Deno.readTextFileSync("/proc/self/status");
    return Number(/VmHWM:\s+(\d+)/.exec(status)![1]) * 1024;
  } catch {
    return Deno.memoryUsage().rss;
  }
}

const originals = FIXTURES.map(fixture);

/** A damaged copy of one of the fixtures; `random` says how. */
function mutated(random: Random): Uint8Array {
  const whole = (limit: number) => Math.floor(random.next() * limit);
  const any = () => originals[whole(originals.length)];
  const bytes = any().slice();
  switch (whole(6)) {
    case 0: // Cut anywhere.
      return bytes.subarray(0, whole(bytes.length));
    case 1: // A few bytes changed.
      for (let n = 1 + whole(8); n > 0; n--) {
        bytes[whole(bytes.length)] = whole(256);
      }
      return bytes;
    case 2: // The header changed.
      for (let n = 1 + whole(8); n > 0; n--) bytes[whole(40)] = whole(256);
      return bytes;
    case 3: { // Sides and lengths at their greatest.
      const at = whole(Math.min(bytes.length, 200));
      return bytes.fill(0xff, at, at + 1 + whole(4));
    }
    case 4: { // Another file's tail.
      const tail = any();
      bytes.set(tail.subarray(0, bytes.length >> 1), bytes.length >> 1);
      return bytes;
    }
    default: // Noise behind a right beginning.
      return bytes.map((v, i) => i < 12 ? v : whole(256));
  }
}

test("500 mutated images end in pixels or a clear reason, twice the same", async (dir) => {
  const random = new Random(20);
  const paths = Array.from({ length: 500 }, (_, i) => {
    const path = join(dir, `${i}.jpg`);
    Deno.writeFileSync(path, mutated(random));
    return path;
  });
  const before = peak();
  const first = await decodeImages(paths, { size: SIDE, channels: 3 });
  assertClear(first, 500);
  assert.ok(first.bad.size > 250 && first.bad.size < 490);
  assert.ok(peak() - before < 2 * GIB);
  const second = await decodeImages(paths, { size: SIDE, channels: 3 });
  assert.deepEqual(second.bad, first.bad);
  assert.deepEqual(second.pixels, first.pixels);
});

Deno.test("an image cut at any byte is told, or all its pixels are there", async () => {
  for (const name of ["gray.jpg", "colour.png", "lossless.webp", "gray.bmp"]) {
    const bytes = fixture(name);
    const whole = await decodeImage(bytes, SIDE, 1);
    for (let end = 0; end < bytes.length; end += 7) {
      const values = await decodeImage(bytes.subarray(0, end), SIDE, 1);
      if (typeof values === "string") {
        assert.ok(REASONS.some((known) => known.test(values)), values);
      } else assert.deepEqual(values, whole, `${name} cut at ${end}`);
    }
  }
});

/** A sound PNG header of these sides, with `rows` bytes of zeros as data. */
function pngOf(width: number, height: number, rows: number): Uint8Array {
  const chunk = (type: string, data: Uint8Array) => {
    const bytes = new Uint8Array(12 + data.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, data.length);
    bytes.set(new TextEncoder().encode(type), 4);
    bytes.set(data, 8);
    view.setUint32(8 + data.length, crc32(bytes.subarray(4, -4)));
    return bytes;
  };
  const head = new Uint8Array(13);
  new DataView(head.buffer).setUint32(0, width);
  new DataView(head.buffer).setUint32(4, height);
  head[8] = 8;
  const data = new Uint8Array(deflateSync(new Uint8Array(rows)));
  return Uint8Array.of(
    ...[0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10],
    ...chunk("IHDR", head),
    ...chunk("IDAT", data),
    ...chunk("IEND", new Uint8Array()),
  );
}

Deno.test("small files of vast sides are refused, and cost no memory", async () => {
  const gif = fixture("palette.gif");
  gif.fill(0xff, 6, 10);
  const before = peak();
  const bmp = fixture("colour.bmp");
  new DataView(bmp.buffer).setInt32(18, 65535, true);
  new DataView(bmp.buffer).setInt32(22, -65535, true);
  for (const bytes of [pngOf(65535, 65535, 1 << 20), bmp, gif]) {
    assert.equal(
      await decodeImage(bytes, SIDE, 3),
      "too large (65535 × 65535)",
    );
  }
  // Within the limit, but most of it missing.
  const short = pngOf(7000, 7000, 1 << 16);
  const many = await Promise.all(
    [1, 2, 3, 4].map(() => decodeImage(short, SIDE, 3)),
  );
  assert.deepEqual(new Set(many), new Set(["damaged"]));
  assert.ok(peak() - before < GIB / 2);
});

/** A named pipe, where the system has them. */
function pipe(path: string): boolean {
  try {
    return new Deno.Command("mkfifo", { args: [path] }).outputSync().success;
  } catch {
    return false;
  }
}

test("folders, pipes, devices and broken links named .jpg are told and never waited for", async (dir) => {
  const at = (name: string) => join(dir, name);
  Deno.mkdirSync(at("folder.jpg"));
  Deno.writeFileSync(at("image.png"), originals[0]);
  const want = new Map<string, string | RegExp>([
    [at("folder.jpg"), "cannot be read (a folder)"],
    [at("missing.jpg"), "cannot be read (NotFound)"],
    [at("no\0name.jpg"), /^cannot be read/],
  ]);
  if (Deno.build.os !== "windows") {
    Deno.symlinkSync(at("nothing"), at("dangling.jpg"));
    want.set(at("dangling.jpg"), "cannot be read (NotFound)");
    Deno.symlinkSync(at("loop2.jpg"), at("loop1.jpg"));
    Deno.symlinkSync(at("loop1.jpg"), at("loop2.jpg"));
    want.set(at("loop1.jpg"), /^cannot be read/);
    Deno.symlinkSync("/dev/zero", at("endless.jpg"));
    want.set(at("endless.jpg"), "cannot be read (not a regular file)");
    Deno.symlinkSync(at("image.png"), at("link.jpg"));
    if (pipe(at("pipe.jpg"))) {
      want.set(at("pipe.jpg"), "cannot be read (not a regular file)");
    }
    Deno.writeFileSync(at("locked.jpg"), originals[0]);
    Deno.chmodSync(at("locked.jpg"), 0);
    // The superuser may read it all the same.
    if (Deno.uid() !== 0) {
      want.set(at("locked.jpg"), /^cannot be read \((PermissionDenied)\)$/);
    }
  }
  // A file of 1 TiB that takes no room.
  const sparse = Deno.openSync(at("sparse.jpg"), { create: true, write: true });
  sparse.truncateSync(2 ** 40);
  sparse.close();
  want.set(at("sparse.jpg"), "too large (1048576 MiB)");

  const good = [at("image.png")];
  if (Deno.build.os !== "windows") good.push(at("link.jpg"));
  const paths = [...want.keys(), ...good];
  for (let pass = 0; pass < 2; pass++) {
    const options = { size: SIDE, channels: 3 as const, cacheDir: at("c") };
    const { bad } = await cachedPixels(paths, options);
    assert.equal(bad.size, want.size);
    [...want].forEach(([path, reason], i) => {
      if (typeof reason === "string") assert.equal(bad.get(i), reason, path);
      else assert.match(bad.get(i)!, reason);
    });
  }
});

test("odd file names are read as any other", async (dir) => {
  const names = [
    "line\nbreak.jpg",
    "😀 lächeln.jpg",
    "-rf.jpg",
    "a'b\"c$(d).jpg",
    "%41.jpg",
    "x".repeat(240) + ".jpg",
    ".hidden",
  ];
  const paths = names.map((name) => join(dir, name));
  for (const path of paths) Deno.writeFileSync(path, originals[0]);
  const { bad } = await decodeImages(paths, { size: SIDE, channels: 1 });
  assert.deepEqual([...bad], []);
});
