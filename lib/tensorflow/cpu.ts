/** What this machine's CPU can do, from /proc/cpuinfo. */
import { readFileSync } from "node:fs";

let flags: ReadonlySet<string> | null | undefined;

/** The CPU's feature flags ("avx512f", …), or null where nothing tells them. */
export function cpuFlags(): ReadonlySet<string> | null {
  if (flags !== undefined) return flags;
  try {
    flags = new Set(
      /^(?:flags|Features)\s*:(.*)$/m
        .exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1].trim().split(/\s+/),
    );
  } catch {
    flags = null;
  }
  return flags;
}
