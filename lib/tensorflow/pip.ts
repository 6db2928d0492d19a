/** pip and zip through the machine's Python: fetch a wheel, take files out. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { LibraryError } from "./location.ts";

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
      "python3 is not to be found, and TensorFlow is installed with its pip " +
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

/**
 * Tags of a wheel for this machine whatever the version of its Python, since
 * only the libraries are taken out of it.
 */
function anyPythonTags(): string[] {
  const platform = Deno.build.os === "darwin"
    ? "macosx_12_0_arm64"
    : `manylinux_2_27_${Deno.build.arch}`;
  // deno-fmt-ignore
  return ["--implementation", "cp", "--python-version", "3.12",
    "--abi", "cp312", "--platform", platform];
}

/**
 * Downloads one wheel into `dir` (pip's own temporary files too).
 * @returns the wheel's path.
 * @throws LibraryError in one line: no pip, no network, no space, no version.
 */
export async function downloadWheel(
  name: string,
  version: string,
  dir: string,
  onProgress: Progress,
  signal?: AbortSignal,
): Promise<string> {
  const temporary = join(dir, "pip");
  await Deno.mkdir(temporary);
  let total = "";
  let shown = "";
  const timer = setInterval(() => {
    const megabytes = Math.round(bytesBelow(temporary) / 1e6);
    const share = Math.min(100, Math.round(100 * megabytes / Number(total)));
    const line = total
      ? `downloading: ${megabytes} of ${Math.round(Number(total))} MB ` +
        `(${share} %)`
      : `downloading: ${megabytes} MB`;
    if (megabytes > 0 && line !== shown) onProgress(shown = line);
  }, 1000);
  const download = (tags: string[]) =>
    python(
      // deno-fmt-ignore
      ["-m", "pip", "download", "--no-deps", "--only-binary=:all:",
        "--no-cache-dir", "--disable-pip-version-check", "--no-input",
        "--progress-bar", "off", ...tags, "-d", dir, `${name}==${version}`],
      { TMPDIR: temporary, PYTHONUNBUFFERED: "1" },
      (line) => {
        const size = /Downloading .*\(([\d.]+) ([MG])B\)/.exec(line);
        if (size) total = String(Number(size[1]) * (size[2] === "G" ? 1e3 : 1));
      },
      signal,
    );
  try {
    onProgress(`asking pip for ${name} ${version}`);
    let ended = await download([]);
    if (ended.code && /No matching distribution/.test(ended.text)) {
      const second = await download(anyPythonTags());
      if (second.code === 0) ended = second;
    }
    const what = `${name} ${version}`;
    if (ended.code) throw new LibraryError(explainPip(ended.text, what, dir));
    const wheel = readdirSync(dir).find((file) => file.endsWith(".whl"));
    if (!wheel) throw new LibraryError(`pip left no wheel of ${what}`);
    return join(dir, wheel);
  } finally {
    clearInterval(timer);
  }
}

const UNPACK = `
import hashlib, json, os, sys, zipfile
wheel, out, *names = sys.argv[1:]
with zipfile.ZipFile(wheel) as z:
    for name in names:
        h, n = hashlib.sha256(), 0
        with z.open("tensorflow/" + name) as i, open(os.path.join(out, name), "wb") as o:
            while chunk := i.read(1 << 20):
                o.write(chunk); h.update(chunk); n += len(chunk)
            o.flush(); os.fsync(o.fileno())
        print(json.dumps([name, n, h.hexdigest()]), flush=True)
`;

/**
 * Takes files out of a wheel's `tensorflow` folder, as a stream.
 * @returns size and SHA-256 of each, by name.
 * @throws LibraryError when the wheel is broken or the disk is full.
 */
export async function unpackWheel(
  wheel: string,
  out: string,
  names: string[],
  signal?: AbortSignal,
): Promise<Record<string, { bytes: number; sha256: string }>> {
  const args = ["-c", UNPACK, wheel, out, ...names];
  const { code, text } = await python(args, {}, () => {}, signal);
  if (code) {
    if (/Errno 28|No space left/.test(text)) {
      throw new LibraryError(explainPip(text, "libtensorflow", out));
    }
    throw new LibraryError(
      `the wheel cannot be unpacked: ${text.split("\n").at(-1)}; run ` +
        "`deno task tf install` again",
    );
  }
  const files: Record<string, { bytes: number; sha256: string }> = {};
  for (const line of text.split("\n")) {
    if (!line.startsWith("[")) continue;
    const [name, bytes, sha256] = JSON.parse(line);
    files[name] = { bytes, sha256 };
  }
  return files;
}
