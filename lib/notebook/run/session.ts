/**
 * Sessions: kernels that live on after the command that started them.
 *
 * A session is files in a folder of the user's own (mode 0700): NAME.json,
 * what is known of it, NAME.connection.json, the kernel's ports and key, and
 * what its process prints; all with mode 0600. What the kernel holds is kept as the keys of the cells
 * that wrote each name (keys.ts), so that a rerun knows what is still right.
 */
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { kill } from "node:process";
import { printedFiles } from "../kernel/cell_process.ts";
import { newConnection } from "../kernel/wire.ts";
import { Kernel, launchKernel } from "../kernel/kernel.ts";
import { shortHash } from "../file/ids.ts";
import { admitPackages } from "../code/packages.ts";
import { kernelEnv, workingFolder } from "../project.ts";
import { refuseForeign } from "../file/cells.ts";
import { notebookPair } from "../file/cell_pairs.ts";
import { readNotebook } from "../file/types.ts";

/** A kept kernel, as its file tells. */
export interface Session {
  name: string;
  notebook: string;
  pid: number;
  connection: string;
  started: string;
  /** by name: keys of the cells that made its value, in order */
  writers: Record<string, string[]>;
  /** hashes of the local modules it has loaded, by path */
  modules: Record<string, string>;
}

/** The folder of session files; made when absent. @throws when it is another's */
async function sessionFolder(): Promise<string> {
  const uid = Deno.uid();
  const base = Deno.env.get("XDG_RUNTIME_DIR");
  const folder = base
    ? join(base, "deno-nb")
    : join(tmpdir(), `deno-nb-${uid ?? "user"}`);
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  const info = await Deno.lstat(folder);
  const open = info.mode !== null && (info.mode & 0o077) !== 0;
  if (!info.isDirectory || open || (uid !== null && info.uid !== uid)) {
    throw new Error(
      `${folder}: must be a folder of yours with mode 0700; remove it, or set ` +
        `XDG_RUNTIME_DIR to another`,
    );
  }
  return folder;
}

async function nameOf(file: string): Promise<[string, string]> {
  const { source } = notebookPair(file);
  const notebook = await Deno.realPath(source).catch(() => source);
  const name = `${basename(notebook, ".ipynb")}-${shortHash(notebook, 8)}`;
  return [name, notebook];
}

export async function saveSession(session: Session): Promise<void> {
  const path = join(await sessionFolder(), `${session.name}.json`);
  await Deno.writeTextFile(`${path}.tmp`, JSON.stringify(session), {
    mode: 0o600,
  });
  await Deno.rename(`${path}.tmp`, path);
}

async function forget(session: Session): Promise<void> {
  const path = join(await sessionFolder(), `${session.name}.json`);
  const { connection } = session;
  for (const file of [path, connection, ...printedFiles(connection)]) {
    await Deno.remove(file).catch(() => {});
  }
}

/** Whether the process lives and is that kernel: it listens on its port. */
async function alive(session: Session): Promise<boolean> {
  try {
    kill(session.pid, 0);
    const text = await Deno.readTextFile(session.connection);
    const port = JSON.parse(text).shell_port;
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}

const readSession = (path: string): Promise<Session | undefined> =>
  Deno.readTextFile(path).then(JSON.parse).catch(() => undefined);

/** The sessions that live; files of dead ones are removed. */
export async function listSessions(): Promise<Session[]> {
  const folder = await sessionFolder();
  const found: Session[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".json") || name.endsWith(".connection.json")) continue;
    const session = await readSession(join(folder, name));
    if (!session) await Deno.remove(join(folder, name)).catch(() => {});
    else if (await alive(session)) found.push(session);
    else await forget(session);
  }
  return found.sort((a, b) => a.started < b.started ? -1 : 1);
}

/** The living session of a notebook, if there is one. */
export async function findSession(file: string): Promise<Session | undefined> {
  const [name] = await nameOf(file);
  const path = join(await sessionFolder(), `${name}.json`);
  const session = await readSession(path);
  if (!session) return;
  if (await alive(session)) return session;
  await forget(session);
}

async function launch(connection: string, notebook: string): Promise<number> {
  await Deno.remove(connection).catch(() => {});
  const text = JSON.stringify(newConnection());
  await Deno.writeTextFile(connection, text, { mode: 0o600 });
  const child = launchKernel(connection, {
    cwd: workingFolder(notebook),
    env: kernelEnv(notebook),
  });
  child.unref();
  return child.pid;
}

/** Ends a process group; true when there was one. */
function end(pid: number): boolean {
  try {
    kill(Deno.build.os === "windows" ? pid : -pid, "SIGKILL");
    return true;
  } catch {
    return false;
  }
}

/**
 * Starts a session for a notebook; none of its cells is run.
 * @param warn hears of packages that are added to a frozen lock file
 * @throws {Error} in one line when there is one, or the kernel does not start
 */
export async function startSession(
  file: string,
  warn: (message: string) => void = () => {},
): Promise<Session> {
  const [name, notebook] = await nameOf(file);
  const nb = await readNotebook(notebook);
  refuseForeign(file, nb);
  if (await findSession(file)) {
    throw new Error(`${file}: it has a session; stop that one first`);
  }
  // A kernel that runs already reads the lock file no more.
  await admitPackages(nb.cells, workingFolder(notebook), warn);
  const connection = join(await sessionFolder(), `${name}.connection.json`);
  const session: Session = {
    name,
    notebook,
    pid: 0,
    connection,
    started: new Date().toISOString(),
    writers: {},
    modules: {},
  };
  for (let tries = 1;; tries++) {
    session.pid = await launch(connection, notebook);
    try {
      const kernel = await Kernel.connect(connection, session.pid, 60_000);
      await kernel.disconnect();
      await saveSession(session);
      return session;
    } catch (e) {
      end(session.pid);
      await forget(session);
      if (tries < 3) continue; // another process may have taken a port
      throw new Error(
        `${file}: the session did not start: ${(e as Error).message}`,
      );
    }
  }
}

/** Ends a session's kernel and what its cells started; removes its files. */
export async function stopSession(session: Session): Promise<void> {
  if (await alive(session)) end(session.pid);
  while (await alive(session)) await new Promise((r) => setTimeout(r, 5));
  await forget(session);
}

/** Runs `work` while no other client uses the session. */
export async function withSession<T>(
  session: Session,
  work: (kernel: Kernel) => Promise<T>,
): Promise<T> {
  using file = await Deno.open(session.connection, { read: true, write: true });
  await file.lock(true);
  const kernel = await Kernel.connect(session.connection, session.pid);
  try {
    return await work(kernel);
  } finally {
    await kernel.disconnect();
  }
}
