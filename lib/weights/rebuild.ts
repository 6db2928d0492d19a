/** What a PyTorch pickle may name: tensors as views of storages, and a few plain types. */
import { PickleError, PickleGlobal } from "./pickle.ts";
import { type FileDtype, isCounts } from "./tensor.ts";

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
  ) {}
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

function tensor(
  [storage, offset, shape, strides]: unknown[],
  dtype = storageDtype((storage as Storage)?.type),
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
  );
}

/** The `dtype` argument of newer tensors, a global such as torch.uint16. */
function namedDtype(dtype: unknown): FileDtype | undefined {
  const name = dtype instanceof PickleGlobal
    ? dtype.name.replace("torch.", "")
    : "";
  return Object.hasOwn(TORCH_DTYPES, name) ? TORCH_DTYPES[name] : undefined;
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
  "torch._utils._rebuild_tensor_v2": (args) => tensor(args),
  "torch._utils._rebuild_tensor_v3": (args) =>
    tensor(args, namedDtype(args[6])),
  "torch._utils._rebuild_parameter": ([data]) => data,
  "torch._utils._rebuild_parameter_with_state": ([data]) => data,
  "torch._tensor._rebuild_from_type_v2": ([rebuild, , args]) => {
    if (!(rebuild instanceof PickleGlobal && rebuild.call)) {
      throw new PickleError("a tensor that nothing rebuilds");
    }
    return rebuild.call(Array.isArray(args) ? args : []);
  },
  "numpy.dtype": opaque,
  "numpy.core.multiarray.scalar": opaque,
  "numpy._core.multiarray.scalar": opaque,
};

/** Names that stand for themselves. */
const TYPES =
  /^torch\.(nn\.parameter\.Parameter|(_tensor\.)?Tensor)$|^builtins\.(int|float|list|dict)$/;
const STORAGE = /^torch\.(cuda\.|storage\.)?_?[A-Za-z0-9]+Storage$/;
const DTYPE = /^torch\.(q?u?int\d+(x\d+)?|b?float\w+|bits\w+|complex\d+|bool)$/;

/** The allow-list; any other name is undefined, to be refused. */
export function torchGlobal(name: string): PickleGlobal | undefined {
  if (Object.hasOwn(CALLS, name)) return new PickleGlobal(name, CALLS[name]);
  if (TYPES.test(name) || STORAGE.test(name) || DTYPE.test(name)) {
    return new PickleGlobal(name);
  }
}
