/** PyTorch's files, zip (1.6 on) and legacy, as the mapping they hold. */
import { Budget } from "./budget.ts";
import {
  ForbiddenGlobal,
  PickleError,
  PickleGlobal,
  unpickle,
} from "./pickle.ts";
import {
  type Storage,
  storageWidth,
  torchGlobal,
  TorchTensor,
  UnreadableTensor,
} from "./rebuild.ts";
import {
  bytesPer,
  elements,
  printable,
  quoted,
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
  /** Classes and functions of the pickle that are not run. */
  standIns: string[];
  /**
   * Checks one tensor of the root and counts what it takes, and gives what reads
   * its numbers: all are counted before the first is read.
   */
  prepare(
    tensor: TorchTensor | UnreadableTensor,
    name: string,
  ): () => StoredTensor;
}

/** `torch.serialization.MAGIC_NUMBER`. */
const MAGIC = 0x1950a86a20f9469cfc6cn;
export const RESAVE =
  'save its state_dict in PyTorch: torch.save(model.state_dict(), "weights.pth")';

function storageOf(id: unknown): Storage | PickleGlobal {
  const [kind, type, key, , size, view] = Array.isArray(id) ? id : [];
  // A module's class with its source.
  if (kind === "module" && type instanceof PickleGlobal) return type;
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

/** Reads pickles as objects; errors are put as the file's. */
function reader(budget: Budget, refuse: Refuse) {
  const standIns = new Set<string>();
  const global = (name: string) => torchGlobal(name, standIns);
  const read = (
    bytes: Uint8Array,
    at: number,
    persistent: (id: unknown) => unknown = storageOf,
  ) => {
    const counted = (id: unknown) => {
      // Every tensor refers to its storage.
      budget.addTensors(1);
      return persistent(id);
    };
    try {
      return unpickle(bytes, at, { global, persistent: counted, budget });
    } catch (error) {
      // V8's own limits, such as on the entries of a map.
      if (error instanceof RangeError) return refuse("its pickle is too large");
      if (!(error instanceof PickleError)) throw error;
      const isAttack = error instanceof ForbiddenGlobal;
      return refuse(isAttack ? `${error.message}; ${RESAVE}` : error.message);
    }
  };
  return { read, standIns };
}

/** The same numbers with the other sign; in place, as they are a copy. */
function negate(data: TensorData): TensorData {
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    for (let i = 0; i < data.length; i++) data[i] = -data[i];
  } else {
    for (let i = 0; i < data.length; i++) data[i] = -data[i];
  }
  return data;
}

/** Reads tensors out of storages, whose bytes `data` gives. */
function loader(
  data: (storage: Storage) => Uint8Array<ArrayBuffer>,
  budget: Budget,
  refuse: Refuse,
): TorchFile["prepare"] {
  return (wanted, name) => {
    const tensor = `tensor ${quoted(name)}`;
    if (wanted instanceof UnreadableTensor) {
      return refuse(`${tensor} ${wanted.why}`);
    }
    const { storage, dtype, offset, shape, strides, negative } = wanted;
    if (!dtype) {
      return refuse(
        `${tensor} has a dtype that cannot be read (${
          printable(storage.type)
        }); convert it to float32 in PyTorch`,
      );
    }
    const bytes = data(storage);
    const width = bytesPer(dtype);
    const n = elements(shape);
    const last = n === 0 ? -1 : shape.reduce(
      (sum, size, i) => sum + (size - 1) * strides[i],
      offset,
    );
    const size = Math.floor(bytes.length / width);
    if (last >= size || (n === 0 && offset > size)) {
      return refuse(`${tensor} reaches outside of its storage`);
    }
    // Views count, too: whoever reads them all takes the time.
    budget.spend(n * Math.max(4, width) * (negative ? 2 : 1), tensor);
    const span = last + 1 - offset;
    const whole = isContiguous(shape, strides);
    if (!whole) budget.spend(span * width, tensor);
    return () => {
      const at = n === 0 ? 0 : offset * width;
      const raw = whole
        ? rawElements(bytes, dtype, at, n)
        : gather(rawElements(bytes, dtype, at, span), shape, strides);
      const stored = storedTensor(dtype, shape, raw);
      return negative
        ? { ...stored, data: negate(stored.data.slice()) }
        : stored;
    };
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
  walk(0, 0);
  return out;
}

/** A file of `torch.save` since 1.6: `NAME/data.pkl` and a storage an entry. */
export function readTorchZip(
  bytes: Uint8Array<ArrayBuffer>,
  refuse: Refuse,
): TorchFile {
  const budget = new Budget(bytes.length, refuse);
  const { read, standIns } = reader(budget, refuse);
  const entries = zipEntries(bytes, budget, refuse);
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
    return found && zipData(bytes, found, budget, refuse);
  };
  const order = new TextDecoder().decode(entry("byteorder"));
  if (order !== "" && order !== "little") {
    refuse(`numbers in ${printable(order)}-endian order, which is not read`);
  }
  const { value: root } = read(entry("data.pkl")!, 0);
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
  return {
    format: "zip",
    root,
    standIns: [...standIns],
    prepare: loader(data, budget, refuse),
  };
}

function checkSize(
  length: number,
  { type, key, size }: Storage,
  refuse: Refuse,
): void {
  const wanted = size * (storageWidth(type) ?? 1);
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
    if (storage instanceof PickleGlobal) return storage;
    storages.set(storage.key, storage);
    return storage;
  };
  const budget = new Budget(bytes.length, refuse);
  const { read, standIns } = reader(budget, refuse);
  const next = () => {
    const { value, end } = read(bytes, at, persistent);
    at = end;
    return value;
  };
  if (next() !== MAGIC) {
    refuse(`a pickle that is not PyTorch's; ${RESAVE}`);
  }
  const protocol = next();
  if (protocol !== 1001) {
    refuse("a PyTorch file of an unknown protocol");
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
      const name = typeof key === "string" ? ` ${printable(key)}` : "";
      return refuse(`a storage${name} that is not used`);
    }
    const width = storageWidth(storage.type) ??
      refuse(
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
  return {
    format: "legacy",
    root,
    standIns: [...standIns],
    prepare: loader(data, budget, refuse),
  };
}
