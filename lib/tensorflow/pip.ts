/** pip and zip through the machine's Python: fetch a wheel, take files out. */
import { readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { LibraryError } from "./location.ts";
import type { Wheel } from "./wheels.ts";

export type Progress = (line: string) => void;

/** How a run of Python ended. */
interface Ended {
  code: number;
  text: string;
}

/** Runs python3, hands each line on, and keeps all of them. */
async function python(
  args: string[],
  env: Record<string, string>,
  onLine: Progress,
  signal?: AbortSignal,
): Promise<Ended> {
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command("python3", {
      args,
      env,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      signal,
    }).spawn();
  } catch (error) {
    throw new LibraryError(
      "python3 was not found, and TensorFlow is installed with its pip " +
        `(${(error as Error).name}); install python3 with pip, or set ` +
        "FERLAB_TENSORFLOW to a folder with libtensorflow",
    );
  }
  const lines: string[] = [];
  const read = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    let rest = "";
    for await (const part of stream.pipeThrough(new TextDecoderStream())) {
      const split = (rest + part).split(/\r?\n|\r/);
      rest = split.pop()!;
      for (const line of split) lines.push(line), onLine(line);
    }
    if (rest) lines.push(rest), onLine(rest);
  };
  await Promise.all([read(child.stdout), read(child.stderr)]);
  const { code } = await child.status;
  signal?.throwIfAborted();
  return { code, text: lines.join("\n") };
}

/** The bytes of all files below a folder that may change meanwhile. */
function bytesBelow(dir: string): number {
  let sum = 0;
  try {
    for (const entry of readdirSync(dir, { withFileTypes: true })) {
      const path = join(dir, entry.name);
      sum += entry.isDirectory() ? bytesBelow(path) : statSync(path).size;
    }
  } catch {
    // gone between listing and looking
  }
  return sum;
}

/** One line for what pip said when it failed. */
export function explainPip(text: string, what: string, where: string): string {
  const lines = text.split("\n").map((line) => line.trim()).filter(Boolean);
  const last = (lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ??
    "no message").replace(/^ERROR: /, "").slice(0, 300);
  if (/No module named pip/.test(text)) {
    return "python3 has no pip, and TensorFlow is installed with it; install " +
      "pip (python3 -m ensurepip), or set FERLAB_TENSORFLOW";
  }
  if (/No space left on device|Errno 28|Disk quota/i.test(text)) {
    return `the disk is full: ${what} does not fit in ${where}; free 1.5 GB ` +
      "or set XDG_CACHE_HOME to a larger disk";
  }
  const got = /Got\s+([0-9a-f]{64})/.exec(text)?.[1];
  if (/DO NOT MATCH THE HASHES/.test(text)) {
    return `${what}: the package index serves a file that is not the one ` +
      `FERLab knows (its SHA-256 is ${
        got ?? "another"
      }); nothing was unpacked. ` +
      "Use another index, or FERLAB_TENSORFLOW";
  }
  const network =
    /NewConnectionError|name resolution|Max retries|ConnectTimeout|Connection(?:Reset|Refused)?Error|ReadTimeout|Network is unreachable|ProxyError|SSLError/i;
  if (network.test(text)) {
    return `${what} could not be downloaded: the package index does not ` +
      `answer (pip: ${last}); check the network or proxy and try again`;
  }
  const versions = /from versions: ([^)]*)\)/.exec(text)?.[1];
  if (versions !== undefined) {
    const offered = versions === "none"
      ? "none at all"
      : versions.split(", ").slice(-5).join(", ");
    return `${what} is not offered for this machine (${Deno.build.os} ` +
      `${Deno.build.arch}; pip sees ${offered}); choose another --version or ` +
      "set FERLAB_TENSORFLOW";
  }
  return `pip could not fetch ${what}: ${last}`;
}

/** The tags of the one wheel a platform that is taken, whatever its Python. */
function tags(): string[] {
  const { os, arch } = Deno.build;
  // pip takes a list of platforms as it stands: each older glibc by its name.
  const glibc = Array.from({ length: 23 }, (_, i) => `_2_${27 - i}`);
  const platforms = os === "darwin"
    ? ["macosx_12_0_arm64"]
    : [...glibc, "2014", "2010"].map((tag) => `manylinux${tag}_${arch}`);
  return [
    ...["--implementation", "cp", "--python-version", "3.12"],
    ...["cp312", "abi3", "none"].flatMap((abi) => ["--abi", abi]),
    ...platforms.flatMap((platform) => ["--platform", platform]),
  ];
}

/**
 * Downloads one wheel into `dir` (pip's own temporary files too), and checks
 * its SHA-256 where it is known. Since only libraries are taken out of it, it
 * is the same file on all machines of a platform, whatever their Python.
 * @returns the wheel's path.
 * @throws LibraryError in one line: no pip, no network, no space, no version,
 * another file than the known one.
 */
export async function downloadWheel(
  { name, version, sha256, bytes }: Wheel,
  dir: string,
  onProgress: Progress,
  signal?: AbortSignal,
): Promise<string> {
  const temporary = join(dir, "pip");
  await Deno.mkdir(temporary, { recursive: true });
  const what = `${name} ${version.replace(/^==/, "")}`;
  const list = join(temporary, "requirements.txt");
  const hash = sha256 ? ` --hash=sha256:${sha256}` : "";
  await Deno.writeTextFile(list, `${name}${version}${hash}\n`);
  let total = (bytes ?? 0) / 1e6;
  let shown = "";
  const timer = setInterval(() => {
    const megabytes = Math.round(bytesBelow(temporary) / 1e6);
    const share = Math.min(100, Math.round(100 * megabytes / total));
    const line = total
      ? `downloading ${name}: ${megabytes} of ${Math.round(total)} MB ` +
        `(${share} %)`
      : `downloading ${name}: ${megabytes} MB`;
    if (megabytes > 0 && line !== shown) onProgress(shown = line);
  }, 1000);
  try {
    onProgress(`asking pip for ${what}`);
    const ended = await python(
      // deno-fmt-ignore
      ["-m", "pip", "download", "--no-deps", "--only-binary=:all:",
        "--no-cache-dir", "--disable-pip-version-check", "--no-input",
        "--progress-bar", "off", ...(sha256 ? ["--require-hashes"] : []),
        ...tags(), "-d", dir, "-r", list],
      { TMPDIR: temporary, PYTHONUNBUFFERED: "1" },
      (line) => {
        const size = /Downloading .*\(([\d.]+) ([MG])B\)/.exec(line);
        if (size) total = Number(size[1]) * (size[2] === "G" ? 1e3 : 1);
      },
      signal,
    );
    if (ended.code) throw new LibraryError(explainPip(ended.text, what, dir));
    const wheel = readdirSync(dir).find((file) => file.endsWith(".whl"));
    if (!wheel) throw new LibraryError(`pip left no wheel of ${what}`);
    return join(dir, wheel);
  } finally {
    clearInterval(timer);
  }
}

const UNPACK = `
import fnmatch, hashlib, json, os, sys, zipfile
wheel, out, *patterns = sys.argv[1:]
with zipfile.ZipFile(wheel) as z:
    for info in z.infolist():
        name = info.filename
        if name.endswith(".dist-info/METADATA"):
            print(json.dumps({"metadata": z.read(info).decode()}), flush=True)
        if name.endswith("/") or ".." in name.split("/") or not any(fnmatch.fnmatchcase(name, p) for p in patterns):
            continue
        h, n, path = hashlib.sha256(), 0, os.path.join(out, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with z.open(info) as i, open(path, "wb") as o:
            while chunk := i.read(1 << 20):
                o.write(chunk); h.update(chunk); n += len(chunk)
            o.flush(); os.fsync(o.fileno())
        if info.external_attr >> 16 & 0o100:
            os.chmod(path, 0o755)
        print(json.dumps({"name": name, "bytes": n, "sha256": h.hexdigest()}), flush=True)
`;

/** What came out of a wheel. */
export interface Unpacked {
  /** Size and SHA-256 by the name in the wheel. */
  files: Record<string, { bytes: number; sha256: string }>;
  metadata: { name: string; version: string; requires: string[] };
}

/** The fields of a wheel's METADATA that an install goes by. */
export function parseMetadata(text: string): Unpacked["metadata"] {
  const all = (field: string) =>
    [...text.split(/\n\r?\n/)[0].matchAll(RegExp(`^${field}: *(.*)$`, "gm"))]
      .map((match) => match[1].trim());
  return {
    name: all("Name")[0] ?? "",
    version: all("Version")[0] ?? "",
    requires: all("Requires-Dist"),
  };
}

/**
 * Takes the files that fit `patterns` ("nvidia/*\/lib/*") out of a wheel, as a
 * stream, to their places below `out`.
 * @throws LibraryError when the wheel is broken, has none of them, or the disk
 * is full.
 */
export async function unpackWheel(
  wheel: string,
  out: string,
  patterns: readonly string[],
  signal?: AbortSignal,
): Promise<Unpacked> {
  const args = ["-c", UNPACK, wheel, out, ...patterns];
  const { code, text } = await python(args, {}, () => {}, signal);
  const broken = (why: string) =>
    new LibraryError(
      `${basename(wheel)} cannot be unpacked: ${why}; run ` +
        "`deno task tf install` again",
    );
  if (code) {
    if (/Errno 28|No space left/.test(text)) {
      throw new LibraryError(explainPip(text, basename(wheel), out));
    }
    throw broken(text.split("\n").at(-1)!);
  }
  const files: Unpacked["files"] = {};
  let metadata = "";
  for (const line of text.split("\n")) {
    if (!line.startsWith("{")) continue;
    const { name, bytes, sha256, metadata: m } = JSON.parse(line);
    if (name) files[name] = { bytes, sha256 };
    metadata ||= m ?? "";
  }
  for (const pattern of patterns) {
    const isThere = pattern.includes("*")
      ? Object.keys(files).length > 0
      : pattern in files;
    if (!isThere) throw broken(`it has no ${pattern}`);
  }
  return { files, metadata: parseMetadata(metadata) };
}
