/** Any folders of images by class, with or without folders by split. */
import type { Listing } from "../listing.ts";
import { DataError } from "../types.ts";
import type { ReadOptions, SplitName } from "../types.ts";
import { Collector } from "./collector.ts";
import { below, isImageName, onTree, type Tree } from "./tree.ts";
import {
  CONTEMPT_LEFT,
  namedClasses,
  splitOf,
} from "./split_and_class_names.ts";

interface ClassFolder {
  path: string;
  word: string;
  split?: SplitName;
}

interface Layout {
  folders: ClassFolder[];
  bySplit: boolean;
}

/** Folders that hold images, at `CLASS/` or, with any split, `SPLIT/CLASS/`. */
function layoutOf(tree: Tree, found = new Collector()): Layout {
  const top = tree.folders("");
  const bySplit = top.some(splitOf);
  const classesIn = (at: string, names: string[], split?: SplitName) =>
    names.map((word): ClassFolder => ({ path: below(at, word), word, split }));
  if (!bySplit) return { folders: classesIn("", top), bySplit };
  const folders = top.flatMap((name) => {
    const split = splitOf(name);
    if (split === undefined) {
      found.refuse(name, "not the folder of a split");
      return [];
    }
    for (const file of tree.files(name).filter(isImageName)) {
      found.refuse(below(name, file), "not in a class folder");
    }
    return classesIn(name, tree.folders(name), split);
  });
  return { folders, bySplit };
}

function list(tree: Tree, o: ReadOptions): Listing {
  const found = new Collector();
  const { folders, bySplit } = layoutOf(tree, found);
  const { classes, labelOf } = namedClasses(folders.map((f) => f.word), o);
  for (const { path, word, split } of folders) {
    const label = labelOf(word);
    if (label === "unknown") {
      found.refuse(path, "its name is no expression, the other folders' are");
      continue;
    }
    for (const name of tree.folders(path)) {
      found.refuse(below(path, name), "a folder among images");
    }
    for (const name of tree.files(path)) {
      const file = below(path, name);
      if (!isImageName(name)) {
        found.refuse(file, "not named as an image");
      } else if (label === "left") found.leave(CONTEMPT_LEFT);
      else found.images.push({ name: file, source: { file }, label, split });
    }
  }
  if (found.images.length === 0) {
    throw new DataError(
      `image-folder: no images in class folders of ${tree.root}; want CLASS/IMAGE ` +
        `or train/CLASS/IMAGE`,
    );
  }
  const layout = bySplit ? "folders by split and class" : "folders by class";
  return found.listing(tree.root, { format: "image-folder", layout, classes });
}

/** What the folders are called that hold images, each word once. */
export const classWords = (tree: Tree): string[] => [
  ...new Set(
    layoutOf(tree).folders
      .filter(({ path }) => tree.files(path).some(isImageName))
      .map(({ word }) => word.toLowerCase()),
  ),
];

export const imageFolder = onTree({
  name: "image-folder",
  about: "any folders of images: train|validation|test/CLASS/* or CLASS/*",
  detect: (tree) => classWords(tree).length > 1,
  list,
});
