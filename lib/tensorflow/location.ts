/** Where libtensorflow lies on this machine: environment, cache or Python. */
import { createHash } from "node:crypto";
import { createReadStream, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { deviceChoice } from "./device.ts";

/** The version the engine is written for; other patches of it also load. */
export const TENSORFLOW_VERSION = "2.21.0";

/** libtensorflow is missing, damaged, of a wrong version, or not to be had. */
export class LibraryError extends Error {
  override name = "LibraryError";
}

/** A folder that holds both libraries, and how it was found. */
export interface LibraryLocation {
  dir: string;
  /** null when nothing beside the library tells it. */
  version: string | null;
  source: "environment" | "python" | "cache";
}

/** What an install writes beside the libraries as `ferlab.json`. */
export interface InstallRecord {
  version: string;
  package: string;
  /** The version of each wheel that was unpacked; older records have none. */
  packages?: Record<string, string>;
  /** By path from the libraries' folder. */
  files: Record<string, { bytes: number; sha256: string }>;
  installed: string;
}

const extension = Deno.build.os === "darwin" ? "2.dylib" : "so.2";

/** The two library files the engine loads, by name. */
export const LIBRARY_FILES = [
  `libtensorflow_cc.${extension}`,
  `libtensorflow_framework.${extension}`,
];

/** The folder that holds one folder a version. */
export function cacheRoot(): string {
  const base = Deno.env.get("XDG_CACHE_HOME") ||
    join(Deno.env.get("HOME") || ".", ".cache");
  return join(resolve(base), "ferlab", "tensorflow");
}

/** The record of an installed folder, or null when there is none to read. */
export function readInstallRecord(dir: string): InstallRecord | null {
  try {
    const record = JSON.parse(readFileSync(join(dir, "ferlab.json"), "utf8"));
    return record?.version && record.files ? record : null;
  } catch {
    return null;
  }
}

function sizeOf(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.size ?? null;
}

/** All files that an install left, both libraries always among them. */
const filesOf = (record: InstallRecord) => [
  ...new Set([...LIBRARY_FILES, ...Object.keys(record.files)]),
];

/** What is wrong with an installed folder by its file sizes, or null. */
export function quickDamage(dir: string): string | null {
  const record = readInstallRecord(dir);
  if (!record) return `${join(dir, "ferlab.json")} is missing or unreadable`;
  for (const name of filesOf(record)) {
    const size = sizeOf(join(dir, name));
    const bytes = record.files[name]?.bytes;
    if (size === null) return `${join(dir, name)} is missing`;
    if (size !== bytes) {
      return `${join(dir, name)} has ${size} bytes, not the ${bytes} installed`;
    }
  }
  return null;
}

/** The SHA-256 of a file in hex, read as a stream. */
export async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest("hex");
}

/**
 * Reads all that was installed and compares it with the install record.
 * @returns false when the folder has no record (not installed by FERLab).
 * @throws LibraryError when a file's size or SHA-256 is not the recorded one.
 */
export async function verifyLibrary(
  location: LibraryLocation,
): Promise<boolean> {
  const { dir, source } = location;
  if (source !== "cache" && !readInstallRecord(dir)) return false;
  let damage = quickDamage(dir);
  const record = readInstallRecord(dir);
  for (const name of damage ? [] : filesOf(record!)) {
    const path = join(dir, name);
    if (await sha256(path) !== record!.files[name].sha256) {
      damage = `${path} does not have the SHA-256 it was installed with`;
      break;
    }
  }
  if (!damage) return true;
  throw damaged(damage, dir);
}

/** The error for a damaged install, with the command that mends it. */
export function damaged(damage: string, dir: string): LibraryError {
  const gpu = dir === libraryFolder(TENSORFLOW_VERSION, true);
  return new LibraryError(
    `libtensorflow is damaged: ${damage}; run ` +
      `\`deno task tf install${gpu ? " --gpu" : ""}\``,
  );
}

/** The version a Python package folder names by its dist-info, or null. */
function packageVersion(dir: string): string | null {
  if (basename(dir) !== "tensorflow") return null;
  for (const name of readdirSync(dirname(dir))) {
    const match = /^tensorflow(?:_cpu|_gpu)?-([\d.]+\w*)\.dist-info$/.exec(
      name,
    );
    if (match) return match[1];
  }
  return null;
}

/** Whether the engine can use this version: the same major and minor. */
export function isRightVersion(version: string): boolean {
  const minor = (v: string) => v.split(".").slice(0, 2).join(".");
  return minor(version) === minor(TENSORFLOW_VERSION);
}

/** @throws LibraryError naming both versions when `version` is wrong. */
export function requireVersion(version: string, where: string): void {
  if (isRightVersion(version)) return;
  throw new LibraryError(
    `${where} is TensorFlow ${version}, and the engine needs ` +
      `${TENSORFLOW_VERSION}; run \`deno task tf install\``,
  );
}

function fromEnvironment(): LibraryLocation | null {
  const given = Deno.env.get("FERLAB_TENSORFLOW");
  if (!given) return null;
  const found = statSync(given, { throwIfNoEntry: false });
  const hint = "set it to the folder of libtensorflow, or unset it";
  if (!found) {
    throw new LibraryError(
      `FERLAB_TENSORFLOW names ${given}, which does not exist; ${hint}`,
    );
  }
  const dir = resolve(found.isDirectory() ? given : dirname(given));
  for (const name of LIBRARY_FILES) {
    if (sizeOf(join(dir, name)) !== null) continue;
    throw new LibraryError(
      `FERLAB_TENSORFLOW names ${given}, but ${dir} has no ${name}; ${hint}`,
    );
  }
  const version = readInstallRecord(dir)?.version ?? packageVersion(dir);
  if (version) requireVersion(version, `FERLAB_TENSORFLOW (${given})`);
  return { dir, version, source: "environment" };
}

/** The cache folder of one version; the GPU build has its own. */
export function installFolder(version: string, gpu: boolean): string {
  return join(cacheRoot(), version + (gpu ? "-gpu" : ""));
}

/**
 * Where the libraries lie in it: those of the GPU build look for CUDA's in
 * `../nvidia`, as in Python's site-packages.
 */
export function libraryFolder(version: string, gpu: boolean): string {
  const folder = installFolder(version, gpu);
  return gpu ? join(folder, "tensorflow") : folder;
}

/**
 * Finds the library by the environment or the cache, without starting Python.
 * Where both are installed the GPU build wins, unless FERLAB_DEVICE is "cpu".
 * A damaged one is not found.
 * @throws LibraryError when FERLAB_TENSORFLOW is set and wrong.
 */
export function findLibrarySync(): LibraryLocation | null {
  const given = fromEnvironment();
  if (given) return given;
  const gpuFirst = deviceChoice() !== "cpu";
  for (const gpu of [gpuFirst, !gpuFirst]) {
    const dir = libraryFolder(TENSORFLOW_VERSION, gpu);
    if (quickDamage(dir)) continue;
    return { dir, version: TENSORFLOW_VERSION, source: "cache" };
  }
  return null;
}

// find_spec on a top-level name does not import it.
const ASK_PYTHON = `
import importlib.metadata as m, importlib.util as u, json
spec = u.find_spec("tensorflow")
for name in ("tensorflow", "tensorflow-cpu", "tensorflow-gpu"):
    try:
        print(json.dumps([m.version(name), list(spec.submodule_search_locations)[0]]))
        break
    except Exception:
        pass
`;

async function fromPython(): Promise<LibraryLocation | null> {
  try {
    const { success, stdout } = await new Deno.Command("python3", {
      args: ["-c", ASK_PYTHON],
      stdin: "null",
      stderr: "null",
    }).output();
    if (!success) return null;
    const [version, dir] = JSON.parse(new TextDecoder().decode(stdout));
    const whole = LIBRARY_FILES.every((f) => sizeOf(join(dir, f)) !== null);
    if (!whole || !isRightVersion(version)) return null;
    return { dir, version, source: "python" };
  } catch {
    return null; // no Python, or none with TensorFlow
  }
}

/**
 * Finds libtensorflow: FERLAB_TENSORFLOW (a folder or a library file), then
 * the user's cache, then the machine's Python when its version is right.
 * @throws LibraryError when FERLAB_TENSORFLOW is set and wrong.
 */
export async function findLibrary(): Promise<LibraryLocation | null> {
  return findLibrarySync() ?? await fromPython();
}
