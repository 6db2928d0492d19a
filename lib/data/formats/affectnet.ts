/** AffectNet (Mollahosseini et al. 2017): csv lists, or a .npy file an image. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Expression } from "../expressions.ts";
import type { Crop } from "../listing.ts";
import { DataError } from "../types.ts";
import type { ReadOptions, SplitName } from "../types.ts";
import { Collector, MISSING } from "./collector.ts";
import { npyNumber } from "./npy.ts";
import { columnsOf, misfitOf, readTable } from "./text_table.ts";
import { below, isImageName, onTree, stemOf, type Tree } from "./tree.ts";
import { CONTEMPT_LEFT, countsBy } from "./split_and_class_names.ts";

const CLASSES: Expression[] = [
  "Neutral",
  "Happy",
  "Sad",
  "Surprise",
  "Fear",
  "Disgust",
  "Angry",
  "Contempt",
];
/** Codes 8 to 10: no expression. */
const NO_EXPRESSION = ["None (8)", "Uncertain (9)", "No-Face (10)"];

const COLUMNS = [
  "subDirectory_filePath",
  "face_x",
  "face_y",
  "face_width",
  "face_height",
  "facial_landmarks",
  "expression",
  "valence",
  "arousal",
] as const;

/**
 * AffectNet's own validation set is taken as the test set, as the literature
 * does: its test set was never given out. So there is no validation split.
 */
const SETS: readonly { folder: string; csv: string; split: SplitName }[] = [
  { folder: "train_set", csv: "training.csv", split: "train" },
  { folder: "val_set", csv: "validation.csv", split: "test" },
];
const LISTS = ["", "Manually_Annotated_file_lists/"];
const IMAGES = [
  "Manually_Annotated/Manually_Annotated_Images",
  "Manually_Annotated_Images",
  "Manually_Annotated",
];

/** Collects images by AffectNet's codes. */
class Coded extends Collector {
  readonly classes: Expression[];

  constructor({ classes = 7 }: ReadOptions) {
    super();
    this.classes = CLASSES.slice(0, classes);
  }

  /** Takes a code that `where` gives; the file matters where it is used. */
  add(
    file: string | { missing: string },
    code: number,
    where: string,
    split: SplitName,
    crop?: Crop,
  ): void {
    if (!Number.isInteger(code) || code < 0 || code > 10) {
      this.refuse(where, `expression is ${code}; want 0 to 10`);
    } else if (code >= this.classes.length) {
      this.leave(NO_EXPRESSION[code - CLASSES.length] ?? CONTEMPT_LEFT);
    } else if (typeof file !== "string") this.refuse(file.missing, MISSING);
    else {
      const source = { file };
      this.images.push({ name: file, source, label: code, split, crop });
    }
  }
}

function csvsIn(tree: Tree) {
  return SETS.flatMap(({ csv, split }) => {
    const path = tree.firstFile(LISTS.map((base) => base + csv));
    return path === undefined ? [] : [{ path, split }];
  });
}

export const affectnet = onTree({
  name: "affectnet",
  about:
    "AffectNet: train_set|val_set/images/N.jpg with annotations/N_exp.npy," +
    " or training.csv and validation.csv with Manually_Annotated_Images/",

  detect(tree) {
    return SETS.some(({ folder }) => tree.hasFolder(`${folder}/annotations`)) ||
      csvsIn(tree).length > 0 && tree.firstFolder(IMAGES) !== undefined;
  },

  list(tree, o) {
    const dir = tree.root;
    const found = new Coded(o);
    const sets = SETS.filter(({ folder }) => tree.hasFolder(folder));
    const csvs = csvsIn(tree);
    if (sets.length === 0 && csvs.length === 0) {
      throw new DataError(
        `${dir}: is no AffectNet folder; want train_set/ and val_set/, or ` +
          `training.csv and validation.csv`,
      );
    }
    const unlisted = sets.length > 0 ? undefined : fromCsvs(tree, csvs, found);
    for (const { folder, split } of sets) fromNpy(tree, folder, split, found);
    return found.listing(dir, {
      format: affectnet.name,
      layout: (sets.length > 0 ? "images and .npy files" : "csv lists") +
        "; its validation set is the test split",
      classes: found.classes,
      unlisted,
    });
  },

  published: {
    train: countsBy(CLASSES, [
      74874,
      134415,
      25459,
      14090,
      6378,
      3803,
      24882,
      3750,
    ]),
    test: countsBy(CLASSES, CLASSES.map(() => 500)),
  },
});

/** `images/N.jpg` with `annotations/N_exp.npy`. */
function fromNpy(
  tree: Tree,
  folder: string,
  split: SplitName,
  found: Coded,
): void {
  const images = `${folder}/images`, annotations = `${folder}/annotations`;
  const SUFFIX = "_exp.npy";
  const files = new Set(tree.files(annotations));
  for (const name of tree.files(images).filter(isImageName)) {
    const annotation = stemOf(name) + SUFFIX;
    const where = below(annotations, annotation);
    if (!files.delete(annotation)) {
      found.refuse(where, "the image's annotation is missing");
      continue;
    }
    let code: number;
    try {
      code = npyNumber(readFileSync(join(tree.root, where)));
    } catch (error) {
      found.refuse(where, (error as Error).message);
      continue;
    }
    found.add(below(images, name), code, where, split);
  }
  for (const name of files) {
    if (!name.endsWith(SUFFIX)) continue;
    const image = `${name.slice(0, -SUFFIX.length)}.jpg`;
    found.refuse(below(images, image), MISSING);
  }
}

/** The manually annotated csv lists; gives the images that they do not name. */
function fromCsvs(
  tree: Tree,
  csvs: { path: string; split: SplitName }[],
  found: Coded,
): string[] {
  const base = tree.firstFolder(IMAGES) ?? "";
  const folders = new Set<string>();
  for (const { path, split } of csvs) {
    const full = join(tree.root, path);
    const [header, ...rows] = readTable(full);
    const at = columnsOf(full, header, COLUMNS, [
      "subDirectory_filePath",
      "expression",
    ]);
    for (const { cells, line } of rows) {
      const where = `${path}:${line}`;
      const name = cells[at.subDirectory_filePath]?.replaceAll("\\", "/") ?? "";
      const text = cells[at.expression];
      const fault = misfitOf({ cells }, header) ??
        (name.split("/").includes("..")
          ? `${name} lies outside of the data folder`
          : !/^\d+(\.0*)?$/.test(text)
          ? `expression is "${text}"; want 0 to 10`
          : undefined);
      if (fault !== undefined) {
        found.refuse(where, fault);
        continue;
      }
      const listed = below(base, name);
      folders.add(listed.slice(0, Math.max(listed.lastIndexOf("/"), 0)));
      const file = tree.image(listed);
      const said = `expression ${Number(text)} of ${split}`;
      if (file !== undefined && !found.isFirst(file, said, where)) continue;
      const crop = cropOf(cells, at);
      found.add(file ?? { missing: listed }, Number(text), where, split, crop);
    }
  }
  return tree.unlisted(folders, found.named);
}

/** The face's box; undefined where the row has none. */
function cropOf(
  cells: string[],
  at: Record<typeof COLUMNS[number], number>,
): Crop | undefined {
  const [left, top, width, height] = COLUMNS.slice(1, 5)
    .map((name) => Math.round(Number(cells[at[name]] || NaN)));
  return left >= 0 && top >= 0 && width > 0 && height > 0
    ? { left, top, width, height }
    : undefined;
}
