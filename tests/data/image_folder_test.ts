/** Any folders of images by class: layouts, names of classes, what is odd. */
import assert from "node:assert/strict";
import { imageFolder } from "../../lib/data/formats/image_folder.ts";
import { empty, named, treeOf } from "./_tree.ts";

Deno.test("folders by split and class give splits and expressions in FERLab's order", () => {
  using tree = treeOf(empty(
    "train/happiness/a.jpg",
    "train/anger/b.png",
    "valid/Happy/c.jpeg",
    "test/angry/d.JPG",
    "test/happy/a.jpg",
  ));
  const listing = imageFolder.list(tree.dir, {});
  assert.deepEqual(listing.classes, ["Angry", "Happy"]);
  assert.deepEqual(named(listing), {
    "test/angry/d.JPG": "Angry",
    "test/happy/a.jpg": "Happy",
    "train/anger/b.png": "Angry",
    "train/happiness/a.jpg": "Happy",
    "valid/Happy/c.jpeg": "Happy",
  });
  assert.deepEqual(
    Object.fromEntries(listing.images.map((i) => [i.name, i.split])),
    {
      "test/angry/d.JPG": "test",
      "test/happy/a.jpg": "test",
      "train/anger/b.png": "train",
      "train/happiness/a.jpg": "train",
      "valid/Happy/c.jpeg": "validation",
    },
  );
  assert.deepEqual(listing.bad, []);
});

Deno.test("class folders alone have no split", () => {
  using tree = treeOf(empty("sad/a.jpg", "fear/b.jpg", "readme.txt"));
  const { images, layout, classes } = imageFolder.list(tree.dir, {});
  assert.deepEqual(classes, ["Fear", "Sad"]);
  assert.deepEqual(images.map((i) => i.split), [undefined, undefined]);
  assert.equal(layout, "folders by class");
});

Deno.test("numbered folders keep their numbers: no expression is guessed", () => {
  const numbers = ["1", "2", "3", "4", "5", "6", "7", "10"];
  using tree = treeOf(empty(...numbers.map((n) => `${n}/${n}.jpg`)));
  const listing = imageFolder.list(tree.dir, {});
  assert.deepEqual(listing.classes, numbers);
  assert.equal(named(listing)["7/7.jpg"], "7");
});

Deno.test("contempt is left out of seven classes with its count, and the eighth of eight", () => {
  using tree = treeOf(
    empty("happy/a.jpg", "sad/b.jpg", "contempt/c.jpg", "contempt/d.jpg"),
  );
  const seven = imageFolder.list(tree.dir, {});
  assert.deepEqual(seven.classes, ["Happy", "Sad"]);
  assert.deepEqual(seven.left, { "contempt (7 classes)": 2 });
  const eight = imageFolder.list(tree.dir, { classes: 8 });
  assert.deepEqual(eight.classes, ["Happy", "Sad", "Contempt"]);
  assert.deepEqual(eight.left, {});
  assert.equal(eight.images.length, 4);
});

Deno.test("whatever is not an image of a class is named", () => {
  using tree = treeOf(empty(
    "train/happy/a.jpg",
    "train/happy/notes.txt",
    "train/happy/Thumbs.db",
    "train/happy/more/x.jpg",
    "train/sad/b.jpg",
    "train/smug/c.jpg",
    "train/loose.jpg",
    "extra/happy/d.jpg",
    "__MACOSX/happy/a.jpg",
  ));
  const { bad, images } = imageFolder.list(tree.dir, {});
  assert.deepEqual(images.map((i) => i.name), [
    "train/happy/a.jpg",
    "train/sad/b.jpg",
  ]);
  assert.deepEqual(Object.fromEntries(bad.map((b) => [b.path, b.reason])), {
    "extra": "not the folder of a split",
    "train/happy/more": "a folder among images",
    "train/happy/notes.txt": "not named as an image",
    "train/loose.jpg": "not in a class folder",
    "train/smug": "its name is no expression, the other folders' are",
  });
});

Deno.test("a folder without images in class folders is a one-line error", () => {
  using tree = treeOf(empty("a.jpg", "happy/readme.txt", "sad/readme.txt"));
  assert.equal(imageFolder.detect(tree.dir), false);
  assert.throws(() => imageFolder.list(tree.dir, {}), {
    name: "DataError",
    message: /^image-folder: no images in class folders of .*IMAGE$/,
  });
});
