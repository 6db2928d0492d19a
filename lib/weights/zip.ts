/** Zip archives: the central directory, zip64 included, and entries checked by CRC-32. */
import { crc32, inflateRawSync } from "node:zlib";
import type { Budget } from "./budget.ts";
import { printable, type Refuse } from "./tensor.ts";

export interface ZipEntry {
  name: string;
  /** 0 stored, 8 deflated. */
  method: number;
  crc: number;
  compressedSize: number;
  size: number;
  /** Of the local header. */
  offset: number;
}

const END = 0x06054b50;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
/** In a 16- or 32-bit field: the value is in the zip64 record. */
const IN_ZIP64 = 0xffffffff;

const utf8 = new TextDecoder();
const viewOf = (b: Uint8Array) =>
  new DataView(b.buffer, b.byteOffset, b.byteLength);
const u64 = (view: DataView, at: number) => Number(view.getBigUint64(at, true));

/** Entries and place of the central directory. */
function directory(
  view: DataView,
  refuse: Refuse,
): { count: number; at: number; end: number } {
  let end = view.byteLength - 22;
  const first = Math.max(0, end - 65535);
  while (end >= first && view.getUint32(end, true) !== END) end--;
  if (end < first) refuse("a zip file without its end, so it is cut short");
  const locator = end - 20;
  if (locator >= 0 && view.getUint32(locator, true) === LOCATOR64) {
    const record = u64(view, locator + 8);
    if (
      record + 56 <= view.byteLength && view.getUint32(record, true) === END64
    ) {
      return { count: u64(view, record + 32), at: u64(view, record + 48), end };
    }
    refuse("a zip file whose zip64 end record is damaged");
  }
  return {
    count: view.getUint16(end + 10, true),
    at: view.getUint32(end + 16, true),
    end,
  };
}

/** Sizes and offset from the zip64 extra field, for those that are there. */
function widenEntry(entry: ZipEntry, extra: Uint8Array): void {
  const view = viewOf(extra);
  for (let at = 0; at + 4 <= extra.length;) {
    const id = view.getUint16(at, true), length = view.getUint16(at + 2, true);
    if (id === 1) {
      let field = at + 4;
      for (const key of ["size", "compressedSize", "offset"] as const) {
        if (entry[key] !== IN_ZIP64 || field + 8 > extra.length) continue;
        entry[key] = u64(view, field);
        field += 8;
      }
    }
    at += 4 + length;
  }
}

/** The entries of an archive by name. */
export function zipEntries(
  bytes: Uint8Array,
  budget: Budget,
  refuse: Refuse,
): Map<string, ZipEntry> {
  const view = viewOf(bytes);
  const found = directory(view, refuse);
  const entries = new Map<string, ZipEntry>();
  let { at } = found;
  for (let i = 0; i < found.count; i++) {
    if (at + 46 > found.end || view.getUint32(at, true) !== CENTRAL) {
      return refuse("a zip file whose directory is damaged");
    }
    const nameEnd = at + 46 + view.getUint16(at + 28, true);
    const extraEnd = nameEnd + view.getUint16(at + 30, true);
    budget.spend(256 + 2 * (nameEnd - at), "its list of entries");
    const entry: ZipEntry = {
      name: utf8.decode(bytes.subarray(at + 46, nameEnd)),
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      compressedSize: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      offset: view.getUint32(at + 42, true),
    };
    widenEntry(entry, bytes.subarray(nameEnd, extraEnd));
    if (entries.has(entry.name)) {
      refuse(`the zip file has ${printable(entry.name)} twice`);
    }
    entries.set(entry.name, entry);
    at = extraEnd + view.getUint16(at + 32, true);
  }
  return entries;
}

/** An entry's bytes: a view where stored. */
export function zipData(
  bytes: Uint8Array<ArrayBuffer>,
  entry: ZipEntry,
  budget: Budget,
  refuse: Refuse,
): Uint8Array<ArrayBuffer> {
  const name = printable(entry.name);
  const damaged = (): never => refuse(`the zip entry ${name} is damaged`);
  const view = viewOf(bytes);
  const { offset, method, size, compressedSize } = entry;
  if (offset + 30 > bytes.length || view.getUint32(offset, true) !== LOCAL) {
    damaged();
  }
  const nameEnd = offset + 30 + view.getUint16(offset + 26, true);
  const start = nameEnd + view.getUint16(offset + 28, true);
  if (
    start + compressedSize > bytes.length ||
    utf8.decode(bytes.subarray(offset + 30, nameEnd)) !== entry.name
  ) damaged();
  let data = bytes.subarray(start, start + compressedSize);
  if (method === 8) {
    budget.spend(size, `the zip entry ${name}, unpacked,`);
    try {
      data = new Uint8Array(
        inflateRawSync(data, { maxOutputLength: Math.max(1, size) }),
      );
    } catch {
      damaged();
    }
  } else if (method !== 0) {
    refuse(`the zip entry ${name} is compressed by unknown method ${method}`);
  }
  if (data.length !== size) damaged();
  // PyTorch can be told to leave the sums out, and then writes 0.
  if (entry.crc !== 0 && crc32(data) !== entry.crc) damaged();
  return data;
}
