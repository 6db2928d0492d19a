/** One reader for all weight files: the content decides, not the name. */
import { dirname, join } from "node:path";
import { StandIn } from "./pickle.ts";
import { Budget } from "./budget.ts";
import { doubledKey, jsonCost, readSafetensors } from "./safetensors.ts";
import {
  firstTen,
  printable,
  quoted,
  type Refuse,
  type StoredTensor,
  WeightsError,
} from "./tensor.ts";
import { TorchTensor, UnreadableTensor } from "./rebuild.ts";
import {
  readTorchLegacy,
  readTorchZip,
  RESAVE,
  type TorchFile,
} from "./torch.ts";

type Format = "safetensors" | "PyTorch zip" | "PyTorch legacy";

export interface Weights {
  /** In the file's order, under the file's names. */
  tensors: Map<string, StoredTensor>;
  /** In shards where an index names several files. */
  format: Format | `${Format} in shards`;
  /** Of a safetensors file or an index. */
  metadata: Record<string, string>;
  /** Where in a checkpoint the mapping of tensors lies; "" for the file's top. */
  key: string;
  /** Other mappings with tensors, such as an average of the weights. */
  otherKeys: string[];
  /** Classes and functions that the file names, and that were not run. */
  standIns: string[];
  /** Tensors beside the weights, such as one under the key 3; in words. */
  leftOut: string[];
}

type Mapping = Map<unknown, unknown>;

/** Keys that training scripts use for the weights, the likeliest first. */
const USUAL = ["state_dict", "model_state_dict", "model", "net", "network"];
/** An index has a line a tensor; 2^26 bytes are more than half a million. */
const MAX_INDEX = 2 ** 26;
const WITHOUT_KEYS = "has one mapping of tensors, so no key to choose by";
/** Mappings deeper than this are an optimizer's. */
const MAX_DEPTH = 3;

type Tensor = TorchTensor | UnreadableTensor;

const isTensor = (value: unknown): value is Tensor =>
  value instanceof TorchTensor || value instanceof UnreadableTensor;

const tensorsOf = (mapping: Mapping) =>
  [...mapping].filter((entry): entry is [string, Tensor] =>
    typeof entry[0] === "string" && isTensor(entry[1])
  );

/** Keys of tensors that are no texts; one that is no number by its kind. */
const unnamedOf = (mapping: Mapping) =>
  [...mapping].filter(([key, value]) =>
    typeof key !== "string" && isTensor(value)
  ).map(([key]) =>
    key === null || typeof key !== "object" ? String(key) : "(an object)"
  );

/** Every mapping with tensors in it, by the dotted key that leads to it. */
function mappings(root: Mapping): Map<string, Mapping> {
  const found = new Map<string, Mapping>();
  const seen = new Set<Mapping>();
  const visit = (mapping: Mapping, key: string, depth: number) => {
    if (seen.has(mapping) || depth > MAX_DEPTH) return;
    seen.add(mapping);
    if (tensorsOf(mapping).length > 0) found.set(key, mapping);
    for (const [name, value] of mapping) {
      if (typeof name !== "string" || !(value instanceof Map)) continue;
      visit(value, key ? `${key}.${name}` : name, depth + 1);
    }
  };
  visit(root, "", 0);
  return found;
}

/** The weights' mapping: the one with most tensors; of equals, the usual key, the first. */
function choose(found: Map<string, Mapping>): string | undefined {
  const rank = (key: string) => {
    const i = USUAL.indexOf(key.split(".").at(-1)!);
    return i < 0 ? USUAL.length : i;
  };
  return [...found]
    .map(([key, mapping]) => ({ key, n: tensorsOf(mapping).length }))
    .sort((a, b) => b.n - a.n || rank(a.key) - rank(b.key))[0]?.key;
}

function fromTorch(
  file: TorchFile,
  wanted: string | undefined,
  refuse: Refuse,
): Weights {
  if (isTensor(file.root)) {
    refuse("one tensor without a name; save a state_dict");
  }
  const found = file.root instanceof Map
    ? mappings(file.root)
    : new Map<string, Mapping>();
  const key = wanted ?? choose(found);
  if (key === undefined) return refuse(withoutWeights(file));
  const mapping = found.get(key!);
  if (!mapping) {
    const keys = [...found.keys()].map((k) => JSON.stringify(k));
    return refuse(
      `has no tensors under ${quoted(key)}; there are some under ${
        firstTen(keys) || "no key"
      }`,
    );
  }
  const prepared = tensorsOf(mapping).map(([name, tensor]) =>
    [name, file.prepare(tensor, name)] as const
  );
  return {
    tensors: new Map(prepared.map(([name, read]) => [name, read()])),
    format: `PyTorch ${file.format}`,
    metadata: {},
    key,
    otherKeys: [...found.keys()].filter((k) => k !== key),
    standIns: file.standIns,
    leftOut: unnamedOf(mapping).map((key) =>
      `the tensor under the key ${key}, which is no name`
    ),
  };
}

/** Why a file has no weights that can be read. */
function withoutWeights({ root, standIns }: TorchFile): string {
  const values = root instanceof Map ? [root, ...root.values()] : [root];
  const module = values.find((v) => v instanceof StandIn && v.isModule);
  if (module instanceof StandIn) {
    return `holds a whole pickled module (${
      printable(module.name)
    }), whose code is never run; ${RESAVE}`;
  }
  const unnamed = root instanceof Map ? unnamedOf(root) : [];
  if (unnamed.length > 0) {
    return `has its tensors under keys that are no names (${
      firstTen(unnamed)
    }); ${RESAVE}`;
  }
  return standIns.length > 0
    ? `holds no mapping of names to tensors, but asks for ${
      firstTen(standIns)
    }, which is not run; ${RESAVE}`
    : `holds ${kindOf(root)}no mapping of names to tensors; ${RESAVE}`;
}

/** What a file's one value is where it is no mapping, to begin a list with. */
function kindOf(root: unknown): string {
  if (root instanceof Map || root === null) return "";
  if (Array.isArray(root)) return `a list of ${root.length}, `;
  if (typeof root === "object") return "an object, ";
  return typeof root === "string" ? "a text, " : `a ${typeof root}, `;
}

/** Of `model.safetensors.index.json`: the file of each tensor, and its notes. */
interface Index {
  files: Map<string, string>;
  metadata: Record<string, string>;
}

/** An index's content; undefined for JSON of another kind, or none. */
function parseIndex(
  bytes: Uint8Array,
  refuse: Refuse,
): Index | undefined {
  new Budget(bytes.length, refuse).spend(jsonCost(bytes), "its JSON");
  let json: unknown, twice: string | undefined;
  try {
    const text = new TextDecoder().decode(bytes);
    json = JSON.parse(text);
    twice = doubledKey(text);
  } catch {
    return undefined;
  }
  if (typeof json !== "object" || json === null) return undefined;
  const { weight_map, metadata } = json as Record<string, unknown>;
  if (typeof weight_map !== "object" || weight_map === null) return undefined;
  if (twice !== undefined) {
    refuse(`the index has the key ${quoted(twice)} twice`);
  }
  const files = new Map<string, string>();
  for (const [name, file] of Object.entries(weight_map)) {
    // Only what lies beside the index; the file may come from anywhere.
    if (typeof file !== "string" || !/^(?!\.\.?$)[^/\\\0]+$/.test(file)) {
      const shown = typeof file === "string" ? printable(file) : "no text";
      return refuse(
        `the index puts ${
          quoted(name)
        } into ${shown}, which is no name of a file beside it`,
      );
    }
    files.set(name, file);
  }
  const notes = Object.entries(metadata ?? {}).map(([name, note]) => [
    name,
    typeof note === "string" ? note : JSON.stringify(note),
  ]);
  return { files, metadata: Object.fromEntries(notes) };
}

/** The weights of an index's shards, each read once. */
async function readShards(
  { files, metadata }: Index,
  folder: string,
  onFile: (bytes: Uint8Array) => void,
  refuse: Refuse,
): Promise<Weights> {
  const shards = new Map<string, Weights>();
  for (const file of new Set(files.values())) {
    const path = join(folder, file);
    const bytes = await weightBytes(path);
    onFile(bytes);
    shards.set(file, await readBytes(bytes, path, {}));
  }
  const read = [...shards.values()];
  if (read.length === 0) refuse("an index without a tensor");
  const tensors = new Map<string, StoredTensor>();
  for (const [name, file] of files) {
    const tensor = shards.get(file)!.tensors.get(name) ??
      refuse(
        `the index puts ${quoted(name)} into ${
          printable(file)
        }, which has no such tensor`,
      );
    tensors.set(name, tensor);
  }
  const leftOut = [...shards].flatMap(([file, shard]) =>
    [...shard.tensors.keys()].filter((name) => files.get(name) !== file)
      .map((name) => `${name} of ${file}, which the index does not have there`)
  );
  return {
    tensors,
    format: `${read[0].format as Format} in shards`,
    metadata,
    key: "",
    otherKeys: [],
    standIns: [...new Set(read.flatMap((shard) => shard.standIns))],
    leftOut,
  };
}

/** How files of gzip, bzip2, xz, zstd and 7z begin. */
const COMPRESSED = ["\x1f\x8b", "BZh", "\xfd7zXZ", "(\xb5/\xfd", "7z\xbc\xaf"];

/** What a file that is none of ours seems to be. */
function guess(bytes: Uint8Array): string {
  if (bytes.length === 0) return "an empty file";
  const head = new TextDecoder("latin1").decode(bytes.subarray(0, 200));
  if (/^\s*<(!doctype|html|\?xml|head)/i.test(head)) {
    return "a web page, so the download went wrong";
  }
  if (head.startsWith("version https://git-lfs")) {
    return "a Git LFS pointer; fetch the file itself with `git lfs pull`";
  }
  if (COMPRESSED.some((mark) => head.startsWith(mark))) {
    return "a compressed file; unpack it first";
  }
  return "no weight file: neither PyTorch's nor safetensors";
}

/** Bytes enough to tell a file's kind. */
const HEAD = 512;

/** The first bytes of a file; a video of 100 GB is no reason to read it all. */
async function headOf(path: string): Promise<Uint8Array> {
  using file = await Deno.open(path);
  const head = new Uint8Array(HEAD);
  const n = await file.read(head);
  return head.subarray(0, n ?? 0);
}

const isZip = (head: Uint8Array) => head[0] === 0x50 && head[1] === 0x4b;
const isPickle = (head: Uint8Array) => head[0] === 0x80;
const isJson = (head: Uint8Array) => head[0] === 0x7b;
/** Whether a file of this head and size can be one of weights, or an index. */
const isKnown = (head: Uint8Array, size: number) =>
  isZip(head) || isPickle(head) || looksLikeSafetensors(head) ||
  isJson(head) && size <= MAX_INDEX;

/** The bytes of a file of weights. @throws WeightsError where it is missing */
async function weightBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    // A device or a pipe may have no end.
    const { isFile, isDirectory, size } = await Deno.stat(path);
    if (!isFile) {
      throw new Error(isDirectory ? "it is a folder" : "it is no plain file");
    }
    const head = await headOf(path);
    if (!isKnown(head, size)) throw new WeightsError(`${path}: ${guess(head)}`);
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof WeightsError) throw error;
    if (error instanceof Deno.errors.NotFound) {
      throw new WeightsError(`${path}: no such file; check the path`, true);
    }
    const why = (error as Error).message.split("\n")[0];
    throw new WeightsError(`${path}: cannot be read: ${why}`);
  }
}

/** Whether this can be the head of a safetensors file: a length, then `{`. */
function looksLikeSafetensors(bytes: Uint8Array): boolean {
  return bytes.length > 8 && bytes[8] === 0x7b && bytes[7] === 0 &&
    bytes[6] === 0;
}

/** The weights in the bytes of a file that is no index. */
async function readBytes(
  bytes: Uint8Array<ArrayBuffer>,
  name: string,
  { key }: { key?: string },
): Promise<Weights> {
  const refuse: Refuse = (what) => {
    throw new WeightsError(`${name}: ${what}`);
  };
  if (isZip(bytes)) {
    return fromTorch(readTorchZip(bytes, refuse), key, refuse);
  }
  // A safetensors file whose header's length ends in 0x80 begins as a pickle.
  if (isPickle(bytes) && !looksLikeSafetensors(bytes)) {
    return fromTorch(readTorchLegacy(bytes, refuse), key, refuse);
  }
  if (!looksLikeSafetensors(bytes)) refuse(guess(bytes));
  if (key !== undefined) refuse(WITHOUT_KEYS);
  const { tensors, metadata } = await readSafetensors(bytes, name);
  return {
    tensors,
    format: "safetensors",
    metadata,
    key: "",
    otherKeys: [],
    standIns: [],
    leftOut: [],
  };
}

/**
 * Reads a file of weights: PyTorch's `.pth`/`.pt` (zip or legacy), safetensors,
 * or an index of shards beside it (`model.safetensors.index.json`), whatever
 * its name. No code in a file is run: what it names of others' classes is
 * listed in `standIns`. Of a checkpoint the mapping with most tensors is taken,
 * or the one under `key`. Tensors may share the file's bytes in memory. Halves
 * are widened to float32. All that a file unfolds to may take four times its
 * size and 512 MiB.
 *
 * @param source A path, or the bytes of one file.
 * @throws WeightsError, one line that names the file, where it is missing,
 * damaged, too large unfolded, or of another kind.
 */
export async function readWeights(
  source: string | Uint8Array<ArrayBuffer>,
  { key, onFile = () => {} }: {
    key?: string;
    /** Is given the bytes of each file that is read, such as for a hash. */
    onFile?: (bytes: Uint8Array) => void;
  } = {},
): Promise<Weights> {
  const isPath = typeof source === "string";
  const name = isPath ? source : "weight bytes";
  const bytes = isPath ? await weightBytes(source) : source;
  onFile(bytes);
  if (isPath && isJson(bytes) && bytes.length <= MAX_INDEX) {
    const refuse: Refuse = (what) => {
      throw new WeightsError(`${name}: ${what}`);
    };
    const index = parseIndex(bytes, refuse);
    if (index && key !== undefined) refuse(WITHOUT_KEYS);
    if (index) return await readShards(index, dirname(source), onFile, refuse);
  }
  return await readBytes(bytes, name, { key });
}
