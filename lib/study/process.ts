/** Who runs a trial, and whether that process still lives. */
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import process from "node:process";

export interface Worker {
  pid: number;
  host: string;
  /** Boot id and start tick of the process; null where they are not known. */
  start: string | null;
}

function startOf(pid: number): string | null {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // Field 22; the name (field 2) may hold spaces, so count after its ")".
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? null : `${boot}:${fields[19]}`;
  } catch {
    return null;
  }
}

/** This process. */
export function thisWorker(): Worker {
  return { pid: process.pid, host: hostname(), start: startOf(process.pid) };
}

/**
 * Whether the recorded process runs: true or false on this machine, undefined
 * on another one (only heartbeats tell there). A process id that was given to
 * a newer process counts as dead.
 */
export function isAlive(worker: Worker): boolean | undefined {
  if (worker.host !== hostname()) return undefined;
  if (worker.start !== null) return startOf(worker.pid) === worker.start;
  try {
    process.kill(worker.pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === "EPERM";
  }
}
