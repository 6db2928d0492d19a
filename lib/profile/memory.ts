/** Memory of this process and of the machine, in bytes. */
import { readFileSync, writeFileSync } from "node:fs";
import { engineInfo } from "../tensorflow/mod.ts";

function read(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

/** A line of /proc in kB ("VmHWM:  1904 kB"), as bytes. */
function field(text: string | null, name: string): number | null {
  const kib = text?.match(new RegExp(`^${name}:\\s+(\\d+) kB`, "m"))?.[1];
  return kib === undefined ? null : Number(kib) * 1024;
}

/** Sets the process's peak back to what it holds now; false where it cannot. */
function resetPeak(): boolean {
  try {
    writeFileSync("/proc/self/clear_refs", "5");
    return true;
  } catch {
    return false;
  }
}

let trim: ((pad: bigint) => number) | null | undefined;

/**
 * Gives freed memory back to the system, which glibc otherwise keeps for the
 * next allocation; nothing on other systems.
 */
export function releaseMemory(): void {
  if (trim === undefined) {
    try {
      trim = Deno.dlopen("libc.so.6", {
        malloc_trim: { parameters: ["usize"], result: "i32" },
      }).symbols.malloc_trim;
    } catch {
      trim = null;
    }
  }
  trim?.(0n);
}

/** What the process holds in memory. */
export function residentMemory(): number {
  return Deno.memoryUsage().rss;
}

/** The most it ever held, where the system tells; else what it holds now. */
export function peakMemory(): number {
  return field(read("/proc/self/status"), "VmHWM") ?? residentMemory();
}

const SAMPLE_MS = 10;

/**
 * Resident memory before `fn`, at its highest while it ran, and after; freed
 * memory is given back before and after, so that runs compare. On Linux the
 * peak is the kernel's own (VmHWM); elsewhere it is sampled every 10 ms that
 * `fn` leaves the event loop free. On a GPU it is the host's side alone: libtensorflow's C API does not tell what it uses there.
 */
export async function measureMemory(
  fn: () => unknown,
): Promise<{ before: number; peak: number; after: number }> {
  releaseMemory();
  const kernel = resetPeak();
  const before = residentMemory();
  let peak = before;
  const sample = () => peak = Math.max(peak, residentMemory());
  const timer = kernel ? undefined : setInterval(sample, SAMPLE_MS);
  try {
    await fn();
    sample();
    if (kernel) {
      peak = Math.max(peak, peakMemory());
    }
  } finally {
    clearInterval(timer);
    releaseMemory();
  }
  return { before, peak, after: residentMemory() };
}

/**
 * What a control group leaves of its limit, its file cache counted as free;
 * Infinity where there is none.
 */
function groupMemory(folder: string, limit: string, used: string): number {
  const most = Number(read(`${folder}/${limit}`)?.trim() || NaN);
  const now = Number(read(`${folder}/${used}`)?.trim() || NaN);
  if (Number.isNaN(most - now)) return Infinity;
  const cache = read(`${folder}/memory.stat`)
    ?.match(/^(?:total_)?inactive_file (\d+)/m)?.[1];
  return Math.max(0, most - now + Number(cache ?? 0));
}

/**
 * Memory that a new allocation can have before the system refuses it or ends
 * the process: what is free, or less where a control group (a container, a
 * batch job) sets a limit.
 */
export function availableMemory(): number {
  const free = field(read("/proc/meminfo"), "MemAvailable") ??
    Deno.systemMemoryInfo().available;
  return Math.min(
    free,
    groupMemory("/sys/fs/cgroup", "memory.max", "memory.current"),
    groupMemory(
      "/sys/fs/cgroup/memory",
      "memory.limit_in_bytes",
      "memory.usage_in_bytes",
    ),
  );
}

/**
 * The GPU's name and the memory that TensorFlow may take on it, or null on a
 * CPU. How much of it is in use the C API does not tell.
 */
export function deviceMemory(): { name: string; limit: number } | null {
  const gpu = engineInfo().devices.find((d) => d.type === "GPU");
  return gpu ? { name: gpu.name, limit: gpu.memory } : null;
}
