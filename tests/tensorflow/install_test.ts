/** Finding and installing libtensorflow, with a small wheel through real pip. */
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  findLibrary,
  findLibrarySync,
  installLibrary,
  type InstallOptions,
  packageName,
  requireSpace,
  verifyLibrary,
} from "../../lib/tensorflow/install.ts";
import {
  LIBRARY_FILES,
  readInstallRecord,
  sha256,
  TENSORFLOW_VERSION,
} from "../../lib/tensorflow/location.ts";
import { explainPip, parseMetadata } from "../../lib/tensorflow/pip.ts";
import {
  bytesNeeded,
  cudaWheels,
  pinsHere,
} from "../../lib/tensorflow/wheels.ts";
import { withEnv } from "../_env.ts";

const wheelHere = Deno.build.os === "linux" && Deno.build.arch === "x86_64";

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

/** Makes small wheels, and has pip find only them: CPU, GPU and CUDA's. */
async function withWheel(work: (root: string, dir: string) => Promise<void>) {
  await withCache(async (root, dir) => {
    const script = `
import sys, zipfile
def wheel(name, version, files, requires=()):
    stem = name.replace("-", "_") + "-" + version
    with zipfile.ZipFile(sys.argv[1] + "/" + stem + "-py3-none-any.whl", "w") as z:
        for file, text in files.items():
            info = zipfile.ZipInfo(file)
            info.external_attr = (0o755 if "/bin/" in file else 0o644) << 16
            z.writestr(info, text)
        z.writestr(stem + ".dist-info/METADATA", "\\n".join(["Metadata-Version: 2.1", "Name: " + name,
          "Version: " + version, *("Requires-Dist: " + r for r in requires), "", "Requires-Dist: prose"]))
        z.writestr(stem + ".dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        z.writestr(stem + ".dist-info/RECORD", "")
libraries = {"tensorflow/" + name: name * 99 for name in sys.argv[2:]}
wheel("tensorflow-cpu", "2.21.0", libraries)
wheel("tensorflow", "2.21.0", {**libraries, "tensorflow/__init__.py": "x"},
  ["numpy>=1.26.0", 'nvidia-cudnn-cu12<10.0,>=9.3; extra == "and-cuda"',
   'nvidia-cuda-nvcc-cu12<13.0,>=12.5; extra == "and-cuda"'])
wheel("nvidia-cudnn-cu12", "9.4", {"nvidia/cudnn/lib/libcudnn.so.9": "cudnn", "nvidia/cudnn/include/cudnn.h": "h"})
wheel("nvidia-cudnn-cu12", "10.1", {"nvidia/cudnn/lib/libcudnn.so.10": "new"})
wheel("nvidia-cuda-nvcc-cu12", "12.6", {"nvidia/cuda_nvcc/bin/ptxas": "p", "nvidia/cuda_nvcc/bin/nvcc": "n",
  "nvidia/cuda_nvcc/nvvm/libdevice/libdevice.10.bc": "bc", "nvidia/../escaped/lib/a.so": "e"})
`;
    const args = ["-c", script, dir, ...LIBRARY_FILES];
    const made = await new Deno.Command("python3", { args }).output();
    assert.ok(made.success, new TextDecoder().decode(made.stderr));
    await withEnv(
      { PIP_FIND_LINKS: dir, PIP_NO_INDEX: "1" },
      () => work(root, dir),
    );
  });
}

/** Installs without known wheels: the tests' own are of no fixed content. */
const install = (options: InstallOptions = {}) =>
  installLibrary({ pins: {}, ...options });

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
      assert.match(error.message, /^python3 was not found/);
      assert.equal(error.message.includes("\n"), false);
      return true;
    });
  }, { PATH: "" });
});

Deno.test(
  "a dead install's folder is not found, and the next install removes it",
  { ignore: !wheelHere },
  async () => {
    await withWheel(async (root) => {
      const partial = join(root, ".partial-dead");
      await Deno.mkdir(join(partial, "made"), { recursive: true });
      await Deno.writeTextFile(join(partial, "made", LIBRARY_FILES[0]), "half");
      assert.equal(findLibrarySync(), null);
      const location = await install();
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
    const location = await install();
    assert.equal(await verifyLibrary(location), true);
    const file = join(location.dir, LIBRARY_FILES[1]);
    const good = await Deno.readTextFile(file);
    await Deno.writeTextFile(file, good.replace("l", "L"));
    await assert.rejects(verifyLibrary(location), /does not have the SHA-256/);
    await Deno.writeTextFile(file, "short");
    await assert.rejects(verifyLibrary(location), /has 5 bytes, not the/);
    assert.equal(findLibrarySync(), null);
    await install();
    assert.equal(await Deno.readTextFile(file), good);
  });
});

Deno.test("two installs at once both end with the one library", {
  ignore: !wheelHere,
}, async () => {
  await withWheel(async () => {
    const both = await Promise.all([install(), install()]);
    assert.deepEqual(both[0], both[1]);
    assert.equal(await verifyLibrary(both[0]), true);
  });
});

Deno.test("a version that pip is not offered is told in one line", {
  ignore: !wheelHere,
}, async () => {
  await withWheel(async () => {
    await assert.rejects(
      install({ version: "2.21.9" }),
      /tensorflow-cpu 2\.21\.9 is not offered for this machine/,
    );
  });
});

Deno.test("the GPU build has CUDA's libraries where its RUNPATH looks", {
  ignore: !wheelHere,
}, async () => {
  await withWheel(async (root) => {
    const told: string[] = [];
    const location = await install({
      gpu: true,
      onProgress: (line) => told.push(line),
    });
    assert.equal(location.dir, join(root, "2.21.0-gpu", "tensorflow"));
    assert.deepEqual(findLibrarySync(), location);
    const { files, packages } = readInstallRecord(location.dir)!;
    assert.deepEqual(Object.keys(files).sort(), [
      "../nvidia/cuda_nvcc/bin/ptxas",
      "../nvidia/cuda_nvcc/nvvm/libdevice/libdevice.10.bc",
      "../nvidia/cudnn/lib/libcudnn.so.9",
      ...LIBRARY_FILES,
    ]);
    assert.deepEqual(packages, {
      "tensorflow": "2.21.0",
      "nvidia-cudnn-cu12": "9.4", // the newest that METADATA admits
      "nvidia-cuda-nvcc-cu12": "12.6",
    });
    const cudnn = join(location.dir, "../nvidia/cudnn/lib/libcudnn.so.9");
    assert.deepEqual(files["../nvidia/cudnn/lib/libcudnn.so.9"], {
      bytes: 5,
      sha256: await sha256(cudnn),
    });
    const ptxas = join(location.dir, "../nvidia/cuda_nvcc/bin/ptxas");
    assert.equal(Deno.statSync(ptxas).mode! & 0o777, 0o755);
    assert.match(told.join("\n"), /knows no SHA-256 of nvidia-cudnn-cu12/);

    await Deno.writeTextFile(cudnn, "CUDNN");
    await assert.rejects(
      verifyLibrary(location),
      /libcudnn\.so\.9 does not have the SHA-256 .* install --gpu`/,
    );
    await Deno.remove(cudnn);
    assert.equal(findLibrarySync(), null);
    await install({ gpu: true });
    assert.equal(await verifyLibrary(location), true);
  });
});

Deno.test("where both builds are installed the device asked for decides", {
  ignore: !wheelHere,
}, async () => {
  await withWheel(async () => {
    const cpu = await install();
    const gpu = await install({ gpu: true });
    for (const [device, location] of [["cpu", cpu], ["auto", gpu]] as const) {
      await withEnv({ FERLAB_DEVICE: device }, () => {
        assert.deepEqual(findLibrarySync(), location);
      });
    }
  });
});

Deno.test("a wheel is unpacked only when its SHA-256 is the known one", {
  ignore: !wheelHere,
}, async () => {
  await withWheel(async (root, dir) => {
    const file = join(dir, "tensorflow_cpu-2.21.0-py3-none-any.whl");
    const pin = {
      version: "2.21.0",
      sha256: "0".repeat(64),
      bytes: 1,
      kept: 1,
    };
    const told: string[] = [];
    const onProgress = (line: string) => told.push(line);
    await assert.rejects(
      install({ pins: { "tensorflow-cpu": pin }, onProgress }),
      (error: Error) => {
        assert.match(error.message, /tensorflow-cpu 2\.21\.0: .* not the one/);
        assert.equal(error.message.includes("\n"), false);
        return true;
      },
    );
    assert.equal(told.some((line) => line.startsWith("unpacking")), false);
    assert.deepEqual([...Deno.readDirSync(root)].map((e) => e.name), ["lock"]);
    const right = { ...pin, sha256: await sha256(file) };
    const location = await install({
      pins: { "tensorflow-cpu": right },
      onProgress,
    });
    assert.equal(await verifyLibrary(location), true);
    assert.equal(told.some((line) => /knows no SHA-256/.test(line)), false);
  });
});

Deno.test("an install that does not fit says how much it needs before it begins", async () => {
  assert.throws(
    () => requireSpace("/c", 6.7e9, 3.14e9),
    /needs 6\.7 GB free on the disk of \/c, which has 3\.1 GB; .*XDG_CACHE_HOME/,
  );
  await withCache(async () => {
    const pins = {
      [packageName(false)]: {
        version: TENSORFLOW_VERSION,
        sha256: "",
        bytes: 1e15,
        kept: 1e15,
      },
    };
    await assert.rejects(installLibrary({ pins }), /needs 3000000\.0 GB free/);
  });
  const wheels = [{ bytes: 5, kept: 9 }, { bytes: 7, kept: 10 }];
  assert.equal(bytesNeeded(wheels), 33);
  assert.equal(bytesNeeded([...wheels, { bytes: 5 }]), 0);
});

/** Of the METADATA of tensorflow 2.21.0, which every platform's wheel shares. */
const AND_CUDA = `
nvidia-cublas-cu12<13.0,>=12.5.3.2; extra == "and-cuda"
nvidia-cuda-cupti-cu12<13.0,>=12.5.82; extra == "and-cuda"
nvidia-cuda-nvcc-cu12<13.0,>=12.5.82; extra == "and-cuda"
nvidia-cuda-nvrtc-cu12<13.0,>=12.5.82; extra == "and-cuda"
nvidia-cuda-runtime-cu12<13.0,>=12.5.82; extra == "and-cuda"
nvidia-cudnn-cu12<10.0,>=9.3.0.75; extra == "and-cuda"
nvidia-cufft-cu12<12.0,>=11.2.3.61; extra == "and-cuda"
nvidia-curand-cu12<11.0,>=10.3.6.82; extra == "and-cuda"
nvidia-cusolver-cu12<12.0,>=11.6.3.83; extra == "and-cuda"
nvidia-cusparse-cu12<13.0,>=12.5.1.3; extra == "and-cuda"
nvidia-nccl-cu12<3.0,>=2.27.7; extra == "and-cuda"
nvidia-nvjitlink-cu12<13.0,>=12.5.82; extra == "and-cuda"`.trim().split("\n");

Deno.test("the wheels of every platform are known, CUDA's as METADATA admits them", () => {
  const platforms = [["linux", "x86_64"], ["linux", "aarch64"], [
    "darwin",
    "aarch64",
  ]];
  for (const [os, arch] of platforms) {
    const pins = pinsHere(`${os}-${arch}`);
    assert.equal(
      pins[packageName(false, os, arch)].version,
      TENSORFLOW_VERSION,
    );
    for (const pin of Object.values(pins)) {
      assert.match(pin.sha256, /^[0-9a-f]{64}$/);
      assert.ok(bytesNeeded([pin]) > 0);
    }
  }
  const pins = pinsHere("linux-x86_64");
  assert.equal(pins.tensorflow.version, TENSORFLOW_VERSION);
  const ranges = cudaWheels(AND_CUDA, {});
  assert.equal(ranges.length, 12);
  const parts = (version: string) => version.split(".").map(Number);
  const compare = (a: string, b: string) => {
    const [x, y] = [parts(a), parts(b)];
    const i = x.findIndex((n, at) => n !== (y[at] ?? 0));
    return i < 0 ? 0 : x[i] - (y[i] ?? 0);
  };
  for (const { name, version } of ranges) {
    const [, below, from] = /^<([\d.]+),>=([\d.]+)$/.exec(version)!;
    assert.ok(compare(pins[name].version, below) < 0, name);
    assert.ok(compare(pins[name].version, from) >= 0, name);
  }
  assert.deepEqual(
    cudaWheels(AND_CUDA, pins).map((wheel) => wheel.sha256),
    ranges.map(({ name }) => pins[name].sha256),
  );
});

Deno.test("METADATA that names no CUDA, or an unknown wheel, is refused", () => {
  const text = "Name: tensorflow\nVersion: 2.21.0\n" +
    `Requires-Dist: numpy\nRequires-Dist: ${AND_CUDA[0]}\n\nName: prose\n`;
  assert.deepEqual(parseMetadata(text), {
    name: "tensorflow",
    version: "2.21.0",
    requires: ["numpy", AND_CUDA[0]],
  });
  assert.throws(() => cudaWheels(["numpy"], {}), /names no CUDA libraries/);
  const { "nvidia-nccl-cu12": _, ...others } = pinsHere("linux-x86_64");
  assert.throws(() => cudaWheels(AND_CUDA, others), /names nvidia-nccl-cu12/);
});

Deno.test("pip's failures are told by their cause", () => {
  const explain = (text: string) => explainPip(text, "it", "/c");
  assert.match(explain("/bin/python3: No module named pip"), /no pip/);
  assert.match(explain("ERROR: [Errno 28] No space left on device"), /full/);
  const offline = "WARNING: Retrying after NewConnectionError('x')\n" +
    "ERROR: No matching distribution found for it (from versions: none)";
  assert.match(explain(offline), /check the network/);
  const other = "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE " +
    "REQUIREMENTS FILE.\n  Expected sha256 00\n       Got        " +
    "ab".repeat(32);
  assert.match(explain(other), /not the one FERLab knows .*abab/);
});
