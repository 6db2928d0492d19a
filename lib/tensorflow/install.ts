/** Installs libtensorflow from the official Python wheel, once a machine. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import {
  cacheFolder,
  cacheRoot,
  findLibrary,
  findLibrarySync,
  type InstallRecord,
  LIBRARY_FILES,
  LibraryError,
  type LibraryLocation,
  readRecord,
  requireVersion,
  TENSORFLOW_VERSION,
  verifyLibrary,
} from "./location.ts";
import { downloadWheel, type Progress, unpackWheel } from "./pip.ts";

export {
  findLibrary,
  findLibrarySync,
  LibraryError,
  type LibraryLocation,
  TENSORFLOW_VERSION,
  verifyLibrary,
};

/** What to install, and whom to tell. */
export interface InstallOptions {
  /** The CUDA build (Linux x86_64). */
  gpu?: boolean;
  version?: string;
  /** Takes one line of progress at a time. */
  onProgress?: Progress;
  signal?: AbortSignal;
}

/** The package that carries the library for this machine. */
export function packageName(
  gpu: boolean,
  os: string = Deno.build.os,
  arch: string = Deno.build.arch,
): string {
  const hint = "set FERLAB_TENSORFLOW to a folder with libtensorflow";
  const linux = os === "linux" && (arch === "x86_64" || arch === "aarch64");
  if (!linux && !(os === "darwin" && arch === "aarch64")) {
    throw new LibraryError(
      `there is no TensorFlow wheel with libtensorflow for ${os} ${arch}, ` +
        `only for Linux x86_64 and aarch64 and macOS arm64; ${hint}`,
    );
  }
  if (gpu && !(linux && arch === "x86_64")) {
    throw new LibraryError(
      `the GPU build is for Linux x86_64, not ${os} ${arch}; leave out --gpu`,
    );
  }
  // Elsewhere the plain package is the CPU build.
  return linux && arch === "x86_64" && !gpu ? "tensorflow-cpu" : "tensorflow";
}

/** Takes the install lock; the kernel frees it when its holder dies. */
async function takeLock(
  root: string,
  onProgress: Progress,
  signal?: AbortSignal,
): Promise<Deno.FsFile> {
  const file = await Deno.open(join(root, "lock"), {
    create: true,
    write: true,
  });
  try {
    for (let waited = 0; !file.tryLockSync(true); waited++) {
      if (waited === 0) onProgress("waiting for another install to end");
      signal?.throwIfAborted();
      await new Promise((done) => setTimeout(done, 100));
    }
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Puts the finished folder in its place; a damaged one there gives way. */
async function putInPlace(made: string, dir: string, partial: string) {
  if (existsSync(dir)) await Deno.rename(dir, join(partial, "replaced"));
  await Deno.rename(made, dir);
}

async function isWhole(location: LibraryLocation): Promise<boolean> {
  try {
    return await verifyLibrary(location);
  } catch (error) {
    if (error instanceof LibraryError) return false;
    throw error;
  }
}

/** `work`, with the disk's own errors as one line that names the folder. */
async function withDiskErrors<T>(root: string, work: () => Promise<T>) {
  try {
    return await work();
  } catch (error) {
    if (error instanceof LibraryError || !(error instanceof Error)) throw error;
    const full = /os error 28|ENOSPC|os error 122/.test(error.message);
    const denied = error instanceof Deno.errors.PermissionDenied ||
      error instanceof Deno.errors.NotADirectory ||
      /os error/.test(error.message);
    if (!full && !denied) throw error;
    throw new LibraryError(
      `${root} cannot be written (${
        full ? "the disk is full" : error.message
      }` +
        "); free space or set XDG_CACHE_HOME to another folder",
    );
  }
}

/**
 * Installs libtensorflow into the user's cache from the official wheel.
 * What is there already and whole by its SHA-256 stays; a damaged one is
 * replaced. One install runs at a time on a machine, the others wait for it;
 * a killed one leaves only a hidden folder that the next removes.
 * @throws LibraryError in one line, or the signal's reason when aborted.
 */
export async function installLibrary(
  options: InstallOptions = {},
): Promise<LibraryLocation> {
  const { gpu = false, version = TENSORFLOW_VERSION, signal } = options;
  const onProgress = options.onProgress ?? (() => {});
  requireVersion(version, "the version asked for");
  const name = packageName(gpu);
  const root = cacheRoot();
  const dir = cacheFolder(version, gpu);
  const location: LibraryLocation = { dir, version, source: "cache" };
  return await withDiskErrors(root, async () => {
    await Deno.mkdir(root, { recursive: true });
    const lock = await takeLock(root, onProgress, signal);
    try {
      // Under the lock, any partial folder is a dead install's.
      for (const entry of readdirSync(root)) {
        if (!entry.startsWith(".partial-")) continue;
        await Deno.remove(join(root, entry), { recursive: true });
      }
      if (readRecord(dir) && await isWhole(location)) return location;
      const partial = await Deno.makeTempDir({
        dir: root,
        prefix: ".partial-",
      });
      try {
        const wheel = await downloadWheel(
          name,
          version,
          partial,
          onProgress,
          signal,
        );
        onProgress("unpacking libtensorflow");
        const made = join(partial, "made");
        await Deno.mkdir(made);
        const record: InstallRecord = {
          version,
          package: name,
          files: await unpackWheel(wheel, made, LIBRARY_FILES, signal),
          installed: new Date().toISOString(),
        };
        await Deno.writeTextFile(
          join(made, "ferlab.json"),
          JSON.stringify(record, null, 2) + "\n",
        );
        await putInPlace(made, dir, partial);
        onProgress(`TensorFlow ${version} is in ${dir}`);
        return location;
      } finally {
        await Deno.remove(partial, { recursive: true });
      }
    } finally {
      lock.close();
    }
  });
}

/**
 * Finds libtensorflow, or installs it; errors as of both. An install takes
 * minutes, so without `onProgress` its lines go to stderr.
 */
export async function ensureLibrary(
  options: InstallOptions = {},
): Promise<LibraryLocation> {
  return await findLibrary() ??
    await installLibrary({ onProgress: console.error, ...options });
}
