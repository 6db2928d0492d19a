/**
 * What goes into the stdout and stderr of the kernel's process, which Deno's
 * own kernel knows nothing of: the output of native code, and of programs that
 * `node:child_process` starts. The process is started with both in files.
 */

/** The files that a kernel's stdout and stderr go to. */
export const printedFiles = (connectionFile: string): string[] =>
  ["stdout", "stderr"].map((name) => `${connectionFile}.${name}`);

/**
 * Runs in the kernel, where no name from outside of it is known.
 * @param print gets what is new in the files
 * @param isFull whether no more is taken
 */
export function cellProcess(
  print: (text: string, isStderr: boolean) => void,
  isFull: () => boolean,
): { open(paths: string[]): void; drain(): void } {
  const { setInterval } = globalThis;
  const LOOK = 100; // ms between two looks while nothing else is printed
  const LONG = 64e6; // bytes of a file that is emptied once it was read
  /** What Deno's kernel says of a cell that was stopped. */
  const STOPPED = /^CDP response has null result.*\n/gm;
  const chunk = new Uint8Array(1 << 16);
  let files: { file: Deno.FsFile; at: number; decoder: TextDecoder }[] = [];
  let isDraining = false;

  const take = (stream: typeof files[0], isStderr: boolean) => {
    const { file, decoder } = stream;
    let n = file.readSync(chunk);
    if (n === null) return;
    // A program that goes on is not followed without end.
    const { size } = file.statSync();
    for (; n !== null; n = stream.at < size ? file.readSync(chunk) : null) {
      stream.at += n;
      const text = decoder.decode(chunk.subarray(0, n), { stream: true });
      print(text.replace(STOPPED, ""), isStderr);
      if (isFull()) break;
    }
    if (stream.at < LONG && !isFull()) return;
    file.truncateSync(0);
    file.seekSync(0, 0);
    stream.at = 0;
  };
  const drain = () => {
    if (isDraining) return;
    isDraining = true;
    try {
      for (const [i, stream] of files.entries()) take(stream, i === 1);
    } catch { /* the files are gone, the kernel ends */ }
    isDraining = false;
  };

  // What is inherited here would go into a pipe of Deno's that nobody reads;
  // a number is the process's own.
  const numbered = (stdio: unknown) => {
    const all = stdio === "inherit" ? [stdio, stdio, stdio] : stdio;
    return !Array.isArray(all) ? all : all.map((one, i) => {
      const fd = one === "inherit" ? i : one?.fd ?? one;
      // With three numbers Deno would inherit all again.
      if (i === 0 && fd === 0) return "inherit";
      return fd === 1 || fd === 2 ? fd : one;
    });
  };
  const isOption = (arg: unknown): arg is { stdio: unknown } =>
    typeof arg === "object" && arg !== null && "stdio" in arg;
  // Before a cell imports it: then its exports are these.
  const node = process.getBuiltinModule("node:child_process");
  const { prototype } = node.ChildProcess;
  type Functions = Record<string, (...args: unknown[]) => unknown>;
  for (
    const [on, name] of [
      ...[[node, "spawnSync"], [node, "execSync"], [node, "execFileSync"]],
      [prototype, "spawn"],
    ] as unknown as [Functions, string][]
  ) {
    const original = on[name];
    const value = function (this: typeof prototype, ...args: unknown[]) {
      if (name === "spawn") this.once("exit", drain);
      try {
        return original.apply(
          this,
          args.map((arg) =>
            isOption(arg) ? { ...arg, stdio: numbered(arg.stdio) } : arg
          ),
        );
      } finally {
        drain();
      }
    };
    on[name] = Object.defineProperty(value, "name", { value: name });
  }
  return {
    drain,
    open(paths) {
      if (files.length) return;
      files = paths.map((path) => {
        const file = Deno.openSync(path, { read: true, write: true });
        return { file, at: file.seekSync(0, 2), decoder: new TextDecoder() };
      });
      Deno.unrefTimer(setInterval(drain, LOOK));
    },
  };
}
