/** PyTorch's files: real ones give PyTorch's values, others a one-line refusal. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { readWeights, WeightsError } from "../../lib/weights/mod.ts";
import { folderTest as test, inFolder } from "../_folder.ts";
import {
  expected,
  expectedPublished,
  folder,
  plain,
  published,
} from "./_fixtures.ts";

/** The message of the refusal, which must be one line. */
async function refusal(source: string | Uint8Array<ArrayBuffer>) {
  try {
    await readWeights(source);
  } catch (error) {
    assert.ok(error instanceof WeightsError, String(error));
    assert.ok(!error.message.includes("\n"), error.message);
    return error.message;
  }
  assert.fail("it was read");
}

const bytesOf = (name: string) => Deno.readFile(folder + name);

for (const [name, { key, format, tensors }] of Object.entries(expected)) {
  Deno.test(`${name} has PyTorch's names, dtypes, shapes and values`, async () => {
    const read = await readWeights(folder + name);
    assert.equal(read.key, key);
    assert.equal(read.format, format);
    assert.deepEqual([...read.tensors.keys()], Object.keys(tensors));
    for (const [tensor, stored] of read.tensors) {
      assert.deepEqual(plain(stored), tensors[tensor], tensor);
    }
  });
}

for (const [name, wanted] of Object.entries(expectedPublished)) {
  Deno.test(`${name} has PyTorch's values, and lists what was not run or left out`, async () => {
    const read = await readWeights(published + name);
    const { key, format, standIns, leftOut } = read;
    assert.deepEqual(
      { key, format, standIns: standIns.toSorted(), leftOut },
      {
        key: wanted.key,
        format: wanted.format,
        standIns: wanted.standIns,
        leftOut: wanted.leftOut,
      },
    );
    assert.deepEqual([...read.tensors.keys()], Object.keys(wanted.tensors));
    for (const [tensor, stored] of read.tensors) {
      assert.deepEqual(plain(stored), wanted.tensors[tensor], tensor);
    }
  });
}

Deno.test("a file is read alike from an odd place in memory", async () => {
  for (const name of ["zip.pth", "legacy.pth"]) {
    const bytes = await bytesOf(name);
    const odd = new Uint8Array(bytes.length + 1).subarray(1);
    odd.set(bytes);
    const read = await readWeights(odd);
    for (const [tensor, stored] of read.tensors) {
      assert.deepEqual(plain(stored), expected[name].tensors[tensor], tensor);
    }
  }
});

Deno.test("another mapping of a checkpoint is reached by its key, a wrong key is refused", async () => {
  const path = `${folder}checkpoint.pth`;
  assert.deepEqual((await readWeights(path)).otherKeys, ["ema"]);
  const { tensors } = await readWeights(path, { key: "ema" });
  assert.deepEqual([...tensors.keys()], ["0.weight"]);
  await assert.rejects(
    readWeights(path, { key: "emma" }),
    /no tensors under "emma"; there are some under "state_dict", "ema"/,
  );
});

Deno.test("a pickle that asks for os.system is refused by that name and not run", async () => {
  for (const name of ["evil.pth", "evil.legacy.pth"]) {
    const message = await refusal(folder + name);
    assert.match(
      message,
      /asks for posix\.system, which is not run; .*state_dict/,
    );
    assert.ok(message.startsWith(folder + name));
  }
  assert.ok(!existsSync("FERLAB_PICKLE_WAS_RUN"));
});

const refused: [name: string, message: RegExp][] = [
  [
    "module.pth",
    /whole pickled module \(__main__\.Net\).*model\.state_dict\(\)/,
  ],
  ["module.legacy.pth", /whole pickled module \(__main__\.Net\).*state_dict/],
  [
    "nested_module.pth",
    /whole pickled module \(torch\.nn\.modules\.\w+\.Sequential\)/,
  ],
  ["script.pt", /TorchScript.*torch\.jit\.load\(path\)\.state_dict\(\)/],
  ["tensor.pth", /one tensor without a name/],
  [
    "complex.pth",
    /"c" has a dtype that cannot be read \(ComplexFloatStorage\)/,
  ],
];
const refusedPublished: typeof refused = [
  ["integers.pth", /its tensors under keys that are no names \(3\)/],
  ["quantised.pth", /tensor "q" is quantised, .*dequantize\(\)/],
  ["quantised.legacy.pth", /tensor "q" is quantised, .*dequantize\(\)/],
  ["sparse.pth", /tensor "s" is sparse \(torch\.sparse_coo\), .*to_dense\(\)/],
  ["sparse_csr.pth", /tensor "s" is sparse \(torch\.sparse_csr\)/],
  ["nested.pth", /tensor "n" is nested/],
  ["meta.pth", /tensor "m" is on the meta device/],
  ["subclass.pth", /tensor "m" is made by __main__\.Marked, which is not run/],
  ["parameter.pth", /tensor "m" is made by __main__\.Marked/],
  ["list.pth", /holds a list of 2, no mapping of names to tensors; save its/],
  ["float8.pth", /tensor "f" has the dtype torch\.float8_e4m3fn, which is not/],
  ["protocol1.pth", /a pickle of protocol 0 or 1; .*pickle_protocol=2/],
  ["conjugate.pth", /"c" has a dtype that cannot be read/],
  [
    "object.pth",
    /asks for argparse\.Namespace, which is not run; .*state_dict/,
  ],
];
for (
  const [path, message] of [
    ...refused.map(([name, m]) => [folder + name, m] as const),
    ...refusedPublished.map(([name, m]) => [published + name, m] as const),
  ]
) {
  Deno.test(`${basename(path)} is refused with what to save instead`, async () => {
    assert.match(await refusal(path), message);
  });
}

Deno.test("a key is refused where there is none to choose by", async () => {
  for (
    const file of [
      "model.safetensors.index.json",
      "model-00001-of-00002.safetensors",
    ]
  ) {
    await assert.rejects(
      readWeights(published + file, { key: "model_ema" }),
      /has one mapping of tensors, so no key to choose by$/,
    );
  }
});

test("a large file of another kind is refused by its head alone", async (dir) => {
  const path = join(dir, "film.pth");
  // More than fits into one array, and no byte of it on the disk.
  for (const head of ["film", '{"weight_map": {}}']) {
    await Deno.writeTextFile(path, head);
    await Deno.truncate(path, 2 ** 40);
    assert.match(await refusal(path), /no weight file/);
  }
});

Deno.test("an index gives the tensors of its shards, whose bytes can be hashed", async () => {
  const sizes: number[] = [];
  const { tensors, format, metadata } = await readWeights(
    `${published}model.safetensors.index.json`,
    { onFile: (bytes) => sizes.push(bytes.length) },
  );
  assert.deepEqual([format, metadata], [
    "safetensors in shards",
    { total_size: "44" },
  ]);
  assert.deepEqual([...tensors].map(([name, t]) => [name, plain(t).values]), [
    ["a.weight", [0, 1, 2, 3, 4, 5]],
    ["a.bias", [1, 1]],
    ["b.weight", [7, 8]],
  ]);
  assert.equal(sizes.length, 3);
  const torch = await readWeights(`${published}pytorch_model.bin.index.json`);
  assert.equal(torch.format, "PyTorch zip in shards");
  assert.deepEqual([...torch.tensors.keys()], ["a.weight", "a.bias"]);
});

test("an index that is wrong, or leads out of its folder, is refused; what it lacks is told", async (dir) => {
  const shard = "model-00001-of-00002.safetensors";
  await Deno.copyFile(published + shard, join(dir, shard));
  const path = join(dir, "model.safetensors.index.json");
  const write = (json: unknown) =>
    Deno.writeTextFile(
      path,
      typeof json === "string" ? json : JSON.stringify(json),
    );
  const cases: [unknown, RegExp][] = [
    [{ "a.weight": "../x.safetensors" }, /\.\.\/x.*no name of a file beside/],
    [{ "a.weight": ".." }, /no name of a file beside it/],
    [{ "a.weight": 3 }, /no text, which is no name/],
    [{ "a.weight": "no.safetensors" }, /no\.safetensors: no such file/],
    [{ "c.weight": shard }, /"c\.weight" into .*which has no such tensor/],
    [{}, /an index without a tensor/],
  ];
  for (const [weight_map, message] of cases) {
    await write({ weight_map });
    assert.match(await refusal(path), message);
  }
  await write(`{"weight_map": {"a": "${shard}", "a": "${shard}"}}`);
  assert.match(await refusal(path), /the key "a" twice/);
  await write({ layers: 2 });
  assert.match(await refusal(path), /no weight file/);
  await write({ weight_map: { "a.bias": shard } });
  assert.deepEqual((await readWeights(path)).leftOut, [
    `a.weight of ${shard}, which the index does not have there`,
  ]);
});

Deno.test("what is no weight file is refused by what it is", async () => {
  const text = (s: string) => new TextEncoder().encode(s);
  const cases: [Uint8Array<ArrayBuffer>, RegExp][] = [
    [new Uint8Array(), /an empty file/],
    [text("\n<!DOCTYPE html><html>"), /a web page, so the download went wrong/],
    [text("version https://git-lfs.github.com/spec/v1\n"), /git lfs pull/],
    [text("hello"), /no weight file/],
    [text("BZh91AY&SY"), /a compressed file; unpack it first/],
    [
      Uint8Array.of(0x80, 2, ...text("ctorch.storage\n_load_from_bytes\n)R.")),
      /tensors of pickle\.dump; save them with torch\.save instead/,
    ],
    [new Uint8Array(5000).fill(0xff), /no weight file/],
    [text("PK\x03\x04 and no more"), /zip file without its end/],
    // pickle.dumps({"a": 1}, 4)
    [
      Uint8Array.from(
        atob("gASVCgAAAAAAAAB9lIwBYZRLAXMu"),
        (c) => c.charCodeAt(0),
      ),
      /a pickle that is not PyTorch's/,
    ],
  ];
  for (const [bytes, message] of cases) {
    assert.match(await refusal(bytes), message);
  }
  await inFolder(async (dir) => {
    assert.match(await refusal(join(dir, "no.pth")), /no such file/);
    assert.match(await refusal(dir), /cannot be read/);
  });
});

Deno.test("a file cut anywhere is refused", async () => {
  for (const name of ["protocol4.legacy.pth", "protocol3.zip.pth"]) {
    const bytes = await bytesOf(name);
    for (let n = 0; n < bytes.length; n += 3) await refusal(bytes.slice(0, n));
    await refusal(bytes.slice(0, -1));
  }
});

/** The same numbers in [0, 1) on every run. */
function randomOf(seed: number) {
  return () => {
    seed = (seed * 1664525 + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
}

/** What came of a changed file: the values, or undefined for a refusal. */
async function values(bytes: Uint8Array<ArrayBuffer>) {
  try {
    const { tensors } = await readWeights(bytes);
    return [...tensors].map(([name, t]) => [name, plain(t)]);
  } catch (error) {
    assert.ok(error instanceof WeightsError, String((error as Error).stack));
    assert.ok(!error.message.includes("\n"), error.message);
  }
}

Deno.test("one changed bit of a zip file is refused or leaves all values right", async () => {
  const random = randomOf(1);
  for (const name of ["checkpoint.pth", "deflated.pth", "zip.pth"]) {
    const bytes = await bytesOf(name);
    const right = await values(bytes);
    let refusals = 0;
    for (let i = 0; i < 200; i++) {
      const changed = bytes.slice();
      changed[Math.floor(random() * bytes.length)] ^= 1 << (random() * 8);
      const read = await values(changed);
      if (read) assert.deepEqual(read, right);
      else refusals++;
    }
    assert.ok(refusals > 20, `${name}: ${refusals}`);
  }
});

Deno.test("a legacy file with random bytes in it ends in data or a one-line refusal", async () => {
  const random = randomOf(2);
  for (const name of ["legacy.pth", "protocol5.legacy.pth", "no_crc.pth"]) {
    const bytes = await bytesOf(name);
    for (let i = 0; i < 300; i++) {
      const changed = bytes.slice();
      for (let j = 0; j <= i % 4; j++) {
        changed[Math.floor(random() * bytes.length)] = random() * 256;
      }
      await values(changed);
    }
  }
});

/** A zip file's ends and directory as one over 4 GiB has them. */
function asZip64(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = bytes.length - 22;
  const count = view.getUint16(end + 10, true);
  const start = view.getUint32(end + 16, true);
  const parts: Uint8Array[] = [bytes.subarray(0, start)];
  for (let i = 0, at = start; i < count; i++) {
    const nameEnd = at + 46 + view.getUint16(at + 28, true);
    const next = nameEnd + view.getUint16(at + 30, true);
    const entry = bytes.slice(at, nameEnd);
    const extra = new Uint8Array(28), field = new DataView(extra.buffer);
    field.setUint16(0, 1, true);
    field.setUint16(2, 24, true);
    const head = new DataView(entry.buffer);
    // Size, compressed size, offset, in the order of the extra field.
    [24, 20, 42].forEach((place, j) => {
      field.setBigUint64(4 + 8 * j, BigInt(head.getUint32(place, true)), true);
      head.setUint32(place, 0xffffffff, true);
    });
    head.setUint16(30, extra.length, true);
    parts.push(entry, extra);
    at = next;
  }
  const record = parts.reduce((n, part) => n + part.length, 0);
  const tail = new Uint8Array(56 + 20 + 22).fill(0xff);
  const ends = new DataView(tail.buffer);
  ends.setUint32(0, 0x06064b50, true);
  ends.setBigUint64(32, BigInt(count), true);
  ends.setBigUint64(48, BigInt(start), true);
  ends.setUint32(56, 0x07064b50, true);
  ends.setBigUint64(64, BigInt(record), true);
  ends.setUint32(76, 0x06054b50, true);
  ends.setUint16(96, 0, true);
  return new Uint8Array([...parts, tail].flatMap((part) => [...part]));
}

Deno.test("a zip64 file, as PyTorch writes from 4 GiB on, is read", async () => {
  const bytes = await bytesOf("protocol4.zip.pth");
  assert.deepEqual(await values(asZip64(bytes)), await values(bytes));
});

/** A legacy file of a pickle and one storage, which it calls "0". */
function legacy(
  root: Uint8Array,
  { count = 0, width = 2 } = {},
): Uint8Array<ArrayBuffer> {
  const text = (s: string) => Uint8Array.from(s, (c) => c.charCodeAt(0));
  const magic = text(
    "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.",
  );
  const head = [magic, text("\x80\x02M\xe9\x03."), text("\x80\x02}.")];
  const keys = text(count ? "\x80\x02]X\x01\0\0\x000a." : "\x80\x02].");
  const storage = new Uint8Array(count && 8 + count * width);
  if (count) new DataView(storage.buffer).setUint32(0, count, true);
  const parts = [...head, text("\x80\x02"), root, keys, storage];
  const all = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** A pickled dict of `views` tensors, each of the whole storage. */
function views(type: string, count: number, views: number, stride: string) {
  const int = (n: number) =>
    `J${String.fromCharCode(n & 255, n >> 8 & 255, n >> 16 & 255, n >> 24)}`;
  const word = (s: string) => `X${String.fromCharCode(s.length)}\0\0\0${s}`;
  const pid = `(${word("storage")}ctorch\n${type}\n${word("0")}${word("cpu")}${
    int(count)
  }tQ`;
  const tensor = `ctorch._utils\n_rebuild_tensor_v2\n(${pid}K\0${
    int(count)
  }\x85K${stride}\x85\x89NtR`;
  const items = Array.from({ length: views }, (_, i) => word(`w${i}`) + tensor);
  return Uint8Array.from(`}(${items.join("")}u.`, (c) => c.charCodeAt(0));
}

Deno.test("what unfolds to more than four times the file and 512 MiB is refused before it does", async () => {
  const deflated = await bytesOf("deflated.pth");
  const view = new DataView(deflated.buffer);
  const directory = view.getUint32(deflated.length - 6, true);
  view.setUint32(directory + 24, 2 ** 31 - 1, true);
  assert.match(
    await refusal(deflated),
    /zip entry .*, unpacked, would take more memory than .*\(512 MiB: four times its size and 512 MiB\)/,
  );
  // 4 MB, whose views are 24 GB in float32.
  const n = 2 ** 21;
  const halves = views("HalfStorage", n, 3000, "\x01");
  assert.match(
    await refusal(legacy(halves, { count: n })),
    /tensor "w\d+" would take more memory/,
  );
  const many = views("HalfStorage", 1, 250_001, "\x01");
  assert.match(
    await refusal(legacy(many, { count: 1 })),
    /more than 250000 tensors/,
  );
  const stack = new Uint8Array(5_000_000).fill(0x32);
  stack[0] = 0x4e;
  assert.match(
    await refusal(legacy(stack)),
    /too many values are open at once/,
  );
});

Deno.test("a few views of one storage are read and share it", async () => {
  const { tensors } = await readWeights(
    legacy(views("HalfStorage", 4, 2, "\x01"), { count: 4 }),
  );
  assert.deepEqual([...tensors].map(([name, t]) => [name, [...t.data]]), [
    ["w0", [0, 0, 0, 0]],
    ["w1", [0, 0, 0, 0]],
  ]);
});

Deno.test({
  name: "a device, which has no end, is no weight file",
  ignore: Deno.build.os === "windows",
  fn: async () =>
    assert.match(
      await refusal("/dev/zero"),
      /cannot be read: it is no plain file/,
    ),
});
