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

Deno.test("damaged files stop the load or are left out, each with its reason", async () => {
  await withFaces(async (room) => {
    const clean = await loadFer2013({ ...room, size: SIZE });
    const paths = await addDamage(room);
    await assert.rejects(loadFer2013({ ...room, size: SIZE }), (e: Error) => {
      assert.ok(e instanceof DataError);
      assert.match(e.message, /^fer2013: 7 file\(s\)/);
      return paths.every((path) => e.message.includes(path));
    });
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
