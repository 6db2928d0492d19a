/** The project that a notebook belongs to. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parse, type ParseError, printParseErrorCode } from "jsonc-parser";

interface Config {
  imports?: Record<string, string>;
  lock?: { frozen?: boolean; path?: string };
}

const configOf = (folder: string): string | undefined =>
  ["deno.json", "deno.jsonc"].map((name) => join(folder, name))
    .find((file) => existsSync(file));

/** The nearest folder at or above `start` with a deno.json, else `start`. */
export function projectFolder(start: string): string {
  for (let dir = resolve(start);; dir = dirname(dir)) {
    if (configOf(dir)) return dir;
    if (dir === dirname(dir)) return resolve(start);
  }
}

/** What a JSON text with comments holds. @throws {Error} when it is none */
export function jsonWithComments(text: string): unknown {
  const errors: ParseError[] = [];
  const value = parse(text, errors, { allowTrailingComma: true });
  if (errors.length) throw new Error(printParseErrorCode(errors[0].error));
  return value;
}

/** The same with what its deno.json says; nothing where it cannot be read. */
export function projectConfig(start: string) {
  const folder = projectFolder(start);
  let config: Config = {};
  try {
    const text = readFileSync(configOf(folder)!, "utf8");
    config = jsonWithComments(text) as Config ?? {};
  } catch { /* Deno will say what is wrong with it */ }
  return { folder, config };
}

/**
 * What to add to an error of a cell when a file was not found and relative
 * paths do not start beside the notebook.
 */
export function pathHint(error: string, file: string, folder: string): string {
  const missing = /NotFound|No such file|Module not found|os error [23]\b/;
  if (!missing.test(error) || dirname(resolve(file)) === folder) return "";
  return ` (relative paths and imports start at ${folder}, where deno.json is)`;
}

/** What a kernel is told besides `env`: its notebook, as Jupyter's server does. */
export const kernelEnv = (
  file: string,
  env?: Record<string, string>,
): Record<string, string> => ({ ...env, JPY_SESSION_NAME: resolve(file) });

/** Where a notebook's kernel runs: its project's folder. */
export const workingFolder = (file: string) =>
  projectFolder(dirname(resolve(file)));
