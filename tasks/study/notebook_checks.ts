/** What is wrong with a call of `deno task study`, found before anything runs. */
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { DataError, detectFormat, formatOf } from "../../lib/data/commands.ts";
import { path, shownPath } from "../../lib/notebook/commands/mod.ts";
import { type Profile, startOf } from "../../lib/reports/mod.ts";
import { openStore, StudyError } from "../../lib/study/commands.ts";
import { storeUrl } from "./records.ts";
import { asUsage, refuseFolder, UsageError } from "../cli.ts";
import { root } from "./notebook_files.ts";

/** Seconds that a server of records is waited for before it counts as gone. */
const WAIT_SECONDS = 10;

/**
 * The folder of a data set, absolute; undefined where none is given and none
 * is needed.
 *
 * @throws UsageError for one that is not there or does not hold the data set
 */
export async function dataFolder(
  given: string | undefined,
  profile: Profile,
  data = "",
): Promise<string | undefined> {
  const source = startOf(profile).data;
  const name = data || source.name;
  if (name === "synthetic") {
    refuseFolder(given, `profile ${profile} reads it with --data auto`);
    return;
  }
  if (!given) {
    throw new UsageError(
      `profile ${profile} on ${name} needs --data-dir PATH (or ` +
        `FERLAB_DATA_DIR), the data set's folder`,
    );
  }
  const dir = path(given);
  const info = statSync(dir, { throwIfNoEntry: false });
  if (!info?.isDirectory()) {
    throw new UsageError(
      `--data-dir ${given}: ${
        info
          ? "it is a file: give the folder that holds it"
          : "there is no such folder"
      }`,
    );
  }
  await asUsage(`--data-dir ${given}`, () => {
    const format = name === "auto" ? detectFormat(dir) : formatOf(name);
    return format.list(dir, name === source.name ? source : {});
  }, DataError);
  return dir;
}

/**
 * The results' folder as notebooks take it, from the project's root; nothing
 * is made.
 *
 * @throws UsageError where it is a file, or where nothing can be written
 */
export function outFolder(given: string | undefined, profile: Profile): string {
  const dir = given ? path(given) : join(root, "runs", profile);
  let there = dir;
  while (!existsSync(there)) there = dirname(there);
  const what = given ? `--out ${given}` : shownPath(dir);
  if (!statSync(there).isDirectory()) {
    const file = there === dir ? "it" : shownPath(there);
    throw new UsageError(`${what}: ${file} is a file: give a folder`);
  }
  try {
    accessSync(there, constants.W_OK | constants.X_OK);
  } catch {
    throw new UsageError(
      `${what}: nothing can be written in ${
        shownPath(there)
      }: give another folder`,
    );
  }
  const inside = relative(root, dir);
  return inside.startsWith("..") || inside === "" ? dir : inside;
}

/** @throws UsageError where there is no such store, or it holds no records */
export async function checkStore(given: string | undefined): Promise<void> {
  if (!given) return;
  const url = storeUrl(given);
  const file = /^\w[\w+.-]*:\/\//.test(url)
    ? /^sqlite:\/\/\/(.*)/.exec(url)?.[1]
    : url;
  if (file !== undefined && !existsSync(file)) {
    const folder = dirname(resolve(file));
    if (existsSync(folder)) return; // it is made
    throw new UsageError(
      `--store ${given}: there is no folder ${
        shownPath(folder)
      }: make it first`,
    );
  }
  await asUsage("--store", async () => {
    const store = await openStore(url, {
      readOnly: file !== undefined,
      waitSeconds: WAIT_SECONDS,
    });
    await store.close();
  }, StudyError);
}
