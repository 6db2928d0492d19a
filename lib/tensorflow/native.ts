/** FERLab's own ops in C: compiled once a machine, beside the library they extend. */
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { cpuFlags } from "./cpu.ts";
import { takeLock } from "./install.ts";
import { cacheRoot, LIBRARY_FILES } from "./location.ts";
import type { Progress } from "./pip.ts";

/** The C compiler that PyPI carries, for machines that have none. */
export const ZIG = "ziglang==0.17.1";
const SOURCES = join(import.meta.dirname!, "native");
// No -ffast-math: NaN and infinity have to come through.
const FLAGS = ["-shared", "-fPIC", "-fvisibility=hidden", "-O3"].concat(
  ["-march=native", "-ffp-contract=fast", "-fno-math-errno"],
  ["-fno-trapping-math", "-Wno-psabi"],
);

/** The compiled ops, or why there are none. */
export type NativeLibrary = { path: string } | { missing: string };

const isSupported = () =>
  Deno.build.os === "linux" && Deno.env.get("FERLAB_KERNELS") !== "off";

/** The folder of compiled ops, one file for each source, CPU and library. */
const folder = () => join(cacheRoot(), "kernels");

/** What the machine code depends on. */
export function kernelKey(library: string): string {
  const hash = createHash("sha256");
  for (const name of readdirSync(SOURCES).sort()) {
    hash.update(name).update(readFileSync(join(SOURCES, name)));
  }
  const cpu = [...cpuFlags() ?? []].sort().join(" ");
  hash.update([Deno.build.arch, cpu, library, ...FLAGS].join("\n"));
  return hash.digest("hex").slice(0, 16);
}

/** The name of a compiled file tells its content, so that a damaged one is none. */
function nameOf(key: string, path: string): string {
  const hash = createHash("sha256").update(readFileSync(path)).digest("hex");
  return `${key}-${hash.slice(0, 16)}.so`;
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** Days after which what nobody used is thrown away, when another is compiled. */
const KEPT_DAYS = 30;

const ageOf = (path: string) => Date.now() - statSync(path).mtimeMs;

/** A file's time tells when it was used last, within a day. */
function noteUse(path: string): void {
  try {
    if (ageOf(path) > DAY_MS) utimesSync(path, new Date(), new Date());
  } catch {
    // A cache that is not ours to write: whoever owns it prunes it.
  }
}

/** Throws away what other sources, CPUs and libraries left. */
function prune(): void {
  for (const name of readdirSync(folder())) {
    const path = join(folder(), name);
    if (!/\.(so|txt|partial)$/.test(name)) continue;
    if (ageOf(path) > KEPT_DAYS * DAY_MS) rmSync(path, { force: true });
  }
}

function compiledFor(key: string): string | null {
  if (!existsSync(folder())) return null;
  for (const name of readdirSync(folder()).sort()) {
    const path = join(folder(), name);
    if (!name.startsWith(`${key}-`) || !name.endsWith(".so")) continue;
    if (nameOf(key, path) !== name) continue;
    noteUse(path);
    return path;
  }
  return null;
}

/** The last line that says what is wrong. */
const compilerError = (text: string) =>
  text.split("\n").filter((line) => /error|not found|undefined/i.test(line))[0]
    ?.trim() ?? text.trim().split("\n").at(-1) ?? "";

async function run(command: string, args: string[]): Promise<string | null> {
  try {
    const { success, stderr } = await new Deno.Command(command, {
      args,
      stdin: "null",
      stdout: "null",
    }).output();
    return success
      ? null
      : `${command}: ${compilerError(new TextDecoder().decode(stderr))}`;
  } catch {
    return `${command} is not there`;
  }
}

/** Compilers in the order in which they are tried, as command lines, or why there is one less. */
async function* compilers(
  onProgress: Progress,
): AsyncIterable<string[] | string> {
  const given = Deno.env.get("CC")?.trim() || "cc";
  yield given.split(/\s+/);
  for (const command of ["gcc", "clang"]) yield [command];
  const zig = join(cacheRoot(), ZIG);
  if (!existsSync(join(zig, "ready"))) {
    onProgress(`no C compiler here: fetching ${ZIG} with pip`);
    // deno-fmt-ignore
    const failed = await run("python3", ["-m", "pip", "install", "--quiet",
      "--disable-pip-version-check", "--no-input", "--target", zig, ZIG]);
    if (failed) {
      yield failed;
      return;
    }
    writeFileSync(join(zig, "ready"), "");
  }
  yield [join(zig, "ziglang", "zig"), "cc"];
}

/** Compiles for `library` by the first compiler that can. */
async function compileFor(
  library: string,
  key: string,
  onProgress: Progress,
): Promise<NativeLibrary> {
  onProgress("compiling FERLab's own ops");
  const reasons: string[] = [];
  const partial = join(folder(), `${key}.partial`);
  for await (const compiler of compilers(onProgress)) {
    if (typeof compiler === "string") {
      reasons.push(compiler);
      continue;
    }
    const [command, ...leading] = compiler;
    const failed = await run(command, [
      ...leading,
      ...FLAGS,
      join(SOURCES, "ops.c"),
      ...["-o", partial, `-L${library}`],
      ...LIBRARY_FILES.map((name) => `-l:${name}`),
      `-Wl,-rpath,${library}`,
      ...["-lpthread", "-lm"],
    ]);
    if (failed) {
      reasons.push(failed);
    } else if (!existsSync(partial)) {
      reasons.push(`${command} wrote nothing`);
    } else {
      const path = join(folder(), nameOf(key, partial));
      renameSync(partial, path);
      return { path };
    }
  }
  return { missing: reasons.join("; ") };
}

/** What stderr is told once of ops that could not be had. */
export const missingLine = (reason: string) =>
  `FERLab's own ops are not there, training is slower without them ` +
  `(${reason}); \`deno task tf install\` tries again`;

/**
 * The compiled ops for `library`, the folder of libtensorflow; compiled now
 * where they are missing, unless an earlier try failed and `again` is not set.
 * One process compiles, others wait for it.
 */
export async function ensureNative(
  library: string,
  { again = false, onProgress = (_: string) => {} }: {
    again?: boolean;
    onProgress?: Progress;
  } = {},
): Promise<NativeLibrary> {
  if (!isSupported()) {
    return {
      missing: Deno.build.os === "linux"
        ? "FERLAB_KERNELS is off"
        : "they are for Linux",
    };
  }
  try {
    const key = kernelKey(library), note = join(folder(), `${key}.txt`);
    const there = (retry: boolean): NativeLibrary | null => {
      const path = compiledFor(key);
      if (path) return { path };
      if (retry || !existsSync(note)) return null;
      return { missing: readFileSync(note, "utf8") };
    };
    const found = there(again);
    if (found) return found;
    mkdirSync(folder(), { recursive: true });
    const lock = await takeLock(folder(), onProgress);
    try {
      const meanwhile = there(again);
      if (meanwhile) return meanwhile;
      rmSync(note, { force: true });
      prune();
      const made = await compileFor(library, key, onProgress);
      if ("missing" in made) {
        writeFileSync(note, made.missing);
        onProgress(missingLine(made.missing));
      }
      return made;
    } finally {
      lock.close();
    }
  } catch (error) {
    const missing = (error as Error).message.split("\n")[0];
    onProgress(missingLine(missing));
    return { missing };
  }
}

/** Bytes of cache that a core has for itself; 1 MiB where nothing tells. */
function coreCache(): number {
  try {
    const text = readFileSync(
      "/sys/devices/system/cpu/cpu0/cache/index2/size",
      "utf8",
    );
    const [, size, unit] = /^(\d+)([KM])/.exec(text)!;
    return Number(size) * (unit === "M" ? 2 ** 20 : 2 ** 10);
  } catch {
    return 2 ** 20;
  }
}

/** Registers the ops at `path` in this process. @throws with what TensorFlow says */
export function registerNative(path: string): void {
  const { symbols } = Deno.dlopen(path, {
    ferlab_register: {
      parameters: ["i32", "i64", "buffer", "i64"],
      result: "i32",
    },
  });
  const room = new Uint8Array(512);
  const done = symbols.ferlab_register(
    availableParallelism(),
    BigInt(coreCache()),
    room,
    BigInt(room.length),
  );
  if (!done) {
    throw new Error(new TextDecoder().decode(room).split("\0")[0]);
  }
}
