/** Which files lie below a data folder: one reading a folder, none a file. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { DataError } from "../types.ts";
import type { SkippedFile } from "../types.ts";

/** Why an image that a list names cannot be used, in every format. */
export const MISSING = "listed, but the file is missing";

interface Contents {
  files: string[];
  folders: string[];
  /** File name by its stem, see `stemOf`; made where a list asks for it. */
  byStem?: Map<string, string>;
}

const IMAGE = /\.(jpe?g|png|bmp|webp|gif|tiff?)$/i;

/** Whether a file's name is that of an image. */
export function isImageName(name: string): boolean {
  return IMAGE.test(name);
}

/** A name without its image extension, or its two: "a.jpg.jpg" gives "a". */
export function stemOf(name: string): string {
  while (IMAGE.test(name)) name = name.replace(IMAGE, "");
  return name;
}

/** A path below a folder; "" is the data folder itself. */
export function below(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}

/** A data folder; all paths are below it, with "/". */
export class Tree {
  #read = new Map<string, Contents>();

  constructor(readonly root: string) {}

  /** Visible file names of a folder, sorted; none where it is missing. */
  files(folder: string): string[] {
    return this.#contents(folder).files;
  }

  /** Visible folder names of a folder, sorted; none where it is missing. */
  folders(folder: string): string[] {
    return this.#contents(folder).folders;
  }

  hasFolder(path: string): boolean {
    return statOf(join(this.root, path))?.isDirectory() ?? false;
  }

  /** The first of some paths that is a file here. */
  firstFile(paths: readonly string[]): string | undefined {
    return paths.find((path) => statOf(join(this.root, path))?.isFile());
  }

  /** The first of some paths that is a folder here. */
  firstFolder(paths: readonly string[]): string | undefined {
    return paths.find((path) => this.hasFolder(path));
  }

  /**
   * The path of an image in a folder, whatever its extension: the content says
   * what it is, and copies come back as .JPG, .png or .jpg.jpg.
   */
  image(folder: string, name: string): string | undefined {
    const contents = this.#contents(folder);
    contents.byStem ??= byStem(contents.files);
    const found = contents.byStem.get(stemOf(name));
    return found === undefined ? undefined : below(folder, found);
  }

  /** A folder and all below it, `depth` levels deep. */
  walk(folder: string, depth = 4): string[] {
    const deeper = depth === 0 ? [] : this.folders(folder);
    return [
      folder,
      ...deeper.flatMap((name) => this.walk(below(folder, name), depth - 1)),
    ];
  }

  /** Images of some folders that are not among `used`. */
  unlisted(folders: Iterable<string>, used: ReadonlySet<string>): string[] {
    return [...folders].flatMap((folder) =>
      this.files(folder).filter(isImageName)
        .map((name) => below(folder, name)).filter((path) => !used.has(path))
    );
  }

  #contents(folder: string): Contents {
    let contents = this.#read.get(folder);
    if (contents === undefined) {
      contents = read(join(this.root, folder));
      this.#read.set(folder, contents);
    }
    return contents;
  }
}

function read(path: string): Contents {
  const files: string[] = [], folders: string[] = [];
  try {
    for (const { name, isDirectory, isSymlink } of Deno.readDirSync(path)) {
      if (name.startsWith(".")) continue;
      const folder = isSymlink
        ? statOf(join(path, name))?.isDirectory()
        : isDirectory;
      (folder ? folders : files).push(name);
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "ENOTDIR") {
      throw new DataError(
        `${path}: cannot be listed (${code}): check its permissions`,
      );
    }
  }
  files.sort();
  folders.sort();
  return { files, folders };
}

/** "a.jpg" sorts before "a.jpg.jpg" and "a.png": the first one is kept. */
function byStem(files: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of files) {
    const stem = stemOf(name);
    if (stem !== name && !found.has(stem)) found.set(stem, name);
  }
  return found;
}

function statOf(path: string) {
  return statSync(path, { throwIfNoEntry: false });
}

/**
 * Stops where a list leaves nothing to use.
 *
 * @throws DataError with the first reasons
 */
export function assertUsable(
  dir: string,
  { images, bad }: { images: unknown[]; bad: SkippedFile[] },
): void {
  if (images.length > 0) return;
  const shown = bad.slice(0, 3).map((b) => `\n  ${b.path}: ${b.reason}`);
  throw new DataError(
    `${dir}: no image can be used${
      bad.length > 0 ? `, ${bad.length} bad` : ""
    }` +
      `; check that it is the whole data set${shown.join("")}`,
  );
}
