/** Installs libtensorflow from the official Python wheel, once a machine. */
import { existsSync, readdirSync, statfsSync } from "node:fs";
import { join, posix } from "node:path";
import {
  cacheRoot,
  findLibrary,
  findLibrarySync,
  installFolder,
  type InstallRecord,
  LIBRARY_FILES,
  LibraryError,
  libraryFolder,
  type LibraryLocation,
  readInstallRecord,
  requireVersion,
  TENSORFLOW_VERSION,
  verifyLibrary,
} from "./location.ts";
import { downloadWheel, type Progress, unpackWheel } from "./pip.ts";
import {
  bytesNeeded,
  cudaWheels,
  type Pins,
  pinsHere,
  type Wheel,
  wheelOf,
} from "./wheels.ts";

export {
  findLibrary,
  findLibrarySync,
  LibraryError,
  type LibraryLocation,
  TENSORFLOW_VERSION,
  verifyLibrary,
};

/**
 * What is kept of the wheels of CUDA: libraries, and what TensorFlow's
 * compiler looks for beside them.
 */
const CUDA_FILES = [
  "nvidia/*/lib/*.so*",
  "nvidia/cuda_nvcc/bin/ptxas*",
  "nvidia/cuda_nvcc/nvvm/libdevice/*",
];

/** What to install, and whom to tell. */
export interface InstallOptions {
  /** The CUDA build, with CUDA's libraries (Linux x86_64). */
  gpu?: boolean;
  version?: string;
  /** The wheels whose SHA-256 is known; default: FERLab's own table. */
  pins?: Pins;
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

/** Takes the lock of the folder `root`; the kernel frees it when its holder dies. */
export async function takeLock(
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

const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;

/** @throws LibraryError when `root` has less than `bytes` free */
export function requireSpace(
  root: string,
  bytes: number,
  free: number = (({ bavail, bsize }) => bavail * bsize)(statfsSync(root)),
): void {
  if (free >= bytes) return;
  throw new LibraryError(
    `the install needs ${
      gigabytes(bytes)
    } free on the disk of ${root}, which ` +
      `has ${
        gigabytes(free)
      }; free space or set XDG_CACHE_HOME to a larger disk`,
  );
}

/** What {@link fetchWheels} needs, beside the options. */
interface Fetch {
  name: string;
  version: string;
  gpu: boolean;
  pins: Pins;
  /** For the wheels, one at a time. */
  partial: string;
  /** Takes the files as they lie in the wheels. */
  made: string;
  onProgress: Progress;
  signal?: AbortSignal;
}

/** Fetches the wheels one by one and takes the libraries out of each. */
async function fetchWheels(
  { name, version, gpu, pins, partial, made, onProgress, signal }: Fetch,
): Promise<InstallRecord> {
  const record: InstallRecord = {
    version,
    package: name,
    packages: {},
    files: {},
    installed: new Date().toISOString(),
  };
  const take = async (wheel: Wheel, patterns: string[]) => {
    const dir = join(partial, "wheel");
    if (!wheel.sha256) {
      onProgress(
        `FERLab knows no SHA-256 of ${wheel.name} ${version} for ` +
          `${Deno.build.os} ${Deno.build.arch}: it is taken unchecked, as the ` +
          "package index serves it",
      );
    }
    const path = await downloadWheel(wheel, dir, onProgress, signal);
    onProgress(`unpacking ${wheel.name}`);
    const { files, metadata } = await unpackWheel(path, made, patterns, signal);
    await Deno.remove(dir, { recursive: true });
    for (const [file, facts] of Object.entries(files)) {
      record.files[posix.relative("tensorflow", file)] = facts;
    }
    record.packages![wheel.name] = metadata.version;
    return metadata;
  };
  const main = wheelOf(name, version, pins);
  const { requires } = await take(
    main,
    LIBRARY_FILES.map((file) => `tensorflow/${file}`),
  );
  if (gpu) {
    const wheels = cudaWheels(requires, main.sha256 ? pins : {});
    for (const wheel of wheels) await take(wheel, CUDA_FILES);
  }
  return record;
}

/**
 * Installs libtensorflow into the user's cache from the official wheel, the
 * GPU build with CUDA's libraries from the wheels that it names, in the places
 * where it looks for them.
 * What is there already and whole by its SHA-256 stays; a damaged one is
 * replaced. One install runs at a time on a machine, the others wait for it;
 * a killed one leaves only a hidden folder that the next removes.
 * @throws LibraryError in one line, or the signal's reason when aborted.
 */
export async function installLibrary(
  options: InstallOptions = {},
): Promise<LibraryLocation> {
  const { gpu = false, version = TENSORFLOW_VERSION, signal } = options;
  const { onProgress = () => {}, pins = pinsHere() } = options;
  requireVersion(version, "the version asked for");
  const name = packageName(gpu);
  const root = cacheRoot();
  const dir = libraryFolder(version, gpu);
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
      if (readInstallRecord(dir) && await isWhole(location)) return location;
      const known = Object.entries(pins).filter(([package_]) =>
        package_ === name || (gpu && package_.startsWith("nvidia-"))
      );
      requireSpace(root, bytesNeeded(known.map(([, pin]) => pin)));
      const partial = await Deno.makeTempDir({
        dir: root,
        prefix: ".partial-",
      });
      try {
        const made = join(partial, "made");
        const record = await fetchWheels(
          { name, version, gpu, pins, partial, made, onProgress, signal },
        );
        await Deno.writeTextFile(
          join(made, "tensorflow", "ferlab.json"),
          JSON.stringify(record, null, 2) + "\n",
        );
        await putInPlace(
          gpu ? made : join(made, "tensorflow"),
          installFolder(version, gpu),
          partial,
        );
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
