/** Who runs a trial, and whether that process still lives. */
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import process from "node:process";
import type { Worker } from "./types.ts";

/** Boot id and process-id namespace, as `boot:namespace`. */
function machine(): string | null {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot}:${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return null;
  }
}

/** Start tick of a process since boot; null when it is gone or unknown. */
function startTick(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // Field 22; the name (field 2) may hold spaces, so count after its ")".
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? null : fields[19];
  } catch {
    return null;
  }
}

/** This process. */
export function thisWorker(): Worker {
  const here = machine();
  const tick = startTick(process.pid);
  return {
    pid: process.pid,
    host: hostname(),
    start: here === null || tick === null ? null : `${here}:${tick}`,
  };
}

/** Tokens of the claims that open stores of this process hold. */
export const held = new Set<string>();

/**
 * Whether a recorded process runs: known of those of this machine, this boot
 * and this process-id namespace. Of any other one only its heartbeats tell.
 * Of this process itself: whether it still holds the claim.
 */
export function isRunning(
  worker: Worker & { token?: string },
): boolean | "unknown" {
  const here = machine();
  const { token } = worker;
  if (
    token !== undefined && worker.pid === process.pid && here !== null &&
    worker.start === `${here}:${startTick(process.pid)}`
  ) return held.has(token);
  return here !== null && worker.host === hostname() &&
      worker.start !== null && worker.start.startsWith(`${here}:`)
    ? worker.start === `${here}:${startTick(worker.pid)}`
    : "unknown";
}
