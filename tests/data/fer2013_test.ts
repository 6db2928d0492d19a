/** FER2013's folder form: splits, classes, damaged files, the cache. */
import assert from "node:assert/strict";
import { join } from "node:path";
import sharp from "sharp";
import { DataError, FER_CLASSES, loadDataset } from "../../lib/data/mod.ts";
import type { Dataset, LoadOptions } from "../../lib/data/mod.ts";

const SIZE = 16;
const PREFIX = ["Training", "PublicTest", "PrivateTest"];
/** FER2013's official order, by folder name. */
const FOLDERS = "angry disgust fear happy sad surprise neutral".split(" ");

/** A gray (or tinted) gradient that starts at `level`, as PNG or JPEG bytes. */
async function picture(
  level: number,
  format: "jpeg" | "png" = "png",
  side = SIZE,
): Promise<Uint8Array> {
  const raw = Uint8Array.from(
    { length: side * side },
    (_, i) => (level + i) % 256,
  );
  const image = sharp(raw, { raw: { width: side, height: side, channels: 1 } });
  return await image.toFormat(format).toBuffer();
}

interface Room {
  dir: string;
  cacheDir: string;
  write(path: string, bytes: Uint8Array): void;
}

function loadFer2013(o: Omit<LoadOptions, "name">): Promise<Dataset> {
  return loadDataset({ ...o, name: "fer2013" });
}

/** Runs `body` in a folder with `per` images a class and split. */
async function withFaces(
  body: (room: Room) => Promise<void>,
  per = 1,
): Promise<void> {
  const root = Deno.makeTempDirSync();
  const dir = join(root, "fer");
  const write = (path: string, bytes: Uint8Array) => {
    Deno.mkdirSync(join(dir, path, ".."), { recursive: true });
    Deno.writeFileSync(join(dir, path), bytes);
  };
  try {
    for (const [label, folder] of FOLDERS.entries()) {
      for (const [split, prefix] of PREFIX.entries()) {
        for (let i = 0; i < per; i++) {
          const half = split === 0 ? "train" : "test";
          const bytes = await picture(label * 30 + split * 10 + i);
          write(`${half}/${folder}/${prefix}_${i}.jpg`, bytes);
        }
      }
    }
    await body({ dir, cacheDir: join(root, "cache"), write });
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}

function sizes(d: Dataset): number[] {
  return [d.train.n, d.validation.n, d.test.n];
}

/** Adds one damaged file of each kind; returns their paths, sorted. */
async function addDamage(room: Room): Promise<string[]> {
  const jpeg = await picture(0, "jpeg", 64);
  const text = new TextEncoder();
  const files: [string, Uint8Array][] = [
    ["train/angry/Training_90.jpg", new Uint8Array()],
    ["train/angry/Training_91.jpg", jpeg.subarray(0, jpeg.length / 2)],
    ["train/fear/Training_92.jpg", text.encode("<!doctype html><p>404")],
    ["train/fear/Training_93.jpg", text.encode("no image at all")],
    ["train/happy/Holiday_94.jpg", jpeg],
    ["train/smug/Training_95.jpg", jpeg],
  ];
  for (const [path, bytes] of files) room.write(path, bytes);
  // A folder in a file's place cannot be read as one.
  Deno.mkdirSync(join(room.dir, "train/sad/Training_96.jpg"));
  return [
    ...files.map(([path]) => path.replace(/^train\/smug.*/, "train/smug")),
    "train/sad/Training_96.jpg",
  ].sort();
}

Deno.test("the name's prefix gives the official split", async () => {
  await withFaces(async (room) => {
    room.write("train/happy/Training_7.jpg", await picture(1));
    room.write("test/happy/PrivateTest_8.jpg", await picture(2));
    room.write("test/happy/PrivateTest_9.jpg", await picture(3));
    const d = await loadFer2013({ ...room, size: SIZE });
    assert.deepEqual(sizes(d), [8, 7, 9]);
    assert.ok(d.validation.names.every((n) => n.includes("/PublicTest_")));
    assert.deepEqual(d.skipped, []);
  });
});

Deno.test("labels are FER2013's official class indices and rows match their files", async () => {
  await withFaces(async (room) => {
    const d = await loadFer2013({ ...room, size: SIZE });
    assert.deepEqual(d.classes, FER_CLASSES);
    for (const [split, s] of [d.train, d.validation, d.test].entries()) {
      assert.equal(s.images.length, 7 * SIZE * SIZE * 3);
      for (let i = 0; i < s.n; i++) {
        assert.equal(s.names[i].split("/")[1], FOLDERS[s.labels[i]]);
        const at = i * SIZE * SIZE * 3;
        const level = s.labels[i] * 30 + split * 10;
        // Pixel 0 and pixel 17, three equal planes each.
        for (let p = 0; p < 3; p++) {
          assert.equal(s.images[at + p], level);
          assert.equal(s.images[at + 51 + p], (level + 17) % 256);
        }
      }
    }
  });
});

Deno.test("one channel holds the same gray values as three", async () => {
  await withFaces(async (room) => {
    const three = await loadFer2013({ ...room, size: SIZE });
    const one = await loadFer2013({ ...room, size: SIZE, channels: 1 });
    assert.deepEqual(
      one.train.images,
      three.train.images.filter((_, i) => i % 3 === 0),
    );
  });
});

Deno.test("colour images keep their colour and gray ones stay gray", async () => {
  await withFaces(async (room) => {
    const create = {
      width: SIZE,
      height: SIZE,
      channels: 3 as const,
      background: { r: 200, g: 20, b: 90 },
    };
    room.write(
      "train/angry/Training_0.jpg",
      await sharp({ create }).png().toBuffer(),
    );
    for (let pass = 0; pass < 2; pass++) {
      const { train } = await loadFer2013({ ...room, size: SIZE });
      assert.deepEqual([...train.images.subarray(0, 3)], [200, 20, 90]);
      const second = train.images.subarray(SIZE * SIZE * 3);
      assert.equal(second[0], second[2]);
    }
  });
});

Deno.test("every damaged file is listed with its reason and stops the load", async () => {
  await withFaces(async (room) => {
    const paths = await addDamage(room);
    for (let pass = 0; pass < 2; pass++) {
      await assert.rejects(
        loadFer2013({ ...room, size: SIZE }),
        (error: Error) => {
          assert.ok(error instanceof DataError);
          for (const path of paths) {
            assert.ok(error.message.includes(path), path);
          }
          assert.match(error.message, /^fer2013: 7 file\(s\)/);
          return true;
        },
      );
    }
  });
});

Deno.test("the skip policy leaves damaged files out and says why", async () => {
  await withFaces(async (room) => {
    const clean = await loadFer2013({ ...room, size: SIZE });
    const paths = await addDamage(room);
    const d = await loadFer2013({ ...room, size: SIZE, onBad: "skip" });
    assert.deepEqual(d.skipped.map((s) => s.path), paths);
    assert.equal(d.hash, clean.hash);
    const reason = Object.fromEntries(d.skipped.map((s) => [s.path, s.reason]));
    assert.match(reason["train/angry/Training_90.jpg"], /empty/);
    assert.match(reason["train/angry/Training_91.jpg"], /cut short/);
    assert.match(reason["train/fear/Training_92.jpg"], /HTML/);
    assert.match(reason["train/fear/Training_93.jpg"], /not an image/);
    assert.match(reason["train/happy/Holiday_94.jpg"], /prefix/);
    assert.match(reason["train/smug"], /class folder/);
    assert.match(reason["train/sad/Training_96.jpg"], /cannot be read/);
  });
});

Deno.test("a list of bad files stops at 200 and counts the rest", async () => {
  await withFaces(async (room) => {
    for (let i = 0; i < 203; i++) {
      room.write(`train/sad/Training_1${i}.jpg`, new Uint8Array());
    }
    await assert.rejects(
      loadFer2013({ ...room, size: SIZE }),
      (error: Error) => {
        assert.equal(error.message.split("\n").length, 202);
        assert.match(error.message, /and 3 more$/);
        return true;
      },
    );
  });
});

/** The one cache file of pixels. */
function cached({ cacheDir }: Room): string {
  const names = [...Deno.readDirSync(cacheDir)].map((e) => e.name)
    .filter((name) => name.endsWith(".bin"));
  assert.equal(names.length, 1);
  return join(cacheDir, names[0]);
}

Deno.test("a cache hit equals a fresh load and decodes nothing", async () => {
  await withFaces(async (room) => {
    let decoded = 0;
    const onProgress = (done: number) => decoded = done;
    const fresh = await loadFer2013({ ...room, size: SIZE, onProgress });
    assert.equal(decoded, 21);
    decoded = 0;
    const hit = await loadFer2013({ ...room, size: SIZE, onProgress });
    assert.equal(decoded, 0);
    assert.deepEqual(hit, fresh);
  });
});

Deno.test("a damaged or cut cache file is a miss and is replaced", async () => {
  await withFaces(async (room) => {
    const fresh = await loadFer2013({ ...room, size: SIZE });
    const file = cached(room);
    const good = Deno.readFileSync(file);
    const flipped = good.slice();
    flipped[flipped.length - 5] ^= 1;
    const damages = [flipped, good.slice(0, 900), good.slice(0, 7)];
    for (const bytes of [...damages, new Uint8Array()]) {
      Deno.writeFileSync(file, bytes);
      assert.deepEqual(await loadFer2013({ ...room, size: SIZE }), fresh);
      assert.deepEqual(Deno.readFileSync(cached(room)), good);
    }
  });
});

Deno.test("a changed image is a cache miss and changes the hash", async () => {
  await withFaces(async (room) => {
    const before = await loadFer2013({ ...room, size: SIZE });
    room.write("train/sad/Training_0.jpg", await picture(77, "png", 20));
    const after = await loadFer2013({ ...room, size: SIZE });
    assert.notEqual(after.hash, before.hash);
  });
});

Deno.test("gray JPEGs and the same pixels as colour JPEGs decode alike", async () => {
  await withFaces(async (room) => {
    const gray = await picture(60, "jpeg");
    const colour = await sharp(gray).toColourspace("srgb").jpeg({
      quality: 100,
      chromaSubsampling: "4:4:4",
    }).toBuffer();
    room.write("train/angry/Training_0.jpg", gray);
    room.write("train/angry/Training_1.jpg", colour);
    for (const channels of [1, 3] as const) {
      const { train } = await loadFer2013({ ...room, size: SIZE, channels });
      const width = SIZE * SIZE * channels;
      const want = await sharp(gray).toColourspace("b-w").raw().toBuffer();
      for (let i = 0; i < width; i++) {
        assert.equal(train.images[i], want[Math.floor(i / channels)]);
        assert.ok(Math.abs(train.images[i] - train.images[width + i]) <= 3);
      }
    }
  });
});

Deno.test("images of another size are resized", async () => {
  await withFaces(async (room) => {
    const d = await loadFer2013({ ...room, size: 8, channels: 1 });
    assert.equal(d.size, 8);
    assert.equal(d.train.images.length, 7 * 64);
  });
});

Deno.test("a missing folder, no class folders and an empty split are one-line errors", async () => {
  await withFaces(async (room) => {
    const fails = async (dir: string, want: RegExp) => {
      await assert.rejects(
        loadFer2013({ ...room, dir, size: SIZE }),
        (error: Error) => {
          assert.ok(error instanceof DataError);
          assert.match(error.message, want);
          assert.equal(error.message.includes("\n"), false);
          return true;
        },
      );
    };
    await fails(join(room.dir, "nowhere"), /no folder at/);
    await fails(join(room.dir, "train"), /no class folders/);
    for (const folder of FOLDERS) {
      Deno.removeSync(join(room.dir, "test", folder, "PrivateTest_0.jpg"));
    }
    await fails(room.dir, /no test images .*PrivateTest_N\.jpg/);
  });
});

Deno.test("a limited FER2013 is class-stratified, seeded and hashed anew", async () => {
  await withFaces(async (room) => {
    const load = (train?: number, seed = 1) =>
      loadDataset({ ...room, name: "fer2013", size: SIZE, train, seed });
    const whole = await load();
    const cut = await load(14);
    assert.deepEqual(sizes(cut), [14, 42, 42]);
    for (let c = 0; c < 7; c++) {
      assert.equal(cut.train.labels.filter((l) => l === c).length, 2);
    }
    assert.notEqual(cut.hash, whole.hash);
    assert.deepEqual(await load(14), cut);
    assert.notDeepEqual((await load(14, 2)).train.names, cut.train.names);
    const row = whole.train.names.indexOf(cut.train.names[9]);
    const width = SIZE * SIZE * 3;
    assert.deepEqual(
      cut.train.images.slice(9 * width, 10 * width),
      whole.train.images.slice(row * width, (row + 1) * width),
    );
  }, 6);
});
