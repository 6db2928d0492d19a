/** One reader for all weight files: the content decides, not the name. */
import { readSafetensors } from "./safetensors.ts";
import {
  printable,
  type Refuse,
  type StoredTensor,
  WeightsError,
} from "./tensor.ts";
import { TorchTensor } from "./rebuild.ts";
import { readTorchLegacy, readTorchZip, type TorchFile } from "./torch.ts";

export interface Weights {
  /** In the file's order, under the file's names. */
  tensors: Map<string, StoredTensor>;
  format: "safetensors" | "PyTorch zip" | "PyTorch legacy";
  /** Of a safetensors file. */
  metadata: Record<string, string>;
  /** Where in a checkpoint the mapping of tensors lies; "" for the file's top. */
  key: string;
  /** Other mappings with tensors, such as an average of the weights. */
  otherKeys: string[];
}

type Mapping = Map<unknown, unknown>;

/** Keys that training scripts use for the weights, the likeliest first. */
const USUAL = ["state_dict", "model_state_dict", "model", "net", "network"];
/** Mappings deeper than this are an optimizer's. */
const MAX_DEPTH = 3;

const tensorsOf = (mapping: Mapping) =>
  [...mapping].filter((entry): entry is [string, TorchTensor] =>
    typeof entry[0] === "string" && entry[1] instanceof TorchTensor
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
  if (file.root instanceof TorchTensor) {
    refuse("one tensor without a name; save a state_dict");
  }
  const found = file.root instanceof Map
    ? mappings(file.root)
    : new Map<string, Mapping>();
  const key = wanted ?? choose(found);
  if (key === undefined) refuse("holds no mapping of names to tensors");
  const mapping = found.get(key!);
  if (!mapping) {
    const keys = [...found.keys()].map((k) => JSON.stringify(printable(k)));
    return refuse(
      `has no tensors under ${JSON.stringify(key)}; there are some under ${
        keys.join(", ") || "no key"
      }`,
    );
  }
  return {
    tensors: new Map(
      tensorsOf(mapping).map(([name, t]) => [name, file.load(t, name)]),
    ),
    format: `PyTorch ${file.format}`,
    metadata: {},
    key: key!,
    otherKeys: [...found.keys()].filter((k) => k !== key),
  };
}

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
  return "no weight file: neither PyTorch's nor safetensors";
}

/** The bytes of a file of weights. @throws WeightsError where it is missing */
export async function weightBytes(
  path: string,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
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

/**
 * Reads a file of weights: PyTorch's `.pth`/`.pt` (zip or legacy) or
 * safetensors, whatever its name. No code in a file is run. Of a checkpoint the
 * mapping with most tensors is taken, or the one under `key`. Tensors may
 * share the file's bytes in memory. Halves are widened to float32.
 *
 * @throws WeightsError, one line that names the file, where it is missing,
 * damaged, or of another kind.
 */
export async function readWeights(
  path: string | Uint8Array<ArrayBuffer>,
  { key, name = typeof path === "string" ? path : "weight bytes" }: {
    key?: string;
    /** What errors call the file. */
    name?: string;
  } = {},
): Promise<Weights> {
  const bytes = typeof path === "string" ? await weightBytes(path) : path;
  const refuse: Refuse = (what) => {
    throw new WeightsError(`${name}: ${what}`);
  };
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) {
    return fromTorch(readTorchZip(bytes, refuse), key, refuse);
  }
  if (bytes[0] === 0x80) {
    return fromTorch(readTorchLegacy(bytes, refuse), key, refuse);
  }
  if (!looksLikeSafetensors(bytes)) refuse(guess(bytes));
  const { tensors, metadata } = await readSafetensors(bytes, name);
  return { tensors, format: "safetensors", metadata, key: "", otherKeys: [] };
}
