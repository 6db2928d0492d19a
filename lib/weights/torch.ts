/** PyTorch's files, zip (1.6 on) and legacy, as the mapping they hold. */
import {
  ForbiddenGlobal,
  PickleError,
  PickleGlobal,
  unpickle,
} from "./pickle.ts";
import {
  type Storage,
  storageDtype,
  torchGlobal,
  TorchTensor,
} from "./rebuild.ts";
import {
  bytesPer,
  elements,
  printable,
  rawElements,
  type Refuse,
  type StoredTensor,
  storedTensor,
  type TensorData,
} from "./tensor.ts";
import { zipData, zipEntries } from "./zip.ts";

export interface TorchFile {
  format: "zip" | "legacy";
  root: unknown;
  /** The numbers of one tensor of the root. */
  load(tensor: TorchTensor, name: string): StoredTensor;
}

/** `torch.serialization.MAGIC_NUMBER`. */
const MAGIC = 0x1950a86a20f9469cfc6cn;
const RESAVE =
  'save its state_dict in PyTorch: torch.save(model.state_dict(), "weights.pth")';

/** Whether a pickle of modules starts there: their state has these names. */
function hasModules(bytes: Uint8Array, at: number): boolean {
  const text = new TextDecoder("latin1").decode(
    bytes.subarray(at, at + 2 ** 20),
  );
  return text.includes("_modules") && text.includes("_parameters");
}

function storageOf(id: unknown): Storage {
  const [kind, type, key, , size, view] = Array.isArray(id) ? id : [];
  if (kind === "module") {
    throw new ForbiddenGlobal(
      type instanceof PickleGlobal ? type.name : "a module's class",
    );
  }
  if (
    kind !== "storage" || !(type instanceof PickleGlobal) ||
    typeof key !== "string" || !Number.isSafeInteger(size) || size < 0
  ) throw new PickleError("a storage without a valid type, key or size");
  // A view of another storage, which PyTorch before 0.4 could save.
  if (Array.isArray(view)) {
    throw new PickleError(`storage ${printable(key)} is a view of another`);
  }
  return { type: type.name.split(".").at(-1)!, key, size };
}

/** One pickle as an object; errors are put as the file's. */
function read(
  bytes: Uint8Array,
  at: number,
  refuse: Refuse,
  persistent: (id: unknown) => unknown = storageOf,
) {
  try {
    return unpickle(bytes, at, { global: torchGlobal, persistent });
  } catch (error) {
    if (!(error instanceof PickleError)) throw error;
    if (!(error instanceof ForbiddenGlobal)) return refuse(error.message);
    return refuse(
      hasModules(bytes, at)
        ? `holds a whole pickled module (${
          printable(error.global)
        }), whose code is never run; ${RESAVE}`
        : `${error.message}; ${RESAVE}`,
    );
  }
}

/** Copies of views may take this many bytes, and four times the file's. */
const COPY_BUDGET = 2 ** 28;

/** Reads tensors out of storages, whose bytes `data` gives. */
function loader(
  data: (storage: Storage) => Uint8Array<ArrayBuffer>,
  fileSize: number,
  refuse: Refuse,
): TorchFile["load"] {
  let budget = COPY_BUDGET + 4 * fileSize;
  return ({ storage, dtype, offset, shape, strides }, name) => {
    const tensor = `tensor ${JSON.stringify(printable(name))}`;
    if (!dtype) {
      return refuse(
        `${tensor} has a dtype that cannot be read (${
          printable(storage.type)
        }); convert it to float32 in PyTorch`,
      );
    }
    const bytes = data(storage);
    const n = elements(shape);
    const last = n === 0 ? -1 : shape.reduce(
      (sum, size, i) => sum + (size - 1) * strides[i],
      offset,
    );
    const size = Math.floor(bytes.length / bytesPer(dtype));
    if (last >= size || (n === 0 && offset > size)) {
      return refuse(`${tensor} reaches outside of its storage`);
    }
    if (isContiguous(shape, strides)) {
      const at = n === 0 ? 0 : offset * bytesPer(dtype);
      return storedTensor(dtype, shape, rawElements(bytes, dtype, at, n));
    }
    budget -= n * bytesPer(dtype);
    if (budget < 0) {
      return refuse(`${tensor} is a view that repeats its numbers too often`);
    }
    const all = rawElements(bytes, dtype, 0, size);
    return storedTensor(dtype, shape, gather(all, offset, shape, strides));
  };
}

function isContiguous(shape: number[], strides: number[]): boolean {
  let expected = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && strides[i] !== expected) {
      return shape.includes(0);
    }
    expected *= shape[i];
  }
  return true;
}

/** The elements of a view, row-major. */
function gather(
  from: TensorData,
  offset: number,
  shape: number[],
  strides: number[],
): TensorData {
  // One type for all, as only elements are moved.
  const source = from as Float64Array;
  const out = new (source.constructor as Float64ArrayConstructor)(
    elements(shape),
  );
  let to = 0;
  const walk = (axis: number, at: number) => {
    const size = shape[axis], stride = strides[axis];
    if (axis === shape.length - 1) {
      for (let i = 0; i < size; i++) out[to++] = source[at + i * stride];
    } else {
      for (let i = 0; i < size; i++) walk(axis + 1, at + i * stride);
    }
  };
  walk(0, offset);
  return out;
}

/** A file of `torch.save` since 1.6: `NAME/data.pkl` and a storage an entry. */
export function readTorchZip(
  bytes: Uint8Array<ArrayBuffer>,
  refuse: Refuse,
): TorchFile {
  const entries = zipEntries(bytes, refuse);
  const pickleName = [...entries.keys()].find((name) =>
    /^[^/]+\/data\.pkl$/.test(name)
  );
  const folder = pickleName?.split("/")[0];
  const isScript = [...entries.keys()].some((name) =>
    /^[^/]+\/(constants\.pkl|model\.json)$/.test(name)
  );
  if (isScript) {
    refuse(
      'a TorchScript archive, whose code is never run; save its weights in PyTorch: torch.save(torch.jit.load(path).state_dict(), "weights.pth")',
    );
  }
  if (!pickleName) {
    return refuse("a zip file without data.pkl, so not one of torch.save");
  }
  const entry = (name: string) => {
    const found = entries.get(`${folder}/${name}`);
    return found && zipData(bytes, found, refuse);
  };
  const order = new TextDecoder().decode(entry("byteorder"));
  if (order !== "" && order !== "little") {
    refuse(`numbers in ${printable(order)}-endian order, which is not read`);
  }
  const { value: root } = read(entry("data.pkl")!, 0, refuse);
  const blocks = new Map<string, Uint8Array<ArrayBuffer>>();
  const data = ({ type, key, size }: Storage) => {
    let found = blocks.get(key);
    if (!found) {
      found = entry(`data/${key}`) ??
        refuse(`the data of storage ${printable(key)} are missing`);
      blocks.set(key, found);
    }
    checkSize(found.length, { type, key, size }, refuse);
    return found;
  };
  return { format: "zip", root, load: loader(data, bytes.length, refuse) };
}

function checkSize(
  length: number,
  { type, key, size }: Storage,
  refuse: Refuse,
): void {
  const dtype = storageDtype(type);
  const wanted = size * (dtype ? bytesPer(dtype) : 1);
  if (length !== wanted) {
    refuse(
      `storage ${printable(key)} has ${length} bytes, and ${wanted} are wanted`,
    );
  }
}

/**
 * A file of `torch.save` before 1.6: pickles of the magic number, the protocol,
 * the system, the object and the storages' keys; then each storage as its
 * number of elements (int64) and its numbers.
 */
export function readTorchLegacy(
  bytes: Uint8Array<ArrayBuffer>,
  refuse: Refuse,
): TorchFile {
  let at = 0;
  const storages = new Map<string, Storage>();
  const persistent = (id: unknown) => {
    const storage = storageOf(id);
    storages.set(storage.key, storage);
    return storage;
  };
  const next = () => {
    const { value, end } = read(bytes, at, refuse, persistent);
    at = end;
    return value;
  };
  if (next() !== MAGIC) {
    refuse(`a pickle that is not PyTorch's; ${RESAVE}`);
  }
  const protocol = next();
  if (protocol !== 1001) {
    refuse(`a PyTorch file of unknown protocol ${printable(String(protocol))}`);
  }
  const system = next();
  if (system instanceof Map && system.get("little_endian") === false) {
    refuse("numbers in big-endian order, which is not read");
  }
  const root = next();
  const keys = next();
  if (!Array.isArray(keys)) return refuse("there are no storage keys");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const places = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const key of keys) {
    const storage = storages.get(key);
    if (!storage) {
      return refuse(`storage ${printable(String(key))} is not used`);
    }
    const dtype = storageDtype(storage.type);
    // An untyped storage counts bytes.
    const width = dtype
      ? bytesPer(dtype)
      : storage.type.endsWith("UntypedStorage")
      ? 1
      : refuse(
        `a storage of a dtype that cannot be read (${printable(storage.type)})`,
      );
    if (at + 8 > bytes.length) return refuse("cut short");
    const size = Number(view.getBigInt64(at, true));
    if (size !== storage.size) {
      return refuse(
        `storage ${
          printable(key)
        } has ${size} elements, and ${storage.size} are wanted`,
      );
    }
    const end = at + 8 + size * width;
    if (end > bytes.length) {
      return refuse(
        `cut short: ${bytes.length} of at least ${end} bytes are there`,
      );
    }
    places.set(key, bytes.subarray(at + 8, end));
    at = end;
  }
  const data = ({ key }: Storage) =>
    places.get(key) ??
      refuse(`the data of storage ${printable(key)} are missing`);
  return { format: "legacy", root, load: loader(data, bytes.length, refuse) };
}
