/** Which arithmetic was faster for a net on this machine, kept in the user's cache. */
import { createHash, randomUUID } from "node:crypto";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { dirname, join } from "node:path";
import { binding } from "./binding.ts";
import type { Arithmetic } from "./compile.ts";
import { cpuFlags } from "./cpu.ts";
import { nativeKey } from "./c_api.ts";
import { cacheRoot } from "./location.ts";

/** What was timed of a net, and which arithmetic it trains in since. */
export interface Choice {
  /** The net in words. */
  net: string;
  precision: Arithmetic;
  /** Milliseconds of a training step. */
  float32: number;
  bfloat16: number;
  /** Images of a timed step. */
  images: number;
}

const hash = (parts: unknown[]) =>
  createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);

/** What the speed of a net depends on beside the net. */
function machineKey(): string {
  return hash([
    cpus()[0]?.model,
    [...cpuFlags() ?? []].sort(),
    availableParallelism(),
    binding.TF_Version,
    nativeKey,
  ]);
}

const isTime = (value: unknown) =>
  typeof value === "number" && Number.isFinite(value) && value > 0;

/** The choice that a file's text holds; null for anything else. */
function parseChoice(text: string, machine: string): Choice | null {
  const found = JSON.parse(text);
  const { net, precision, float32, bfloat16, images } = found ?? {};
  const isWhole = found?.machine === machine && /^[ -~]+$/.test(net) &&
    ["float32", "bfloat16"].includes(precision) &&
    [float32, bfloat16, images].every(isTime);
  return isWhole ? { net, precision, float32, bfloat16, images } : null;
}

/** The choices of one machine, a small file each. */
export class Choices {
  constructor(
    readonly folder = join(dirname(cacheRoot()), "precision"),
    readonly machine = machineKey(),
  ) {}

  #path(key: string): string {
    return join(this.folder, `${hash([this.machine, key])}.json`);
  }

  /** What is kept of the net `key`; null where nothing is, or it is damaged. */
  get(key: string): Choice | null {
    return this.#read(this.#path(key));
  }

  #read(path: string): Choice | null {
    try {
      return parseChoice(readFileSync(path, "utf8"), this.machine);
    } catch {
      return null;
    }
  }

  /** Keeps a choice; a cache that cannot be written only costs time. */
  keep(key: string, choice: Choice): void {
    const path = this.#path(key);
    const temporary = `${path}.${randomUUID()}.tmp`;
    try {
      mkdirSync(this.folder, { recursive: true });
      writeFileSync(
        temporary,
        JSON.stringify({ machine: this.machine, ...choice }) + "\n",
      );
      renameSync(temporary, path);
    } catch {
      try {
        rmSync(temporary, { force: true });
      } catch {
        // Never created.
      }
    }
  }

  /** All of this machine, by the net's text. */
  all(): Choice[] {
    let names: string[] = [];
    try {
      names = readdirSync(this.folder).filter((n) => n.endsWith(".json"));
    } catch {
      // None was made yet.
    }
    return names.flatMap((name) => this.#read(join(this.folder, name)) ?? [])
      .sort((a, b) => a.net < b.net ? -1 : 1);
  }
}
