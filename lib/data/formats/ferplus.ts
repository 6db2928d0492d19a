/** FERPlus: ten raters' votes beside FER2013's images (Barsoum et al. 2016). */
import { join } from "node:path";
import type { Expression } from "../expressions.ts";
import type { ListedImage, Listing } from "../listing.ts";
import { DataError } from "../types.ts";
import type { ReadOptions, SkippedFile } from "../types.ts";
import { Collector, MISSING } from "./collector.ts";
import { fer2013CsvIn, USAGE } from "./fer2013.ts";
import { FER2013_SIDE, readFer2013Csv } from "./fer2013_csv.ts";
import { columnsOf, misfitOf, readTable } from "./text_table.ts";
import { below, isImageName, onTree, type Tree } from "./tree.ts";
import { inShares, judge, VOTES } from "./votes.ts";
import { CONTEMPT_LEFT } from "./split_and_class_names.ts";

const TABLE = "fer2013new.csv";
const COLUMNS = ["Usage", "Image name", ...VOTES] as const;

/** In the order of the votes. */
const CLASSES: Expression[] = [
  "Neutral",
  "Happy",
  "Surprise",
  "Sad",
  "Angry",
  "Disgust",
  "Fear",
  "Contempt",
];

/** A row of fer2013new.csv. */
interface Rated {
  /** `fer2013new.csv:LINE`. */
  where: string;
  usage: string;
  /** Empty where FER+ has no image. */
  image: string;
  votes: number[];
  /** Why it cannot be used. */
  wrong?: string;
}

/** A row's image, its entry among the bad ones, or null where it is told. */
type Found = Pick<ListedImage, "name" | "source"> | SkippedFile | null;

/**
 * Rows without an image name are left out, as the official
 * generate_training_data.py does. Validation and test images are judged by
 * majority under every rule, as the official train.py does: results of
 * different rules are of the same test images. A label is the expression with
 * most votes, the first in the table's order where two have as many. Among
 * seven classes contempt's share goes to the others in proportion.
 */
export const ferplus = onTree({
  name: "ferplus",
  about: "FERPlus: fer2013new.csv beside fer2013.csv, or with the images " +
    "fer0000000.png … in any folder",

  detect: (tree) => tree.firstFile([TABLE]) !== undefined,

  list(tree, o) {
    const dir = tree.root;
    if (tree.firstFile([TABLE]) === undefined) {
      throw new DataError(`${dir}: no ${TABLE}; get it from microsoft/FERPlus`);
    }
    const rated = readVotes(tree);
    const table = fer2013CsvIn(tree);
    return table !== null
      ? fromTable(tree, table, rated, o)
      : fromImages(tree, rated, o);
  },
});

function readVotes(tree: Tree): Rated[] {
  const path = join(tree.root, TABLE);
  const [header, ...rows] = readTable(path);
  const at = columnsOf(path, header, COLUMNS);
  return rows.map(({ cells, line }) => {
    const votes = VOTES.map((name) => cells[at[name]] ?? "");
    const odd = votes.find((text) => !/^\d+(\.0*)?$/.test(text));
    return {
      where: `${TABLE}:${line}`,
      usage: cells[at.Usage],
      image: cells[at["Image name"]] ?? "",
      votes: votes.map(Number),
      wrong: misfitOf({ cells }, header) ??
        (odd !== undefined
          ? `a vote count is "${odd}"; want a whole number`
          : !USAGE.has(cells[at.Usage])
          ? `Usage is "${cells[at.Usage]}"; want ${
            [...USAGE.keys()].join(", ")
          }`
          : undefined),
    };
  });
}

/** Pixels from fer2013.csv: row i there is row i of the votes. */
function fromTable(
  tree: Tree,
  table: string,
  rated: Rated[],
  o: ReadOptions,
): Listing {
  const { rows, bad } = readFer2013Csv(join(tree.root, table));
  const count = rows.length + bad.length;
  if (count !== rated.length) {
    const off = Math.abs(count - rated.length);
    throw new DataError(
      `${join(tree.root, table)} has ${count} rows and ${TABLE} has ` +
        `${rated.length}: ${off} ${count > rated.length ? "more" : "fewer"}; ` +
        `rows pair by position, so use both files as they were published`,
    );
  }
  const found = new Map<number, Found>();
  for (const { index, line, reason } of bad) {
    found.set(index, { path: `${table}:${line}`, reason });
  }
  for (const { index, line, pixels } of rows) {
    const source = { pixels, width: FER2013_SIDE };
    found.set(index, { name: `${table}:${line}`, source });
  }
  for (const { index, line, usage } of rows) {
    const other = rated[index];
    if (usage === undefined || other.wrong || usage === other.usage) continue;
    throw new DataError(
      `${join(tree.root, table)}:${line} is ${usage}, but ${other.where} is ` +
        `${other.usage}: rows pair by position, so use both files as they ` +
        `were published`,
    );
  }
  return build(
    tree,
    `votes beside ${table}`,
    rated,
    o,
    (_, __, i) => found.get(i)!,
  );
}

/** Images that generate_training_data.py made, wherever they lie. */
function fromImages(tree: Tree, rated: Rated[], o: ReadOptions): Listing {
  const folders = tree.walk("").filter((folder) =>
    tree.files(folder).some((name) => isImageName(name) && /^fer\d/.test(name))
  );
  if (folders.length === 0) {
    throw new DataError(
      `${tree.root}: ${TABLE} has no pixels; put fer2013.csv beside it, or ` +
        `the images fer0000000.png … in a folder`,
    );
  }
  const places = folders.map((folder) => `${folder}/`.replace(/^\/$/, "./"));
  const layout = `votes and images in ${places.join(", ")}`;
  const find = ({ image, where, usage, votes }: Rated, found: Collector) => {
    const file = folders.map((folder) => tree.image(below(folder, image)))
      .find((path) => path !== undefined);
    if (file === undefined) return { path: image, reason: MISSING };
    return found.isFirst(file, `voted ${votes} in ${usage}`, where)
      ? { name: file, source: { file } }
      : null;
  };
  return build(tree, layout, rated, o, find, folders);
}

/** Images of `folders` have to be rated. */
function build(
  tree: Tree,
  layout: string,
  rated: Rated[],
  { votes: rule = "majority", classes: count = 7 }: ReadOptions,
  find: (row: Rated, collector: Collector, i: number) => Found,
  folders?: string[],
): Listing {
  const collector = new Collector();
  rated.forEach((row, i) => {
    if (row.wrong !== undefined) return collector.refuse(row.where, row.wrong);
    if (row.image === "") {
      return collector.leave("without an image name in FER+");
    }
    const found = find(row, collector, i);
    if (found === null) return;
    const split = USAGE.get(row.usage);
    const soft = rule !== "majority" && split === "train";
    const verdict = judge(row.votes, soft ? rule : "majority");
    if ("left" in verdict) return collector.leave(verdict.left);
    const { label, shares } = verdict;
    if (label >= count) return collector.leave(CONTEMPT_LEFT);
    if ("reason" in found) return collector.refuse(found.path, found.reason);
    const target = soft ? inShares(shares.slice(0, count)) : undefined;
    collector.images.push({ ...found, label, split, target });
  });
  return collector.listing(tree.root, {
    format: ferplus.name,
    layout,
    classes: CLASSES.slice(0, count),
    unlisted: folders && tree.unlisted(folders, collector.named),
  });
}
