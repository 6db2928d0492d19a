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

/** Where a notebook's kernel runs: its project's folder. */
export const workingFolder = (file: string) =>
  projectFolder(dirname(resolve(file)));
