/** One run at a time for an output file. */
import { basename, dirname, join } from "node:path";

interface Holder {
  pid: number;
  command: string;
  since: string;
}

/** A lock that is held; it ends with the process at the latest. */
export interface OutputLock {
  release(): Promise<void>;
}

/** Leavings of a run that was killed while it wrote. */
async function removeTemporaries(target: string) {
  const prefix = `${basename(target)}.`;
  for await (const { name } of Deno.readDir(dirname(target))) {
    if (!name.startsWith(prefix)) continue;
    if (!/^[0-9a-f]{8}\.tmp$/.test(name.slice(prefix.length))) continue;
    await Deno.remove(join(dirname(target), name)).catch(() => {});
  }
}

/** The command without its values: parameters may be secrets. */
function commandText(): string {
  const isParameter = (word = "") => /^(-p|--param(eters)?)$/.test(word);
  const words = Deno.args.filter((word, i) =>
    !word.includes("=") && !/^-p/.test(word) &&
    !isParameter(Deno.args[i - 1]) && !isParameter(Deno.args[i - 2]) &&
    Deno.args[i - 1] !== "--profile"
  );
  return ["deno", basename(Deno.mainModule), ...words].join(" ").slice(0, 120);
}

/**
 * Opens the lock file, and makes it with mode 0600. A link is not followed:
 * whoever may write in the folder could have a file of ours emptied by it.
 * @returns nothing where its holder removes it in between
 */
async function openOwn(path: string): Promise<Deno.FsFile | undefined> {
  const use = { read: true, write: true };
  try {
    return await Deno.open(path, { ...use, createNew: true, mode: 0o600 });
  } catch (e) {
    if (!(e instanceof Deno.errors.AlreadyExists)) throw e;
  }
  try {
    const { isFile } = await Deno.lstat(path);
    if (!isFile) throw new Error(`${path} is no plain file; remove it`);
    return await Deno.open(path, use);
  } catch (e) {
    if (!(e instanceof Deno.errors.NotFound)) throw e;
  }
}

async function holderText(file: Deno.FsFile): Promise<string> {
  try {
    const text = await new Response(file.readable).text();
    const { pid, command, since } = JSON.parse(text) as Holder;
    return `process ${pid} ("${command}") since ${since}`;
  } catch {
    return "another process";
  }
}

/**
 * Locks the output `path` (its target, when it is a link) with the file
 * PATH.lock. The lock itself is the operating system's, so that a dead
 * holder's is free; the file names the holder.
 * @throws {Error} in one line naming the holder, or when it cannot be written
 */
export async function lockOutput(path: string): Promise<OutputLock> {
  const target = await Deno.realPath(path).catch(() => path);
  const lockPath = `${target}.lock`;
  const info = await Deno.stat(target).catch(() => undefined);
  if (info && !info.isFile) {
    throw new Error(`${path} is no plain file; give another --out`);
  }
  while (true) {
    let file: Deno.FsFile | undefined;
    try {
      file = await openOwn(lockPath);
    } catch (e) {
      throw new Error(
        `${path}: cannot write beside it: ${(e as Error).message}`,
      );
    }
    if (!file) continue;
    if (!await file.tryLock(true)) {
      const holder = await holderText(file);
      throw new Error(
        `${path} is being written by ${holder}; wait for it, or give another --out`,
      );
    }
    // The holder before may have removed the file that was opened here.
    const [mine, named] = await Promise.all([
      file.stat(),
      Deno.lstat(lockPath).catch(() => undefined),
    ]);
    if (named?.ino !== mine.ino) {
      file.close();
      continue;
    }
    const holder: Holder = {
      pid: Deno.pid,
      command: commandText(),
      since: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
    };
    if (Deno.build.os !== "windows") {
      await Deno.chmod(lockPath, 0o600).catch(() => {}); // an old one's
    }
    await file.truncate();
    await file.write(new TextEncoder().encode(JSON.stringify(holder) + "\n"));
    await removeTemporaries(target);
    return {
      async release() {
        await Deno.remove(lockPath).catch(() => {});
        file.close();
      },
    };
  }
}
