/** RAF-DB's basic expressions (Li, Deng & Du 2017), in its three layouts. */
import { join } from "node:path";
import type { Expression } from "../expressions.ts";
import type { Listing } from "../listing.ts";
import { readLines } from "./text_files.ts";
import { DataError } from "../types.ts";
import type { ReadOptions, SplitName } from "../types.ts";
import { Collector, MISSING } from "./collector.ts";
import { columnsOf, readTable } from "./text_table.ts";
import { below, isImageName, onTree, stemOf, type Tree } from "./tree.ts";
import { countsBy, splitOf } from "./split_and_class_names.ts";

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
const TABLE = /^(train|test|valid|val)_labels\.csv$/i;
/** Where the split folders lie; the second one is a widespread parcel's. */
const BASES = ["", "DATASET"];

/** A labelled name before its file is known. */
interface Row {
  name: string;
  /** As written. */
  label: string;
  /** `file:line`, or the class folder's path. */
  where: string;
  split?: SplitName;
}

export const rafDb = onTree({
  name: "raf-db",
  about:
    "RAF-DB: EmoLabel/list_patition_label.txt with Image/aligned/, class " +
    "folders train/1..7 and test/1..7, or train_labels.csv and test_labels.csv",

  detect(tree) {
    return tree.firstFile(LISTS) !== undefined ||
      isRafTable(tree) || BASES.some((base) => {
        const folders = tree.folders(below(base, "train"));
        return folders.length > 1 && folders.every((f) => /^[1-7]$/.test(f));
      });
  },

  list(tree, o) {
    const list = tree.firstFile(LISTS);
    const tables = tablesIn(tree);
    return list !== undefined
      ? labelList(tree, list, o)
      : tables.length > 0
      ? csvTables(tree, tables, o)
      : classFolders(tree, o);
  },

  published: {
    train: countsBy(CLASSES, [1290, 281, 717, 4772, 1982, 705, 2524]),
    test: countsBy(CLASSES, [329, 74, 160, 1185, 478, 162, 680]),
  },
});

function tablesIn(tree: Tree): string[] {
  return tree.files("").filter((name) => TABLE.test(name));
}

/** Others call their tables so too; RAF-DB's images have names of its own. */
function isRafTable(tree: Tree): boolean {
  const [table] = tablesIn(tree);
  if (table === undefined) return false;
  const [, row] = readTable(join(tree.root, table));
  return row?.cells.some((cell) => /(^|\/)(train|test)_\d+/.test(cell)) ??
    false;
}

/** `train_00001.jpg 5` lines; the images are `train_00001_aligned.jpg`. */
function labelList(tree: Tree, list: string, o: ReadOptions): Listing {
  const folder = tree.firstFolder(ALIGNED);
  if (folder === undefined) {
    throw new DataError(
      `${tree.root}: no folder ${ALIGNED[0]}; unpack aligned.zip there ` +
        `(Image/original holds the whole pictures)`,
    );
  }
  const rows = readLines(join(tree.root, list)).map(({ text, line }): Row => {
    const [name, label, third] = text.split(/\s+/);
    const where = `${list}:${line}`;
    if (label === undefined || third !== undefined) {
      throw new DataError(
        `${join(tree.root, where)}: "${text}" has ` +
          (third === undefined ? "no label" : `a third column, "${third}"`) +
          `; want an image name and a label`,
      );
    }
    const split = splitOf(/^(train|test)_/.exec(name)?.[1] ?? "");
    const stem = stemOf(name).replace(/_aligned$/, "");
    return { name: `${stem}_aligned.jpg`, label, where, split };
  });
  const find = ({ name }: Row) => {
    const path = below(folder, name);
    return tree.image(path) ?? { missing: path };
  };
  return build(tree, "label list and aligned images", [folder], rows, o, find);
}

/** `image,label` tables, one a split, over images anywhere below the folder. */
function csvTables(tree: Tree, tables: string[], o: ReadOptions): Listing {
  const place = placer(tables);
  const rows = tables.flatMap((file): Row[] => {
    const path = join(tree.root, file);
    const [header, ...rest] = readTable(path);
    const at = columnsOf(path, header, ["image", "label"]);
    const odd = [header, ...rest].find(({ cells }) => cells.length !== 2);
    if (odd !== undefined) {
      throw new DataError(
        `${path}:${odd.line}: "${odd.cells.join(",")}" has ` +
          (odd.cells[2] === undefined
            ? "no label"
            : `a third column, "${odd.cells[2]}"`) +
          `; want image,label`,
      );
    }
    return rest.map(({ cells, line }) => {
      const name = cells[at.image].replace(/^.*[\\/]/, "");
      const where = `${file}:${line}`;
      return { name, label: cells[at.label], where, split: place(file) };
    });
  });
  const folders = tree.walk("").filter((path) => !/(^|\/)original$/.test(path));
  return build(tree, "csv tables image,label", folders, rows, o, (row) => {
    const found = folders.map((folder) => tree.image(below(folder, row.name)))
      .filter((path) => path !== undefined);
    const ofSplit = found.filter((path) =>
      path.split("/").some((part) => place(part) === row.split)
    );
    const near = ofSplit.length > 0 ? ofSplit : found;
    return near.find((path) => folderOf(path) === row.label) ?? near[0] ??
      { missing: row.name };
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
  const halves = tree.folders(base).filter((name) => splitOf(name));
  const place = placer(halves);
  const rows: Row[] = [];
  const found = new Collector();
  for (const half of halves) {
    for (const label of tree.folders(below(base, half))) {
      const where = below(base, `${half}/${label}`);
      if (!/^\d+$/.test(label)) {
        found.refuse(where, "is no class folder; want 1 to 7");
        continue;
      }
      for (const file of tree.files(where).filter(isImageName)) {
        if (tree.image(`${where}/${stemOf(file)}_aligned`) !== undefined) {
          found.leave("original beside its aligned image");
        } else {
          const name = `${where}/${file}`;
          rows.push({ name, label, where, split: place(half) });
        }
      }
    }
    for (const file of tree.files(below(base, half)).filter(isImageName)) {
      found.refuse(below(base, `${half}/${file}`), "lies in no class folder");
    }
  }
  const layout = `class folders in ${halves.join(", ")}`;
  return build(tree, layout, [], rows, o, ({ name }) => name, found);
}

/**
 * The split of a folder or table. RAF-DB has two: where nothing is called
 * test, "valid" is what others call its test set.
 */
function placer(names: string[]): (name: string) => SplitName | undefined {
  const word = (name: string) => splitOf(name.replace(/_labels\.csv$/i, ""));
  const hasTest = names.some((name) => word(name) === "test");
  return (name) =>
    word(name) === "validation" && !hasTest ? "test" : word(name);
}

function folderOf(path: string): string {
  return path.split("/").at(-2) ?? "";
}

/** The listing of labelled names; images of `folders` have to be listed. */
function build(
  tree: Tree,
  layout: string,
  folders: string[],
  rows: Row[],
  o: ReadOptions,
  find: (row: Row) => string | { missing: string },
  found = new Collector(),
): Listing {
  const first = firstLabel(tree.root, rows, o.firstLabel);
  for (const row of rows) {
    const { label, where, split } = row;
    const file = find(row);
    if (typeof file !== "string") {
      found.refuse(file.missing, MISSING);
      continue;
    }
    if (!found.isFirst(file, `labelled ${Number(label)}`, where)) continue;
    const folder = folderOf(file);
    if (split === undefined) {
      const reason = `${row.name} begins with neither train_ nor test_`;
      found.refuse(where, reason);
    } else if (/^\d+$/.test(folder) && Number(folder) !== Number(label)) {
      const reason = `is labelled ${label} at ${where}, but lies in ${folder}/`;
      found.refuse(file, reason);
    } else {
      const source = { file }, place = Number(label) - first;
      found.images.push({ name: file, source, label: place, split });
    }
  }
  return found.listing(tree.root, {
    format: rafDb.name,
    layout: first === 0 ? `${layout}, labels from 0` : layout,
    classes: [...CLASSES],
    unlisted: tree.unlisted(folders, found.named),
  });
}

/**
 * What the first class is called in a list.
 *
 * @throws DataError for labels that are neither 1 to 7 nor, where the user says
 * so, 0 to 6
 */
function firstLabel(root: string, rows: Row[], said: 0 | 1 = 1): 0 | 1 {
  const wrong = rows.find(({ label }) => !/^0*[0-7](\.0*)?$/.test(label));
  const zero = rows.find(({ label }) => Number(label) === 0);
  const seven = rows.find(({ label }) => Number(label) === 7);
  const fail = ({ where, label }: Row, why: string): never => {
    throw new DataError(`${join(root, where)}: label "${label}" ${why}`);
  };
  if (wrong) fail(wrong, "is not one of RAF-DB's, 1 to 7");
  if (zero && seven) {
    const other = `beside label "${seven.label}" at ${seven.where}`;
    fail(zero, `${other}: a list counts from 1 or from 0; mend the list`);
  }
  if (said === 0 && seven) fail(seven, "in a list that counts 0 to 6");
  if (said === 1 && zero) {
    fail(
      zero,
      "is not one of RAF-DB's, 1 (Surprise) to 7 (Neutral); where the list " +
        "counts 0 to 6 in the same order, say firstLabel: 0",
    );
  }
  return said;
}
