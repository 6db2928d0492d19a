/** The hash of a data set that the cache keeps: read only where it is right. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { knownHash } from "../../lib/data/read/dataset_of.ts";
import { contentHash, loadDataset } from "../../lib/data/mod.ts";
import type { Dataset, LoadOptions } from "../../lib/data/mod.ts";
import { testsWith } from "../_folder.ts";
import { png } from "./_pictures.ts";
import { treeOf } from "./_tree.ts";

/** A list of twelve images of three classes, all in one folder. */
function listOf(labels: string[], splits: string[] = SPLITS): string {
  const rows = labels.map((label, i) => `${i}.png,${label},${splits[i]}\n`);
  return `image,label,split\n${rows.join("")}`;
}

const LABELS = "sad happy fear sad happy fear sad happy fear sad happy fear"
  .split(" ");
const SPLITS = "train train train train train train val val val test test test"
  .split(" ");

interface Given {
  write: (text: string) => void;
  load: (o?: Partial<LoadOptions>) => Promise<Dataset>;
  stamps: () => string[];
  dir: string;
}

const test = testsWith<Given>(async (work) => {
  using tree = treeOf({ "list.csv": listOf(LABELS) });
  const { dir } = tree;
  const cacheDir = join(dir, ".cache");
  for (const i of LABELS.keys()) {
    Deno.writeFileSync(join(dir, `${i}.png`), await png(i));
  }
  await work({
    write: (text) => Deno.writeTextFileSync(join(dir, "list.csv"), text),
    load: (o) =>
      loadDataset({ name: "csv-list", dir, cacheDir, size: 8, ...o }),
    stamps: () =>
      [...Deno.readDirSync(cacheDir)].map(({ name }) => join(cacheDir, name))
        .filter((path) => path.endsWith(".stamp")),
    dir,
  });
});

test("with any other label, class, order, split or limit the hash is the content's", async ({ write, load }) => {
  const swapped = [...LABELS];
  [swapped[0], swapped[1]] = [swapped[1], swapped[0]];
  const moved = [...SPLITS];
  [moved[0], moved[6]] = [moved[6], moved[0]];
  const turned = SPLITS.map((split) => split === "val" ? "train" : split)
    .fill("val", 0, 6);
  const lines = listOf(LABELS).trimEnd().split("\n");
  const [head, first, second, ...rest] = lines;
  const lists = [
    listOf(LABELS),
    listOf(swapped),
    listOf(LABELS, moved),
    listOf(LABELS, turned),
    listOf(LABELS.map((label) => label === "sad" ? "anger" : label)),
    listOf(LABELS.map((label) => `${label}der`)),
    [head, second, first, ...rest].join("\n"),
    [head, second, ...rest].join("\n"),
    lines.map((line) => line.replace(/,[a-z]+$/, "")).join("\n"),
  ];
  const folds = (fold: number): Partial<LoadOptions> => ({
    split: { kind: "folds", folds: 3, fold },
  });
  const official: Partial<LoadOptions>[] = [
    {},
    { channels: 1 },
    { size: 9 },
    { train: 3 },
    { train: 3, seed: 5 },
  ];
  const hashes = new Set<string>();
  let loads = 0;
  for (let pass = 0; pass < 2; pass++) {
    for (const text of lists) {
      write(text);
      const free = !text.includes("train");
      for (const o of free ? [folds(0), folds(1), folds(2)] : official) {
        const d = await load(o);
        assert.equal(d.hash, contentHash(d));
        hashes.add(d.hash);
        loads++;
      }
    }
  }
  // Some limits choose the same images; the second pass adds none.
  assert.ok(hashes.size > 30 && hashes.size <= loads / 2);
});

test("bad files change the rows, and so the hash", async ({ load, dir }) => {
  const whole = await load();
  Deno.writeTextFileSync(join(dir, "2.png"), "no image");
  const without = await load({ onBad: "skip" });
  assert.equal(without.train.n, 5);
  assert.notEqual(without.hash, whole.hash);
  assert.equal(without.hash, contentHash(without));
  assert.deepEqual(await load({ onBad: "skip" }), without);
});

test("a kept hash that was damaged is taken anew", async ({ load, stamps }) => {
  const { hash } = await load();
  const [path, ...more] = stamps();
  assert.deepEqual(more, []);
  const good = Deno.readTextFileSync(path);
  assert.ok(good.startsWith(hash));
  const other = hash[0] === "0" ? "1" : "0";
  for (const text of ["", "\n", other + good.slice(1), good.slice(0, 65)]) {
    Deno.writeTextFileSync(path, text);
    assert.equal((await load()).hash, hash);
    assert.equal(Deno.readTextFileSync(path), good);
  }
});

test("pixels that the cache names are not hashed again; others are", async ({ load, dir }) => {
  const d = await load();
  const pixels = { pixels: new Uint8Array(), bad: new Map(), sum: "entry" };
  const rows = { train: [2, 0], validation: [1], test: [3] };
  const cacheDir = join(dir, "other");
  const hash = (o: Partial<typeof pixels & typeof rows>) =>
    knownHash(d, { ...pixels, ...o }, { ...rows, ...o }, cacheDir);
  assert.equal(hash({}), d.hash);
  d.train.images.fill(0);
  assert.equal(hash({}), d.hash);
  const now = contentHash(d);
  assert.notEqual(now, d.hash);
  assert.equal(hash({ sum: "another" }), now);
  assert.equal(hash({ sum: undefined }), now);
  assert.equal(hash({ train: [0, 2] }), now);
  assert.equal(hash({ validation: [3], test: [1] }), now);
});
