/** The safetensors format: read with every check, written in one piece or not at all. */
import { createHash, randomUUID } from "node:crypto";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { Budget } from "./budget.ts";
import {
  ARRAYS,
  bytesPer,
  elements,
  FILE_DTYPES,
  type FileDtype,
  isCounts,
  printable,
  quoted,
  rawElements,
  type StoredTensor,
  storedTensor,
  type TensorData,
  WeightsError,
} from "./tensor.ts";

export interface Safetensors {
  /** In the order of their data. */
  tensors: Map<string, StoredTensor>;
  /** As the file has it, the checksum included. */
  metadata: Record<string, string>;
}

/** A safetensors file that is missing or damaged; the message is one line and names it. */
export class SafetensorsError extends WeightsError {
  override name = "SafetensorsError";
}

const CHECKSUM = "ferlab.sha256";
/** The format's own limit on the header, in bytes. */
const MAX_HEADER = 100_000_000;

type Entry = [name: string, dtype: StoredTensor["dtype"], shape: number[]];

function bytesOf(data: TensorData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function isObject(x: unknown): x is Record<string, unknown> {
  return typeof x === "object" && x !== null && !Array.isArray(x);
}

/** About what JSON takes in memory as objects, by its brackets and commas. */
export function jsonCost(json: Uint8Array): number {
  let brackets = 0, commas = 0;
  for (const byte of json) {
    if (byte === 0x7b || byte === 0x5b) brackets++;
    else if (byte === 0x2c) commas++;
  }
  return 2 * json.length + 100 * brackets + 16 * commas;
}

/** A key that an object of valid JSON has twice; `JSON.parse` keeps the last. */
export function doubledKey(json: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  for (let i = 0; i < json.length; i++) {
    if (json[i] === "{") open.push(new Set());
    else if (json[i] === "[") open.push(undefined);
    else if (json[i] === "}" || json[i] === "]") open.pop();
    if (json[i] !== '"') continue;
    const from = i;
    for (i++; json[i] !== '"'; i++) if (json[i] === "\\") i++;
    let after = i + 1;
    while (after < json.length && " \t\r\n".includes(json[after])) after++;
    if (json[after] !== ":") continue;
    const key: string = JSON.parse(json.slice(from, i + 1));
    const keys = open.at(-1);
    if (keys?.has(key)) return key;
    keys?.add(key);
  }
}

/** The checked contents of a file; `refuse` throws the one-line error. */
function parse(
  bytes: Uint8Array<ArrayBuffer>,
  refuse: (what: string, advice?: string) => never,
): Safetensors {
  const cut = (wanted: number) =>
    refuse(`cut short: ${bytes.length} of ${wanted} bytes are there`);
  if (bytes.length < 8) cut(8);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const headerLength = Number(view.getBigUint64(0, true));
  if (headerLength > MAX_HEADER) {
    refuse(`a header of ${headerLength} bytes, so this is no safetensors file`);
  }
  const start = 8 + headerLength;
  if (bytes.length < start) cut(start);
  const budget = new Budget(bytes.length, refuse);
  budget.spend(jsonCost(bytes.subarray(8, start)), "the header");
  let header: unknown, twice: string | undefined;
  try {
    const text = new TextDecoder("utf-8", { fatal: true })
      .decode(bytes.subarray(8, start));
    header = JSON.parse(text);
    twice = doubledKey(text);
  } catch {
    refuse("the header is not JSON");
  }
  if (twice !== undefined) {
    refuse(`the header has the key ${quoted(twice)} twice`);
  }
  if (!isObject(header)) return refuse("the header is not a JSON object");

  const { __metadata__: metadata = {}, ...entries } = header;
  if (
    !isObject(metadata) ||
    Object.values(metadata).some((v) => typeof v !== "string")
  ) return refuse("the metadata are not strings by name");

  budget.addTensors(Object.keys(entries).length);
  const found = Object.entries(entries).map(([name, entry]) => {
    const tensor = `tensor ${quoted(name)}`;
    const { dtype, shape, data_offsets: offsets } = isObject(entry)
      ? entry
      : {};
    if (!FILE_DTYPES.includes(dtype as FileDtype)) {
      return refuse(
        `${tensor} has unknown dtype ${
          typeof dtype === "string" ? quoted(dtype) : "(no text)"
        }; known are ${FILE_DTYPES.join(", ")}`,
        "convert it to float32",
      );
    }
    if (!isCounts(shape)) return refuse(`${tensor} has no valid shape`);
    if (
      !isCounts(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]
    ) return refuse(`${tensor} has no valid data_offsets`);
    const [begin, end] = offsets;
    const known = dtype as FileDtype;
    const size = elements(shape) * bytesPer(known);
    if (end - begin !== size) {
      return refuse(
        `${tensor} has offsets over ${end - begin} bytes, its shape [${
          printable(String(shape))
        }] wants ${size}`,
      );
    }
    return { name, tensor, dtype: known, shape, begin, end };
  }).sort((a, b) => a.begin - b.begin || a.end - b.end);

  let at = 0;
  for (const { tensor, begin, end } of found) {
    if (begin !== at) {
      refuse(
        `${tensor} has offsets from ${begin}, not contiguous with the data before, which end at ${at}`,
      );
    }
    at = end;
  }
  if (bytes.length < start + at) cut(start + at);
  if (bytes.length > start + at) {
    refuse(`${bytes.length - start - at} bytes after the last tensor`);
  }
  const texts = metadata as Record<string, string>;
  if (Object.hasOwn(texts, CHECKSUM)) {
    const sum = createHash("sha256").update(bytes.subarray(start));
    if (sum.digest("hex") !== texts[CHECKSUM]) {
      refuse("the checksum is wrong, so the data were changed");
    }
  }
  return {
    tensors: new Map(found.map(({ name, dtype, shape, begin }) => [
      name,
      storedTensor(
        dtype,
        shape,
        rawElements(bytes, dtype, start + begin, elements(shape)),
      ),
    ])),
    metadata: texts,
  };
}

/**
 * Reads a file, or the bytes of one, whose data the tensors may then share;
 * errors call it `name`.
 * The SHA-256 in the metadata key `ferlab.sha256` is verified where present.
 *
 * Format: https://huggingface.co/docs/safetensors, version 0.4 on; all
 * its dtypes but the 8-bit and smaller floats. F16 and BF16 are widened to F32.
 *
 * @throws SafetensorsError for a file that is missing, cut short or damaged.
 */
export async function readSafetensors(
  path: string | Uint8Array,
  name = typeof path === "string" ? path : "safetensors bytes",
): Promise<Safetensors> {
  let bytes: Uint8Array;
  try {
    bytes = typeof path === "string" ? await Deno.readFile(path) : path;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new SafetensorsError(`${name}: no such file; check the path`, true);
  }
  return parse(
    bytes as Uint8Array<ArrayBuffer>,
    (what, advice = "get or write it anew") => {
      throw new SafetensorsError(`${name}: ${what}; ${advice}`);
    },
  );
}

/** Length and header; padded, so that the data start at a multiple of 8. */
function headOf(
  entries: Entry[],
  metadata: Record<string, string>,
): Uint8Array<ArrayBuffer> {
  let at = 0;
  const fields = entries.map(([name, dtype, shape]) => {
    const begin = at;
    at += elements(shape) * ARRAYS[dtype].BYTES_PER_ELEMENT;
    return [name, { dtype, shape, data_offsets: [begin, at] }];
  });
  const json = new TextEncoder().encode(JSON.stringify(
    Object.fromEntries([["__metadata__", metadata], ...fields]),
  ));
  const head = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(head.length - 8), true);
  head.set(json, 8);
  return head;
}

/** Temporaries that this process is writing. */
const writing = new Set<string>();

function temporaryName(path: string): string {
  const name = `.${basename(path)}.${process.pid}.${randomUUID()}.tmp`;
  return join(dirname(path), name);
}

async function writeBytes(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await file.write(bytes.subarray(at));
  }
}

/** Makes a rename last over a power cut; not every system can. */
async function syncDirectory(dir: string): Promise<void> {
  try {
    using folder = await Deno.open(dir);
    await folder.sync();
  } catch {
    // The file itself is synced; only the newest name may be lost.
  }
}

/**
 * Writes a file whole: into a temporary beside it, to the disk, then renamed.
 * A kill at any moment leaves `path` as it was or complete. `beforeRename`
 * runs when all is on disk and the name not yet taken.
 *
 * @throws SafetensorsError before anything is written, when a tensor's data do
 * not fit its dtype or shape.
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: Record<string, string> = {},
  { beforeRename }: { beforeRename?: () => Promise<void> } = {},
): Promise<void> {
  for (const [name, { dtype, shape, data }] of tensors) {
    const fits = name !== "__metadata__" && isCounts(shape) &&
      data instanceof ARRAYS[dtype] && data.length === elements(shape);
    if (!fits) {
      throw new SafetensorsError(
        `${path}: tensor ${
          JSON.stringify(name)
        } cannot be written: ${data.length} elements of ${data.constructor.name} as ${dtype} [${shape}]; make them agree`,
      );
    }
  }
  // The widest elements first, so that each tensor is aligned.
  const sorted = [...tensors].sort(([, a], [, b]) =>
    b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT
  );
  const sum = createHash("sha256");
  for (const [, { data }] of sorted) sum.update(bytesOf(data));
  const head = headOf(
    sorted.map(([name, { dtype, shape }]) => [name, dtype, shape]),
    { ...metadata, [CHECKSUM]: sum.digest("hex") },
  );
  const temporary = temporaryName(path);
  writing.add(basename(temporary));
  try {
    {
      using file = await Deno.open(temporary, { write: true, createNew: true });
      await writeBytes(file, head);
      for (const [, { data }] of sorted) await writeBytes(file, bytesOf(data));
      await file.sync();
    }
    await beforeRename?.();
    await Deno.rename(temporary, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  } finally {
    writing.delete(basename(temporary));
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/**
 * Removes from `dir` the temporaries of killed writes, and returns their
 * names. Those of a process of this machine that still runs are left alone.
 */
export async function cleanTemporary(dir: string): Promise<string[]> {
  const removed: string[] = [];
  for await (const { name, isFile } of Deno.readDir(dir)) {
    const pid = name.match(/^\..+\.(\d+)\.[0-9a-f-]{36}\.tmp$/)?.[1];
    if (!isFile || pid === undefined) continue;
    const live = Number(pid) === process.pid
      ? writing.has(name)
      : isRunning(Number(pid));
    if (live) continue;
    await Deno.remove(join(dir, name));
    removed.push(name);
  }
  return removed;
}
