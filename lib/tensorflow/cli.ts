/** `deno task tf`: installs libtensorflow, and tells what the engine has. */
import { Command } from "commander";
import { existsSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import {
  findLibrary,
  installLibrary,
  LibraryError,
  TENSORFLOW_VERSION,
  verifyLibrary,
} from "./install.ts";
import type { Choice } from "./choices.ts";
import { cpuFlags } from "./cpu.ts";
import { cudaLibraries, isCudaBuild } from "./cuda.ts";
import { DeviceError } from "./device.ts";
import { addDeviceOption } from "./device_option.ts";
import { damaged, libraryFolder, quickDamage } from "./location.ts";
import { ensureNative } from "./native.ts";

const FEATURES = ["avx2", "avx512f", "avx512_bf16", "amx_bf16"];

/** The CPU features that matter for speed, yes or no. */
function cpuFeatures(): string {
  const flags = cpuFlags();
  if (!flags) return "not known (no /proc/cpuinfo)";
  return FEATURES.map((f) => `${f} ${flags.has(f) ? "yes" : "no"}`).join(", ");
}

function show(label: string, value: string | number) {
  console.log(`${label.padEnd(11)}${value}`);
}

/** What `precision: "auto"` stands for here: each net timed so far, a line each. */
function showPrecision(bfloat16: boolean, choices: readonly Choice[]) {
  if (!bfloat16) {
    return show("precision", "float32: the machine has no bfloat16");
  }
  if (choices.length === 0) {
    show("precision", "float32 or bfloat16: no net was timed here yet");
  }
  const ms = (time: number) => `${Number(time.toPrecision(3))} ms`;
  for (const { net, precision, float32, bfloat16, images } of choices) {
    show(
      "precision",
      `${precision.padEnd(9)}${net} (${images} images: ` +
        `float32 ${ms(float32)}, bfloat16 ${ms(bfloat16)})`,
    );
  }
}

/** Loads the engine; a clear line instead of its facts when it cannot. */
async function showEngine() {
  try {
    const engine = await import("./mod.ts");
    const { version, devices } = engine.engineInfo();
    show("loaded", `TensorFlow ${version}`);
    show("kernels", engine.nativeOps);
    for (const { name, type } of devices) show("device", `${type} ${name}`);
    showPrecision(engine.hasBfloat16(), new engine.Choices().all());
  } catch (error) {
    const line = (error as Error).message.split("\n")[0];
    show("engine", `cannot load: ${line}`);
    Deno.exitCode = 1;
  }
}

async function info({ verify }: { verify?: boolean }) {
  show("CPU", cpus()[0]?.model || Deno.build.arch);
  show("features", cpuFeatures());
  show("threads", availableParallelism());
  for (const gpu of [true, false]) {
    const dir = libraryFolder(TENSORFLOW_VERSION, gpu);
    const damage = existsSync(dir) && quickDamage(dir);
    if (damage) throw damaged(damage, dir);
  }
  const found = await findLibrary();
  if (!found) {
    throw new LibraryError(
      "libtensorflow is not installed; run `deno task tf install`",
    );
  }
  show("library", found.dir);
  show("version", found.version ?? "not known before it is loaded");
  show("source", found.source);
  if (verify) {
    const whole = await verifyLibrary(found);
    show("verified", whole ? "SHA-256 right" : "no record to verify against");
  }
  await showEngine();
  if (isCudaBuild(found.dir)) showCuda(found.dir);
}

/** CUDA's libraries as the loaded TensorFlow finds them, one a line. */
function showCuda(dir: string) {
  for (const { file, state, version, remedy } of cudaLibraries(dir)) {
    const facts = [state, version, remedy].filter(Boolean);
    show("CUDA", `${file.padEnd(19)}${facts.join(", ")}`);
  }
}

/** Progress: in place on a terminal, a line each elsewhere. */
function progress(line: string) {
  if (!Deno.stderr.isTerminal()) return console.error(line);
  const passing = line.startsWith("downloading");
  const text = `\r\x1b[K${line}${passing ? "" : "\n"}`;
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}

async function install(options: { gpu?: boolean; version: string }) {
  const stop = new AbortController();
  const onSignal = () =>
    stop.abort(new LibraryError("the install was stopped"));
  Deno.addSignalListener("SIGINT", onSignal);
  const { dir, version } = await installLibrary({
    ...options,
    onProgress: progress,
    signal: stop.signal,
  }).finally(() => Deno.removeSignalListener("SIGINT", onSignal));
  console.log(`libtensorflow ${version} is installed in ${dir}`);
  if (version !== TENSORFLOW_VERSION) {
    console.log(`to use it: export FERLAB_TENSORFLOW=${dir}`);
  }
  const ops = await ensureNative(dir, { again: true, onProgress: progress });
  if ("path" in ops) console.log(`FERLab's own ops are in ${ops.path}`);
}

const program = new Command("deno task tf")
  .description("Installs libtensorflow and shows what the engine has.")
  .showSuggestionAfterError(false) // errors are one line
  .exitOverride();
program.command("install")
  .description("fetch the official wheel with pip and keep its library")
  .option("--gpu", "the CUDA build with CUDA's libraries (Linux x86_64)")
  .option("--version <version>", "another patch version", TENSORFLOW_VERSION)
  .action(install);
addDeviceOption(program.command("info"))
  .description("path, version, CPU features, own ops, devices, precision, CUDA")
  .option("--verify", "read the library and compare its SHA-256")
  .action(info);

try {
  await program.parseAsync(Deno.args, { from: "user" });
} catch (error) {
  const { code, exitCode } = error as { code?: string; exitCode?: number };
  const isUsage = error instanceof DeviceError;
  if (code?.startsWith("commander.")) {
    Deno.exitCode = exitCode === 0 ? 0 : 2;
  } else {
    if (!isUsage && !(error instanceof LibraryError)) throw error;
    console.error(`error: ${error.message}`);
    Deno.exitCode = isUsage ? 2 : 1;
  }
}
