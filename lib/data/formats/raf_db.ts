/** RAF-DB's basic expressions (Li, Deng & Du 2017), in its three layouts. */
import { join } from "node:path";
import type { Expression } from "../expressions.ts";
import type { Format, ListedImage, Listing, ReadOptions } from "../listing.ts";
import { readLines } from "../text.ts";
import { DataError } from "../types.ts";
import type { SkippedFile, SplitName } from "../types.ts";
import { columnsOf, readTable } from "./table.ts";
import { below, isImageName, stemOf, Tree } from "./tree.ts";

/** Label 1 is the first one. */
const CLASSES: Expression[] = [
  "Surprise",
  "Fear",
  "Disgust",
  "Happy",
  "Sad",
  "Angry",
  "Neutral",
];

const LISTS = ["", "basic/"].flatMap((base) =>
  ["list_patition_label.txt", "list_partition_label.txt"]
    .map((name) => `${base}EmoLabel/${name}`)
);
const ALIGNED = ["Image/aligned", "basic/Image/aligned"];
/** Where the split folders lie; the second one is a widespread parcel's. */
const BASES = ["", "DATASET"];
const SPLIT_NAMES = ["train", "test", "valid", "val"];

/** A labelled name before its file is known. */
interface Row {
  name: string;
  /** As written. */
  label: string;
  /** `file:line`, or the class folder's path. */
  where: string;
  split?: SplitName;
}

/** Row i's image; undefined where it is missing. */
type Find = (row: Row) => string | undefined;

export const rafDb: Format = {
  name: "raf-db",
  about: "RAF-DB: EmoLabel/list_patition_label.txt with Image/aligned/, class " +
    "folders train/1..7 and test/1..7, or train_labels.csv and test_labels.csv",

  detect(dir) {
    const tree = new Tree(dir);
    return tree.firstFile(LISTS) !== undefined || isRafCsv(tree) ||
      BASES.some((base) => {
        const folders = tree.folders(below(base, "train"));
        return folders.length > 1 && folders.every((f) => /^[1-7]$/.test(f));
      });
  },

  list(dir, o) {
    const tree = new Tree(dir);
    const list = tree.firstFile(LISTS);
    if (list !== undefined) return labelList(tree, list, o);
    const tables = csvFiles(tree);
    if (tables.length > 0) return csvTables(tree, tables, o);
    return classFolders(tree, o);
  },

  published: {
    train: counts([1290, 281, 717, 4772, 1982, 705, 2524]),
    test: counts([329, 74, 160, 1185, 478, 162, 680]),
  },
};

function counts(n: number[]): Record<string, number> {
  return Object.fromEntries(CLASSES.map((name, i) => [name, n[i]]));
}

/** `train_00001.jpg 5` lines; the images are `train_00001_aligned.jpg`. */
function labelList(tree: Tree, list: string, o: ReadOptions): Listing {
  const rows = readLines(join(tree.root, list)).map(({ text, line }): Row => {
    const cells = text.split(/\s+/);
    const where = `${list}:${line}`;
    if (cells.length !== 2) {
      const extra = cells.length > 2 ? `, the third is "${cells[2]}"` : "";
      throw new DataError(
        `${join(tree.root, where)}: "${text}" has ${cells.length} ` +
          `column(s)${extra}; want two, an image name and a label`,
      );
    }
    return { name: cells[0], label: cells[1], where, split: named(cells[0]) };
  });
  const folder = tree.firstFolder(ALIGNED);
  if (folder === undefined) {
    throw new DataError(
      `${tree.root}: no folder ${ALIGNED[0]}; unpack aligned.zip there ` +
        `(Image/original has the pictures uncropped)`,
    );
  }
  const find: Find = ({ name }) =>
    tree.image(folder, `${bareStem(name)}_aligned`);
  const expected = ({ name }: Row) =>
    below(folder, `${bareStem(name)}_aligned.jpg`);
  return build(tree, "label list and aligned images", rows, o, {
    find,
    expected,
    folders: [folder],
  });
}

/** `image,label` tables, one a split, over images anywhere below the folder. */
function csvTables(tree: Tree, tables: string[], o: ReadOptions): Listing {
  const onlyTwo = !tables.some((name) => /^test/i.test(name));
  const rows = tables.flatMap((file): Row[] => {
    const [header, ...rest] = readTable(join(tree.root, file));
    const at = columnsOf(header, ["image", "label"]);
    if (at.image < 0 || at.label < 0 || header.cells.length !== 2) {
      throw new DataError(
        `${join(tree.root, file)}:${header?.line ?? 1}: ` +
          `the columns are "${header?.cells.join(",") ?? ""}"; ` +
          `want image,label`,
      );
    }
    const split = splitOf(/^[a-z]+/i.exec(file)?.[0] ?? "", onlyTwo);
    return rest.map(({ cells, line }) => {
      const where = `${file}:${line}`;
      if (cells.length !== 2) {
        throw new DataError(
          `${join(tree.root, where)}: "${cells.join(",")}" has ` +
            `${cells.length} column(s); want two, image and label`,
        );
      }
      const name = cells[at.image].replaceAll("\\", "/");
      return { name, label: cells[at.label], where, split };
    });
  });
  const folders = imageFolders(tree, "");
  const find: Find = ({ name, label, split }) => {
    const base = name.slice(name.lastIndexOf("/") + 1);
    const found = folders.map((folder) => tree.image(folder, base))
      .filter((path) => path !== undefined);
    const ofSplit = found.filter((path) =>
      path.split("/").some((part) => splitOf(part, onlyTwo) === split)
    );
    const near = ofSplit.length > 0 ? ofSplit : found;
    return near.find((path) => path.split("/").at(-2) === label) ?? near[0];
  };
  return build(tree, "csv tables image,label", rows, o, {
    find,
    expected: ({ name }) => name,
    folders,
  });
}

/** `train/1/x.jpg`: the folder is the label. */
function classFolders(tree: Tree, o: ReadOptions): Listing {
  const base = BASES.find((b) => tree.hasFolder(below(b, "train")));
  if (base === undefined) {
    throw new DataError(
      `${tree.root}: is no RAF-DB folder; want ${LISTS[0]}, ` +
        `train_labels.csv, or train/1 to train/7`,
    );
  }
  const halves = SPLIT_NAMES.filter((half) => tree.hasFolder(below(base, half)));
  const rows: Row[] = [];
  const bad: SkippedFile[] = [];
  const folders: string[] = [];
  let originals = 0;
  for (const half of halves) {
    for (const label of tree.folders(below(base, half))) {
      const where = below(base, `${half}/${label}`);
      if (!/^\d+$/.test(label)) {
        bad.push({ path: where, reason: "is no class folder; want 1 to 7" });
        continue;
      }
      folders.push(where);
      for (const file of tree.files(where).filter(isImageName)) {
        if (tree.image(where, `${stemOf(file)}_aligned`) !== undefined) {
          originals++;
          continue;
        }
        const split = splitOf(half, !halves.includes("test"));
        rows.push({ name: `${where}/${file}`, label, where, split });
      }
    }
    for (const file of tree.files(below(base, half)).filter(isImageName)) {
      const path = below(base, `${half}/${file}`);
      bad.push({ path, reason: "lies in no class folder" });
    }
  }
  const listing = build(tree, `class folders in ${halves.join(", ")}`, rows, o, {
    find: ({ name }) => name,
    expected: ({ name }) => name,
    folders: [],
  });
  listing.bad.push(...bad);
  if (originals > 0) listing.left["original beside its aligned image"] = originals;
  return listing;
}
