/** FER2013's csv: columns, bad rows by line, Usage words, text from Windows. */
import assert from "node:assert/strict";
import { join } from "node:path";
import sharp from "sharp";
import { fer2013 } from "../../lib/data/formats/fer2013.ts";
import { readFer2013Csv } from "../../lib/data/formats/fer2013_csv.ts";
import {
  type DataError,
  describeDataset,
  FER_CLASSES,
  loadDataset,
} from "../../lib/data/mod.ts";
import { type Folder, withFolder } from "./_folder.ts";

const USAGES = ["Training", "PublicTest", "PrivateTest"];

/** 2304 values that start with `first` and differ from row to row. */
function values(first: number, count = 2304): string {
  return Array.from(
    { length: count },
    (_, i) => i === 0 ? first : (first + i) % 256,
  )
    .join(" ");
}

/** A row of each split, first values 10, 20 and 30, emotions 0, 3 and 6. */
const GOOD = USAGES.map((usage, i) =>
  `${i * 3},${values(10 + i * 10)},${usage}`
);
const HEADER = "emotion,pixels,Usage";

function firsts({ dir }: Folder): [string, number, number, string?][] {
  return fer2013.list(dir, {}).images.map(({ name, source, label, split }) => {
    assert.ok("pixels" in source);
    assert.equal(source.pixels.length, 2304);
    return [name, source.pixels[0], label, split];
  });
}

const WANTED = [
  ["fer2013.csv:2", 10, 0, "train"],
  ["fer2013.csv:3", 20, 3, "validation"],
  ["fer2013.csv:4", 30, 6, "test"],
];

Deno.test("the published csv gives pixels, labels and the official split", async () => {
  await withFolder((folder) => {
    folder.put("fer2013.csv", [HEADER, ...GOOD].join("\n"));
    assert.deepEqual(firsts(folder), WANTED);
    const { classes, bad, layout } = fer2013.list(folder.dir, {});
    assert.deepEqual(classes, FER_CLASSES);
    assert.deepEqual(bad, []);
    assert.equal(layout, "table fer2013.csv");
  });
});

Deno.test("the csv reads the same in any order of columns, quoted, and from Windows", async () => {
  const moved = GOOD.map((row) => row.split(",")).map(([e, p, u]) =>
    `${e}, ${u}, ${p}`
  );
  const lines = [HEADER, ...GOOD];
  const variants = {
    "emotion, Usage, pixels": ["emotion, Usage, pixels", ...moved].join("\n"),
    "pixels in quotes": lines.map((l) => l.replace(/,(.*),/, ',"$1",')).join(
      "\n",
    ),
    "BOM and CRLF": `\ufeff${lines.join("\r\n")}\r\n`,
    "CR alone": `${lines.join("\r")}\r`,
    "double spaces and tabs": lines.join("\n")
      .replaceAll(" 100 ", "  100 ").replaceAll(" 50 ", "\t50 "),
    "trailing blanks": lines.map((l) => `${l}  \t`).join("\n"),
    "blank last lines": `${lines.join("\n")}\n\n  \n`,
    "semicolons": lines.join("\n").replaceAll(",", ";"),
  };
  for (const [name, text] of Object.entries(variants)) {
    await withFolder((folder) => {
      folder.put("fer2013.csv", text);
      assert.deepEqual(firsts(folder), WANTED, name);
      assert.deepEqual(fer2013.list(folder.dir, {}).bad, [], name);
    });
  }
});

Deno.test("each bad row is named by its line and the kept rows do not move", async () => {
  const bad: [string, RegExp][] = [
    [`0,,Training`, /has no pixels/],
    [`0,${values(1, 2303)},Training`, /has 2303 pixels; want 2304/],
    [`0,${values(1, 2305)},Training`, /has 2305 pixels; want 2304/],
    [`0,${values(300)},Training`, /pixel 1 is "300"/],
    [`0,${values(1).replace(" 7 ", " x7 ")},Training`, /pixel 7 is "x7"/],
    [`0,${values(1).replace(" 7 ", " -7 ")},Training`, /pixel 7 is "-7"/],
    [`7,${values(1)},Training`, /emotion is "7"; want 0 to 6/],
    [`,${values(1)},Training`, /emotion is ""/],
    [`0,${values(1)},Holdout`, /Usage is "Holdout"/],
    ["junk", /has 1 cell\(s\); the header has 3/],
    ["a,b", /has 2 cell/],
    ["a,b,c,d", /has 4 cell/],
  ];
  await withFolder(async (folder) => {
    // Bad rows stand before, between and behind the good ones.
    const [half, rest] = [bad.slice(0, 6), bad.slice(6)];
    const rows = [
      ...half.map(([row]) => row),
      ...GOOD,
      ...rest.map(([row]) => row),
    ];
    folder.put("fer2013.csv", [HEADER, ...rows].join("\n"));
    const listing = fer2013.list(folder.dir, {});
    assert.deepEqual(
      firsts(folder).map(([name, ...row]) => [name, ...row]),
      WANTED.map(([, ...row], i) => [`fer2013.csv:${8 + i}`, ...row]),
    );
    const reasons = new Map(listing.bad.map((b) => [b.path, b.reason]));
    assert.equal(reasons.size, bad.length);
    bad.forEach(([, want], i) => {
      const line = i < 6 ? 2 + i : 5 + i;
      assert.match(reasons.get(`fer2013.csv:${line}`) ?? "", want);
    });
    await assert.rejects(
      loadDataset({ ...folder, name: "fer2013" }),
      (error: DataError) => {
        for (const path of reasons.keys()) {
          assert.ok(error.message.includes(path));
        }
        return error.name === "DataError";
      },
    );
    const d = await loadDataset({ ...folder, name: "fer2013", onBad: "skip" });
    assert.deepEqual(
      [d.train, d.validation, d.test].map((
        s,
      ) => [s.images[0], s.labels[0], s.n]),
      [[10, 0, 1], [20, 3, 1], [30, 6, 1]],
    );
    assert.equal(d.skipped.length, bad.length);
    assert.equal(d.skipped[0].path, "fer2013.csv:2");
  });
});

Deno.test("a csv with other Usage words stops and lists those it has", async () => {
  await withFolder((folder) => {
    const rows = ["Train", "Train", "Test"].map((u) => `0,${values(1)},${u}`);
    folder.put("fer2013.csv", [HEADER, ...rows].join("\n"));
    assert.throws(() => fer2013.list(folder.dir, {}), {
      name: "DataError",
      message:
        /Training or PublicTest or PrivateTest; found "Train" \(2 rows\), "Test" \(1 rows\)$/,
    });
  });
});

Deno.test("a split whose rows are all bad is an error, not an empty split", async () => {
  await withFolder(async (folder) => {
    const rows = [GOOD[0], GOOD[1], "0,1 2 3,PrivateTest"];
    folder.put("fer2013.csv", [HEADER, ...rows].join("\n"));
    await assert.rejects(
      loadDataset({ ...folder, name: "fer2013", onBad: "skip" }),
      /no test images/,
    );
  });
});

Deno.test("an all-black image is kept and counted as blank", async () => {
  await withFolder(async (folder) => {
    const black = `2,${new Array(2304).fill(0).join(" ")},Training`;
    folder.put("fer2013.csv", [HEADER, black, ...GOOD].join("\n"));
    const d = await loadDataset({ ...folder, name: "fer2013" });
    assert.equal(d.train.n, 2);
    assert.equal(d.train.labels[0], 2);
    assert.ok(describeDataset(d).includes("blank images in train: 1"));
  });
});

Deno.test("the csv and the folders of the same images have one hash", async () => {
  const level = (i: number) => 10 + i * 10;
  let hash = "";
  await withFolder(async (folder) => {
    folder.put("fer2013.csv", [HEADER, ...GOOD].join("\n"));
    ({ hash } = await loadDataset({ ...folder, name: "fer2013" }));
  });
  await withFolder(async (folder) => {
    for (const [i, usage] of USAGES.entries()) {
      const pixels = Uint8Array.from(values(level(i)).split(" "), Number);
      const raw = { width: 48, height: 48, channels: 1 } as const;
      folder.put(
        `${i ? "test" : "train"}/${
          ["angry", "happy", "neutral"][i]
        }/${usage}_1.jpg`,
        await sharp(pixels, { raw }).png().toBuffer(),
      );
    }
    const d = await loadDataset({ ...folder, name: "fer2013" });
    assert.equal(d.hash, hash);
  });
});

Deno.test("rows of a csv are resized as files are", async () => {
  await withFolder(async (folder) => {
    folder.put("fer2013.csv", [HEADER, ...GOOD].join("\n"));
    const d = await loadDataset({
      ...folder,
      name: "fer2013",
      size: 16,
      channels: 1,
    });
    const pixels = Uint8Array.from(values(10).split(" "), Number);
    const want = await sharp(pixels, {
      raw: { width: 48, height: 48, channels: 1 },
    })
      .resize(16, 16, { fit: "fill" }).toColourspace("b-w").raw().toBuffer();
    assert.deepEqual([...d.train.images], [...want]);
  });
});

Deno.test("the challenge's csv without Usage has no split until a rule gives one", async () => {
  await withFolder(async (folder) => {
    const rows = Array.from({ length: 40 }, (_, i) => `${i % 2},${values(i)}`);
    folder.put("train.csv", ["emotion,pixels", ...rows].join("\n"));
    const load = (
      split?: { kind: "holdout"; validation: number; test: number },
    ) => loadDataset({ ...folder, name: "auto", split });
    await assert.rejects(load(), /40 of 40 images have no official split/);
    const d = await load({ kind: "holdout", validation: 0.25, test: 10 });
    assert.equal(d.name, "fer2013");
    assert.deepEqual([d.train.n, d.validation.n, d.test.n], [20, 10, 10]);
  });
});

Deno.test("rows that lie over the edges of the pieces of the file are whole", async () => {
  await withFolder((folder) => {
    // 400 rows are many pieces of 256 KiB.
    const rows = Array.from(
      { length: 400 },
      (_, i) => `${i % 7},${values(i % 250)},Training`,
    );
    folder.put("big.csv", [HEADER, ...rows].join("\r\n"));
    const table = readFer2013Csv(join(folder.dir, "big.csv"));
    assert.deepEqual(table.bad, []);
    assert.equal(table.rows.length, 400);
    for (const [i, { line, index, label, pixels }] of table.rows.entries()) {
      assert.deepEqual([line, index, label], [i + 2, i, i % 7]);
      assert.equal([...pixels].join(" "), values(i % 250));
    }
  });
});

Deno.test("UTF-16, a csv of other columns and two csvs are one-line errors", async () => {
  await withFolder((folder) => {
    folder.put("fer2013.csv", Uint8Array.of(0xff, 0xfe, 0x65, 0));
    const path = join(folder.dir, "fer2013.csv");
    assert.throws(() => readFer2013Csv(path), /fer2013\.csv: is UTF-16/);
    folder.put("fer2013.csv", "");
    assert.throws(() => readFer2013Csv(path), /is empty/);
    folder.put("fer2013.csv", "a,b\n1,2\n");
    assert.throws(() => readFer2013Csv(path), /fer2013\.csv:1: is no header/);
    folder.put("one.csv", HEADER);
    folder.put("two.csv", HEADER);
    assert.throws(() => fer2013.list(folder.dir, {}), /one\.csv and two\.csv/);
  });
});
