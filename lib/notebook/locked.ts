/** What a deno.lock says of packages. */
import { shortHash } from "./ast.ts";

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
export function lockKey(specifier: string): string {
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
    if (typeof version !== "string") absent.push(key);
    else {wanted.add(
        `${key.slice("npm:".length).replace(/(?<=.)@.*/, "")}@${version}`,
      );}
  }
  for (const key of wanted) { // grows while it is read
    const { dependencies, optionalDependencies, optionalPeers } = npm[key] ??
      {};
    for (
      const name of [dependencies, optionalDependencies, optionalPeers].flat()
    ) {
      if (typeof name !== "string") continue;
      if (npm[name]) wanted.add(name);
      else {keys.filter((k) => k.startsWith(`${name}@`)).forEach((k) =>
          wanted.add(k)
        );}
    }
  }
  return shortHash(
    [...absent, ...[...wanted].map((k) => `${k} ${npm[k]?.integrity}`)]
      .sort().join("\n"),
  );
}
