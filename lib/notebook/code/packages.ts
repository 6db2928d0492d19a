/** What a deno.lock has of the packages that cells import, and what it lacks. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { shortHash } from "../file/ids.ts";
import { cellCode } from "./code.ts";
import { ModuleFiles } from "./module_files.ts";
import { projectConfig } from "../project.ts";
import { runDeno } from "../run_deno.ts";
import type { Cell } from "../file/types.ts";

interface Lock {
  specifiers?: Record<string, string>;
  npm?: Record<string, {
    integrity?: string;
    dependencies?: string[];
    optionalDependencies?: string[];
    optionalPeers?: string[];
  }>;
}

/** The key under which a lock file has `specifier`: without the path in it. */
function lockKey(specifier: string): string {
  const [, kind, name, version] =
    /^(npm|jsr):\/?((?:@[^/]+\/)?[^/@]+)(?:@([^/]+))?/.exec(specifier) ?? [];
  return kind ? `${kind}:${name}@${version ?? "*"}` : specifier;
}

/**
 * A hash of the versions that a lock file has for `specifiers`, and for all
 * that these packages need; of the whole file where one is not of npm.
 */
export function lockedHash(
  text: string,
  specifiers: Iterable<string>,
): string {
  let lock: Lock | null;
  try {
    lock = JSON.parse(text);
  } catch {
    return shortHash(text);
  }
  const npm = lock?.npm ?? {};
  const keys = Object.keys(npm);
  const wanted = new Set<string>(), absent: string[] = [];
  for (const specifier of specifiers) {
    if (!specifier.startsWith("npm:")) return shortHash(text);
    const key = lockKey(specifier);
    const version = lock?.specifiers?.[key];
    const name = key.slice("npm:".length).replace(/(?<=.)@.*/, "");
    if (typeof version === "string") wanted.add(`${name}@${version}`);
    else absent.push(key);
  }
  for (const key of wanted) { // grows while it is read
    const { dependencies = [], optionalDependencies = [], optionalPeers = [] } =
      npm[key] ?? {};
    for (
      const name of [...dependencies, ...optionalDependencies, ...optionalPeers]
    ) {
      const locked = npm[name]
        ? [name]
        : keys.filter((k) => k.startsWith(`${name}@`));
      locked.forEach((k) => wanted.add(k));
    }
  }
  return shortHash(
    [...absent, ...[...wanted].map((k) => `${k} ${npm[k]?.integrity}`)]
      .sort().join("\n"),
  );
}

/**
 * What a lock file has, by {@link lockKey}.
 * @throws {Error} in one line when it is none
 */
function lockedIn(lock: string): Record<string, unknown> {
  let content: { specifiers?: Record<string, unknown> } | null;
  try {
    content = JSON.parse(readFileSync(lock, "utf8"));
  } catch (e) {
    const why = (e as Error).message.split("\n")[0];
    throw new Error(
      `${lock}: cannot read the lock file: ${why}; mend it, or remove it and ` +
        "run `deno install`",
    );
  }
  return content?.specifiers ?? {};
}

/**
 * Adds to a frozen lock file what cells import by `npm:` and `jsr:` and it
 * lacks, since Deno's kernel has no option for that and refuses all imports
 * of a notebook that has one. What it has keeps its version; from now on so
 * does what is added.
 *
 * @param tell takes what was added, or why it could not be.
 */
export async function admitPackages(
  cells: readonly Cell[],
  folder: string,
  tell: (message: string) => void,
): Promise<void> {
  const { folder: project, config } = projectConfig(folder);
  const lock = config.lock?.frozen &&
    join(project, config.lock.path ?? "deno.lock");
  if (!lock || !existsSync(lock)) return;
  const imports = cells.flatMap(({ cell_type, source }) =>
    cell_type === "code" ? [...cellCode(source).imports] : []
  );
  const specifiers = lockedIn(lock);
  const missing = [...new ModuleFiles(folder).closure(imports).remote]
    .filter((specifier) =>
      /^(npm|jsr):/.test(specifier) &&
      !Object.hasOwn(specifiers, lockKey(specifier))
    );
  if (!missing.length) return;
  const names = missing.join(", ");
  const args = ["cache", "--frozen=false", ...missing];
  const { success, err } = await runDeno(args, project);
  const why = /^error: (.*)/m.exec(err)?.[1] ?? "Deno gave no reason";
  tell(
    success
      ? `${lock} is frozen and has ${names} from now on, since cells import it`
      : `${lock} is frozen and lacks ${names}, which cannot be added: ${why}`,
  );
}
