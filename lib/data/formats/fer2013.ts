/** FER2013: folders of images with the split in their names, or its csv. */
import { join } from "node:path";
import { expressionOf } from "../expressions.ts";
import type { Listing } from "../listing.ts";
import { firstLines } from "./text_files.ts";
import { DataError, FER_CLASSES, SPLITS } from "../types.ts";
import type { SplitName } from "../types.ts";
import { Collector } from "./collector.ts";
import { FER2013_SIDE, fer2013Columns, readFer2013Csv } from "./fer2013_csv.ts";
import { below, onTree, type Tree } from "./tree.ts";
import { countsBy } from "./split_and_class_names.ts";

/** The splits by their published names. */
export const USAGE: ReadonlyMap<string, SplitName> = new Map([
  ["Training", "train"],
  ["PublicTest", "validation"],
  ["PrivateTest", "test"],
]);

const HALVES = ["train", "test"];

function labelOf(folder: string): number {
  return FER_CLASSES.indexOf(expressionOf(folder) ?? "");
}

function splitOfFile(name: string): SplitName | undefined {
  return USAGE.get(/^([A-Za-z]+)_/.exec(name)?.[1] ?? "");
}

/** `train|test/{angry,…}/{Training,PublicTest,PrivateTest}_N.jpg` */
function isFolderForm(tree: Tree): boolean {
  return HALVES.some((half) =>
    tree.folders(half).some((folder) =>
      labelOf(folder) >= 0 &&
      tree.files(below(half, folder)).some((name) => splitOfFile(name))
    )
  );
}

function listFolders(dir: string, tree: Tree): Listing {
  const found = new Collector();
  const { images } = found;
  for (const half of HALVES) {
    for (const name of tree.files(half)) {
      found.refuse(below(half, name), "not in a class folder");
    }
    for (const folder of tree.folders(half)) {
      const at = below(half, folder);
      const label = labelOf(folder);
      if (label < 0) {
        found.refuse(at, "unknown class folder");
        continue;
      }
      for (const name of tree.folders(at)) {
        found.refuse(below(at, name), "cannot be read (is a folder)");
      }
      for (const name of tree.files(at)) {
        const file = below(at, name);
        const split = splitOfFile(name);
        if (split) images.push({ name: file, source: { file }, label, split });
        else {
          found.refuse(
            file,
            "unknown name prefix (want Training_, PublicTest_ or PrivateTest_)",
          );
        }
      }
    }
  }
  images.sort((a, b) => a.name < b.name ? -1 : 1);
  for (const split of SPLITS) {
    if (images.some((image) => image.split === split)) continue;
    const [prefix] = [...USAGE].find(([, means]) => means === split)!;
    throw new DataError(
      `fer2013: no ${split} images in ${dir}; want files named ${prefix}_N.jpg`,
    );
  }
  return found.listing(dir, { ...COMMON, layout: "folders of images" });
}

const COMMON = { format: "fer2013", classes: [...FER_CLASSES] };

/**
 * The path of FER2013's csv below a folder, by its columns; the usual names
 * come first. Null where there is none.
 *
 * @throws DataError when several csvs could be it
 */
export function fer2013CsvIn(tree: Tree): string | null {
  const dir = tree.root;
  const found = ["", "fer2013"]
    .flatMap((at) => tree.files(at).map((name) => below(at, name)))
    .filter((path) => /\.csv$/i.test(path))
    .filter((path) => fer2013Columns(firstLines(join(dir, path))) !== null);
  const usual = ["fer2013.csv", "fer2013/fer2013.csv", "icml_face_data.csv"]
    .find((path) => found.includes(path));
  if (usual !== undefined) return usual;
  if (found.length > 1) {
    throw new DataError(
      `fer2013: ${found.join(" and ")} in ${dir} both have the columns ` +
        `emotion and pixels: keep one, or name it fer2013.csv`,
    );
  }
  return found[0] ?? null;
}

function listCsv(dir: string, csv: string): Listing {
  const { rows, bad, usages } = readFer2013Csv(join(dir, csv));
  const missing = [...USAGE.keys()].filter((word) => !usages.has(word));
  if (usages.size > 0 && missing.length > 0) {
    const words = [...usages].map(([word, n]) => `"${word}" (${n} rows)`);
    throw new DataError(
      `fer2013: ${join(dir, csv)}: no row has Usage ${missing.join(" or ")}; ` +
        `found ${words.join(", ")}`,
    );
  }
  const found = new Collector();
  const named = (line: number) => `${csv}:${line}`;
  for (const { line, reason } of bad) found.refuse(named(line), reason);
  for (const { line, label, usage, pixels } of rows) {
    const split = USAGE.get(usage ?? "");
    if (usage !== undefined && split === undefined) {
      found.refuse(
        named(line),
        `Usage is ${JSON.stringify(usage)}; want ${
          [...USAGE.keys()].join(", ")
        }`,
      );
      continue;
    }
    const source = { pixels, width: FER2013_SIDE };
    found.images.push({ name: named(line), source, label, split });
  }
  return found.listing(dir, { ...COMMON, layout: `table ${csv}` });
}

export const fer2013 = onTree({
  name: "fer2013",
  about: "FER2013: train|test/CLASS/{Training,PublicTest,PrivateTest}_N.jpg, " +
    "or a csv with the columns emotion, pixels and Usage",
  detect: (tree) => isFolderForm(tree) || fer2013CsvIn(tree) !== null,
  list(tree) {
    const dir = tree.root;
    const classFolders = HALVES.some((half) =>
      tree.folders(half).some((folder) => labelOf(folder) >= 0)
    );
    if (classFolders) return listFolders(dir, tree);
    const csv = fer2013CsvIn(tree);
    if (csv !== null) return listCsv(dir, csv);
    throw new DataError(
      `fer2013: no class folders and no csv in ${dir}; want train/ and test/ ` +
        `with angry, disgust, fear, happy, neutral, sad, surprise, or a csv ` +
        `with the columns emotion, pixels and Usage`,
    );
  },
  published: {
    train: countsBy(FER_CLASSES, [3995, 436, 4097, 7215, 4830, 3171, 4965]),
    validation: countsBy(FER_CLASSES, [467, 56, 496, 895, 653, 415, 607]),
    test: countsBy(FER_CLASSES, [491, 55, 528, 879, 594, 416, 626]),
  },
});
