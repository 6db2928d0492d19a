/** Any csv of images and labels: columns, words, files. */
import assert from "node:assert/strict";
import { csvList } from "../../lib/data/formats/csv_list.ts";
import { imageFolder } from "../../lib/data/formats/image_folder.ts";
import { empty, type Files, named, treeOf } from "./_tree.ts";

const LIST = `image,label,split,subject
faces/a.jpg,happiness,train,ann
faces/b.jpg,Anger,valid,bob
faces/c.jpg,angry,test,cem
`;
const FACES = empty("faces/a.jpg", "faces/b.jpg", "faces/c.jpg");

Deno.test("a csv gives labels by name, splits and subjects", () => {
  using tree = treeOf({ "list.csv": LIST, ...FACES });
  const listing = csvList.list(tree.dir, {});
  assert.deepEqual(listing.classes, ["Angry", "Happy"]);
  assert.deepEqual(named(listing), {
    "faces/a.jpg": "Happy",
    "faces/b.jpg": "Angry",
    "faces/c.jpg": "Angry",
  });
  assert.deepEqual(
    listing.images.map(({ split, subject }) => [split, subject]),
    [["train", "ann"], ["validation", "bob"], ["test", "cem"]],
  );
  assert.deepEqual(listing.bad, []);
  assert.equal(listing.layout, "list list.csv");
});

Deno.test("a csv of other words, quotes and separators reads as the clean one", () => {
  using clean = treeOf({ "list.csv": LIST, ...FACES });
  const want = csvList.list(clean.dir, {});
  const variants = {
    quotes: LIST.replace(/[^,\n]+/g, '"$&"'),
    semicolons: LIST.replaceAll(",", ";"),
    bars: LIST.replaceAll(",", "|"),
    "a separator that is said": '\ufeff"sep=:"\r\n' + LIST.replaceAll(",", ":"),
    "one beside a comma in the header": "sep=;;;;;\n" +
      LIST.replaceAll(",", ";").replace(/$/gm, ";").replace(/\n;$/, "\n")
        .replace("subject;", "subject;note, if any"),
    "a comma in a header's cell": LIST.replaceAll(",", ";")
      .replace(/$/gm, ";").replace("subject;", 'subject;"note, if any"')
      .replace(/\n;$/, "\n"),
    "names without extension": LIST.replaceAll(".jpg", ""),
    "other names": LIST.replace(
      "image,label,split,subject",
      "File Name,Emotion,Usage,Person_ID",
    ).replace("train", "Training").replace("valid", "PublicTest"),
    backslashes: LIST.replaceAll("/", "\\"),
  };
  for (const [name, text] of Object.entries(variants)) {
    using tree = treeOf({ "list.csv": text, ...FACES });
    assert.deepEqual(csvList.list(tree.dir, {}), want, name);
  }
});

Deno.test("cells with commas and quotes are read by RFC 4180", () => {
  const name = 'a, "b".jpg';
  using tree = treeOf({
    "list.csv": 'image,label\n"a, ""b"".jpg",sad\nb.jpg,happy\n',
    ...empty(name, "b.jpg"),
  });
  assert.deepEqual(named(csvList.list(tree.dir, {})), {
    [name]: "Sad",
    "b.jpg": "Happy",
  });
});

Deno.test("a name is that of a file in another Unicode form, but its own comes first", () => {
  const composed = "m\u00fcde.jpg", decomposed = "mu\u0308de.jpg";
  const list = (files: Files) => {
    using tree = treeOf({
      "list.csv": `image,label\n${composed},sad\nb.jpg,happy\n`,
      ...files,
    });
    return csvList.list(tree.dir, {}).images.map(({ name }) => name);
  };
  assert.deepEqual(list(empty(decomposed, "b.jpg")), [decomposed, "b.jpg"]);
  assert.deepEqual(
    list(empty(decomposed, composed, "b.jpg")),
    [composed, "b.jpg"],
  );
  using folders = treeOf(
    empty(`m\u00fcde/a.jpg`, `mu\u0308de/b.jpg`, "c/c.jpg"),
  );
  assert.deepEqual(imageFolder.list(folders.dir, {}).classes, [
    "c",
    "m\u00fcde",
  ]);
});

Deno.test("each bad row is named by its line and the kept rows do not move", () => {
  using tree = treeOf({
    "list.csv": `image,label,split
gone.jpg,happy,train
a.jpg,happy,train
b.jpg,smug,train
b.jpg,,train
b.jpg,sad,constructor
../b.jpg,sad,train
b.jpg
b.jpg,sad,test,more

b.jpg,sad,test
a.jpg,sad,train
`,
    ...empty("a.jpg", "b.jpg"),
  });
  const listing = csvList.list(tree.dir, {});
  assert.deepEqual(named(listing), { "a.jpg": "Happy", "b.jpg": "Sad" });
  assert.deepEqual(listing.images.map((i) => i.split), ["train", "test"]);
  assert.deepEqual(
    Object.fromEntries(listing.bad.map((b) => [b.path, b.reason])),
    {
      "list.csv:2": "there is no file gone.jpg",
      "list.csv:4": 'label "smug" is no class',
      "list.csv:5": 'label "" is no class',
      "list.csv:6": 'split is "constructor"; want train, validation or test',
      "list.csv:7": "../b.jpg lies outside of the data folder",
      "list.csv:8": "has 1 cell(s); the header has 3",
      "list.csv:9": "has 4 cell(s); the header has 3",
      "list.csv:12":
        "a.jpg is Sad in train here and Happy in train at list.csv:3",
    },
  );
});

Deno.test("labels that are numbers are refused without a legend, and never shifted with one", () => {
  const list = "image,label\na.jpg,1\nb.jpg,4\nc.jpg,0\n";
  const faces = empty("a.jpg", "b.jpg", "c.jpg");
  // One word among numbers does not make classes of the numbers.
  for (const text of [list, `${list}a.jpg,none\n`]) {
    using tree = treeOf({ "list.csv": text, ...faces });
    assert.throws(() => csvList.list(tree.dir, {}), {
      name: "DataError",
      message: /column label holds numbers.*classes\.txt.*"0 Angry"$/,
    });
  }
  using tree = treeOf({
    "list.csv": list,
    "classes.txt": "\ufeff1 surprise\r\n4\tHappiness\r\n",
    ...faces,
  });
  const listing = csvList.list(tree.dir, {});
  assert.deepEqual(named(listing), { "a.jpg": "Surprise", "b.jpg": "Happy" });
  assert.deepEqual(listing.bad, [
    { path: "list.csv:4", reason: 'label "0" is no class' },
  ]);
  // As pandas writes whole numbers beside empty cells.
  using other = treeOf({
    "list.csv": "image,label\na.jpg,1.0\nb.jpg,04\n",
    "classes.txt": "1 glad\n4 gloomy\n",
    ...faces,
  });
  assert.deepEqual(named(csvList.list(other.dir, {})), {
    "a.jpg": "glad",
    "b.jpg": "gloomy",
  });
  for (
    const [text, legend, message] of [
      [
        list,
        "1 glad\n01 gloomy\n",
        /classes\.txt:2: "01 gloomy" names 01 again/,
      ],
      [list, "glad\n", /classes\.txt:1: "glad" is no number and class/],
      ["image,label\na.jpg,\n", "1 glad\n", /list\.csv: no row has a label$/],
    ] as const
  ) {
    using bad = treeOf({ "list.csv": text, "classes.txt": legend, ...faces });
    assert.throws(() => csvList.list(bad.dir, {}), message);
  }
});

Deno.test("of a column of numbers and one of words the words are the labels", () => {
  using tree = treeOf({
    "list.csv": "path,label,emotion\na.jpg,0,sad\nb.jpg,1,happy\n",
    ...empty("a.jpg", "b.jpg"),
  });
  assert.deepEqual(named(csvList.list(tree.dir, {})), {
    "a.jpg": "Sad",
    "b.jpg": "Happy",
  });
});

Deno.test("one file name in train and test are two images, found by the row's split", () => {
  using tree = treeOf({
    "train.csv": "image,label\nx.jpg,happy\n",
    "test_labels.csv": "image,label\nx.jpg,sad\n",
    ...empty("train/x.jpg", "test/x.jpg"),
  });
  const listing = csvList.list(tree.dir, {});
  assert.deepEqual(named(listing), {
    "test/x.jpg": "Sad",
    "train/x.jpg": "Happy",
  });
  assert.deepEqual(listing.images.map((i) => i.split), ["test", "train"]);
});

Deno.test("a name that lies in two folders is not guessed", () => {
  using tree = treeOf({
    "list.csv": "image,label\nx.jpg,happy\ny.jpg,sad\n",
    ...empty("one/x.jpg", "two/x.jpg", "one/y.jpg"),
  });
  const { bad } = csvList.list(tree.dir, {});
  assert.deepEqual(bad, [{
    path: "list.csv:2",
    reason: "x.jpg lies in one/ and in two/: write its folder too",
  }]);
});

Deno.test("two csvs have to tell their splits", () => {
  using tree = treeOf({
    "one.csv": "image,label\na.jpg,happy\n",
    "test.csv": "image,label\nb.jpg,sad\n",
    ...empty("a.jpg", "b.jpg"),
  });
  assert.throws(
    () => csvList.list(tree.dir, {}),
    /one\.csv and test\.csv all list images, and one\.csv names no split/,
  );
});
