/** Which files lie below a data folder: one reading a folder, none a file. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { DataError } from "../types.ts";

interface Contents {
  files: string[];
  folders: string[];
  /** File name by its stem, see `stemOf`. */
  byStem: Map<string, string>;
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

/** A data folder; paths are below it, with "/", and "" is the folder itself. */
export class Tree {
  #read = new Map<string, Contents | null>();

  constructor(readonly root: string) {}

  /** Visible file names of a folder, sorted; none where it is missing. */
  files(folder: string): string[] {
    return this.#contents(folder)?.files ?? [];
  }

  /** Visible folder names of a folder, sorted; none where it is missing. */
  folders(folder: string): string[] {
    return this.#contents(folder)?.folders ?? [];
  }

  hasFolder(folder: string): boolean {
    return this.#contents(folder) !== null;
  }

  /** The first of some paths that is a file here. */
  firstFile(paths: readonly string[]): string | undefined {
    return paths.find((path) => {
      const at = path.lastIndexOf("/");
      return this.files(path.slice(0, Math.max(at, 0)))
        .includes(path.slice(at + 1));
    });
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
    const found = this.#contents(folder)?.byStem.get(stemOf(name));
    return found === undefined ? undefined : below(folder, found);
  }

  /** Images of some folders that are not among `used`. */
  unlisted(folders: Iterable<string>, used: ReadonlySet<string>): string[] {
    return [...folders].flatMap((folder) =>
      this.files(folder).filter(isImageName)
        .map((name) => below(folder, name)).filter((path) => !used.has(path))
    );
  }

  #contents(folder: string): Contents | null {
    let contents = this.#read.get(folder);
    if (contents === undefined) {
      contents = read(join(this.root, folder));
      this.#read.set(folder, contents);
    }
    return contents;
  }
}

/** A path below a folder; "" is the root. */
export function below(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}

function read(path: string): Contents | null {
  const files: string[] = [], folders: string[] = [];
  try {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (entry.name.startsWith(".")) continue;
      const folder = entry.isDirectory() ||
        entry.isSymbolicLink() && isFolder(join(path, entry.name));
      (folder ? folders : files).push(entry.name);
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw new DataError(
      `${path}: cannot be listed (${(error as Error).message}): ` +
        `check its permissions`,
    );
  }
  files.sort();
  folders.sort();
  // "a.jpg" sorts before "a.jpg.jpg" and "a.png": the first one is kept.
  const byStem = new Map<string, string>();
  for (const name of files) {
    const stem = stemOf(name);
    if (stem !== name && !byStem.has(stem)) byStem.set(stem, name);
  }
  return { files, folders, byStem };
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
