/** Opening a data set as the commands name it. */
import type { Command } from "commander";
import { statSync } from "node:fs";
import { path, shownPath } from "../../lib/notebook/commands/mod.ts";
import {
  DataError,
  detectFormat,
  type Format,
  formatOf,
  FORMATS,
  type Listing,
  type ReadOptions,
  SPLITS,
} from "../../lib/data/commands.ts";
import type { Column } from "../text.ts";
import { withOptions } from "../cli.ts";

/** How a data set is to be read, as commander gives it. */
export interface SetOptions {
  format?: string;
  classes?: "7" | "8";
  firstLabel?: "0" | "1";
  votes?: ReadOptions["votes"];
}

/** A data set that was found and listed. */
export interface OpenSet {
  dir: string;
  format: Format;
  listing: Listing;
}

/** Adds the argument and the options that say what to read, and how. */
export const withSetOptions = (command: Command): Command =>
  withOptions(
    command.argument("<path>", "the folder that holds the data set"),
    {
      "--format <name>": ["what it is (default: by what lies in the folder)", {
        choices: FORMATS.map((f) => f.name),
      }],
      "--classes <n>": ["8: with contempt (default: 7)", {
        choices: ["7", "8"],
      }],
      "--first-label <n>": ["raf-db: the list's first label", {
        choices: ["0", "1"],
      }],
      "--votes <rule>": ["ferplus: how ten votes become a label", {
        choices: ["majority", "probability", "crossEntropy", "multiTarget"],
      }],
    },
  );

/** The options as formats take them; what was not said is absent. */
function readOptions({ classes, firstLabel, votes }: SetOptions): ReadOptions {
  return {
    ...classes && { classes: Number(classes) as 7 | 8 },
    ...firstLabel && { firstLabel: Number(firstLabel) as 0 | 1 },
    ...votes && { votes },
  };
}

/** Finds out what a folder holds and lists it. @throws DataError */
export function openSet(given: string, o: SetOptions): OpenSet {
  const dir = path(given);
  const info = statSync(dir, { throwIfNoEntry: false });
  if (info?.isFile()) {
    throw new DataError(
      `${shownPath(dir)} is a file: give the folder that holds the data set`,
    );
  }
  const format = o.format ? formatOf(o.format) : detectFormat(dir);
  return { dir, format, listing: format.list(dir, readOptions(o)) };
}

/** Images of each class by split, with the published counts where they differ. */
export function classTable(
  classes: readonly string[],
  counts: Record<string, number[]>,
  published: Record<string, number[]> = {},
): Column[] {
  const sum = (row: readonly number[]) => row.reduce((a, b) => a + b, 0);
  const cell = (ours: number, theirs = ours) =>
    (ours === 0 ? "n/a" : String(ours)) +
    (ours === theirs ? "" : ` (published ${theirs})`);
  const splits = [...SPLITS, "all"].filter((s) => counts[s] ?? published[s]);
  return [
    { head: "class", cells: [...classes, "all classes"] },
    ...splits.map((split) => {
      const ours = counts[split] ?? classes.map(() => 0);
      const theirs = published[split];
      return {
        head: split === "all" ? "images" : split,
        cells: [
          ...ours.map((n, i) => cell(n, theirs?.[i])),
          cell(sum(ours), theirs && sum(theirs)),
        ],
        right: true,
      };
    }),
  ];
}
