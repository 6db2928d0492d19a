/** Any csv that names images and their classes. */
import { join } from "node:path";
import { expressionOf } from "../expressions.ts";
import type { Listing } from "../listing.ts";
import { Collector } from "./collector.ts";
import { misfitOf, readTable, type Row } from "./text_table.ts";
import { firstLines, headerOf, readLines } from "./text_files.ts";
import { DataError } from "../types.ts";
import type { ReadOptions, SplitName } from "../types.ts";
import { onTree, type Tree } from "./tree.ts";
import {
  CONTEMPT_LEFT,
  namedClasses,
  splitOf,
} from "./split_and_class_names.ts";

/** Names of columns, lower case without blanks, "_" and "-". */
const IMAGE = ["image", "imagepath", "imagename", "filename", "filepath"]
  .concat("path", "file", "img");
const LABEL = ["label", "emotion", "expression", "class", "labelname"]
  .concat("emotionname", "classname", "category");
const SPLIT = ["split", "usage", "set", "subset"];
const SUBJECT = ["subject", "subjectid", "person", "personid", "identity"];

/** A legend for labels that are numbers: "0 Angry" a line. */
const LEGEND = "classes.txt";

interface Table {
  csv: string;
  header: string[];
  rows: Row[];
}

function columns(header: string[], names: readonly string[]): number[] {
  const found = header.map((cell) => cell.toLowerCase().replace(/[ _-]/g, ""));
  return names.map((name) => found.indexOf(name)).filter((at) => at >= 0);
}

function listsIn(dir: string, tree: Tree): string[] {
  return tree.files("").filter((name) => {
    if (!/\.(csv|tsv)$/i.test(name)) return false;
    const { cells } = headerOf(firstLines(join(dir, name)));
    return columns(cells, IMAGE).length > 0 && columns(cells, LABEL).length > 0;
  });
}

/** The split that a file's name tells: train_labels.csv, labels-test.csv. */
function splitOfName(csv: string): SplitName | undefined {
  const words = csv.toLowerCase().split(/[^a-z]+/).map(splitOf).filter(Boolean);
  return words.length === 1 ? words[0] : undefined;
}

/** Numbers and their classes, as a legend beside the csv gives them. */
function legendOf(dir: string, tree: Tree): Map<string, string> | null {
  if (!tree.files("").includes(LEGEND)) return null;
  const legend = new Map<string, string>();
  for (const { text, line } of readLines(join(dir, LEGEND))) {
    const [, number, word] = /^(\d+)[\s,;:=]+(\S.*)$/.exec(text) ?? [];
    const what = word === undefined
      ? "is no number and class"
      : legend.has(whole(number)) && `names ${number} again`;
    if (what) {
      throw new DataError(
        `${join(dir, LEGEND)}:${line}: ${JSON.stringify(text)} ${what}; ` +
          `want lines as "0 Angry", each number once`,
      );
    }
    legend.set(whole(number), word);
  }
  return legend;
}

/** A whole number as a legend has it: "3" for "3.0" and "03". */
const whole = (cell: string) =>
  /^\d+(\.0*)?$/.test(cell) ? String(Number(cell)) : cell;

/** The label of each row as a word, and the words that are classes. */
function wordsOf(
  dir: string,
  { csv, header, rows }: Table,
  legend: Map<string, string> | null,
): { words: string[]; classes: string[] } {
  const found = columns(header, LABEL);
  const cellsAt = (at: number) => rows.map(({ cells }) => cells[at] ?? "");
  if (!found.some((at) => cellsAt(at).some(Boolean))) {
    throw new DataError(`${join(dir, csv)}: no row has a ${header[found[0]]}`);
  }
  const spelt = found.find((at) => {
    const words = cellsAt(at).filter(Boolean);
    return words.some(expressionOf) ||
      words.length > 0 && !words.some((word) => /^[\d.+-]+$/.test(word));
  });
  const at = spelt ?? found[0];
  const cells = cellsAt(at);
  if (spelt !== undefined) {
    return { words: cells, classes: cells.filter(Boolean) };
  }
  if (legend) {
    const words = cells.map((cell) => legend.get(whole(cell)) ?? cell);
    return { words, classes: [...legend.values()] };
  }
  throw new DataError(
    `${join(dir, csv)}: column ${header[at]} holds numbers, and nothing ` +
      `says which class a number is: write the classes' names there, or a ` +
      `file ${LEGEND} beside it with lines as "0 Angry"`,
  );
}

/**
 * The path of an image below the data folder: as it is named, or within one of
 * the folders, that of its split first.
 *
 * @throws DataError without a place, or with several
 */
function find(tree: Tree, name: string, split: SplitName | undefined): string {
  const path = name.replaceAll("\\", "/").replace(/^(\.\/)+/, "");
  if (path.startsWith("/") || path.split("/").includes("..")) {
    throw new DataError(`${name} lies outside of the data folder`);
  }
  const here = tree.image(path);
  if (here !== undefined) return here;
  const places = tree.folders("").flatMap((folder) => {
    const file = tree.image(`${folder}/${path}`);
    return file === undefined ? [] : [{ folder, file }];
  });
  const own = places.filter(({ folder }) => splitOf(folder) === split);
  const [place, another] = own.length > 0 ? own : places;
  if (place === undefined) throw new DataError(`there is no file ${name}`);
  if (another !== undefined) {
    throw new DataError(
      `${name} lies in ${place.folder}/ and in ${another.folder}/: write its ` +
        `folder too`,
    );
  }
  return place.file;
}

/** Which column tells the split; -1 where the file's name does. */
function splitColumnOf(tables: readonly Table[]): (table: Table) => number {
  const unclear = tables.filter(({ csv, header }) =>
    columns(header, SPLIT).length === 0 && splitOfName(csv) === undefined
  );
  if (tables.length > 1 && unclear.length > 0) {
    throw new DataError(
      `csv-list: ${tables.map((t) => t.csv).join(" and ")} all list images, ` +
        `and ${unclear[0].csv} names no split: keep one csv, or name them ` +
        `train.csv, validation.csv and test.csv`,
    );
  }
  return ({ header }) => columns(header, SPLIT)[0] ?? -1;
}

function list(tree: Tree, o: ReadOptions): Listing {
  const dir = tree.root;
  const tables = listsIn(dir, tree).map((csv): Table => {
    const [header, ...rows] = readTable(join(dir, csv));
    return { csv, header: header?.cells ?? [], rows };
  });
  if (tables.length === 0) {
    throw new DataError(
      `csv-list: no csv in ${dir} has the columns image and label ` +
        `(also path, file or filename; emotion, expression or class)`,
    );
  }
  const splitColumn = splitColumnOf(tables);
  const legend = legendOf(dir, tree);
  const labels = tables.map((table) => wordsOf(dir, table, legend));
  const { classes, labelOf } = namedClasses(
    labels.flatMap((table) => table.classes),
    o,
  );
  const found = new Collector();
  tables.forEach((table, t) => {
    const { csv, header, rows } = table;
    const [imageAt] = columns(header, IMAGE);
    const [subjectAt] = columns(header, SUBJECT);
    const splitAt = splitColumn(table);
    rows.forEach(({ cells, line }, i) => {
      const here = `${csv}:${line}`;
      const fail = (reason: string) => found.refuse(here, reason);
      const misfit = misfitOf({ cells }, { cells: header });
      if (misfit) return fail(misfit);
      const split = splitAt < 0 ? splitOfName(csv) : splitOf(cells[splitAt]);
      if (splitAt >= 0 && split === undefined) {
        return fail(
          `${header[splitAt]} is ${JSON.stringify(cells[splitAt])}; want ` +
            `train, validation or test`,
        );
      }
      const word = labels[t].words[i];
      const label = labelOf(word);
      if (label === "unknown") {
        return fail(`label ${JSON.stringify(word)} is no class`);
      }
      if (label === "left") return found.leave(CONTEMPT_LEFT);
      let file: string;
      try {
        file = find(tree, cells[imageAt], split);
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
        return fail(error.message);
      }
      const said = classes[label] + (split ? ` in ${split}` : "");
      if (!found.isFirst(file, said, here)) return;
      const subject = cells[subjectAt] || undefined;
      const source = { file };
      found.images.push({ name: file, source, label, split, subject });
    });
  });
  const layout = `list ${tables.map((t) => t.csv).join(", ")}`;
  return found.listing(dir, { format: "csv-list", layout, classes });
}

export const csvList = onTree({
  name: "csv-list",
  about: "any csv with the columns image and label, and split and subject " +
    "where there are some",
  detect: (tree) => listsIn(tree.root, tree).length > 0,
  list,
});
