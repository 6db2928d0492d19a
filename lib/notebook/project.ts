/** The project that a notebook belongs to. */
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** The nearest folder at or above `start` with a deno.json, else `start`. */
export function projectFolder(start: string): string {
  for (let dir = resolve(start);; dir = dirname(dir)) {
    if (["deno.json", "deno.jsonc"].some((f) => existsSync(join(dir, f)))) {
      return dir;
    }
    if (dir === dirname(dir)) return resolve(start);
  }
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
