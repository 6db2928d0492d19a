/** Finding and installing libtensorflow, with a small wheel through real pip. */
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  findLibrary,
  findLibrarySync,
  installLibrary,
  verifyLibrary,
} from "../../lib/tensorflow/install.ts";
import { LIBRARY_FILES } from "../../lib/tensorflow/location.ts";
import { explainPip } from "../../lib/tensorflow/pip.ts";

const wheelHere = Deno.build.os === "linux" && Deno.build.arch === "x86_64";

/** Runs `work` with environment variables set (null: unset), then as before. */
async function withEnv(
  set: Record<string, string | null>,
  work: () => unknown,
) {
  const put = (name: string, value: string | null | undefined) =>
    value == null ? Deno.env.delete(name) : Deno.env.set(name, value);
  const before = Object.keys(set).map((n) => [n, Deno.env.get(n)] as const);
  for (const name in set) put(name, set[name]);
  try {
    await work();
  } finally {
    for (const [name, value] of before) put(name, value);
  }
}

/** Runs `work` with an empty cache folder of its own. */
async function withCache(
  work: (root: string, dir: string) => Promise<void>,
  env: Record<string, string | null> = {},
) {
  const dir = await Deno.makeTempDir();
  try {
    const set = { XDG_CACHE_HOME: dir, FERLAB_TENSORFLOW: null, ...env };
    await withEnv(set, () => work(join(dir, "ferlab", "tensorflow"), dir));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Makes a wheel of two small library files, and has pip find only it. */
async function withWheel(
  work: (root: string) => Promise<void>,
) {
  await withCache(async (root, dir) => {
    const script = `
import sys, zipfile
info = "tensorflow_cpu-2.21.0.dist-info/"
with zipfile.ZipFile(sys.argv[1] + "/tensorflow_cpu-2.21.0-py3-none-any.whl", "w") as z:
    for name in sys.argv[2:]:
        z.writestr("tensorflow/" + name, name * 99)
    z.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: tensorflow-cpu\\nVersion: 2.21.0\\n")
    z.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    z.writestr(info + "RECORD", "")
`;
    const args = ["-c", script, dir, ...LIBRARY_FILES];
    const made = await new Deno.Command("python3", { args }).output();
    assert.ok(made.success, new TextDecoder().decode(made.stderr));
    await withEnv(
      { PIP_FIND_LINKS: dir, PIP_NO_INDEX: "1" },
      () => work(root),
    );
  });
}

Deno.test("a wrong FERLAB_TENSORFLOW is an error that names the path", async () => {
  await withCache(async () => {
    await assert.rejects(
      findLibrary(),
      /FERLAB_TENSORFLOW names \/no\/such, which does not exist/,
    );
  }, { FERLAB_TENSORFLOW: "/no/such" });
  await withCache(async (_, dir) => {
    await withEnv({ FERLAB_TENSORFLOW: dir }, () => {
      assert.throws(findLibrarySync, /has no libtensorflow_cc/);
    });
  });
});

Deno.test("FERLAB_TENSORFLOW may name the folder or a file in it", async () => {
  await withCache(async (_, dir) => {
    for (const file of LIBRARY_FILES) {
      await Deno.writeTextFile(join(dir, file), "x");
    }
    for (const given of [dir, join(dir, LIBRARY_FILES[0])]) {
      await withEnv({ FERLAB_TENSORFLOW: given }, () => {
        const want = { dir, version: null, source: "environment" };
        assert.deepEqual(findLibrarySync(), want);
      });
    }
  });
});

Deno.test("a library of another version is an error naming both", async () => {
  await withCache(async (_, dir) => {
    for (const file of LIBRARY_FILES) {
      await Deno.writeTextFile(join(dir, file), "x");
    }
    const record = JSON.stringify({ version: "2.9.1", files: {} });
    await Deno.writeTextFile(join(dir, "ferlab.json"), record);
    await withEnv({ FERLAB_TENSORFLOW: dir }, () => {
      assert.throws(findLibrarySync, /is TensorFlow 2\.9\.1.* needs 2\.21\.0/);
    });
    await assert.rejects(installLibrary({ version: "2.9.1" }), /2\.21\.0/);
  });
});

Deno.test("without python3 an install fails with one clear line", async () => {
  await withCache(async () => {
    await assert.rejects(installLibrary(), (error: Error) => {
      assert.match(error.message, /^python3 is not to be found/);
      assert.equal(error.message.includes("\n"), false);
      return true;
    });
  }, { PATH: "" });
});

Deno.test(
  "a dead install's folder is not found, and the next install removes it",
  {
    ignore: !wheelHere,
  },
  async () => {
    await withWheel(async (root) => {
      const partial = join(root, ".partial-dead");
      await Deno.mkdir(join(partial, "made"), { recursive: true });
      await Deno.writeTextFile(join(partial, "made", LIBRARY_FILES[0]), "half");
      assert.equal(findLibrarySync(), null);
      const location = await installLibrary();
      assert.deepEqual(findLibrarySync(), location);
      const names = [...Deno.readDirSync(root)].map((entry) => entry.name);
      assert.deepEqual(names.sort(), ["2.21.0", "lock"]);
    });
  },
);

Deno.test("a damaged library is told, not found by size, and replaced", {
  ignore: !wheelHere,
}, async () => {
  await withWheel(async () => {
    const location = await installLibrary();
    assert.equal(await verifyLibrary(location), true);
    const file = join(location.dir, LIBRARY_FILES[1]);
    const good = await Deno.readTextFile(file);
    await Deno.writeTextFile(file, good.replace("l", "L"));
    await assert.rejects(verifyLibrary(location), /does not have the SHA-256/);
    await Deno.writeTextFile(file, "short");
    await assert.rejects(verifyLibrary(location), /has 5 bytes, not the/);
    assert.equal(findLibrarySync(), null);
    await installLibrary();
    assert.equal(await Deno.readTextFile(file), good);
  });
});

Deno.test("two installs at once both end with the one library", {
  ignore: !wheelHere,
}, async () => {
  await withWheel(async () => {
    const both = await Promise.all([installLibrary(), installLibrary()]);
    assert.deepEqual(both[0], both[1]);
    assert.equal(await verifyLibrary(both[0]), true);
  });
});

Deno.test("a version that pip is not offered is told in one line", {
  ignore: !wheelHere,
}, async () => {
  await withWheel(async () => {
    await assert.rejects(
      installLibrary({ version: "2.21.9" }),
      /tensorflow-cpu 2\.21\.9 is not offered for this machine/,
    );
  });
});

Deno.test("pip's failures are told by their cause", () => {
  const explain = (text: string) => explainPip(text, "it", "/c");
  assert.match(explain("/bin/python3: No module named pip"), /no pip/);
  assert.match(explain("ERROR: [Errno 28] No space left on device"), /full/);
  const offline = "WARNING: Retrying after NewConnectionError('x')\n" +
    "ERROR: No matching distribution found for it (from versions: none)";
  assert.match(explain(offline), /check the network/);
});
