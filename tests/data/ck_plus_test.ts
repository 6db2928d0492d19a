/** CK+: peaks, first frames as neutral, subjects. */
import { strict as assert } from "node:assert";
import { ckPlus } from "../../lib/data/formats/ck_plus.ts";
import { CLUTTER_LEFT } from "../../lib/data/formats/tree.ts";
import { type Files, named, treeOf } from "./_tree.ts";

const FRAMES = "cohn-kanade-images", LABELS = "Emotion";
const frame = (subject: string, take: string, n: number) =>
  `${subject}/${take}/${subject}_${take}_${String(n).padStart(8, "0")}`;

/** A sequence of frames with a label file for the last, unless label is null. */
function sequence(
  subject: string,
  take: string,
  label: number | string | null,
  count = 11,
): Files {
  const files: Files = { [`${FRAMES}/${subject}/${take}/.DS_Store`]: "" };
  for (let n = 1; n <= count; n++) {
    files[`${FRAMES}/${frame(subject, take, n)}.png`] = "";
  }
  if (label !== null) {
    files[`${LABELS}/${frame(subject, take, count)}_emotion.txt`] =
      typeof label === "string" ? label : `   ${label}.0000000e+00\n`;
  }
  return files;
}

Deno.test("the labelled frame is the peak and the first frame is neutral", () => {
  using tree = treeOf({
    ...sequence("S005", "001", 3),
    ...sequence("S010", "002", 7, 14),
    ...sequence("S010", "003", null),
  });
  const listing = ckPlus.list(tree.dir, {});
  assert.deepEqual(named(listing), {
    [`${FRAMES}/${frame("S005", "001", 1)}.png`]: "Neutral",
    [`${FRAMES}/${frame("S005", "001", 11)}.png`]: "Disgust",
    [`${FRAMES}/${frame("S010", "002", 1)}.png`]: "Neutral",
    [`${FRAMES}/${frame("S010", "002", 14)}.png`]: "Surprise",
  });
  assert.deepEqual(
    listing.images.map(({ subject, split }) => [subject, split]),
    ["S005", "S005", "S010", "S010"].map((s) => [s, undefined]),
  );
  assert.deepEqual(listing.left, {
    "sequence without a label": 1,
    [CLUTTER_LEFT]: 2,
  });
  assert.deepEqual(listing.bad, []);
});

Deno.test("labels 1 to 7 are the seven expressions; contempt wants eight classes", () => {
  using tree = treeOf(Object.assign(
    {},
    ...[1, 2, 3, 4, 5, 6, 7].map((n) => sequence("S011", `00${n}`, n)),
  ));
  const peaks = (classes: 7 | 8) => {
    const { images, classes: names, left } = ckPlus.list(tree.dir, { classes });
    const labels = images.map(({ label }) => names[label])
      .filter((name) => name !== "Neutral");
    return { labels, left };
  };
  const all = ["Angry", "Contempt", "Disgust", "Fear", "Happy", "Sad"]
    .concat("Surprise");
  assert.deepEqual(peaks(8), { labels: all, left: { [CLUTTER_LEFT]: 7 } });
  assert.deepEqual(peaks(7), {
    labels: all.filter((name) => name !== "Contempt"),
    left: { "contempt (7 classes)": 1, [CLUTTER_LEFT]: 7 },
  });
});

Deno.test("a missing peak, a missing sequence and an odd label are bad", () => {
  const { [`${FRAMES}/${frame("S005", "001", 11)}.png`]: _, ...short } =
    sequence("S005", "001", 3);
  const gone = `${LABELS}/${frame("S006", "001", 9)}_emotion.txt`;
  const second = `${LABELS}/${frame("S009", "001", 10)}_emotion.txt`;
  using tree = treeOf({
    ...short,
    [gone]: "   1.0000000e+00\n",
    ...sequence("S007", "001", "   8.0000000e+00\n"),
    ...sequence("S008", "001", ""),
    ...sequence("S009", "001", 1),
    [second]: "   1.0000000e+00\n",
    ...sequence("S999", "001", 5),
  });
  const label = (subject: string) =>
    `${LABELS}/${frame(subject, "001", 11)}_emotion.txt`;
  const { bad, images } = ckPlus.list(tree.dir, {});
  assert.deepEqual(bad, [
    {
      path: `${FRAMES}/${frame("S005", "001", 11)}.png`,
      reason: "listed, but the file is missing",
    },
    {
      path: `${FRAMES}/${frame("S006", "001", 9)}.png`,
      reason: "listed, but the file is missing",
    },
    {
      path: label("S007"),
      reason: 'holds "8.0000000e+00"; want a number, 0 to 7',
    },
    { path: label("S008"), reason: "is empty" },
    { path: `${LABELS}/S009/001`, reason: "2 label files" },
  ]);
  assert.equal(images.length, 2);
});

Deno.test("a sequence without its first frame gives no neutral image", () => {
  const { [`${FRAMES}/${frame("S005", "001", 1)}.png`]: _, ...rest } = sequence(
    "S005",
    "001",
    5,
  );
  using tree = treeOf(rest);
  const { images, left } = ckPlus.list(tree.dir, {});
  assert.equal(images.length, 1);
  assert.deepEqual(left, { "neutral: no first frame": 1, [CLUTTER_LEFT]: 1 });
});

Deno.test("images without labels are refused", () => {
  using tree = treeOf(sequence("S005", "001", null));
  assert.ok(!ckPlus.detect(tree.dir));
  assert.throws(() => ckPlus.list(tree.dir, {}), {
    name: "DataError",
    message: /want cohn-kanade-images\/ and Emotion\//,
  });
});
