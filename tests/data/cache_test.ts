/** The cache of decoded pixels: keyed by content, checked, rebuilt, cleared. */
import assert from "node:assert/strict";
import { join } from "node:path";
import sharp from "sharp";
import { cacheEntries, clearCache } from "../../lib/data/read/cache.ts";
import { arrangeRows } from "../../lib/data/read/dataset_of.ts";
import { cachedPixels } from "../../lib/data/read/pixels.ts";
import { inFolder, testsWith } from "../_folder.ts";
import { atRest } from "./_tree.ts";

const SIZE = 12;

/** A gray ramp from `level` as PNG bytes; equal in length for all levels. */
async function picture(level: number): Promise<Uint8Array> {
  const raw = Uint8Array.from(
    { length: SIZE * SIZE },
    (_, i) => (level + i) % 256,
  );
  const grid = { width: SIZE, height: SIZE, channels: 1 as const };
  return await sharp(raw, { raw: grid }).png({ compressionLevel: 0 })
    .toBuffer();
}

interface Room {
  dir: string;
  cacheDir: string;
  paths: string[];
  /** Reads `from`'s images; `decoded` counts those that were decoded. */
  read(
    channels?: 1 | 3,
    from?: string[],
  ): Promise<{ pixels: Uint8Array; bad: [number, string][]; decoded: number }>;
}

/** A test with four images of which the last is damaged. */
const test = testsWith<Room>((work) =>
  inFolder(async (root) => {
    const dir = join(root, "set");
    const cacheDir = join(root, "cache");
    Deno.mkdirSync(dir);
    const paths = [0, 1, 2, 3].map((i) => join(dir, `${i}.png`));
    for (const [i, path] of paths.entries()) {
      const bytes = await picture(i * 50);
      Deno.writeFileSync(path, i < 3 ? bytes : bytes.subarray(0, 90));
    }
    const read: Room["read"] = async (channels = 3, from = paths) => {
      let decoded = 0;
      const onProgress = (done: number) => decoded = done;
      const options = { size: SIZE, channels, cacheDir, onProgress };
      const { pixels, bad } = await cachedPixels(from, options);
      return { pixels, bad: [...bad], decoded };
    };
    await work({ dir, cacheDir, paths, read });
  })
);

const entryOf = ({ cacheDir }: Room) => {
  const entries = cacheEntries(cacheDir);
  assert.equal(entries.length, 1);
  return entries[0].path;
};

test("a hit gives the same pixels and reasons and decodes nothing", async (room) => {
  for (const channels of [1, 3] as const) {
    const fresh = await room.read(channels);
    assert.equal(fresh.decoded, 4);
    assert.equal(fresh.pixels.length, 4 * SIZE * SIZE * channels);
    assert.equal(fresh.pixels[(SIZE * SIZE * 2 + 5) * channels], 105);
    assert.deepEqual(fresh.bad, [[3, "cut short"]]);
    const hit = await room.read(channels);
    assert.deepEqual(hit, { ...fresh, decoded: 0 });
  }
});

test("colour comes back from the cache as it was", async (room) => {
  const create = {
    width: SIZE,
    height: SIZE,
    channels: 3 as const,
    background: { r: 200, g: 20, b: 90 },
  };
  Deno.writeFileSync(room.paths[1], await sharp({ create }).png().toBuffer());
  const fresh = await room.read();
  assert.deepEqual(await room.read(), { ...fresh, decoded: 0 });
  const at = SIZE * SIZE * 3;
  assert.deepEqual([...fresh.pixels.subarray(at, at + 3)], [200, 20, 90]);
  assert.deepEqual([...fresh.pixels.subarray(3, 6)], [1, 1, 1]);
});

test("a moved folder and renamed files hit; another order does not", async (room) => {
  const fresh = await room.read();
  const moved = `${room.dir}-moved`;
  Deno.renameSync(room.dir, moved);
  const paths = [0, 1, 2, 3].map((i) => {
    Deno.renameSync(join(moved, `${i}.png`), join(moved, `face ${i}.jpg`));
    return join(moved, `face ${i}.jpg`);
  });
  assert.deepEqual(await room.read(3, paths), { ...fresh, decoded: 0 });
  assert.equal((await room.read(3, paths.reverse())).decoded, 4);
});

test("other content under the same name, size and time is a miss", async (room) => {
  await room.read();
  const { size, mtime, atime } = Deno.statSync(room.paths[0]);
  Deno.writeFileSync(room.paths[0], await picture(77));
  Deno.utimeSync(room.paths[0], atime!, mtime!);
  const now = Deno.statSync(room.paths[0]);
  assert.deepEqual([now.size, now.mtime], [size, mtime]);
  const { pixels, decoded } = await room.read();
  assert.equal(decoded, 4);
  assert.equal(pixels[0], 77);
});

test("a stamp spares reading the files and falls with any change of them", async (room) => {
  const stamps = () =>
    [...Deno.readDirSync(room.cacheDir)]
      .map(({ name }) => join(room.cacheDir, name))
      .filter((path) => path.endsWith(".stamp"));
  await room.read();
  assert.deepEqual(stamps(), [], "a fresh file may change within its time");
  await atRest(async () => {
    const fresh = await room.read();
    assert.equal(stamps().length, 1);
    assert.deepEqual(await room.read(), { ...fresh, decoded: 0 });
    // As editors save: another file takes the name, with the times kept.
    const { mtime, atime } = Deno.statSync(room.paths[0]);
    const saved = join(room.dir, "saved");
    Deno.writeFileSync(saved, await picture(77));
    Deno.utimeSync(saved, atime!, mtime!);
    Deno.renameSync(saved, room.paths[0]);
    const changed = await room.read();
    assert.equal(changed.pixels[0], 77);
    assert.equal(stamps().length, 2);
    // A stamp that was damaged leads nowhere.
    for (const path of stamps()) {
      Deno.writeTextFileSync(path, "f".repeat(64) + "\n");
    }
    assert.deepEqual((await room.read()).pixels, changed.pixels);
  });
});

test("a cache file that is cut, changed, empty or of another version is rebuilt", async (room) => {
  const fresh = await room.read();
  const file = entryOf(room);
  const good = Deno.readFileSync(file);
  const flips = [3, 20, 80, 95, 200, good.length - 5].map((at) => {
    const bytes = good.slice();
    bytes[at] ^= 1;
    return bytes;
  });
  const long = Uint8Array.of(...good, 0);
  const cuts = [0, 7, 50, 100, good.length - 1].map((n) => good.slice(0, n));
  for (const bytes of [...flips, ...cuts, long]) {
    Deno.writeFileSync(file, bytes);
    assert.deepEqual(await room.read(), fresh);
    assert.deepEqual(Deno.readFileSync(file), good);
  }
  // Whole, but another set's.
  const one = [room.paths[0]];
  await room.read(3, one);
  const other = cacheEntries(room.cacheDir).find(({ path }) => path !== file)!;
  Deno.copyFileSync(other.path, file);
  assert.deepEqual(await room.read(), fresh);
});

test("a cache folder that cannot be written only costs time", async (room) => {
  Deno.writeTextFileSync(room.cacheDir, "a file in the folder's place");
  const first = await room.read();
  assert.deepEqual(await room.read(), first);
  assert.equal(first.decoded, 4);
  assert.deepEqual(cacheEntries(room.cacheDir), []);
  assert.deepEqual(clearCache(room.cacheDir), { files: 0, bytes: 0 });
});

test("processes that fill the cache at once leave one sound entry", async (room) => {
  const images = new URL("../../lib/data/read/pixels.ts", import.meta.url);
  const code = `import { cachedPixels } from "${images}";
      const [cacheDir, ...paths] = Deno.args;
      const o = { size: ${SIZE}, channels: 3, cacheDir };
      for (let i = 0; i < 5; i++) {
        const { pixels } = await cachedPixels(paths, o);
        if (pixels[3] !== 1) Deno.exit(1);
        for (const f of Deno.readDirSync(cacheDir)) {
          try { Deno.removeSync(cacheDir + "/" + f.name); } catch { /* gone */ }
        }
      }
      await cachedPixels(paths, o);`;
  const script = join(room.dir, "fill.ts");
  Deno.writeTextFileSync(script, code);
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const args = ["run", "-A", "--no-check", "--config", config, script];
  const runs = await Promise.all(
    [1, 2, 3].map(() =>
      new Deno.Command(Deno.execPath(), {
        args: [...args, room.cacheDir, ...room.paths],
        stderr: "inherit",
      }).output()
    ),
  );
  assert.deepEqual(runs.map(({ code }) => code), [0, 0, 0]);
  const { decoded } = await room.read();
  assert.ok(decoded === 0 || decoded === 4);
  assert.equal((await room.read()).decoded, 0);
  assert.equal(entryOf(room).endsWith(".bin"), true);
});

test("entries are listed with what they hold, and only they are cleared", async (room) => {
  await room.read(1);
  const [entry] = cacheEntries(room.cacheDir);
  assert.deepEqual(entry.images, { count: 4, size: SIZE, planes: 1 });
  assert.equal(entry.bytes, Deno.statSync(entry.path).size);
  const put = (name: string) =>
    Deno.writeTextFileSync(join(room.cacheDir, name), "FERLAB-DATA-1\n");
  put("old.bin");
  put("broken.bin.1.tmp");
  put("mine.txt");
  const listed = cacheEntries(room.cacheDir);
  assert.equal(listed.length, 2);
  const old = listed.find(({ path }) => path.endsWith("old.bin"))!;
  assert.equal(old.images, undefined);
  const { files, bytes } = clearCache(room.cacheDir);
  assert.deepEqual([files, bytes], [3, entry.bytes + 28]);
  const left = [...Deno.readDirSync(room.cacheDir)].map(({ name }) => name);
  assert.deepEqual(left, ["mine.txt"]);
});

test("an abort ends the reading of a set", async (room) => {
  const { cacheDir, paths } = room;
  const signal = AbortSignal.abort(new Error("stopped by the user"));
  const options = { size: SIZE, channels: 1 as const, cacheDir, signal };
  await assert.rejects(cachedPixels(paths, options), /stopped by the user/);
  assert.deepEqual(cacheEntries(cacheDir), []);
});

Deno.test("rows are arranged in place by any order", () => {
  const rows = [..."abcdefg"];
  for (const places of ["0123456", "6543210", "2013645"]) {
    const order = [...places].map(Number);
    const pixels = new TextEncoder().encode(rows.map((r) => r + r).join(""));
    arrangeRows(pixels, 2, Uint32Array.from(order));
    const want = order.map((i) => rows[i] + rows[i]).join("");
    assert.equal(new TextDecoder().decode(pixels), want);
  }
});
