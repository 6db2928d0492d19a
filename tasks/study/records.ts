/** Finding a recorded study by its name, and what all its commands share. */
import type { Command } from "commander";
import { existsSync, globSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import {
  identityOf,
  isNamed,
  openStore,
  recordsOf,
  type Store,
  StudyError,
  type StudyRow,
} from "../../lib/study/commands.ts";
import { closeNames } from "../../lib/faults/mod.ts";
import { path, shownPath } from "../../lib/notebook/commands/mod.ts";
import { numberOption, say, withOptions } from "../cli.ts";
import { clean, fit } from "../text.ts";

/** Where records are looked for. */
export interface RecordOptions {
  /** A file or a URL. */
  store?: string;
  /** The study's folder, with records.sqlite, checkpoints and logs. */
  dir?: string;
}

interface FindOptions extends RecordOptions {
  /** Opens the store for changes; without it nothing is written. */
  write?: boolean;
  /** Whether a name with `#NUMBER` may be that of a trial. */
  trial?: boolean;
}

/** A study that was found, open until the command's work is done. */
export interface FoundStudy {
  store: Store;
  row: StudyRow;
  /** As `withStudy` takes it; with `@key` where the name has several records. */
  name: string;
  /** The store for messages: a path as seen from here, or a URL. */
  record: string;
  /** The folder with checkpoints and logs, where it is known. */
  dir?: string;
  /** The trial that the name tells, too. */
  number?: number;
}

/** Adds the options that say where the records are. */
export const withRecordOptions = (command: Command): Command =>
  withOptions(command, {
    "--store <url>": [
      "the records: a file, or a URL of PostgreSQL (default: every " +
      "{runs,results}/**/records.sqlite)",
      { env: "FERLAB_STORE" },
    ],
    "--dir <folder>":
      "the study's folder: its checkpoints, logs and, without --store, records.sqlite",
  });

/** Adds the argument that says which study. */
export const withName = (command: Command): Command =>
  withRecordOptions(command).argument(
    "<name>",
    "the study; NAME@KEY for one of several records of it",
  );

/**
 * What may be meant: a study of that name, or, of `lr-search#12`, trial 12 of
 * lr-search.
 */
function meanings(given: string): { name: string; number?: number }[] {
  const [, name, number] = /^(.+)#(\d+)$/.exec(given) ?? [];
  return [{ name: given }, ...name ? [{ name, number: Number(number) }] : []];
}

/** The number of a trial, for commander. */
export const trialNumber = numberOption(
  "a trial's number, from 0",
  (n) => Number.isInteger(n) && n >= 0,
);

/** Adds the argument that says which of its trials. */
export const withTrialNumbers = (command: Command): Command =>
  command.argument(
    "[numbers...]",
    "trials, by number",
    (text: string, before: number[] = []) => [...before, trialNumber(text)],
  );

export const isUrl = (store: string) => /^\w[\w+]*:\/\//.test(store);

/** A store as `openStore` takes it, a path made absolute. */
export function storeUrl(store: string): string {
  return isUrl(store) ? store : path(store);
}

/** The stores that the options name, as `openStore` takes them. */
export function storesOf({ store, dir }: RecordOptions): string[] {
  if (store) return [storeUrl(store)];
  if (dir !== undefined) return [join(path(dir), "records.sqlite")];
  return globSync("{runs,results}/**/records.sqlite").sort()
    .map((file) => resolve(file));
}

/** Opens a store for reading; nothing is made where nothing is. */
export async function openReader(store: string): Promise<Store> {
  if (!isUrl(store) && !existsSync(store)) {
    throw new StudyError(`${shownPath(store)}: there are no records here`);
  }
  return await openStore(store, { readOnly: true, onWarning: warn });
}

export function warn(message: string): void {
  say(`warning: ${clean(message)}`);
}

/** A store as messages show it. */
export function storeName(url: string, store: Store): string {
  return isUrl(url) ? store.name : shownPath(url);
}

/** Each study's name; `name@key` where a name has several records. */
export function studyNames(rows: readonly StudyRow[]): Map<number, string> {
  const family = (row: StudyRow) => identityOf(row)?.family ?? row.name;
  return new Map(rows.map((row) => {
    const key = identityOf(row)?.key;
    const several = rows.filter((r) => family(r) === family(row)).length > 1;
    return [
      row.studyId,
      several && key ? `${family(row)}@${key.slice(0, 8)}` : row.name,
    ];
  }));
}

interface Match {
  url: string;
  record: string;
  row: StudyRow;
  name: string;
  number?: number;
  /** The other records of the name. */
  others: string[];
}

/** The study of a name in one store, and the names that are there. */
async function studyInStore(
  url: string,
  meant: ReturnType<typeof meanings>,
): Promise<{ match?: Match; names: string[] }> {
  await using store = await openReader(url);
  const rows = await store.studies();
  const names = studyNames(rows);
  for (const { name, number } of meant) {
    const exact = rows.find((r) =>
      names.get(r.studyId) === name || isNamed(r, name)
    );
    const family = exact ? [exact] : await recordsOf(store, name);
    const row = family.pop();
    if (!row) continue;
    const match = {
      url,
      record: storeName(url, store),
      row,
      name: names.get(row.studyId)!,
      number,
      others: family.map((r) => names.get(r.studyId)!),
    };
    return { match, names: [] };
  }
  return { names: [...names.values()] };
}

/** `FOLDER:NAME` or `FILE:NAME` says itself where the records are. */
function located(given: string, o: RecordOptions): [string, string[]] {
  for (const { index } of given.matchAll(/:(?=.)/g)) {
    const place = given.slice(0, index);
    const isFolder = existsSync(join(path(place), "records.sqlite"));
    const isFile = existsSync(path(place)) && statSync(path(place)).isFile();
    if (place === "" || !isFolder && !isFile) continue;
    return [
      given.slice(index + 1),
      storesOf(isFolder ? { dir: place } : { store: place }),
    ];
  }
  return [given, storesOf(o)];
}

async function findStudy(given: string, o: FindOptions): Promise<Match> {
  const [whole, stores] = located(given, o);
  const meant = o.trial ? meanings(whole) : [{ name: whole }];
  const { name } = meant.at(-1)!;
  const looked = [];
  for (const url of stores) {
    try {
      looked.push(await studyInStore(url, meant));
    } catch (error) {
      // One bad file does not hide the others.
      if (stores.length === 1 || !(error instanceof StudyError)) throw error;
      warn(error.message);
    }
  }
  const matches = looked.flatMap((l) => l.match ?? []);
  if (matches.length > 1) {
    throw new StudyError(
      `"${clean(name)}" is in ${matches.length} records; say which: ${
        matches.map((m) => clean(`${dirname(m.record)}:${name}`)).join(
          " or ",
        )
      }`,
    );
  }
  if (matches.length === 1) return matches[0];
  const there = stores.length === 1
    ? isUrl(stores[0]) ? "the store" : shownPath(stores[0])
    : "{runs,results}/**/records.sqlite";
  const names = looked.flatMap((l) => l.names);
  const close = closeNames(name, names);
  throw new StudyError(
    `no study "${fit(clean(name), 100)}" in ${there}${
      close.length
        ? `; did you mean ${close.map((n) => `"${clean(n)}"`).join(" or ")}?`
        : names.length
        ? "; `deno task study list` shows those that are there"
        : ": it holds no study yet"
    }`,
  );
}

/**
 * Finds a study by its name, or `name@key` for one of several records of the
 * name, and gives it to `use`. Of several the one that was run last is taken,
 * with a line on the error stream about the others.
 *
 * @throws StudyError when no study, or more than one, has the name.
 */
export async function withStudy<T>(
  name: string,
  o: FindOptions,
  use: (found: FoundStudy) => Promise<T>,
): Promise<T> {
  const { url, row, record, others, ...match } = await findStudy(name, o);
  if (others.length) {
    say(
      clean(
        `${match.name} is the last of ${others.length + 1} records of this ` +
          `name with different fixed settings; the others: ${
            others.join(", ")
          }`,
      ),
    );
  }
  const dir = o.dir !== undefined
    ? path(o.dir)
    : !isUrl(url) && basename(url) === "records.sqlite"
    ? dirname(url)
    : undefined;
  await using store = o.write
    ? await openStore(url, { onWarning: warn })
    : await openReader(url);
  return await use({ store, row, record, dir, ...match });
}
