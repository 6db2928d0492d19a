/** PyTorch's files: real ones give PyTorch's values, others a one-line refusal. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readWeights, WeightsError } from "../../lib/weights/mod.ts";
import { inFolder } from "../_folder.ts";
import { expected, folder, plain } from "./_fixtures.ts";

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
for (const [name, message] of refused) {
  Deno.test(`${name} is refused with what to save instead`, async () => {
    assert.match(await refusal(folder + name), message);
  });
}

Deno.test("what is no weight file is refused by what it is", async () => {
  const text = (s: string) => new TextEncoder().encode(s);
  const cases: [Uint8Array<ArrayBuffer>, RegExp][] = [
    [new Uint8Array(), /an empty file/],
    [text("\n<!DOCTYPE html><html>"), /a web page, so the download went wrong/],
    [text("version https://git-lfs.github.com/spec/v1\n"), /git lfs pull/],
    [text("hello"), /no weight file/],
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
