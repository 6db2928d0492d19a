/** What a PyTorch pickle may name: tensors as views of storages, and a few plain types. */
import { PickleError, PickleGlobal, StandIn } from "./pickle.ts";
import { bytesPer, type FileDtype, isCounts, printable } from "./tensor.ts";

/** A block of numbers that tensors are views of. */
export interface Storage {
  /** PyTorch's class, such as "FloatStorage". */
  type: string;
  /** The name of its data in the file. */
  key: string;
  /** Elements; bytes where it is untyped. */
  size: number;
}

/** A tensor before its storage is read; shape and strides in elements. */
export class TorchTensor {
  constructor(
    readonly storage: Storage,
    /** Undefined where this reader has no such dtype. */
    readonly dtype: FileDtype | undefined,
    readonly offset: number,
    readonly shape: number[],
    readonly strides: number[],
    /** Whether the numbers are the storage's with the other sign. */
    readonly negative = false,
  ) {}
}

/** A tensor whose numbers cannot be had, and what to do instead. */
export class UnreadableTensor {
  constructor(readonly why: string) {}
}

/** PyTorch's own limit. */
const MAX_AXES = 64;

const STORAGES: Record<string, FileDtype> = {
  FloatStorage: "F32",
  DoubleStorage: "F64",
  HalfStorage: "F16",
  BFloat16Storage: "BF16",
  LongStorage: "I64",
  IntStorage: "I32",
  ShortStorage: "I16",
  CharStorage: "I8",
  ByteStorage: "U8",
  BoolStorage: "BOOL",
};

/** Bytes an element of storages that are passed over. */
const OTHER_STORAGES: Record<string, number> = {
  ComplexFloatStorage: 8,
  ComplexDoubleStorage: 16,
  QInt8Storage: 1,
  QUInt8Storage: 1,
  QInt32Storage: 4,
  QUInt4x2Storage: 1,
  QUInt2x4Storage: 1,
  UntypedStorage: 1,
};

const TORCH_DTYPES: Record<string, FileDtype> = {
  float32: "F32",
  float64: "F64",
  float16: "F16",
  bfloat16: "BF16",
  int64: "I64",
  int32: "I32",
  int16: "I16",
  int8: "I8",
  uint64: "U64",
  uint32: "U32",
  uint16: "U16",
  uint8: "U8",
  bool: "BOOL",
};

/** The dtype of a storage's class; undefined for one that cannot be read. */
export const storageDtype = (type: string): FileDtype | undefined =>
  Object.hasOwn(STORAGES, type) ? STORAGES[type] : undefined;

/** Bytes of one element of a storage; undefined for an unknown class. */
export function storageWidth(type: string): number | undefined {
  const dtype = storageDtype(type);
  if (dtype) return bytesPer(dtype);
  return Object.hasOwn(OTHER_STORAGES, type) ? OTHER_STORAGES[type] : undefined;
}

/**
 * Whether PyTorch's negative bit is set. The conjugate bit is of complex
 * numbers alone, which are not read.
 */
function isNegative(metadata: unknown): boolean {
  return metadata instanceof Map && metadata.get("neg") === true;
}

function tensor(
  [storage, offset, shape, strides]: unknown[],
  { dtype = storageDtype((storage as Storage)?.type), metadata }: {
    dtype?: FileDtype;
    metadata?: unknown;
  } = {},
): TorchTensor {
  const isStorage = typeof storage === "object" && storage !== null &&
    "type" in storage;
  if (
    !isStorage || !isCounts([offset]) || !isCounts(shape) ||
    !isCounts(strides) || shape.length !== strides.length ||
    shape.length > MAX_AXES
  ) throw new PickleError("a tensor without a valid storage, offset or shape");
  return new TorchTensor(
    storage as Storage,
    dtype,
    offset as number,
    shape,
    strides,
    isNegative(metadata),
  );
}

const unreadable = (why: string) => () => new UnreadableTensor(why);
const QUANTISED = "is quantised, which is not read; save its dequantize()";

/** `layout` is the name that `_get_layout` was given. */
const sparse = ([layout]: unknown[]) =>
  new UnreadableTensor(
    `is sparse (${
      printable(typeof layout === "string" ? layout : "unknown layout")
    }), which is not read; save its to_dense()`,
  );

const ofClass = (name: string) =>
  new UnreadableTensor(
    `is made by ${
      printable(name)
    }, which is not run; save it as a plain torch.Tensor`,
  );

/** A tensor of a subclass of Tensor, which may mean anything by its numbers. */
function ofSubclass([rebuild, type, args]: unknown[]): unknown {
  if (!(rebuild instanceof PickleGlobal)) {
    throw new PickleError("a tensor that nothing rebuilds");
  }
  if (!(type instanceof PickleGlobal) || !TYPES.test(type.name)) {
    return ofClass(type instanceof PickleGlobal ? type.name : "no class");
  }
  return rebuild.call
    ? rebuild.call(Array.isArray(args) ? args : [])
    : ofClass(rebuild.name);
}

/** What is wrapped as a parameter. */
const parameter = ([data]: unknown[]) =>
  data instanceof StandIn ? ofClass(data.name) : data;

/** Whether an argument, or one in a list of them, is a tensor. */
const hasTensor = (args: unknown[]): boolean =>
  args.flat(1).some((arg) =>
    arg instanceof TorchTensor || arg instanceof UnreadableTensor
  );

/** A class or function that is not run; a tensor that it makes is unreadable. */
const standIn = (name: string) =>
  new PickleGlobal(
    name,
    (args) =>
      hasTensor(args) || name.startsWith("torch._utils._rebuild_")
        ? ofClass(name)
        : new StandIn(name),
    true,
  );

/** Of newer tensors, whose dtype is an argument: a global as torch.uint16. */
function typed(args: unknown[]): TorchTensor | UnreadableTensor {
  const name = args[6] instanceof PickleGlobal ? args[6].name : "";
  const known = name.replace("torch.", "");
  return Object.hasOwn(TORCH_DTYPES, known)
    ? tensor(args, { dtype: TORCH_DTYPES[known], metadata: args[7] })
    : new UnreadableTensor(
      `has the dtype ${
        printable(name) || "of no name"
      }, which is not read; convert it to float32 in PyTorch`,
    );
}

function pair(x: unknown): [unknown, unknown] {
  if (Array.isArray(x) && x.length === 2) return [x[0], x[1]];
  throw new PickleError("a dict of what are no pairs");
}

/** Of a dict, or of pairs as Python 2 has them. */
function dict([source]: unknown[]): Map<unknown, unknown> {
  if (source instanceof Map) return source;
  return new Map(Array.isArray(source) ? source.map(pair) : []);
}

const list = ([source]: unknown[]) => Array.isArray(source) ? source : [];
/** For values that are no weights: there, but without content. */
const opaque = () => null;

const CALLS: Record<string, (args: unknown[]) => unknown> = {
  "collections.OrderedDict": dict,
  "collections.Counter": dict,
  "collections.defaultdict": () => new Map(),
  "builtins.set": () => new Set(),
  "__builtin__.set": () => new Set(),
  "builtins.bytearray": opaque,
  "builtins.complex": opaque,
  "__builtin__.complex": opaque,
  // Bytes of protocol 2.
  "_codecs.encode": opaque,
  "torch.Size": list,
  "torch.device": opaque,
  "torch._utils._rebuild_tensor": (args) => tensor(args),
  "torch._utils._rebuild_tensor_v2": (args) =>
    tensor(args, { metadata: args[6] }),
  "torch._utils._rebuild_tensor_v3": typed,
  "torch._utils._rebuild_parameter": parameter,
  "torch._utils._rebuild_parameter_with_state": parameter,
  "torch._tensor._rebuild_from_type_v2": ofSubclass,
  "torch.storage._load_from_bytes": () => {
    throw new PickleError(
      "tensors of pickle.dump; save them with torch.save instead",
    );
  },
  "torch._utils._rebuild_qtensor": unreadable(QUANTISED),
  "torch._utils._rebuild_sparse_tensor": sparse,
  "torch._utils._rebuild_sparse_csr_tensor": sparse,
  "torch.serialization._get_layout": ([name]) => name,
  "torch._utils._rebuild_nested_tensor": unreadable(
    "is nested, which is not read; save its parts",
  ),
  "torch._utils._rebuild_device_tensor_from_cpu_tensor": parameter,
  "torch._utils._rebuild_meta_tensor_no_storage": unreadable(
    "is on the meta device, so it has no numbers; save a model with weights",
  ),
  "numpy.dtype": opaque,
  "numpy.core.multiarray.scalar": opaque,
  "numpy._core.multiarray.scalar": opaque,
};

/** Names that stand for themselves. */
const TYPES =
  /^torch\.(nn\.parameter\.(Parameter|Buffer)|(_tensor\.)?Tensor)$|^(builtins|__builtin__)\.(int|long|float|bool|str|list|tuple|dict|frozenset|bytearray|x?range|slice|Ellipsis)$/;
const STORAGE = /^torch\.(cuda\.|storage\.)?_?[A-Za-z0-9]+Storage$/;
const DTYPE = /^torch\.(q?u?int\d+(x\d+)?|b?float\w+|bits\w+|complex\d+|bool)$/;

/** What no checkpoint needs and an attack does: such a file is not trusted. */
const ATTACK =
  /^(os|posix|nt|sys|subprocess|pty|shutil|socket|runpy|importlib|ctypes|webbrowser)\.|^(builtins|__builtin__)\.(eval|exec|execfile|compile|open|__import__)$/;

/**
 * What a name in a pickle stands for: one that is not known for a stand-in,
 * which is added to `standIns`; one of an attack for nothing, to be refused.
 */
export function torchGlobal(
  name: string,
  standIns: Set<string>,
): PickleGlobal | undefined {
  if (Object.hasOwn(CALLS, name)) return new PickleGlobal(name, CALLS[name]);
  if (TYPES.test(name) || STORAGE.test(name) || DTYPE.test(name)) {
    return new PickleGlobal(name);
  }
  if (ATTACK.test(name)) return undefined;
  standIns.add(name);
  return standIn(name);
}
