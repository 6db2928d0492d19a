/** Any folders of images by class, with or without folders by split. */
import type { ListedImage, Listing } from "../listing.ts";
import { DataError } from "../types.ts";
import type { ReadOptions, SkippedFile, SplitName } from "../types.ts";
import { below, isImageName, onTree, type Tree } from "./tree.ts";
import { CONTEMPT_LEFT, namedClasses, splitOf } from "./words.ts";

interface ClassFolder {
  path: string;
  word: string;
  split?: SplitName;
}

interface Layout {
  folders: ClassFolder[];
  bad: SkippedFile[];
  bySplit: boolean;
}

/** Folders that hold images, at `CLASS/` or, with any split, `SPLIT/CLASS/`. */
function layoutOf(tree: Tree): Layout {
  const top = tree.folders("");
  const bySplit = top.some(splitOf);
  const bad: SkippedFile[] = [];
  const classesIn = (at: string, names: string[], split?: SplitName) =>
    names.map((word): ClassFolder => ({ path: below(at, word), word, split }));
  if (!bySplit) return { folders: classesIn("", top), bad, bySplit };
  const folders = top.flatMap((name) => {
    const split = splitOf(name);
    if (split === undefined) {
      bad.push({ path: name, reason: "not the folder of a split" });
      return [];
    }
    for (const file of tree.files(name).filter(isImageName)) {
      bad.push({ path: below(name, file), reason: "not in a class folder" });
    }
    return classesIn(name, tree.folders(name), split);
  });
  return { folders, bad, bySplit };
}

function list(tree: Tree, o: ReadOptions): Listing {
  const { folders, bad, bySplit } = layoutOf(tree);
  const { classes, labelOf } = namedClasses(folders.map((f) => f.word), o);
  const images: ListedImage[] = [];
  const left: Record<string, number> = {};
  for (const { path, word, split } of folders) {
    const label = labelOf(word);
    if (label === "unknown") {
      bad.push({
        path,
        reason: "its name is no expression, the other folders' are",
      });
      continue;
    }
    for (const name of tree.folders(path)) {
      bad.push({ path: below(path, name), reason: "a folder among images" });
    }
    for (const name of tree.files(path)) {
      const file = below(path, name);
      if (!isImageName(name)) {
        bad.push({ path: file, reason: "not named as an image" });
      } else if (label === "left") {
        left[CONTEMPT_LEFT] = (left[CONTEMPT_LEFT] ?? 0) + 1;
      } else images.push({ name: file, source: { file }, label, split });
    }
  }
  if (images.length === 0) {
    throw new DataError(
      `image-folder: no images in class folders of ${tree.root}; want CLASS/IMAGE ` +
        `or train/CLASS/IMAGE`,
    );
  }
  const layout = bySplit ? "folders by split and class" : "folders by class";
  return { format: "image-folder", layout, classes, images, bad, left };
}

export const imageFolder = onTree({
  name: "image-folder",
  about: "any folders of images: train|validation|test/CLASS/* or CLASS/*",
  detect(tree) {
    const withImages = layoutOf(tree).folders
      .filter(({ path }) => tree.files(path).some(isImageName));
    return new Set(withImages.map(({ word }) => word.toLowerCase())).size >= 2;
  },
  list,
});
