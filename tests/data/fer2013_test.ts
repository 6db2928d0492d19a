/** FER2013's folder form: splits by file name, classes by folder. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fer2013 } from "../../lib/data/formats/fer2013.ts";
import { FER_CLASSES, loadDataset } from "../../lib/data/mod.ts";
import { inOneLine } from "../_refused.ts";
import { empty, treeOf } from "./_tree.ts";

/** FER2013's official order, by folder name. */
const FOLDERS = "angry disgust fear happy sad surprise neutral".split(" ");
const FACES = empty(
  ...FOLDERS.flatMap((folder) => [
    `train/${folder}/Training_0.jpg`,
    `test/${folder}/PublicTest_0.jpg`,
    `test/${folder}/PrivateTest_0.jpg`,
  ]),
);

Deno.test("the name's prefix gives the official split, the folder the class", () => {
  using tree = treeOf({
    ...FACES,
    ...empty("train/happy/Training_7.jpg", "test/happy/PrivateTest_8.jpg"),
  });
  const listing = fer2013.list(tree.dir, {});
  assert.deepEqual(listing.classes, FER_CLASSES);
  assert.equal(listing.images.length, 23);
  for (const { name, label, split } of listing.images) {
    const [, folder, prefix] = /^t\w+\/(\w+)\/(\w+)_\d\.jpg$/.exec(name)!;
    assert.equal(label, FOLDERS.indexOf(folder), name);
    const want = { Training: "train", PublicTest: "validation" }[prefix];
    assert.equal(split, want ?? "test", name);
  }
  assert.deepEqual(listing.bad, []);
});

Deno.test("a file of another prefix and a folder of no class are bad, each with its reason", () => {
  using tree = treeOf({
    ...FACES,
    ...empty("train/happy/constructor_94.jpg", "train/smug/Training_95.jpg"),
  });
  const { bad, images } = fer2013.list(tree.dir, {});
  assert.deepEqual(bad.map(({ path }) => path), [
    "train/happy/constructor_94.jpg",
    "train/smug",
  ]);
  assert.match(bad[0].reason, /prefix/);
  assert.match(bad[1].reason, /class folder/);
  assert.equal(images.length, 21);
});

Deno.test("no class folders and an empty split are one-line errors", async () => {
  const fails = (dir: string, want: RegExp) =>
    assert.rejects(
      loadDataset({ name: "fer2013", dir }),
      inOneLine("DataError", want),
    );
  using tree = treeOf(FACES);
  await fails(join(tree.dir, "train"), /no class folders/);
  const isLeft = (path: string) => !path.includes("PrivateTest");
  using short = treeOf(empty(...Object.keys(FACES).filter(isLeft)));
  await fails(short.dir, /no test images .*PrivateTest_N\.jpg/);
});
