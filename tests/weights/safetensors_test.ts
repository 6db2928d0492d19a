/** The safetensors file: round trip, foreign files, every refusal. */
import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import {
  cleanTemporary,
  readSafetensors,
  readWeights,
  SafetensorsError,
  type StoredTensor,
  writeSafetensors,
} from "../../lib/weights/mod.ts";
import { folderTest as test } from "../_folder.ts";

/** A file's bytes from a header (text or fields) and `n` bytes of data. */
function file(header: unknown, n: number): Uint8Array {
  const json = new TextEncoder().encode(
    typeof header === "string" ? header : JSON.stringify(header),
  );
  const bytes = new Uint8Array(8 + json.length + n);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

const tensors = new Map<string, StoredTensor>([
  ["bytes", { dtype: "U8", shape: [3], data: Uint8Array.of(1, 2, 255) }],
  ["f32", {
    dtype: "F32",
    shape: [2, 2],
    data: Float32Array.of(1, -0, 2, NaN),
  }],
  ["f64", { dtype: "F64", shape: [], data: Float64Array.of(Math.PI) }],
  ["i64", { dtype: "I64", shape: [1], data: BigInt64Array.of(-(2n ** 60n)) }],
  ["i32", { dtype: "I32", shape: [2], data: Int32Array.of(-1, 7) }],
  ["i16", { dtype: "I16", shape: [1], data: Int16Array.of(-300) }],
  ["i8", { dtype: "I8", shape: [2], data: Int8Array.of(-128, 127) }],
  ["u16", { dtype: "U16", shape: [1], data: Uint16Array.of(65535) }],
  ["u32", { dtype: "U32", shape: [1], data: Uint32Array.of(2 ** 32 - 1) }],
  ["u64", { dtype: "U64", shape: [1], data: BigUint64Array.of(2n ** 63n) }],
  ["bool", { dtype: "BOOL", shape: [2], data: Uint8Array.of(1, 0) }],
  ["empty", { dtype: "F32", shape: [0, 4], data: new Float32Array() }],
  ["__proto__", { dtype: "U8", shape: [1], data: Uint8Array.of(9) }],
]);

test("each dtype, shape and metadata text comes back as it was written", async (dir) => {
  const path = join(dir, "a.safetensors");
  await writeSafetensors(path, tensors, { note: 'ü "\n' });
  const read = await readSafetensors(path);
  assert.deepEqual(
    new Map([...read.tensors].sort()),
    new Map([...tensors].sort()),
  );
  assert.equal(read.metadata.note, 'ü "\n');
  assert.match(read.metadata["ferlab.sha256"], /^[0-9a-f]{64}$/);
  assert.deepEqual([...Deno.readDirSync(dir)].map((e) => e.name), [
    "a.safetensors",
  ]);
  // At an odd place in memory each tensor must be copied.
  const bytes = await Deno.readFile(path);
  const odd = new Uint8Array(bytes.length + 1).subarray(1);
  odd.set(bytes);
  assert.deepEqual((await readSafetensors(odd)).tensors, read.tensors);
});

Deno.test("a header whose length ends in 0x80, as a pickle begins, is no pickle", async () => {
  const path = new URL("../fixtures/ir_vit_tiny.safetensors", import.meta.url);
  assert.equal((await Deno.readFile(path))[0], 0x80);
  const { format } = await readWeights(path.pathname);
  assert.equal(format, "safetensors");
});

Deno.test("a file of the reference library is read, and has no checksum to verify", async () => {
  const { tensors, metadata } = await readSafetensors(
    new URL("../fixtures/ir_vit_tiny.safetensors", import.meta.url).pathname,
  );
  assert.ok(tensors.size > 10);
  assert.ok(!("ferlab.sha256" in metadata));
  const { dtype, shape, data } = tensors.get("grad.cls_token")!;
  assert.deepEqual([dtype, shape, data.length], ["F32", [1, 1, 32], 32]);
  // As Python's struct reads them.
  assert.equal(data[0], 0.031356386840343475);
  assert.equal(data[1], 0.04665007069706917);
});

const one = { dtype: "U8", shape: [4], data_offsets: [0, 4] };
const damaged: [name: string, bytes: Uint8Array, message: RegExp][] = [
  ["an empty file", new Uint8Array(), /cut short: 0 of 8/],
  ["a cut header", file({ a: one }, 4).subarray(0, 20), /cut short: 20 of/],
  ["cut data", file({ a: one }, 3), /cut short/],
  ["data too long", file({ a: one }, 6), /2 bytes after the last tensor/],
  ["a huge header", new Uint8Array(16).fill(255), /no safetensors file/],
  ["a header of text", file("hello", 0), /header is not JSON;/],
  ["a header of a list", file([], 0), /not a JSON object/],
  ["a float8", file({ a: { ...one, dtype: "F8_E4M3" } }, 4), /"a" .*dtype "F8/],
  ["a gap", file({ a: { ...one, data_offsets: [1, 5] } }, 5), /not contiguous/],
  ["an overlap", file({ a: one, b: one }, 8), /"b" .*not contiguous/],
  [
    "offsets backwards",
    file({ a: { ...one, data_offsets: [4, 0] } }, 4),
    /valid data_offsets/,
  ],
  [
    "offsets off the shape",
    file({ a: { ...one, shape: [5] } }, 4),
    /over 4 bytes, its shape \[5\] wants 5/,
  ],
  [
    "a negative shape",
    file({ a: { ...one, shape: [-4] } }, 4),
    /no valid shape/,
  ],
  [
    "a doubled name",
    file(
      `{"a":${JSON.stringify(one)},"b":[],"\\u0061":${JSON.stringify(one)}}`,
      4,
    ),
    /the header has the key "a" twice/,
  ],
  [
    "a doubled field",
    file(
      '{"a":{"dtype":"U8","shape":[4],"shape":[4],"data_offsets":[0,4]}}',
      4,
    ),
    /the key "shape" twice/,
  ],
  ["a null entry", file({ a: null }, 0), /unknown dtype/],
  [
    "a dtype that is not read",
    file('{"a":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}}', 4),
    /unknown dtype "F8_E4M3"; .*; convert it to float32$/,
  ],
  ["metadata of numbers", file({ __metadata__: { a: 1 } }, 0), /not strings/],
  [
    "a wrong checksum",
    file({ __metadata__: { "ferlab.sha256": "0" }, a: one }, 4),
    /checksum is wrong/,
  ],
];
for (const [name, bytes, message] of damaged) {
  test(`${name} is refused in one line that names the file`, async (dir) => {
    const path = join(dir, "x.safetensors");
    await Deno.writeFile(path, bytes);
    await assert.rejects(readSafetensors(path), (error) => {
      assert.ok(error instanceof SafetensorsError && !error.missing);
      assert.match(error.message, message);
      assert.ok(error.message.startsWith(`${path}: `));
      assert.ok(!error.message.includes("\n"));
      return true;
    });
  });
}

test("a missing file is said to be missing", async (dir) => {
  await assert.rejects(
    readSafetensors(join(dir, "no.safetensors")),
    /no\.safetensors: no such file; check the path/,
  );
});

test("tensors that do not fit are refused and the old file stays", async (dir) => {
  const path = join(dir, "a.safetensors");
  await writeSafetensors(path, tensors);
  const before = await Deno.readFile(path);
  const bad = (t: StoredTensor) => writeSafetensors(path, new Map([["t", t]]));
  const data = new Float32Array(3);
  await assert.rejects(bad({ dtype: "F32", shape: [4], data }), /"t" cannot/);
  await assert.rejects(bad({ dtype: "F64", shape: [3], data }), /"t" cannot/);
  assert.deepEqual(await Deno.readFile(path), before);
});

test("cleaning removes what killed writers left and nothing else", async (dir) => {
  const id = crypto.randomUUID();
  const dead = `.a.safetensors.4194305.${id}.tmp`;
  const left = `.a.safetensors.${process.pid}.${id}.tmp`;
  const live = `.a.safetensors.${process.ppid}.${id}.tmp`;
  for (const name of [dead, left, live, "b.tmp", "a.safetensors"]) {
    await Deno.writeTextFile(join(dir, name), "x");
  }
  assert.deepEqual((await cleanTemporary(dir)).sort(), [dead, left].sort());
  assert.deepEqual(
    [...Deno.readDirSync(dir)].map((e) => e.name).sort(),
    [live, "a.safetensors", "b.tmp"].sort(),
  );
});
