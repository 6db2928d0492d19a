/** The formats that FERLab reads, and which of them a folder is. */
import { join } from "node:path";
import { expressionOf } from "../expressions.ts";
import type { Format } from "../listing.ts";
import { DataError } from "../types.ts";
import { affectnet } from "./affectnet.ts";
import { ckPlus } from "./ck_plus.ts";
import { csvList } from "./csv_list.ts";
import { expw } from "./expw.ts";
import { fer2013 } from "./fer2013.ts";
import { ferplus } from "./ferplus.ts";
import { classWords, imageFolder } from "./image_folder.ts";
import { rafDb } from "./raf_db.ts";
import { refuseMissing, Tree } from "./tree.ts";

/** Data sets by their published layouts. */
const PUBLISHED: readonly Format[] = [
  fer2013,
  rafDb,
  ferplus,
  affectnet,
  expw,
  ckPlus,
];

/**
 * What anybody may have made, with classes of their own: taken only where no
 * published layout fits.
 */
export const GENERAL: readonly Format[] = [csvList, imageFolder];

export const FORMATS: readonly Format[] = [...PUBLISHED, ...GENERAL];

/** A data set as a sentence names it: "FER2013" for fer2013. */
export function titleOf(name: string): string {
  if (name === "synthetic") return "synthetic faces";
  const format = PUBLISHED.find((f) => f.name === name);
  return format?.about.split(":")[0] ?? name;
}

/** @throws DataError that lists the names, for another */
export function formatOf(name: string): Format {
  const format = FORMATS.find((f) => f.name === name);
  if (format) return format;
  const names = FORMATS.map((f) => f.name).join(", ");
  throw new DataError(
    `unknown data set "${name}"; choose synthetic, auto or ${names}`,
  );
}

/** Of very many folders no more are looked into for advice. */
const MOST = 100;

/**
 * A folder below one that is no data set, to name instead: a known layout, or
 * pictures by expressions, as pictures lie in most folders of a system.
 */
function setBelow(tree: Tree): string | undefined {
  return tree.folders("").slice(0, MOST).map((name) => join(tree.root, name))
    .find((dir) => {
      try {
        return [...PUBLISHED, csvList].some((format) => format.detect(dir)) ||
          classWords(new Tree(dir)).filter(expressionOf).length > 1;
      } catch {
        return false; // it cannot be read
      }
    });
}

/**
 * The one format that a folder fits.
 *
 * @throws DataError, one line, when no format fits or several do
 */
export function detectFormat(dir: string): Format {
  const tree = new Tree(dir);
  refuseMissing(tree);
  // FERPlus' votes lie beside the images of FER2013, which they judge anew.
  const judged = ferplus.detect(dir) ? [fer2013] : [];
  const published = PUBLISHED
    .filter((format) => !judged.includes(format) && format.detect(dir));
  const found = published.length > 0
    ? published
    : GENERAL.filter((format) => format.detect(dir));
  if (found.length === 1) return found[0];
  if (found.length === 0) {
    const looked = FORMATS.map(({ about }) => about).join("; ");
    const inside = setBelow(tree);
    const packed = tree.files("")
      .find((name) => /\.(zip|tar|gz|tgz|bz2|xz|7z|rar)$/i.test(name));
    const advice = inside !== undefined
      ? `, but ${inside} is one: give that`
      : packed !== undefined
      ? `: unpack ${packed} first`
      : "";
    throw new DataError(
      `${dir} is no data set that FERLab reads${advice}; looked for ${looked}`,
    );
  }
  throw new DataError(
    `${dir} fits ${found.map((f) => f.name).join(" and ")}: say which it is, ` +
      `with --format (data audit, info, …), --data (study) or the name in ` +
      `loadDataset and a plan's data`,
  );
}
