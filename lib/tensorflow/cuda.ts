/** The GPU that TensorFlow would use: its driver, and the libraries of CUDA. */
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { deviceChoice, DeviceError } from "./device.ts";
import {
  findLibrary,
  type InstallRecord,
  LIBRARY_FILES,
  readInstallRecord,
} from "./location.ts";

const P = "pointer", B = "buffer", I = "i32";

/** What TensorFlow 2.21 opens on a GPU, and the package that carries it. */
const LIBRARIES: [file: string, folder: string, package_: string][] = [
  ["libcudart.so.12", "cuda_runtime", "nvidia-cuda-runtime-cu12"],
  ["libcublas.so.12", "cublas", "nvidia-cublas-cu12"],
  ["libcublasLt.so.12", "cublas", "nvidia-cublas-cu12"],
  ["libcudnn.so.9", "cudnn", "nvidia-cudnn-cu12"],
  ["libcufft.so.11", "cufft", "nvidia-cufft-cu12"],
  ["libcusolver.so.11", "cusolver", "nvidia-cusolver-cu12"],
  ["libcusparse.so.12", "cusparse", "nvidia-cusparse-cu12"],
  ["libcurand.so.10", "curand", "nvidia-curand-cu12"],
  ["libcupti.so.12", "cuda_cupti", "nvidia-cuda-cupti-cu12"],
  ["libnccl.so.2", "nccl", "nvidia-nccl-cu12"],
  ["libnvrtc.so.12", "cuda_nvrtc", "nvidia-cuda-nvrtc-cu12"],
  ["libnvJitLink.so.12", "nvjitlink", "nvidia-nvjitlink-cu12"],
];
const DRIVER = "libcuda.so.1";

/** One library, as TensorFlow would find it. */
export interface CudaLibrary {
  file: string;
  /** "loaded" already by this process, or one that "opens". */
  state: "loaded" | "opens" | "missing";
  version: string | null;
  /** Why it is missing, and what to do. */
  remedy?: string;
}

/** The system's loader: what it says of a file, null when it opens. */
function loader() {
  const { symbols: { dlopen, dlerror } } = Deno.dlopen("libc.so.6", {
    dlopen: { parameters: [B, I], result: P },
    dlerror: { parameters: [], result: P },
  });
  const path = (text: string) => new TextEncoder().encode(text + "\0");
  const [LAZY, NO_LOAD, NO_DELETE] = [0x1, 0x4, 0x1000];
  return {
    isLoaded: (file: string) => dlopen(path(file), LAZY | NO_LOAD) !== null,
    open(file: string): string | null {
      if (dlopen(path(file), LAZY | NO_DELETE)) return null;
      const why = dlerror();
      return why ? new Deno.UnsafePointerView(why).getCString() : "no reason";
    },
  };
}

/** Whether the library in `dir` was built for CUDA; false when it tells not. */
export function isCudaBuild(dir: string): boolean {
  const name = "_ZN10tensorflow19IsGoogleCudaEnabledEv";
  try {
    const framework = join(dir, LIBRARY_FILES[1]);
    if (openError(framework)) return false;
    const shape = { [name]: { parameters: [], result: "bool" } } as const;
    return Deno.dlopen(framework, shape).symbols[name]();
  } catch {
    return false;
  }
}

/**
 * Why a library does not open, or null. It stays open: Deno unloads what it
 * opened itself while the library's threads still run.
 */
export const openError = (file: string): string | null => loader().open(file);

/** The versions of the packages beside a library folder of Python's. */
function pythonVersions(folder: string): Record<string, string> {
  const found = existsSync(folder) ? readdirSync(folder) : [];
  return Object.fromEntries(found.flatMap((name) => {
    const match = /^(nvidia_\w+)-([\d.]+)\.dist-info$/.exec(name);
    return match ? [[match[1].replaceAll("_", "-"), match[2]]] : [];
  }));
}

/**
 * The libraries of CUDA that the TensorFlow in `dir` would open, the driver's
 * last. Opens each of them.
 */
export function cudaLibraries(dir: string): CudaLibrary[] {
  const { isLoaded, open } = loader();
  const record = readInstallRecord(dir);
  const versions = record?.packages ?? pythonVersions(dirname(dir));
  // Before any is opened, since one brings others.
  const loaded = LIBRARIES.map(([file]) => isLoaded(file));
  const rows = LIBRARIES.map(([file, folder, name], i): CudaLibrary => {
    const path = join(dir, "..", "nvidia", folder, "lib", file);
    const state = loaded[i] ? "loaded" : "opens";
    const found = existsSync(path) ? path : file;
    const why = open(found);
    const version = found === path ? versions[name] ?? null : null;
    if (!why) return { file, state, version };
    const remedy = `${why}; ` +
      (record
        ? "run `deno task tf install --gpu`"
        : `install ${name} beside TensorFlow, or run ` +
          "`deno task tf install --gpu`");
    return { file, state: "missing", version, remedy };
  });
  const { version, trouble } = driver();
  const state = version ? "loaded" : "missing";
  return [...rows, { file: DRIVER, state, version, remedy: trouble }];
}

/** The version of CUDA that the driver serves, and what is wrong with it. */
function driver(): { version: string | null; trouble?: string } {
  const why = openError(DRIVER);
  if (why) {
    return {
      version: null,
      trouble: `${DRIVER} comes with NVIDIA's driver, which this machine ` +
        "does not have; install the driver (in a container: start it with " +
        "its GPUs)",
    };
  }
  const { symbols: cuda } = Deno.dlopen(DRIVER, {
    cuInit: { parameters: ["u32"], result: I },
    cuDriverGetVersion: { parameters: [B], result: I },
    cuDeviceGetCount: { parameters: [B], result: I },
  });
  const out = new Int32Array(1);
  cuda.cuDriverGetVersion(out);
  const version = `${Math.floor(out[0] / 1000)}.${out[0] % 1000 / 10}`;
  const error = cuda.cuInit(0) || cuda.cuDeviceGetCount(out);
  if (error) {
    return {
      version,
      trouble: `NVIDIA's driver finds no GPU (CUDA error ${error}); see ` +
        "what nvidia-smi says",
    };
  }
  if (out[0] > 0) return { version };
  return {
    version,
    trouble: "NVIDIA's driver offers no GPU; see what nvidia-smi and " +
      "CUDA_VISIBLE_DEVICES say",
  };
}

/** Whether an install brought CUDA's libraries. */
const hasCuda = ({ packages = {} }: InstallRecord) =>
  Object.keys(packages).some((name) => name.startsWith("nvidia-"));

/**
 * Checks, without loading TensorFlow, that there is a GPU where one is asked
 * for.
 * @throws DeviceError in one line: the CPU build, no driver, no GPU
 */
export async function requireDevice(): Promise<void> {
  if (deviceChoice() !== "gpu") return;
  const fail = (why: string) =>
    new DeviceError(`a GPU is asked for, and there is none: ${why}`);
  const { os, arch } = Deno.build;
  if (os !== "linux") {
    throw fail(`TensorFlow has no GPU build for ${os} ${arch}; use the CPU`);
  }
  const found = await findLibrary();
  const record = found && readInstallRecord(found.dir);
  if (!found || record && !hasCuda(record)) {
    throw fail(
      "the GPU build is not installed; run `deno task tf install --gpu`",
    );
  }
  const { trouble } = driver();
  if (trouble) throw fail(trouble);
}
