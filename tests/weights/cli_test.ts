/** `deno task weights`: what it prints, writes and exits with. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { readWeights, writeSafetensors } from "../../lib/weights/mod.ts";
import { folderTest as test } from "../_folder.ts";
import { finished, ran, ROOT } from "../_run.ts";
import { expected, folder, plain, published } from "./_fixtures.ts";

const weights = (...args: string[]) => ran("tasks/weights.ts", args);

Deno.test("inspect gives each tensor's statistics, the key and the renaming found", async () => {
  const { code, out } = await weights(
    "inspect",
    `${folder}checkpoint.pth`,
    "--json",
  );
  assert.equal(code, 0);
  const { key, otherKeys, renaming, count, tensors } = JSON.parse(out);
  assert.deepEqual([key, otherKeys], ["state_dict", ["ema"]]);
  assert.deepEqual(renaming, [
    "names of wrappers (module., _orig_mod., …) removed",
  ]);
  assert.equal(count, 29);
  const [first] = tensors;
  assert.deepEqual([first.name, first.shape, first.dtype, first.count], [
    "module.0.weight",
    [2, 1, 3, 3],
    "F32",
    18,
  ]);
  const values = expected["checkpoint.pth"].tensors["module.0.weight"].values
    .map(Number);
  const mean = values.reduce((a, b) => a + b) / 18;
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 17;
  assert.ok(Math.abs(first.mean - mean) < 1e-12);
  assert.ok(Math.abs(first.std - Math.sqrt(variance)) < 1e-12);
  assert.deepEqual([first.min, first.max], [
    Math.min(...values),
    Math.max(...values),
  ]);
  const text = await weights("inspect", `${folder}zip.pth`);
  assert.match(text.out, /^f32 \(2 not finite\) +\[2, 2\] +F32 +4 +0 +0\.75/m);
  assert.match(text.out, /^bf16 .*BF16/m);
});

Deno.test("inspect lists what was not run and what was left out", async () => {
  const args = await weights("inspect", `${published}namespace.pth`);
  assert.match(args.out, /^not run +argparse\.Namespace, pathlib\.Pure/m);
  const integer = await weights("inspect", `${published}integer_key.pth`);
  assert.match(integer.out, /^left out +the tensor under the key 3,/m);
});

test("no name steers the terminal, and JSON keeps each name", async (dir) => {
  const path = join(dir, "a.safetensors");
  const names = ["a\u202eb", "\x1b[31m", "\u009b2J", "\u200b", "\u{e0001}"];
  const one = { dtype: "U8" as const, shape: [1], data: Uint8Array.of(1) };
  await writeSafetensors(
    path,
    new Map(names.map((name) => [name, one])),
    { "\x1b]0;": "\u202e" },
  );
  const steers = /[\p{Cf}\p{Cs}]|(?!\n)\p{Cc}/u;
  const text = await weights("inspect", path);
  assert.doesNotMatch(text.out, steers);
  assert.match(text.out, /^a\\u202eb +\[1\]/m);
  const json = await weights("inspect", path, "--json");
  assert.doesNotMatch(json.out, steers);
  const { tensors } = JSON.parse(json.out);
  assert.deepEqual(
    tensors.map((t: { name: string }) => t.name).sort(),
    names.toSorted(),
  );
  await writeSafetensors(join(dir, "b.safetensors"), new Map([["c", one]]));
  const compared = await weights("compare", path, join(dir, "b.safetensors"));
  assert.doesNotMatch(compared.out, steers);
  const missing = await weights("inspect", join(dir, "\u202e"));
  assert.doesNotMatch(missing.err, steers);
});

test("inspect lists 150,000 tensors", async (dir) => {
  const path = join(dir, "a.safetensors");
  const none = { dtype: "U8" as const, shape: [0], data: new Uint8Array() };
  const names = Array.from({ length: 150_000 }, (_, i) => `w${i}`);
  await writeSafetensors(path, new Map(names.map((name) => [name, none])));
  const { code, out } = await weights("inspect", path);
  assert.equal(code, 0);
  assert.match(out, /^w149999 +\[0\]/m);
});

Deno.test("the command needs neither TensorFlow nor FFI", async () => {
  const { code, out } = await finished(
    new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", `${ROOT}tasks/weights.ts`],
    }),
  );
  assert.equal(code, 0);
  const files = JSON.parse(out).modules
    .map((m: { specifier: string }) => m.specifier);
  assert.ok(files.some((file: string) => file.endsWith("/lib/weights/mod.ts")));
  assert.deepEqual(
    files.filter((file: string) =>
      /tensorflow|tfjs|\/lib\/(?!weights\/|faults\/|notebook\/)/.test(file)
    ),
    [],
  );
  for (const file of files.filter((f: string) => f.startsWith("file:"))) {
    if (file.includes("/node_modules/")) continue;
    assert.doesNotMatch(await Deno.readTextFile(new URL(file)), /dlopen/);
  }
});

test("convert keeps names, shapes and values; halves become float32; then compare finds no difference", async (dir) => {
  const out = join(dir, "a.safetensors");
  const from = `${folder}zip.pth`;
  const run = await weights("convert", from, out);
  assert.deepEqual([run.code, run.err], [0, ""]);
  assert.match(run.out, /2 tensors of half precision as float32/);
  const { tensors, metadata } = await readWeights(out);
  assert.equal(metadata.format, "pt");
  for (const [name, tensor] of Object.entries(expected["zip.pth"].tensors)) {
    const stored = plain(tensors.get(name)!);
    assert.deepEqual(stored, { ...tensor, stored: null }, name);
  }
  const { code, out: said } = await weights("compare", from, out);
  assert.deepEqual([code, said], [
    0,
    "equal: 22 tensors in both, largest difference 0\n",
  ]);
});

test("convert --rename --prefix gives our names", async (dir) => {
  const out = join(dir, "a.safetensors");
  const from = `${folder}checkpoint.pth`;
  await weights("convert", from, out, "--rename", "--prefix", "irback.");
  const { tensors } = await readWeights(out);
  assert.deepEqual(
    [...tensors.keys()].sort(),
    Object.keys(expected["checkpoint.pth"].tensors)
      .map((name) => name.replace("module.", "irback.")).sort(),
  );
  assert.equal(tensors.get("irback.1.num_batches_tracked")!.dtype, "I64");
  const wrong = await weights("convert", from, join(dir, "a.pth"));
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /end the name in \.safetensors or \.onnx/);
});

test("convert to ONNX wants a net's recipe, and no other names", async (dir) => {
  const out = join(dir, "a.onnx");
  const from = `${folder}checkpoint.pth`;
  const bare = await weights("convert", from, out);
  assert.equal(bare.code, 2);
  assert.match(bare.err, /does not say which net it is of: give the recipe/);
  const renamed = await weights("convert", from, out, "--rename");
  assert.deepEqual([renamed.code, renamed.err], [
    2,
    "weights: --prefix and --rename are for .safetensors\n",
  ]);
  const recipe = join(dir, "none.json");
  const gone = await weights("convert", from, out, "--recipe", recipe);
  assert.equal(gone.code, 2);
  assert.match(gone.err, /none\.json: not readable as JSON/);
  const file = join(dir, "a.safetensors");
  const other = await weights("convert", from, file, "--recipe", recipe);
  assert.deepEqual([other.code, other.err], [
    2,
    "weights: --recipe and --classes are for .onnx\n",
  ]);
  assert.deepEqual([...Deno.readDirSync(dir)], []);
});

test("compare names each difference, exits with 1, and takes a tolerance", async (dir) => {
  const [a, b] = [join(dir, "a.safetensors"), join(dir, "b.safetensors")];
  const f32 = (...data: number[]) => ({
    dtype: "F32" as const,
    shape: [data.length],
    data: Float32Array.from(data),
  });
  const same = f32(NaN, Infinity);
  await writeSafetensors(
    a,
    new Map([["same", same], ["w", f32(1, 2)], ["s", f32(1)], ["l", f32(1)]]),
  );
  await writeSafetensors(
    b,
    new Map([
      ["same", same],
      ["w", f32(1, 2.5)],
      ["s", f32(1, 1)],
      ["r", f32(1)],
    ]),
  );
  const { code, out } = await weights("compare", a, b);
  assert.equal(code, 1);
  assert.equal(
    out,
    `values differ       w: by up to 0.5
shapes differ       s: [1] and [2]
only in the first   l
only in the second  r
different: 3 tensors in both, largest difference 0.5
`,
  );
  const loose = await weights("compare", a, b, "--tolerance", "0.5");
  assert.doesNotMatch(loose.out, /values differ/);
  assert.equal(loose.code, 1);
});

Deno.test("a file that cannot be used exits with 2, as a wrong command line does, in one line", async () => {
  const evil = await weights("inspect", `${folder}evil.pth`);
  assert.deepEqual([evil.code, evil.out], [2, ""]);
  assert.match(evil.err, /^weights: .*posix\.system.*\n$/);
  const missing = await weights("compare", "no.pth", "no.pth");
  assert.deepEqual([missing.code, missing.err], [
    2,
    "weights: no.pth: no such file; check the path\n",
  ]);
  const args = [`${folder}zip.pth`, "no/such/folder/a.safetensors"];
  const unwritten = await weights("convert", ...args);
  assert.equal(unwritten.code, 2);
  assert.match(
    unwritten.err,
    /^weights: no\/such\/folder\/a\.safetensors: cannot be written: there is no such file or folder\n$/,
  );
  for (
    const args of [["inspect"], ["look", "a"], ["convert", "a", "b.pth"], [
      "compare",
      "a",
      "b",
      "--tolerance",
      "-1",
    ]]
  ) {
    const { code, err } = await weights(...args);
    assert.equal(code, 2);
    assert.match(err, /^error: [^\n]+\n$/);
  }
});
