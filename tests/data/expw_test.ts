/** ExpW: faces by their boxes. */
import { strict as assert } from "node:assert";
import { expw } from "../../lib/data/formats/expw.ts";
import { empty, named, treeOf } from "./_tree.ts";

const LIST = "label/label.lst";
const LINES = [
  "angry_actor_104.jpg 0 28 113 226 141 22.9362 0",
  "angry_actor_120.jpg 0 10 20 50 60 59.1 3",
  "angry_actor_120.jpg 1 12 90 130 52 7.5 6",
  "sad man_1.jpg 0 -4 -6 40 50 30 4",
];
const TEXT = LINES.join("\n") + "\n";
const IMAGES = empty(
  ...["angry_actor_104", "angry_actor_120", "sad man_1"]
    .map((name) => `image/origin/${name}.jpg`),
);

Deno.test("each face of a picture is listed with its box and label", () => {
  using tree = treeOf({ ...IMAGES, [LIST]: TEXT });
  const listing = expw.list(tree.dir, {});
  assert.deepEqual(named(listing), {
    "image/origin/angry_actor_104.jpg#0": "Angry",
    "image/origin/angry_actor_120.jpg#0": "Happy",
    "image/origin/angry_actor_120.jpg#1": "Neutral",
    "image/origin/sad man_1.jpg#0": "Sad",
  });
  assert.deepEqual(listing.images[0], {
    name: "image/origin/angry_actor_104.jpg#0",
    source: { file: "image/origin/angry_actor_104.jpg" },
    label: 0,
    crop: { left: 113, top: 28, width: 226 - 113, height: 141 - 28 },
  });
  assert.deepEqual([listing.bad, listing.unlisted], [[], []]);
});

Deno.test("a box that begins outside of the picture begins at its edge", () => {
  using tree = treeOf({ ...IMAGES, [LIST]: TEXT });
  assert.deepEqual(expw.list(tree.dir, {}).images[3].crop, {
    left: 0,
    top: 0,
    width: 40,
    height: 50,
  });
});

Deno.test("bad lines are named", () => {
  using tree = treeOf({
    ...IMAGES,
    [LIST]: TEXT + [
      "angry_actor_120.jpg 1 12 90 130 52 7.5 5",
      "angry_actor_104.jpg 1 28 113 113 141 22.9 0",
      "angry_actor_104.jpg 2 28 113 226 141 22.9 7",
      "angry_actor_104.jpg 3 28 113 226 141 22.9",
    ].join("\n"),
  });
  const { bad, images } = expw.list(tree.dir, {});
  assert.equal(images.length, 4);
  assert.deepEqual(bad, [
    {
      path: `${LIST}:5`,
      reason: "image/origin/angry_actor_120.jpg#1 is listed as " +
        `1 12 90 130 52 7.5 5 here and listed as 1 12 90 130 52 7.5 6 at ${LIST}:3`,
    },
    { path: `${LIST}:6`, reason: "the box 113..113 × 28..141 is empty" },
    { path: `${LIST}:7`, reason: "label is 7; want 0 to 6" },
    { path: `${LIST}:8`, reason: "is no line of a name and seven numbers" },
  ]);
});

Deno.test("a list beside its pictures is read too", () => {
  using tree = treeOf({ "a.jpg": "", "label.lst": "a.jpg 0 1 2 30 40 5 1\n" });
  assert.deepEqual(named(expw.list(tree.dir, {})), { "a.jpg#0": "Disgust" });
});
