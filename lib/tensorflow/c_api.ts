/** The C API of libtensorflow over `Deno.dlopen`: symbols, C strings, status. */
import { basename, join } from "node:path";
import { ensureLibrary, LibraryError } from "./install.ts";
import { LIBRARY_FILES } from "./location.ts";
import { ensureNative, missingLine, registerNative } from "./native.ts";

const P = "pointer", B = "buffer", I = "i32", L = "i64", Z = "usize";
const V = "void", F = "f32", U = "u8";
/** `TF_Output { TF_Operation* oper; int index; }`, passed by value. */
const OUTPUT = { struct: [P, I] } as const;

const SYMBOLS = {
  TF_Version: { parameters: [], result: P },
  TF_NewStatus: { parameters: [], result: P },
  TF_DeleteStatus: { parameters: [P], result: V },
  TF_GetCode: { parameters: [P], result: I },
  TF_Message: { parameters: [P], result: P },
  TF_GetAllOpList: { parameters: [], result: P },
  TF_DeleteBuffer: { parameters: [P], result: V },
  TFE_NewContextOptions: { parameters: [], result: P },
  TFE_DeleteContextOptions: { parameters: [P], result: V },
  TFE_ContextOptionsSetConfig: { parameters: [P, B, Z, P], result: V },
  TFE_NewContext: { parameters: [P, P], result: P },
  TFE_ContextEnableRunMetadata: { parameters: [P], result: V },
  TFE_ContextDisableRunMetadata: { parameters: [P], result: V },
  TFE_ContextExportRunMetadata: { parameters: [P, B, P], result: V },
  TFE_ContextListDevices: { parameters: [P, P], result: P },
  TFE_ContextAddFunction: { parameters: [P, P, P], result: V },
  TFE_ContextRemoveFunction: { parameters: [P, B, P], result: V },
  TF_DeleteDeviceList: { parameters: [P], result: V },
  TF_DeviceListCount: { parameters: [P], result: I },
  TF_DeviceListName: { parameters: [P, I, P], result: P },
  TF_DeviceListType: { parameters: [P, I, P], result: P },
  TF_DeviceListMemoryBytes: { parameters: [P, I, P], result: L },
  TF_AllocateTensor: { parameters: [I, B, I, Z], result: P },
  TF_TensorData: { parameters: [P], result: P },
  TF_TensorByteSize: { parameters: [P], result: Z },
  TF_TensorElementCount: { parameters: [P], result: L },
  TF_DeleteTensor: { parameters: [P], result: V },
  TF_StringInit: { parameters: [P], result: V },
  TF_StringCopy: { parameters: [P, B, Z], result: V },
  TF_StringGetDataPointer: { parameters: [P], result: P },
  TF_StringGetSize: { parameters: [P], result: Z },
  TFE_NewTensorHandle: { parameters: [P, P], result: P },
  TFE_DeleteTensorHandle: { parameters: [P], result: V },
  TFE_TensorHandleDataType: { parameters: [P], result: I },
  TFE_TensorHandleNumDims: { parameters: [P, P], result: I },
  TFE_TensorHandleDim: { parameters: [P, I, P], result: L },
  TFE_TensorHandleResolve: { parameters: [P, P], result: P },
  TFE_TensorHandleCopyToDevice: { parameters: [P, P, B, P], result: P },
  TFE_TensorHandleCopySharingTensor: { parameters: [P, P], result: P },
  TFE_NewOp: { parameters: [P, B, P], result: P },
  TFE_DeleteOp: { parameters: [P], result: V },
  TFE_OpAddInput: { parameters: [P, P, P], result: V },
  TFE_OpSetDevice: { parameters: [P, B, P], result: V },
  TFE_OpSetAttrString: { parameters: [P, B, B, Z], result: V },
  TFE_OpSetAttrInt: { parameters: [P, B, L], result: V },
  TFE_OpSetAttrFloat: { parameters: [P, B, F], result: V },
  TFE_OpSetAttrBool: { parameters: [P, B, U], result: V },
  TFE_OpSetAttrType: { parameters: [P, B, I], result: V },
  TFE_OpSetAttrShape: { parameters: [P, B, B, I, P], result: V },
  TFE_OpSetAttrIntList: { parameters: [P, B, B, I], result: V },
  TFE_OpSetAttrFloatList: { parameters: [P, B, B, I], result: V },
  TFE_OpSetAttrTypeList: { parameters: [P, B, B, I], result: V },
  TFE_Execute: { parameters: [P, B, B, P], result: V },
  TFE_InferShapes: { parameters: [P, B, P, P, P, P, P, P], result: V },
  TFE_ExecuteNonblocking: {
    name: "TFE_Execute",
    parameters: [P, B, B, P],
    result: V,
    nonblocking: true,
  },
  TF_NewGraph: { parameters: [], result: P },
  TF_DeleteGraph: { parameters: [P], result: V },
  TF_NewOperation: { parameters: [P, B, B], result: P },
  TF_AddInput: { parameters: [P, OUTPUT], result: V },
  TF_AddInputList: { parameters: [P, B, I], result: V },
  TF_AddControlInput: { parameters: [P, P], result: V },
  TF_SetAttrString: { parameters: [P, B, B, Z], result: V },
  TF_SetAttrInt: { parameters: [P, B, L], result: V },
  TF_SetAttrFloat: { parameters: [P, B, F], result: V },
  TF_SetAttrBool: { parameters: [P, B, U], result: V },
  TF_SetAttrType: { parameters: [P, B, I], result: V },
  TF_SetAttrShape: { parameters: [P, B, B, I], result: V },
  TF_SetAttrIntList: { parameters: [P, B, B, I], result: V },
  TF_SetAttrFloatList: { parameters: [P, B, B, I], result: V },
  TF_SetAttrTypeList: { parameters: [P, B, B, I], result: V },
  TF_SetAttrTensor: { parameters: [P, B, P, P], result: V },
  TF_FinishOperation: { parameters: [P, P], result: P },
  TF_GraphGetTensorNumDims: { parameters: [P, OUTPUT, P], result: I },
  TF_GraphGetTensorShape: { parameters: [P, OUTPUT, B, I, P], result: V },
  TF_OperationOutputType: { parameters: [OUTPUT], result: I },
  TF_GraphToFunctionWithControlOutputs: {
    // deno-fmt-ignore
    parameters: [P, B, U, I, P, I, B, I, B, P, I, B, P, P, P, P],
    result: P,
  },
  TF_DeleteFunction: { parameters: [P], result: V },
} as const;

export type Pointer = Deno.PointerValue;

const encoder = new TextEncoder();
const cStrings = new Map<string, Uint8Array<ArrayBuffer>>();

/** A NUL-terminated copy of `text`, kept for the life of the process. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  let bytes = cStrings.get(text);
  if (!bytes) cStrings.set(text, bytes = encoder.encode(text + "\0"));
  return bytes;
}

// The library logs its CPU features at every start.
if (!Deno.env.get("TF_CPP_MIN_LOG_LEVEL")) {
  Deno.env.set("TF_CPP_MIN_LOG_LEVEL", "2");
}

// By itself it takes all of a GPU's memory at once, and a notebook, a study
// and its trials are processes of their own.
if (!Deno.env.get("TF_FORCE_GPU_ALLOW_GROWTH")) {
  Deno.env.set("TF_FORCE_GPU_ALLOW_GROWTH", "true");
}

// By itself it leaves oneDNN off where the CPU has no AVX512 or AMX, which
// halves the speed of convolutions there.
if (!Deno.env.get("TF_ENABLE_ONEDNN_OPTS")) {
  Deno.env.set("TF_ENABLE_ONEDNN_OPTS", "1");
}

// It takes memory up to the whole machine's and is then ended by the kernel.
// Of what is free now a fifth is left to others; a tensor too large is an error.
if (!Deno.env.get("TF_MKL_ALLOC_MAX_BYTES")) {
  const { total, available } = Deno.systemMemoryInfo();
  const most = Math.floor(0.8 * Math.max(available, total / 2));
  Deno.env.set("TF_MKL_ALLOC_MAX_BYTES", String(most));
}

const { dir } = await ensureLibrary();
const compiled = await ensureNative(dir, { onProgress: console.error });

/** glibc's memory, or nothing where another C library is used. */
const memory = (() => {
  try {
    return Deno.dlopen("libc.so.6", {
      mallopt: { parameters: [I, I], result: I },
      malloc_trim: { parameters: [Z], result: I },
      madvise: { parameters: [P, Z, I], result: I },
    }).symbols;
  } catch {
    return null;
  }
})();

/**
 * Settings by which freed memory stays with the process, for the next step:
 * else large tensors are fetched from the kernel and cleared each time, a
 * tenth of a step. Those above 10 MiB are, as they would leave holes behind.
 * [M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, M_TOP_PAD]
 */
const KEEP_MEMORY = [[-8, 1], [-3, 10 * 2 ** 20], [-1, 2 ** 31 - 1], [
  -2,
  2 ** 26,
]];
for (const [name, value] of KEEP_MEMORY) memory?.mallopt(name, value);

const MADV_HUGEPAGE = 14;

/**
 * Asks for large pages where the process's memory has grown to, which saves a
 * tenth of the large net's step. Called where a training has its variables.
 */
export function useLargePages(): void {
  if (Deno.build.os !== "linux" || !memory) return;
  const maps = Deno.readTextFileSync("/proc/self/maps");
  for (const [, from, to] of maps.matchAll(/^(\w+)-(\w+) .*\[heap\]$/gm)) {
    const start = BigInt(`0x${from}`), end = BigInt(`0x${to}`);
    memory.madvise(
      Deno.UnsafePointer.create(start),
      end - start,
      MADV_HUGEPAGE,
    );
  }
}

/** Gives back to the machine what freed tensors have left with the process. */
export function returnMemory(): void {
  memory?.malloc_trim(0n);
}

/**
 * Loads libraries to stay until the process is gone: at exit Deno unloads
 * what it opened while the library's threads still run, a segmentation fault.
 * While they load, stderr is shut: they announce oneDNN there at every start,
 * whatever the log level; what goes wrong comes back from `dlopen` itself.
 */
function pin(paths: string[]): void {
  const darwin = Deno.build.os === "darwin";
  const libc = Deno.dlopen(darwin ? "libSystem.B.dylib" : "libc.so.6", {
    dlopen: { parameters: [B, I], result: P },
    open: { parameters: [B, I], result: I },
    dup: { parameters: [I], result: I },
    dup2: { parameters: [I, I], result: I },
    close: { parameters: [I], result: I },
  });
  const { dlopen, open, dup, dup2, close } = libc.symbols;
  const nowAndNoDelete = darwin ? 0x82 : 0x1002;
  const stderr = dup(2);
  const nowhere = open(cString("/dev/null"), 1);
  dup2(nowhere, 2);
  for (const path of paths) dlopen(cString(path), nowAndNoDelete);
  dup2(stderr, 2);
  close(nowhere);
  close(stderr);
  libc.close();
}

function open() {
  try {
    const [main, framework] = LIBRARY_FILES.map((name) => join(dir, name));
    pin([framework, main, ..."path" in compiled ? [compiled.path] : []]);
    return Deno.dlopen(main, SYMBOLS).symbols;
  } catch (error) {
    throw new LibraryError(
      `libtensorflow in ${dir} cannot be loaded (${
        (error as Error).message.split("\n")[0]
      }); run \`deno task tf install\``,
    );
  }
}

/** The library's functions under their C names. */
export const C = open();

/** Why FERLab's own ops are missing, or null where they are registered. */
function nativeProblem(): string | null {
  if ("missing" in compiled) return compiled.missing;
  try {
    registerNative(compiled.path);
    return null;
  } catch (error) {
    const reason = (error as Error).message.split("\n")[0];
    console.error(missingLine(reason));
    return reason;
  }
}

export const missingNative = nativeProblem();

/** Tells FERLab's own ops of one source, CPU and library from others. */
export const nativeKey = "path" in compiled && missingNative === null
  ? basename(compiled.path, ".so")
  : "none";

/** Where FERLab's own ops lie, or why TensorFlow's stand in for them. */
export const nativeOps = "path" in compiled && missingNative === null
  ? compiled.path
  : `TensorFlow's: ${missingNative}`;

/** The text at a C string's address, "" for NULL. */
export function textAt(pointer: Pointer): string {
  return pointer ? new Deno.UnsafePointerView(pointer).getCString() : "";
}

/** The status every blocking call writes to. */
export const status = C.TF_NewStatus();

/** Throws what `s` holds as one line that begins with `what`. */
export function checkStatus(what: string, s: Pointer = status): void {
  if (C.TF_GetCode(s) === 0) return;
  // " for '{{node …" repeats the op with the graph's own names.
  const message = textAt(C.TF_Message(s)).split("\n")[0]
    .replace(/ for '\{\{node .*$/, "");
  throw new Error(`${what}: ${message}`);
}

/** int64 values as the C API reads them. */
export function int64s(values: readonly number[]): BigInt64Array<ArrayBuffer> {
  return BigInt64Array.from(values.length ? values : [0], BigInt);
}
