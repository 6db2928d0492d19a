/** Where a trial's numbers come from: code, packages, machine. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { cpus, hostname, totalmem } from "node:os";
import { join } from "node:path";

const root = new URL("../../", import.meta.url).pathname;

/** The folders whose code a training's numbers depend on. */
const ROOMS = ["tensorflow", "nn", "models", "data", "weights", "train"];

const sha256 = (bytes: Uint8Array | string) =>
  createHash("sha256").update(bytes).digest("hex");

const sources = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true }).map(String)
    .filter((path) => path.endsWith(".ts"))
    .map((path) => `${folder}/${path.replaceAll("\\", "/")}`).sort();

/** SHA-256 over the names and contents of the code that trains. */
function codeHash(): string {
  const hash = createHash("sha256");
  for (const file of ROOMS.flatMap((room) => sources(`lib/${room}`))) {
    hash.update(`${file}\n`).update(readFileSync(join(root, file)));
  }
  return hash.digest("hex");
}

export interface Provenance {
  /** SHA-256 of the code that trains, first 16 digits. */
  code: string;
  /** SHA-256 of deno.lock, first 16 digits. */
  lock: string;
  deno: string;
  host: string;
  cpu: string;
  threads: number;
  memoryGiB: number;
  os: string;
}

let known: Provenance | undefined;

/** This process's code and machine; read once. */
export function provenance(): Provenance {
  return known ??= {
    code: codeHash().slice(0, 16),
    lock: sha256(readFileSync(join(root, "deno.lock"))).slice(0, 16),
    deno: Deno.version.deno,
    host: hostname(),
    cpu: cpus()[0]?.model ?? "unknown",
    threads: navigator.hardwareConcurrency,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    os: `${Deno.build.os} ${Deno.osRelease()} ${Deno.build.arch}`,
  };
}
