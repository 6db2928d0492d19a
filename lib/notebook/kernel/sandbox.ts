/**
 * A kernel for a notebook that one does not trust. Deno asks a broker, over a
 * socket, before each thing that needs a permission; the broker is here, in
 * another process than the cells, and what it refuses is the cell's error.
 */
import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import {
  basename,
  dirname,
  isAbsolute,
  join,
  relative,
  resolve,
  sep,
} from "node:path";
import { jsonWithComments } from "../project.ts";
import { closeAll } from "./zmtp.ts";

/** What the kernel sees of the environment: none of its secrets. */
const KEPT = ["HOME", "PATH", "LANG", "TZ", "TMPDIR", "DENO_DIR"];
const KEPT_TOO = ["XDG_CACHE_HOME", "USERPROFILE", "LOCALAPPDATA", "TEMP"];
/** Nobody listens there: what Deno itself would download is not. */
const NOWHERE = "http://127.0.0.1:9";
const MOST = 200_000; // entries that a folder may have to be looked through

/** Keys of a project by which code outside of Deno's permissions may run. */
const STARTS = /^(allowScripts|links|patch|workspaces?|scripts)$/;
/** What other programs take orders from is not written, even in the folder. */
const ORDERS = /^(\..*|node_modules|deno\.jsonc?|deno\.lock|package\.json)$/;

interface Asked {
  id: number;
  permission: string;
  value: string | null;
}

export interface Sandbox {
  env: Record<string, string>;
  /** From now on the kernel has its ports: no others are opened. */
  shut(): void;
  stop(): void;
}

/** The path with all links in it followed, as far as it exists. */
function truePath(path: string, from = ""): string {
  const whole = resolve(from, path);
  try {
    return realpathSync(whole);
  } catch {
    const above = dirname(whole);
    return above === whole ? whole : join(truePath(above), basename(whole));
  }
}

const isIn = (path: string, folder: string) =>
  path === folder || path.startsWith(folder.replace(/[\\/]$/, "") + sep);

/** @throws {Error} where a link in the folder leads out of it: files behind it could be written */
async function refuseLinks(folder: string): Promise<void> {
  const todo = [folder];
  let seen = 0;
  for (const at of todo) { // grows while it is read
    for await (const { name, isDirectory, isSymlink } of Deno.readDir(at)) {
      const path = join(at, name);
      if (++seen > MOST) {
        throw new Error(
          `${folder} has more than ${MOST} files; a sandbox wants a folder ` +
            "with the notebook and what it needs",
        );
      }
      if (isSymlink && !isIn(truePath(path), folder)) {
        throw new Error(
          `${path} is a link that leads out of the notebook's folder; remove ` +
            "it before you run the notebook in a sandbox",
        );
      }
      if (isDirectory && name !== "node_modules") todo.push(path);
    }
  }
}

/** @throws {Error} where a project's file may have programs started */
function refuseProjects(folder: string): void {
  for (let dir = folder;; dir = dirname(dir)) {
    for (const name of ["deno.json", "deno.jsonc", "package.json"]) {
      const file = join(dir, name);
      if (!existsSync(file)) continue;
      let keys: string[];
      try {
        const text = readFileSync(file, "utf8");
        keys = Object.keys(jsonWithComments(text) as object);
      } catch (e) {
        throw new Error(`${file}: cannot be read: ${(e as Error).message}`);
      }
      const found = keys.find((key) => STARTS.test(key));
      if (found) {
        throw new Error(
          `${file} has "${found}", by which an import may start programs; ` +
            "a sandbox needs a folder without it",
        );
      }
    }
    if (dir === dirname(dir)) return;
  }
}

interface Rules {
  cwd: string;
  folders: string[];
  isStarting: boolean;
  /** The cells may have gone to another folder: relative paths tell nothing. */
  hasMoved: boolean;
}

/** Why something is not allowed; undefined when it is. */
function refusal(
  { permission, value }: Asked,
  { cwd, folders, isStarting, hasMoved }: Rules,
): string | undefined {
  const no = (what: string) => `${what} is not allowed in the sandbox`;
  const isLost = value !== null && hasMoved && !isAbsolute(value);
  switch (permission) {
    case "env":
    case "sys":
      return;
    case "read": {
      if (value === null) return no("reading everything");
      const path = truePath(value, cwd);
      const isSystems = /^[\\/](proc|sys|dev)([\\/]|$)/.test(path) &&
          !/^\/dev\/(null|zero|u?random)$/.test(path) ||
        isLost && /(^|[\\/])(proc|sys|dev)([\\/]|$)/.test(value);
      return isSystems ? no(`reading ${value}`) : undefined;
    }
    case "write": {
      if (value === null) return no("writing everywhere, or making a link,");
      if (isLost) return no(`writing ${value} (give its whole path)`);
      const path = truePath(value, cwd);
      const folder = folders.find((f) => isIn(path, f));
      if (folder === undefined) {
        return no(`writing ${value}`) + ` (only in ${folders[0]})`;
      }
      const inner = relative(folder, path).split(sep);
      return inner.some((part) => ORDERS.test(part))
        ? no(`writing ${value}`)
        : undefined;
    }
    case "net":
      return isStarting ? undefined : no(`network (${value ?? "all"})`);
    case "import":
      return no(`a download (${value ?? "any"})`);
    case "run":
      return no(`another program${value ? ` (${basename(value)})` : ""}`);
    case "ffi":
      return no(`native code${value ? ` (${basename(value)})` : ""}`);
  }
  return no(permission);
}

/**
 * Starts the broker of one kernel, which begins in the folder `cwd`.
 * @param folders where cells may write; the first is the notebook's
 * @param own the kernel's, for what cells put out
 * @throws {Error} in one line where a folder would let cells out
 */
export async function startSandbox(
  folders: string[],
  { cwd, own }: { cwd: string; own: string },
): Promise<Sandbox> {
  if (Deno.build.os === "windows") {
    throw new Error("a sandbox needs Linux or macOS");
  }
  const allowed = folders.map((folder) => truePath(folder));
  for (const folder of new Set(allowed)) await refuseLinks(folder);
  refuseProjects(allowed[0]);
  const rules: Rules = {
    cwd,
    folders: [...allowed, truePath(own)],
    isStarting: true,
    hasMoved: false,
  };
  const path = join(own, "broker.sock");
  const listener = Deno.listen({ transport: "unix", path });
  const open = new Set<Deno.Conn>();
  const serve = async (conn: Deno.Conn) => {
    open.add(conn);
    const encoder = new TextEncoder();
    const writer = conn.writable.getWriter();
    let rest = "";
    const texts = conn.readable.pipeThrough(new TextDecoderStream());
    for await (const text of texts) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        const asked: Asked = JSON.parse(line);
        const reason = refusal(asked, rules);
        // Going to a folder asks to read it, and nothing else.
        if (
          !rules.isStarting && asked.permission === "read" &&
          statSync(truePath(asked.value ?? "", cwd), { throwIfNoEntry: false })
            ?.isDirectory()
        ) rules.hasMoved = true;
        const answer = reason === undefined
          ? { id: asked.id, result: "allow" }
          : { id: asked.id, result: "deny", reason };
        await writer.write(encoder.encode(JSON.stringify(answer) + "\n"));
      }
    }
  };
  (async () => {
    for await (const conn of listener) serve(conn).catch(() => {});
  })().catch(() => {});
  const kept = [...KEPT, ...KEPT_TOO].flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  });
  return {
    env: {
      ...Object.fromEntries(kept),
      ...{ HTTP_PROXY: NOWHERE, HTTPS_PROXY: NOWHERE, ALL_PROXY: NOWHERE },
      DENO_PERMISSION_BROKER_PATH: path,
    },
    shut: () => rules.isStarting = false,
    stop: () => closeAll(listener, ...open),
  };
}
