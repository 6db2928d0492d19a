/** FERLab's own ops: compiling them, what stands in where that fails, and wrong inputs. */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { findLibrarySync } from "../../lib/tensorflow/install.ts";
import { cacheRoot } from "../../lib/tensorflow/location.ts";
import { ensureNative, kernelKey, ZIG } from "../../lib/tensorflow/native.ts";
import {
  type Attr,
  AttrType,
  backend,
  tf,
  usesNativeOps,
} from "../../lib/tensorflow/mod.ts";
import { withEnv } from "../_env.ts";
import { inFolder } from "../_folder.ts";
import { finished } from "../_run.ts";

const LIBRARY = findLibrarySync()!.dir;
const isLinux = Deno.build.os === "linux";
const CLI = "lib/tensorflow/cli.ts";

const kernels = (cache: string) =>
  join(cache, "ferlab", "tensorflow", "kernels");
const names = (cache: string) => readdirSync(kernels(cache)).sort();

/** A program of this project with a cache folder of its own. */
const program = (args: string[], env: Record<string, string>) =>
  finished(
    new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", ...args],
      env: { FERLAB_TENSORFLOW: LIBRARY, FERLAB_DEVICE: "cpu", ...env },
    }),
  );

/** The line of `deno task tf info` that says which ops are used. */
const kernelsLine = (out: string) =>
  out.split("\n").find((line) => line.startsWith("kernels"))!
    .slice("kernels".length).trim();

/** A PATH with the programs of `scripts` alone, each a shell script. */
function pathOf(dir: string, scripts: Record<string, string>): string {
  const bin = join(dir, "bin");
  Deno.mkdirSync(bin);
  for (const [name, text] of Object.entries(scripts)) {
    Deno.writeTextFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, {
      mode: 0o755,
    });
  }
  return bin;
}

const BROKEN = `echo 'ops.c:1: error: no such thing' >&2; exit 1`;
const NONE = Object.fromEntries(
  ["cc", "gcc", "clang", "python3"].map((name) => [name, BROKEN]),
);

Deno.test({
  name: "two processes that start at once compile once",
  ignore: !isLinux || !usesNativeOps(),
  fn: () =>
    inFolder(async (cache) => {
      const env = { XDG_CACHE_HOME: cache };
      const runs = await Promise.all(
        [0, 1].map(() => program([CLI, "info"], env)),
      );
      const files = names(cache).filter((name) => name !== "lock");
      assert.equal(files.length, 1);
      for (const { code, out } of runs) {
        assert.equal(code, 0);
        assert.equal(kernelsLine(out), join(kernels(cache), files[0]));
      }
      const compiled = runs.map(({ err }) => err.includes("compiling"));
      assert.deepEqual(compiled.sort(), [false, true]);

      // A damaged file is not loaded, which might end the process.
      const path = join(kernels(cache), files[0]);
      const whole = Deno.readFileSync(path);
      Deno.writeFileSync(path, whole.slice(0, 5000));
      // What nobody used for a month is gone once another file is compiled.
      const daysAgo = (days: number) =>
        new Date(Date.now() - days * 24 * 60 * 60 * 1000);
      for (const [name, days] of [["a.so", 29], ["b.so", 31], ["c.txt", 31]]) {
        const other = join(kernels(cache), name as string);
        Deno.writeTextFileSync(other, "");
        Deno.utimeSync(other, daysAgo(0), daysAgo(days as number));
      }
      const again = await program([CLI, "info"], env);
      assert.equal(again.code, 0);
      assert.equal(kernelsLine(again.out), path);
      assert.deepEqual(Deno.readFileSync(path), whole);
      assert.deepEqual(names(cache), [files[0], "a.so", "lock"].sort());

      Deno.utimeSync(path, daysAgo(31), daysAgo(31));
      assert.equal((await program([CLI, "info"], env)).code, 0);
      assert(Deno.statSync(path).mtime! > daysAgo(1), "its use is noted");
    }),
});

Deno.test({
  name: "without any compiler TensorFlow's ops stand in, said once",
  ignore: !isLinux,
  fn: () =>
    inFolder(async (dir) => {
      const env = { XDG_CACHE_HOME: dir, CC: "", PATH: pathOf(dir, NONE) };
      const first = await program([CLI, "info"], env);
      assert.equal(first.code, 0);
      const said = (err: string) =>
        err.split("\n").filter((line) => /own ops are not there/.test(line));
      assert.equal(said(first.err).length, 1);
      assert.match(
        said(first.err)[0],
        /cc: ops\.c:1: error: .*python3: .*; `deno task tf install` tries again$/,
      );
      const second = await program([CLI, "info"], env);
      assert.equal(second.err, "");
      assert.match(kernelsLine(second.out), /^TensorFlow's: cc: ops\.c:1: err/);

      // The next compiler is tried, and one that does nothing counts as none.
      const bin = join(dir, "bin");
      Deno.writeTextFileSync(join(bin, "cc"), "#!/bin/sh\n");
      Deno.writeTextFileSync(
        join(bin, "gcc"),
        `#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done; echo no >"$2"\n`,
      );
      const key = kernelKey(LIBRARY);
      const set = { ...env, FERLAB_TENSORFLOW: LIBRARY };
      await withEnv(set, async () => {
        const found = await ensureNative(LIBRARY);
        assert("missing" in found);
        const made = await ensureNative(LIBRARY, { again: true });
        assert("path" in made);
        assert(made.path.startsWith(join(kernels(dir), `${key}-`)));
        assert.deepEqual(
          names(dir).filter((name) => name.endsWith(".txt")),
          [],
        );
      });
      // What was compiled cannot be loaded.
      const third = await program([CLI, "info"], env);
      assert.equal(third.code, 0);
      assert.equal(said(third.err).length, 1);
      assert.match(kernelsLine(third.out), /^TensorFlow's: .*\.so/);
    }),
});

Deno.test({
  name: "a cache that cannot be written or a missing HOME end nothing",
  ignore: !isLinux,
  fn: () =>
    inFolder(async (dir) => {
      const file = join(dir, "file");
      Deno.writeTextFileSync(file, "");
      const { code, out, err } = await program([CLI, "info"], {
        XDG_CACHE_HOME: file,
      });
      assert.equal(code, 0);
      assert.match(kernelsLine(out), /^TensorFlow's: .*file/);
      assert.match(err, /^FERLab's own ops are not there, .*file.*\n$/);
      const denoDir = Deno.env.get("DENO_DIR");
      const lost = await finished(
        new Deno.Command(Deno.execPath(), {
          cwd: dir,
          clearEnv: true,
          args: ["run", "-A", "--no-check", join(Deno.cwd(), CLI), "info"],
          env: {
            ...{ FERLAB_TENSORFLOW: LIBRARY, FERLAB_DEVICE: "cpu" },
            ...{ PATH: pathOf(dir, NONE), ...denoDir && { DENO_DIR: denoDir } },
          },
        }),
      );
      assert.equal(lost.code, 0);
      assert.match(kernelsLine(lost.out), /^TensorFlow's: cc: /);
      assert(names(join(dir, ".cache")).some((name) => name.endsWith(".txt")));
    }),
});

Deno.test({
  name: "a crew of one thread trains to the bits of a crew of all",
  ignore: !isLinux || !usesNativeOps(),
  fn: () =>
    inFolder(async (dir) => {
      const script = join(dir, "train.ts");
      const lab = new URL("../../lib/lab.ts", import.meta.url).href;
      Deno.writeTextFileSync(
        script,
        `import { parseRecipe, syntheticFaces, train } from "${lab}";
const recipe = parseRecipe({ size: 32, depth: 1, batchSize: 32, epochs: 1 });
const faces = syntheticFaces({ size: 32, train: 128, validation: 14, test: 14 });
for await (const { trainLoss, gradientNorm } of train.train(recipe, faces)) {
  console.log(trainLoss, gradientNorm);
}`,
      );
      const [all, one] = await Promise.all(
        [{}, { FERLAB_CREW: "1" }].map((env) =>
          program(["--config", "deno.json", script], env as never)
        ),
      );
      assert.equal(all.code, 0, all.err);
      assert.equal(one.out, all.out);
    }),
});

Deno.test("another folder of the library takes another compiled file", () => {
  assert.notEqual(kernelKey("/a"), kernelKey("/b"));
  assert.equal(kernelKey("/a"), kernelKey("/a"));
});

const zig = join(cacheRoot(), ZIG);

Deno.test({
  name: "ziglang compiles the ops where there is no other compiler",
  ignore: !existsSync(join(zig, "ready")), // nothing is fetched for a test
  fn: () =>
    inFolder(async (dir) => {
      const { cc, gcc, clang } = NONE;
      const cache = join(dir, "ferlab", "tensorflow");
      Deno.mkdirSync(cache, { recursive: true });
      Deno.symlinkSync(zig, join(cache, ZIG));
      const { code, out } = await program([CLI, "info"], {
        ...{ XDG_CACHE_HOME: dir, CC: "" },
        PATH: `${pathOf(dir, { cc, gcc, clang })}:${Deno.env.get("PATH")}`,
      });
      assert.equal(code, 0);
      assert(kernelsLine(out).startsWith(kernels(dir)), kernelsLine(out));
    }),
});

// ---- Wrong inputs ------------------------------------------------------------

const int = (name: string, value: number): Attr => ({
  name,
  type: AttrType.INT,
  value,
});
const epsilon: Attr = { name: "epsilon", type: AttrType.FLOAT, value: 1e-5 };
const scale: Attr = { name: "scale", type: AttrType.FLOAT, value: 0.5 };
const conv = (stride = 1, reads = 0) => [
  ...[int("stride", stride), int("reads", reads), epsilon],
];

/** Each op with its attributes, shapes that fit, and how many outputs it has. */
const OPS: [string, Attr[], number[][], number][] = [
  [
    "FerlabConv1",
    [...conv(1, 2), int("statistics", 1)],
    [[2, 5, 5, 4], [3, 3, 4, 6], [4], [4], [4], [4], [4]],
    3,
  ],
  [
    "FerlabConvInputGrad",
    [...conv(2, 2), int("training", 1), int("adds", 1)],
    [
      ...[[2, 5, 5, 4], [3, 3, 4, 6], [4], [4], [4], [4], [4]],
      ...[[2, 3, 3, 6], [2, 5, 5, 4]],
    ],
    4,
  ],
  [
    "FerlabConvWeightsGrad",
    conv(2, 2),
    [[2, 5, 5, 4], [3, 3, 4, 6], [4], [4], [4], [4], [4], [2, 3, 3, 6]],
    1,
  ],
  [
    "FerlabJoin",
    [int("reads", 1), int("statistics", 1), epsilon],
    [[2, 5, 4], [4], [4], [4], [4], [4], [2, 5, 4], [4], [4], [4], [4]],
    3,
  ],
  [
    "FerlabNormGrad",
    [int("reads", 2), int("training", 1), epsilon],
    [[2, 5, 4], [2, 5, 4], [4], [4], [4], [4], [4]],
    4,
  ],
  [
    "FerlabRunningStatistics",
    [
      { name: "momentum", type: AttrType.FLOAT, value: 0.1 },
      { name: "pixels", type: AttrType.FLOAT, value: 9 },
    ],
    [[4], [4], [4], [4]],
    2,
  ],
  ["FerlabLayerNorm", [epsilon], [[3, 2, 4], [4], [4]], 3],
  ["FerlabLayerNormGrad", [], [[3, 4], [3, 4], [4], [3], [3]], 3],
  ["FerlabBiasGelu", [], [[3, 4], [4]], 1],
  ["FerlabBiasGeluGrad", [], [[3, 4], [3, 4], [4]], 2],
  ["FerlabProduct0", [int("turned", 0)], [[3, 4], [4, 5]], 1],
  ["FerlabProduct1", [int("turned", 1)], [[3, 4], [5, 4]], 1],
  ["FerlabProduct2", [int("turned", 2)], [[4, 3], [4, 5]], 1],
  ["FerlabAttention", [scale], [[2, 3, 2, 4], [2, 5, 2, 4], [2, 5, 2, 4]], 2],
  [
    "FerlabAttentionGrad",
    [scale],
    [
      ...[[2, 3, 2, 4], [2, 5, 2, 4], [2, 5, 2, 4]],
      ...[[2, 3, 2, 5], [2, 3, 2, 4]],
    ],
    3,
  ],
];

/** What an op says to `shapes`, "" where it takes them. */
function said(
  [name, attrs, , outputs]: (typeof OPS)[number],
  shapes: number[][],
): string {
  return tf.tidy(() => {
    const inputs = shapes.map((shape) => tf.ones(shape));
    try {
      for (
        const y of backend.executeMultipleOutputs(name, attrs, inputs, outputs)
      ) y.dataSync();
      return "";
    } catch (error) {
      return (error as Error).message;
    }
  });
}

Deno.test({
  name: "an input of another shape is an error of its op",
  ignore: !usesNativeOps(),
  fn: () => {
    // The one that a norm without a slope has no use for.
    const unread = new Set(["FerlabJoin 5"]);
    for (const op of OPS) {
      const [name, , shapes] = op;
      assert.equal(said(op, shapes), "", name);
      shapes.forEach((shape, i) => {
        if (unread.has(`${name} ${i}`)) return;
        for (const other of [[], [7], [...shape, 2], shape.map(() => 0)]) {
          const message = said(op, shapes.with(i, other));
          assert.match(
            message,
            /shape|fit|channels|size|rows/,
            `${name} ${i} [${other}]`,
          );
        }
      });
    }
  },
});

Deno.test({
  name: "an attribute that means nothing is an error of its op",
  ignore: !usesNativeOps(),
  fn: () => {
    for (const [name, attrs, shapes, outputs] of OPS) {
      for (const wrong of ["stride", "reads", "turned"]) {
        if (!attrs.some((a) => a.name === wrong)) continue;
        for (const value of [-1, 3, 99]) {
          const changed = attrs.map((a) =>
            a.name === wrong ? int(wrong, value) : a
          );
          assert.match(said([name, changed, shapes, outputs], shapes), /fit/);
        }
      }
    }
  },
});

Deno.test({
  name: "empty tensors, many channels and many axes pass",
  ignore: !usesNativeOps(),
  fn: () => {
    /** Asserts that the op takes inputs of these shapes. */
    const takes = (name: string, ...shapes: number[][]) => {
      const op = OPS.find(([n]) => n === `Ferlab${name}`)!;
      assert.equal(said(op, shapes), "", name);
    };
    const channels = (c: number) => Array.from({ length: 5 }, () => [c]);
    for (
      const [n, h, c, f] of [
        [0, 5, 4, 6],
        [2, 0, 4, 6],
        [2, 5, 0, 6],
        [2, 5, 4, 0],
        [1, 1, 200_000, 1],
        [1, 1, 1, 200_000],
      ]
    ) {
      const x = [n, h, h, c], w = [3, 3, c, f], small = Math.ceil(h / 2);
      const norm = channels(c), dy = [n, small, small, f];
      takes("Conv1", x, w, ...norm);
      takes("ConvInputGrad", x, w, ...norm, dy, x);
      takes("ConvWeightsGrad", x, w, ...norm, dy);
      takes("Join", x, ...norm, x, ...norm.slice(1));
      takes("NormGrad", x, x, ...norm);
    }
    // A narrow map that is long, as one of few images.
    const tall = [1, 300_000, 1, 1], w = [3, 3, 1, 1], dy = [1, 150_000, 1, 1];
    takes("ConvWeightsGrad", tall, w, ...channels(1), dy);
    const many = [1, 1, 1, 1, 1, 1, 1, 1, 2, 1, 4];
    for (const shape of [[0], [0, 4], [3, 0], [2, 0, 3], many, [1, 200_000]]) {
      const width = shape.at(-1)!,
        rows = shape.slice(0, -1).reduce((a, b) => a * b, 1);
      const last = [width];
      takes("LayerNorm", shape, last, last);
      takes("LayerNormGrad", shape, shape, last, [rows], [rows]);
      takes("BiasGelu", shape, last);
      takes("BiasGeluGrad", shape, shape, last);
    }
    for (
      const [m, k, n] of [[0, 4, 5], [3, 0, 5], [3, 4, 0], [1, 200_000, 1]]
    ) {
      takes("Product0", [m, k], [k, n]);
      takes("Product1", [m, k], [n, k]);
      takes("Product2", [k, m], [k, n]);
    }
    for (
      const [b, m, n, h, d] of [
        [0, 3, 5, 2, 4],
        [2, 0, 5, 2, 4],
        [2, 3, 0, 2, 4],
        [2, 3, 5, 0, 4],
        [2, 3, 5, 2, 0],
        [1, 1, 9000, 1, 1],
        [1, 1, 1, 1, 9000],
      ]
    ) {
      const q = [b, m, h, d], k = [b, n, h, d];
      takes("Attention", q, k, k);
      takes("AttentionGrad", q, k, k, [b, m, h, n], q);
    }
  },
});
