/**
 * What goes into the stdout and stderr of the kernel's process, which Deno's
 * own kernel knows nothing of: the output of native code, of programs that
 * `node:child_process` starts, and of `fs.writeSync(1, …)`. The process is
 * started with both in files.
 */

/** The files that a kernel's stdout and stderr go to. */
export const printedFiles = (connectionFile: string): string[] =>
  ["stdout", "stderr"].map((name) => `${connectionFile}.${name}`);

/**
 * Runs in the kernel, where no name from outside of it is known. A cell is told
 * by the fence before it.
 * @param print gets what is new in the files, and of which cell it is, where
 *   that is known
 * @param isFull whether no more is taken
 * @param cell whose code this is
 * @param isOver whether another cell came after it
 */
export function cellProcess({ print, isFull, cell, isOver }: {
  print: (text: string, isStderr: boolean, cell?: number) => void;
  isFull: () => boolean;
  cell: () => number;
  isOver: (cell: number) => boolean;
}): { open(paths: string[]): void; drain(): void } {
  const { setInterval } = globalThis;
  const LOOK = 100; // ms between two looks while nothing else is printed
  const LONG = 64e6; // bytes of a file that is emptied once it was read
  /** What Deno's kernel says of a cell that was stopped. */
  const STOPPED = /^CDP response has null result.*\n/gm;
  const chunk = new Uint8Array(1 << 16);
  const fs = process.getBuiltinModule("node:fs");
  const { O_APPEND, O_CREAT, O_EXCL, O_RDWR } = fs.constants;
  const APPEND = O_RDWR | O_APPEND;
  const { closeSync, fstatSync, ftruncateSync, openSync, readSync } = fs;
  // Before a cell imports it: then its exports are these.
  const node = process.getBuiltinModule("node:child_process");
  const { prototype } = node.ChildProcess;
  const { AsyncLocalStorage } = process.getBuiltinModule("node:async_hooks");
  type Child = typeof prototype;
  type Pair = { fd: number; at: number; decoder: TextDecoder }[];
  let files: string[] = [];
  let own: Pair = []; // what the process itself prints
  /** The files of a cell, open while it runs or a program of it does. */
  const cells = new Map<number, { pair: Pair; children: Child[] }>();
  let isDraining = false;

  const pairOf = (names: string[], flags: number): Pair =>
    names.map((name) => {
      const fd = openSync(name, flags);
      return { fd, at: fstatSync(fd).size, decoder: new TextDecoder() };
    });
  const filesOf = (at: number) => {
    const known = cells.get(at);
    if (known) return known;
    const names = files.map((path) => `${path}.${at}`);
    const opened = {
      pair: pairOf(names, APPEND | O_CREAT | O_EXCL),
      children: [],
    };
    for (const name of names) fs.unlinkSync(name);
    cells.set(at, opened);
    return opened;
  };
  const take = (pair: Pair, at?: number) => {
    for (const [i, stream] of pair.entries()) {
      const { fd, decoder } = stream;
      // A program that goes on is not followed without end.
      const { size } = fstatSync(fd);
      if (size < stream.at) stream.at = 0; // a cell wrote to /dev/stdout
      while (stream.at < size && !isFull()) {
        const n = readSync(fd, chunk, 0, chunk.length, stream.at);
        stream.at += n;
        const text = decoder.decode(chunk.subarray(0, n), { stream: true });
        print(text.replace(STOPPED, ""), i === 1, at);
      }
      if (stream.at < LONG && !isFull()) continue;
      ftruncateSync(fd, 0);
      stream.at = 0;
    }
  };
  const lives = ({ pid, exitCode, signalCode }: Child) =>
    pid !== undefined && exitCode === null && signalCode === null;
  const drain = () => {
    if (isDraining) return;
    isDraining = true;
    try {
      take(own);
      for (const [at, { pair, children }] of cells) {
        const isOpen = !isOver(at) || children.some(lives);
        take(pair, at);
        if (isOpen) continue;
        for (const { fd } of pair) closeSync(fd);
        cells.delete(at);
      }
    } catch { /* the files are gone, the kernel ends */ }
    isDraining = false;
  };

  // What is inherited here, or written to 1 and 2, would go into a pipe of
  // Deno's that nobody reads.
  const numbered = (fd: unknown, pair = () => filesOf(cell()).pair) =>
    files.length && (fd === 1 || fd === 2) ? pair()[fd - 1].fd : fd;
  const allNumbered = (stdio: unknown) => {
    const all = stdio === "inherit" ? [stdio, stdio, stdio] : stdio;
    return !Array.isArray(all) ? all : all.map((one, i) => {
      const fd = one === "inherit" ? i : one?.fd ?? one;
      // With three numbers Deno would inherit all again.
      if (i === 0 && fd === 0) return "inherit";
      return fd === 1 || fd === 2 ? numbered(fd) : one;
    });
  };
  const isOption = (arg: unknown): arg is { stdio: unknown } =>
    typeof arg === "object" && arg !== null && "stdio" in arg;
  /** What the events of a program print is its cell's. */
  const kept = (child: Child) => {
    const inCell = AsyncLocalStorage.snapshot();
    for (const emitter of [child, child.stdout, child.stderr]) {
      if (!emitter) continue;
      const { emit } = emitter;
      emitter.emit = (...args: Parameters<typeof emit>) =>
        inCell(() => emit.apply(emitter, args));
    }
  };
  const replace = (
    on: unknown,
    names: string[],
    given: (args: unknown[]) => unknown[],
    after?: (child: Child) => void,
  ) => {
    type Functions = Record<string, (...args: unknown[]) => unknown>;
    for (const name of names) {
      const original = (on as Functions)[name];
      const value = function (this: Child, ...args: unknown[]) {
        try {
          return original.apply(this, given(args));
        } finally {
          after?.(this);
          drain();
        }
      };
      (on as Functions)[name] = Object.defineProperties(
        value,
        Object.getOwnPropertyDescriptors(original),
      );
    }
  };
  const withStdio = (args: unknown[]) =>
    args.map((arg) =>
      isOption(arg) ? { ...arg, stdio: allNumbered(arg.stdio) } : arg
    );
  replace(node, ["spawnSync", "execSync", "execFileSync"], withStdio);
  replace(prototype, ["spawn"], withStdio, (child) => {
    cells.get(cell())?.children.push(child);
    child.once("exit", drain);
    kept(child);
  });
  const writes = ["write", "writev", "writeFile", "appendFile"];
  replace(
    fs,
    writes.map((name) => `${name}Sync`),
    ([fd, ...rest]) => [numbered(fd), ...rest],
  );
  // These may still write when the files of their cell are closed.
  replace(fs, writes, ([fd, ...rest]) => [numbered(fd, () => own), ...rest]);
  return {
    drain,
    open(paths) {
      if (files.length) return;
      files = paths;
      own = pairOf(paths, APPEND);
      Deno.unrefTimer(setInterval(drain, LOOK));
    },
  };
}
