/** Which files lie below a data folder: one reading a folder, none a file. */
import { realpathSync, statSync } from "node:fs";
import { join, relative, sep } from "node:path";
import type { Format, Listing } from "../listing.ts";
import { fileFault } from "../../faults/mod.ts";
import { DataError } from "../types.ts";
import type { ReadOptions, SkippedFile } from "../types.ts";

/** What systems and programs put into folders by themselves. */
const CLUTTER =
  /^(\._.*|\.ds_store|\.ipynb_checkpoints|(eh)?thumbs\.db|desktop\.ini|__macosx)$/i;
/** Left out as clutter, whose folders count as one. */
export const CLUTTER_LEFT = "system files (Thumbs.db, ._*, __MACOSX, …)";

interface Contents {
  files: string[];
  folders: string[];
  /** How many entries were passed over as clutter. */
  clutter: number;
  /** Links that lead back to where they lie, with the reason. */
  loops: SkippedFile[];
  /** Made where a list asks for it. */
  byName?: Map<string, string>;
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

/** A data folder; all paths are below it, with "/": what ".." leads to is none. */
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
   * The image that a list names, as it lies here: another Unicode form (macOS)
   * and another extension are the same name, as the content says what it is,
   * and copies come back as .JPG, .png or .jpg.jpg.
   */
  image(path: string): string | undefined {
    const cut = path.lastIndexOf("/"), name = path.slice(cut + 1);
    const folder = path.slice(0, Math.max(cut, 0));
    const contents = this.#contents(folder);
    contents.byName ??= byName(contents.files);
    const key = NAMES.map((of) => of(name))
      .find((key) => contents.byName!.has(key));
    return key && below(folder, contents.byName.get(key)!);
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

  /** A listing of this tree, with what else was met in the folders it read. */
  whole(listing: Listing): Listing {
    const read = [...this.#read.values()];
    const clutter = read.reduce((sum, contents) => sum + contents.clutter, 0);
    return {
      ...listing,
      bad: [...listing.bad, ...read.flatMap(({ loops }) => loops)],
      left: {
        ...listing.left,
        ...clutter > 0 && { [CLUTTER_LEFT]: clutter },
      },
    };
  }

  #contents(folder: string): Contents {
    let contents = this.#read.get(folder);
    if (contents === undefined) {
      contents = read(this.root, folder);
      this.#read.set(folder, contents);
    }
    return contents;
  }
}

/** @throws DataError where a tree's folder is not there */
export function refuseMissing(tree: Tree): void {
  if (tree.root && tree.hasFolder("")) return;
  throw new DataError(
    `there is no folder ${tree.root || '""'}: check the path`,
  );
}

/** A format that reads folders as trees. */
export function onTree(
  format: Omit<Format, "detect" | "list"> & {
    detect(tree: Tree): boolean;
    list(tree: Tree, o: ReadOptions): Listing;
  },
): Format {
  return {
    ...format,
    detect: (dir) => format.detect(new Tree(dir)),
    list(dir, o) {
      const tree = new Tree(dir);
      refuseMissing(tree);
      return tree.whole(format.list(tree, o));
    },
  };
}

/**
 * Why a link below `root` leads to no end: to itself, or to a folder on the
 * way to it. Null where it does not.
 */
function loopOf(root: string, folder: string, name: string): string | null {
  let target: string;
  try {
    target = realpathSync(join(root, folder, name));
  } catch (error) {
    return (error as { code?: string }).code === "ELOOP"
      ? "a link that leads to itself"
      : null;
  }
  const parts = folder.split("/");
  const isOnTheWay = [
    join(root, folder),
    ...parts.map((_, i) => join(root, ...parts.slice(0, i))),
  ].some((path) => `${realpathSync(path)}${sep}`.startsWith(target + sep));
  return isOnTheWay
    ? `a link back to ${relative(realpathSync(root), target) || "."}`
    : null;
}

function read(root: string, folder: string): Contents {
  const path = join(root, folder);
  const files: string[] = [], folders: string[] = [], loops: SkippedFile[] = [];
  let clutter = 0;
  if (folder.split("/").includes("..")) {
    return { files, folders, clutter, loops };
  }
  try {
    for (const { name, isDirectory, isSymlink } of Deno.readDirSync(path)) {
      if (CLUTTER.test(name)) {
        clutter++;
        continue;
      }
      if (name.startsWith(".")) continue;
      const reason = isSymlink ? loopOf(root, folder, name) : null;
      if (reason !== null) {
        loops.push({ path: below(folder, name), reason });
        continue;
      }
      const isFolder = isSymlink
        ? statOf(join(path, name))?.isDirectory()
        : isDirectory;
      (isFolder ? folders : files).push(name);
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "ENOTDIR") {
      throw new DataError(
        `${path}: cannot be listed (${fileFault(error)}): check the path and ` +
          `its permissions`,
      );
    }
  }
  files.sort();
  folders.sort();
  return { files, folders, clutter, loops };
}

/** What a file may be known by, the closest first. */
const NAMES: ((name: string) => string)[] = [
  (name) => name,
  (name) => name.normalize(),
  (name) => stemOf(name.normalize()),
];

/** "a.jpg" sorts before "a.jpg.jpg" and "a.png": the first one is kept. */
function byName(files: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const of of NAMES) {
    for (const name of files) {
      if (!found.has(of(name))) found.set(of(name), name);
    }
  }
  return found;
}

function statOf(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    // A link to itself is no file and no folder.
    if ((error as { code?: string }).code === "ELOOP") return undefined;
    throw new DataError(
      `${path}: cannot be read (${fileFault(error)}): check the path and its ` +
        `permissions`,
    );
  }
}
