/** `deno task lab`: JupyterLab on this project's notebooks and kernel. */
import { Command, InvalidArgumentError, Option } from "commander";
import { get } from "node:http";
import { join, resolve } from "node:path";
import { inOneLine, stopSignal } from "../lib/notebook/commands/mod.ts";
import {
  installKernelspec,
  uninstallKernelspec,
  writeKernelspec,
} from "../lib/notebook/kernel/kernelspec.ts";
import { JUPYTERLAB, pythonWith } from "./python.ts";

const ROOT = resolve(import.meta.dirname!, "..");
const FIRST_PORT = 8888;
const SOCKET_PATH = 100; // bytes that a Unix socket's path may have, about
const START = 90_000; // ms that the server has to answer
const GRACE = 5000; // ms that it has to end

/** Options of {@link startLab}. */
export interface LabOptions {
  /** folder with the notebooks; default: the project's */
  notebooks?: string;
  /** where settings, kernel and running state are kept; default: .ferlab */
  state?: string;
  /** default: 8888, or the next that is free */
  port?: number;
  browser?: boolean;
  /** kernels tell the type errors of a cell before it runs */
  types?: boolean;
  /** ends it, also while it starts */
  signal?: AbortSignal;
}

/** A running JupyterLab. */
export interface Lab {
  url: string;
  port: number;
  token: string;
  /** resolves with the exit code when the server has ended */
  ended: Promise<number>;
  /** Ends the server and its kernels. */
  stop(): Promise<void>;
}

/** Whether `port` can be listened on now. */
function free(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch {
    return false;
  }
}

function choosePort(given?: number): number {
  if (given !== undefined) {
    if (free(given)) return given;
    throw new Error(`port ${given} is taken; give another with --port`);
  }
  const near = Array.from({ length: 50 }, (_, i) => FIRST_PORT + i);
  const port = near.find(free);
  if (port) return port;
  throw new Error(`ports from ${FIRST_PORT} are taken; give one with --port`);
}

/**
 * A folder for what the server tells its kernels: of this user alone, and short
 * of name, so that kernels are reached by files in it, not by ports that every
 * user of the machine can reach.
 */
async function runtimeFolder(state: string) {
  if (Deno.build.os === "windows") {
    return { path: join(state, "runtime"), ipc: false };
  }
  const path = await Deno.makeTempDir({ prefix: "ferlab-" }); // mode 0700
  const socket = `/kernel-${crypto.randomUUID()}-ipc-10`;
  return { path, ipc: path.length + socket.length < SOCKET_PATH };
}

/** Settings of the server; charts and chatty cells pass its rate limits. */
const serverConfig = (o: { port: number; token: string; ipc: boolean }) => ({
  ServerApp: {
    ip: "127.0.0.1",
    port: o.port,
    port_retries: 0,
    allow_root: Deno.build.os !== "windows" && Deno.uid() === 0, // containers
  },
  IdentityProvider: { token: o.token },
  KernelSpecManager: {
    allowed_kernelspecs: ["deno"],
    ensure_native_kernel: false,
  },
  ...(o.ipc ? { KernelManager: { transport: "ipc" } } : {}),
  ZMQChannelsWebsocketConnection: {
    iopub_data_rate_limit: 1e9,
    iopub_msg_rate_limit: 1e6,
  },
});

/** Waits until the server answers. */
async function answering(lab: Lab): Promise<void> {
  let over = false;
  lab.ended.then(() => over = true);
  const url = `http://127.0.0.1:${lab.port}/api/status?token=${lab.token}`;
  for (const end = Date.now() + START; Date.now() < end && !over;) {
    // Not by fetch, which would ask a proxy that the environment names.
    const up = await new Promise<boolean>((told) =>
      get(url, (reply) => told(reply.resume().statusCode === 200))
        .on("error", () => told(false))
    );
    if (up) return;
    await new Promise((r) => setTimeout(r, 100));
  }
  await lab.stop();
  throw new Error("JupyterLab did not start; its messages are above");
}

/**
 * Starts JupyterLab with this project's kernel alone; nothing is written to
 * the user's own Jupyter folders. Resolves when it answers.
 * @throws {Error} in one line when it does not start
 */
export async function startLab(o: LabOptions = {}): Promise<Lab> {
  const port = choosePort(o.port);
  const python = await pythonWith("jupyterlab");
  o.signal?.throwIfAborted();
  const state = o.state ?? join(ROOT, ".ferlab", "jupyter");
  const folder = (name: string) => join(state, name);
  await writeKernelspec(folder("data"));
  await Deno.mkdir(folder("config"), { recursive: true });
  const token = crypto.randomUUID().replaceAll("-", "");
  const runtime = await runtimeFolder(state);
  await Deno.writeTextFile(
    join(folder("config"), "jupyter_server_config.json"),
    JSON.stringify(serverConfig({ port, token, ipc: runtime.ipc }), null, 2),
    { mode: 0o600 },
  );
  const child = new Deno.Command(python, {
    args: [
      ...["-m", "jupyterlab", "--log-level=ERROR"],
      ...(o.browser ? [] : ["--no-browser"]),
    ],
    cwd: o.notebooks ?? join(ROOT, "notebooks"),
    env: {
      JUPYTER_PATH: folder("data"),
      JUPYTER_DATA_DIR: folder("data"),
      JUPYTER_CONFIG_DIR: folder("config"),
      JUPYTER_RUNTIME_DIR: runtime.path,
      JUPYTERLAB_SETTINGS_DIR: folder("settings"),
      JUPYTERLAB_WORKSPACES_DIR: folder("workspaces"),
      ...(o.types ? { FERLAB_TYPES: "1" } : {}),
    },
    stdin: "null", // with a terminal it asks before it ends
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  const ended = child.status.then(async ({ code }) => {
    await Deno.remove(runtime.path, { recursive: true }).catch(() => {});
    return code;
  });
  const stop = async () => {
    const kill = (signal: Deno.Signal) => {
      try {
        child.kill(signal);
      } catch { /* it has ended */ }
    };
    kill("SIGTERM");
    const timer = setTimeout(() => kill("SIGKILL"), GRACE);
    await ended;
    clearTimeout(timer);
  };
  const url = `http://localhost:${port}/lab?token=${token}`;
  const lab = { url, port, token, ended, stop };
  o.signal?.addEventListener("abort", stop);
  await answering(lab);
  return lab;
}

/** A port's number from the command line. */
function portNumber(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65536) return port;
  throw new InvalidArgumentError("it must be a number from 1 to 65535");
}

if (import.meta.main) {
  const program = inOneLine(new Command("deno task lab"))
    .description(
      "Starts JupyterLab on notebooks/ with this project's kernel; Ctrl-C " +
        "ends it with all kernels.\nThe first start makes a Python venv with " +
        `JupyterLab ${JUPYTERLAB} in the user's cache; FERLAB_JUPYTER names ` +
        "another Python.",
    )
    .option("--port <number>", "where it listens (default: 8888)", portNumber)
    .option("--no-browser", "print the URL, open no browser")
    .option("--types", "tell the type errors of a cell before it runs")
    .option(
      "--install",
      "register the kernel for this user, start nothing: VS Code, nbconvert, " +
        "papermill, jupyter console and other JupyterLabs find it by the name " +
        "`deno`, which the notebooks ask for",
    )
    .addOption(
      new Option("--uninstall", "undo --install").conflicts("install"),
    );
  const asked = stopSignal(() => {});
  try {
    program.parse(Deno.args, { from: "user" });
    const { install, uninstall, ...options } = program.opts();
    if (install || uninstall) {
      const done = await (install ? installKernelspec : uninstallKernelspec)();
      for (const line of done) console.log(line);
      Deno.exit(0);
    }
    const lab = await startLab({ ...options, signal: asked.signal });
    console.log(lab.url);
    const code = await lab.ended;
    Deno.exit(asked.signal.aborted ? 0 : code || 1);
  } catch (error) {
    const e = error as Error & { code?: string; exitCode?: number };
    if (e.code?.startsWith("commander.")) Deno.exit(e.exitCode === 0 ? 0 : 2);
    if (asked.signal.aborted) Deno.exit(asked.code()); // it had not started
    console.error(`error: ${e.message}`);
    Deno.exit(1);
  }
}
