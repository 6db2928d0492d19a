/** `--device` and FERLAB_DEVICE: which device is asked for, and is it there. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { cudaLibraries, openError } from "../../lib/tensorflow/cuda.ts";
import { deviceChoice } from "../../lib/tensorflow/device.ts";
import {
  findLibrary,
  LIBRARY_FILES,
  libraryFolder,
  quickDamage,
  readInstallRecord,
  TENSORFLOW_VERSION,
} from "../../lib/tensorflow/location.ts";
import { withEnv } from "../_env.ts";
import { inFolder } from "../_folder.ts";

const root = new URL("../..", import.meta.url).pathname;

/** Runs a Deno program with another environment; its lines and exit code. */
async function run(args: string[], env: Record<string, string>) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: root,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  return { code, out: text(stdout), err: text(stderr) };
}

const DEVICES = `
import { binding } from "./lib/tensorflow/binding.ts";
import { engineInfo } from "./lib/tensorflow/mod.ts";
console.log(engineInfo().devices.map((d) => d.type).join(), binding.isUsingGpuDevice());
`;

/** What an engine finds with FERLAB_DEVICE set. */
const engine = (device: string) =>
  run(["eval", "--ext=ts", DEVICES], { FERLAB_DEVICE: device });

const hasGpu = existsSync("/dev/nvidia0");

Deno.test("FERLAB_DEVICE is cpu, gpu or auto, and nothing else", async () => {
  await withEnv(
    { FERLAB_DEVICE: "tpu" },
    () =>
      assert.throws(
        deviceChoice,
        /FERLAB_DEVICE is "tpu": it must be cpu, gpu/,
      ),
  );
  assert.equal(await withEnv({ FERLAB_DEVICE: "" }, deviceChoice), "auto");
});

Deno.test("with FERLAB_DEVICE=cpu the engine sees no GPU", async () => {
  const { out, err } = await engine("cpu");
  assert.equal(out, "CPU false", err);
});

Deno.test("an engine that is asked for a GPU and finds none says so", {
  ignore: hasGpu,
}, async () => {
  const { code, err } = await engine("gpu");
  assert.equal(code, 1);
  assert.match(err, /a GPU is asked for, and there is none: ./);
});

Deno.test("each command ends with 2 before it runs where there is no GPU", async () => {
  // The CPU build, whatever this machine has.
  await inFolder(async (folder) => {
    const { dir } = (await findLibrary())!;
    for (const name of LIBRARY_FILES) {
      await Deno.symlink(join(dir, name), join(folder, name));
    }
    await Deno.writeTextFile(
      join(folder, "ferlab.json"),
      JSON.stringify({
        version: TENSORFLOW_VERSION,
        package: "tensorflow-cpu",
        files: {},
      }),
    );
    const env = { FERLAB_TENSORFLOW: folder };
    const commands: [string, ...string[]][] = [
      ["tasks/study.ts", "03"],
      ["tasks/study.ts", "run", "no-such-plan.json"],
      ["tasks/worker.ts", "--store", "no-such-store.sqlite"],
      ["tasks/bench.ts", "train", "--slim"],
      ["lib/tensorflow/cli.ts", "info"],
    ];
    const want =
      /^\w+: a GPU is asked for, and there is none: .*(--gpu`|the CPU)$/;
    for (const command of commands) {
      const runs = ["run", "-A", "--no-check", ...command];
      const asked = await run([...runs, "--device", "gpu"], env);
      assert.deepEqual([asked.code, asked.out], [2, ""], command.join(" "));
      assert.match(asked.err, want);
      const wrong = await run([...runs, "--device=tpu"], env);
      assert.equal(wrong.code, 2);
      assert.match(wrong.err, /'tpu' is invalid.* auto, cpu, gpu/);
    }
    const info = ["run", "-A", "--no-check", "lib/tensorflow/cli.ts", "info"];
    const asked = await run(info, { ...env, FERLAB_DEVICE: "gpu" });
    assert.equal(asked.code, 2);
    assert.match(asked.err, want);
  });
});

Deno.test("CUDA's libraries are listed, each missing one with what to do", {
  ignore: Deno.build.os !== "linux",
}, () => {
  const rows = cudaLibraries("/no/such/tensorflow");
  assert.equal(rows.length, 13);
  assert.equal(rows.at(-1)!.file, "libcuda.so.1");
  for (const { file, state, remedy } of rows.slice(0, -1)) {
    if (state !== "missing") continue; // the machine has it elsewhere
    assert.match(remedy!, new RegExp(file.replaceAll(".", "\\.")));
    assert.match(remedy!, /install nvidia-\S+-cu12 beside .* install --gpu`/);
  }
});

const installed = libraryFolder(TENSORFLOW_VERSION, true);

Deno.test("every library of an installed GPU build opens", {
  ignore: quickDamage(installed) !== null, // a download of 3.4 GB
}, () => {
  const libraries = Object.keys(readInstallRecord(installed)!.files)
    .filter((file) => /^\.\.\/nvidia\/.*\.so/.test(file));
  assert.ok(libraries.length > 12);
  const errors = libraries.map((file) => openError(join(installed, file)))
    .filter((why) => why && (hasGpu || !why.startsWith("libcuda.so.1: ")));
  assert.deepEqual(errors, []);
  const listed = cudaLibraries(installed).slice(0, -1);
  assert.deepEqual(listed.filter((l) => l.state === "missing"), []);
  assert.ok(listed.every((l) => l.version));
});
