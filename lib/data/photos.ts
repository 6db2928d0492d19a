/** The image files that a path names: one, or all below a folder. */
import { realpathSync } from "node:fs";
import { join } from "node:path";
import { below, isImageName, Tree } from "./formats/tree.ts";
import { DataError, type SkippedFile } from "./types.ts";

/** Folders below a folder that are read, at most. */
const DEEPEST = 32;

/**
 * `path` itself where it is a file; of a folder all files below it that are
 * named as images, in the order of their names, each folder once. `left` has
 * links that lead nowhere new.
 *
 * @throws DataError where there is nothing, or a folder has no image
 */
export function imagesAt(
  path: string,
): { files: string[]; left: SkippedFile[] } {
  let isFolder: boolean;
  try {
    isFolder = Deno.statSync(path).isDirectory;
  } catch (error) {
    const { code } = error as { code?: string };
    throw new DataError(
      code === "ENOENT"
        ? `${path}: no such file or folder; check the path`
        : `${path}: cannot be read (${code ?? (error as Error).name})`,
    );
  }
  if (!isFolder) return { files: [path], left: [] };
  const tree = new Tree(path);
  const seen = new Set<string>(), files: string[] = [];
  const again: SkippedFile[] = [];
  const walk = (folder: string, depth: number) => {
    const real = realpathSync(join(path, folder));
    if (seen.has(real) || depth > DEEPEST) {
      const reason = seen.has(real)
        ? "a folder that was read under another name"
        : `deeper than ${DEEPEST} folders`;
      again.push({ path: folder, reason });
      return;
    }
    seen.add(real);
    for (const name of tree.files(folder)) {
      if (isImageName(name)) files.push(join(path, folder, name));
    }
    for (const name of tree.folders(folder)) {
      walk(below(folder, name), depth + 1);
    }
  };
  walk("", 0);
  if (files.length === 0) {
    throw new DataError(
      `${path}: no file below it is named as an image (.jpg, .png, .webp, ` +
        `.bmp, .gif, .tif)`,
    );
  }
  const none = { format: "", layout: "", classes: [], images: [], left: {} };
  const { bad } = tree.whole({ ...none, bad: [] });
  return { files, left: [...bad, ...again] };
}
