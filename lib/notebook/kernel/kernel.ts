/** A client of one Deno notebook kernel: start, execute, interrupt, stop. */
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { stripAnsi } from "../ansi.ts";
import { printedFiles } from "./cell_process.ts";
import { addressOf, type Connection, newConnection, Wire } from "./wire.ts";
import { denoError } from "./cell_errors.ts";
import { LOG_HINT, OutputLog } from "./output_log.ts";
import {
  beforeUnnamed,
  checkReplies,
  fenceCode,
  intoCode,
  namedCell,
  PRELUDE,
  testCode,
  type Thrown,
} from "./prelude.ts";
import { type Sandbox, startSandbox } from "./sandbox.ts";
import { withinTime } from "../concurrency.ts";
import { type SocketType, ZmtpSocket } from "./zmtp.ts";

/** A message of the Jupyter protocol, without its buffers. */
export interface Message {
  type: string;
  parent: string | undefined;
  content: Record<string, unknown>;
}

export interface KernelEnd {
  code: number;
  signal: string | null;
  /** last lines the kernel process wrote on stderr */
  stderr: string;
}

/** A fence that has not come back. */
const LOST = Symbol();

/** Thrown from a pending request when the kernel process ends. */
export class KernelDied extends Error {
  constructor(readonly end: KernelEnd) {
    const full = /out of memory|heap limit/i.test(end.stderr)
      ? "ran out of memory and "
      : "";
    const how = full +
      (end.signal
        ? `was ended by signal ${end.signal}`
        : `ended with exit code ${end.code}`);
    const damage = /^SIG(BUS|SEGV|ILL)$/.test(end.signal ?? "")
      ? ", as a damaged native package or library does; `deno task doctor` " +
        "names it, and what mends it"
      : "";
    const [, flag] = /`--unstable-([\w-]+)` flag must be/.exec(end.stderr) ??
      [];
    const unstable = flag
      ? `: what it uses needs "unstable": ["${flag}"] in deno.json`
      : "";
    super(`the kernel ${how} in the middle of the cell${damage}${unstable}`);
    this.name = "KernelDied";
  }
}

export interface KernelOptions {
  cwd: string;
  env?: Record<string, string>;
  /** folders in which cells may write, and do nothing else outside of Deno */
  sandbox?: string[];
  /** ends the start */
  signal?: AbortSignal;
}

const LOOK_EVERY = 500; // ms between two looks into the log of a cell that runs
const STDERR_TAIL = 4000; // characters kept
/** ms: one that does not start mostly ends; on a busy machine it takes long. */
const START = 300_000;
const POSIX = Deno.build.os !== "windows";

/**
 * A process that ends the group of `pid`, and removes its folder, when this
 * process dies, however it does: its stdin is a pipe from here, and closes then.
 */
function watchdog(pid: number, folder: string): Deno.ChildProcess {
  return new Deno.Command("sh", {
    args: ["-c", `read _; kill -9 -${pid}; rm -rf "$0"`, folder],
    detached: true,
    stdin: "piped",
    stdout: "null",
    stderr: "null",
  }).spawn();
}

/**
 * Deno's kernel, in a group of its own, to be ended with its children. What the
 * process itself prints goes into two files, see {@link printedFiles}.
 */
export function launchKernel(
  connectionFile: string,
  o: Deno.CommandOptions,
): Deno.ChildProcess {
  const into = `(umask 077; : >"$0.stdout"; : >"$0.stderr")
    exec "$@" >>"$0.stdout" 2>>"$0.stderr"`;
  const [command, ...args] = [
    ...(POSIX ? ["sh", "-c", into, connectionFile] : []),
    ...[Deno.execPath(), "jupyter", "--quiet", "--kernel"],
    ...["--conn", connectionFile],
  ];
  return new Deno.Command(command, {
    ...{ args, detached: POSIX, stdin: "null", stdout: "null" },
    ...{ stderr: "null", ...o },
  }).spawn();
}

/** The last of what was written into a file; nothing where there is none. */
async function tailOf(path: string): Promise<string> {
  try {
    using file = await Deno.open(path);
    const { size } = await file.stat();
    await file.seek(Math.max(0, size - STDERR_TAIL), Deno.SeekMode.Start);
    return await new Response(file.readable).text();
  } catch {
    return "";
  }
}

/** A folder of this process's own for what a kernel and it exchange. */
const newFolder = () =>
  // Absolute, as the kernel's folder is another; an empty TMPDIR is none.
  Deno.makeTempDir({ dir: resolve(tmpdir()), prefix: "kernel-" }).catch(
    (e: Error) => {
      throw new Error(
        `${tmpdir()}: the kernel cannot be started, which needs a folder there: ` +
          `${e.message}; set TMPDIR to a folder that can be written`,
      );
    },
  );

/** One running kernel; make it with {@link Kernel.start}, end with `stop`. */
export class Kernel {
  /**
   * Receives all that arrives on iopub but the fences; the next comes when what
   * it returns has resolved.
   */
  onMessage: (m: Message) => Promise<unknown> | void = () => {};
  readonly ended: Promise<KernelEnd>;
  readonly wire: Wire;

  readonly #child: Deno.ChildProcess;
  readonly #watchdog?: Deno.ChildProcess;
  readonly #sockets: ZmtpSocket[] = [];
  readonly #replies = new Map<string, (m: Message) => void>();
  readonly #fences = new Map<number, (thrown?: Thrown) => void>();
  readonly #dead: Promise<never>;
  readonly #log: OutputLog;
  /** Resolves when what was read of the log has been taken. */
  #logged: Promise<void> = Promise.resolve();
  #again: ReturnType<typeof setTimeout> | undefined;
  /** Resolves when all that the process published has been taken. */
  #published: Promise<void> = Promise.resolve();
  #shell!: ZmtpSocket;
  #fence = 0;
  #alive = true;

  private constructor(
    child: Deno.ChildProcess,
    /** Where others may reach the kernel too. */
    readonly connection: Connection,
    folder: string,
    readonly connectionFile: string,
    owned = true,
  ) {
    this.#child = child;
    this.wire = new Wire(connection.key);
    this.#log = new OutputLog(folder);
    if (POSIX && owned) this.#watchdog = watchdog(child.pid, folder);
    this.ended = child.status.then(async (status) => {
      this.#alive = false;
      await this.#endChildren();
      await withinTime(500, this.#published);
      await this.#readLog(Infinity);
      const stderr = await tailOf(printedFiles(connectionFile)[1]);
      await this.#closeLog();
      return {
        code: status.code,
        signal: status.signal,
        stderr: stripAnsi(stderr).trim(),
      };
    });
    this.#dead = this.ended.then((end) => {
      throw new KernelDied(end);
    });
    this.#dead.catch(() => {});
  }

  /**
   * Starts `deno jupyter --kernel` in `cwd` and waits until it answers.
   * @throws {Error} when the kernel ends, or stays silent
   */
  static async start(o: KernelOptions): Promise<Kernel> {
    for (let tries = 1;; tries++) {
      try {
        return await Kernel.#start(o);
      } catch (e) {
        if (!(e instanceof KernelDied)) throw e;
        // Another process took one of the ports found free: find others.
        if (tries < 5 && /AddrInUse/.test(e.end.stderr)) continue;
        const lines = e.end.stderr.split("\n");
        const why = denoError(e.end.stderr) ??
          lines.find((l) => /out of memory/.test(l)) ?? lines.at(-1);
        throw new Error(
          `the kernel did not start: ${why || `exit code ${e.end.code}`}`,
        );
      }
    }
  }

  /**
   * Connects to a kernel that runs already, and was started detached.
   * {@link Kernel.disconnect} leaves it running; `stop` ends it.
   * @param file its connection file
   * @throws {Error} when it does not answer for `timeout` ms
   */
  static async connect(
    file: string,
    pid: number,
    timeout = 20_000,
  ): Promise<Kernel> {
    const connection = JSON.parse(await Deno.readTextFile(file));
    const gone = Promise.withResolvers<Deno.CommandStatus>();
    const child = {
      pid,
      status: gone.promise,
      kill: (signal: Deno.Signal) => Deno.kill(pid, signal),
    } as Deno.ChildProcess;
    const folder = await newFolder();
    const kernel = new Kernel(child, connection, folder, file, false);
    const end = () => gone.resolve({ code: -1, signal: null, success: false });
    kernel.#fence = Math.floor(Math.random() * 1e9); // another client's differ
    try {
      await kernel.#connect(timeout);
      kernel.#published.then(end); // its sockets close when it ends
      await kernel.#prepare();
      return kernel;
    } catch (e) {
      end();
      await kernel.disconnect();
      throw e;
    }
  }

  /** Closes the sockets and leaves the process as it is. */
  async disconnect(): Promise<void> {
    await withinTime(1000, this.#request(intoCode(), true).catch(() => {}));
    this.#sockets.forEach((s) => s.close());
    await this.#published;
    await this.#closeLog();
  }

  static async #start(o: KernelOptions): Promise<Kernel> {
    const connection = newConnection();
    const folder = await newFolder();
    const file = join(folder, "connection.json");
    let sandbox: Sandbox | undefined;
    try {
      const { cwd } = o;
      if (o.sandbox) {
        sandbox = await startSandbox(o.sandbox, { cwd, own: folder });
      }
      await Deno.writeTextFile(file, JSON.stringify(connection));
      const child = launchKernel(file, {
        cwd,
        env: { ...sandbox?.env, ...o.env },
        clearEnv: sandbox !== undefined,
      });
      const kernel = new Kernel(child, connection, folder, file);
      kernel.ended.then(() => sandbox?.stop());
      try {
        await kernel.#connect(START, o.signal);
        await kernel.#prepare(true);
        sandbox?.shut();
        return kernel;
      } catch (e) {
        await kernel.stop();
        throw e;
      }
    } catch (e) {
      await Deno.remove(folder, { recursive: true }).catch(() => {});
      throw e;
    } finally {
      await Deno.remove(file).catch(() => {});
    }
  }

  async #prepare(isNew = false) {
    const { content } = await this.#request(PRELUDE, true);
    if (content.status !== "ok") {
      throw new Error(
        `the notebook kernel of Deno ${Deno.version.deno} cannot be prepared ` +
          `(${content.evalue}); use Deno 2.9.6`,
      );
    }
    const printed = printedFiles(this.connectionFile);
    await this.#request(intoCode(this.#log.folder, printed), true);
    if (isNew) {
      await checkReplies(async (code) =>
        (await this.#request(code, true)).content.status
      );
    }
    await this.#fenced();
  }

  /**
   * Runs `code`; resolves with the reply's content once all that the code
   * printed has gone through `onMessage`.
   *
   * A fence follows, a silent broadcast: what was put out before it has been
   * written, or is published before it.
   * `thrown` in the content tells more of the exception, if there was one.
   * @param cell what the frames of a stack call it
   * @throws {KernelDied} when the process ends first
   */
  async execute(
    code: string,
    cell?: string,
  ): Promise<Record<string, unknown> & { thrown?: Thrown }> {
    // A hint of the log may be dropped; a fence comes only at the cell's end.
    const look = setInterval(() => this.#readLog(), LOOK_EVERY);
    let { content } = await this.#request(await this.#named(code, cell), false)
      .finally(() => clearInterval(look));
    let thrown = await this.#fenced();
    if (thrown?.tests) {
      const ran = content.status === "ok";
      const { content: tested } = await this.#request(testCode(ran), true);
      const after = await this.#fenced();
      if (ran) [content, thrown] = [tested, after];
    }
    return { ...content, ...(content.status === "error" ? { thrown } : {}) };
  }

  async #named(code: string, cell?: string): Promise<string> {
    if (cell === undefined) return code;
    if (!code.trimStart().startsWith("{")) {
      return namedCell(code, cell, this.#fence);
    }
    // With a name before it, it would be a block where it may be an object.
    await this.#request(beforeUnnamed(code, cell), true);
    return code;
  }

  /** The last fence's number; errors that come late name it. */
  get fence(): number {
    return this.#fence;
  }

  /**
   * The value of an expression in the kernel, as JSON carries it; nothing of
   * it is shown. `undefined` when it throws.
   * @throws {KernelDied} when the process ends first
   */
  async ask(expression: string): Promise<unknown> {
    let answer: unknown;
    const before = this.onMessage;
    this.onMessage = (m) => {
      if (m.type === "ferlab_answer") answer = m.content.value;
      else if (m.type !== "error" || "ferlab_fence" in m.content) before(m);
    };
    await this.#request(
      `await Deno.jupyter.broadcast("ferlab_answer", ` +
        `{ value: await (${expression}) })`,
      true,
    );
    await this.#fenced();
    this.onMessage = before;
    return answer;
  }

  /**
   * ms that the thread of its cells has waited for a processor so far; 0 where
   * the system does not tell it.
   */
  waited(): number {
    try {
      const text = Deno.readTextFileSync(`/proc/${this.#child.pid}/schedstat`);
      return Number(text.split(" ")[1]) / 1e6;
    } catch {
      return 0;
    }
  }

  /** Sends SIGINT; nothing happens when the kernel has ended. */
  interrupt(): void {
    this.#kill("SIGINT");
  }

  /**
   * The same, and ends the process `grace` ms later.
   * @returns what calls that off
   */
  interruptThenKill(grace = 5000): () => void {
    this.interrupt();
    const timer = setTimeout(() => this.kill(), grace);
    return () => clearTimeout(timer);
  }

  kill(): void {
    this.#kill("SIGKILL");
  }

  /** Kills the process, closes the sockets; may be called twice. */
  async stop(): Promise<KernelEnd> {
    this.kill();
    const end = await this.ended;
    this.#sockets.forEach((s) => s.close());
    return end;
  }

  #kill(signal: Deno.Signal) {
    try {
      if (!this.#alive) return;
      if (POSIX) Deno.kill(-this.#child.pid, signal);
      else this.#child.kill(signal);
    } catch { /* it ended in between */ }
  }

  /** Ends what cells started, and the watchdog. */
  async #endChildren() {
    if (!this.#watchdog) return;
    try {
      Deno.kill(-this.#child.pid, "SIGKILL");
    } catch { /* there were none */ }
    try {
      this.#watchdog.kill("SIGKILL");
    } catch { /* it has ended */ }
    await this.#watchdog.status;
    await this.#watchdog.stdin.close().catch(() => {});
  }

  async #connect(timeout: number, signal?: AbortSignal) {
    signal?.throwIfAborted();
    const { shell_port, stdin_port, iopub_port } = this.connection;
    const stop = new AbortController();
    this.#dead.catch((e) => stop.abort(e));
    const timer = setTimeout(
      () => stop.abort(new Error(`no answer from the kernel in ${timeout} ms`)),
      timeout,
    );
    const either = AbortSignal.any([stop.signal, ...signal ? [signal] : []]);
    const stopped = new Promise<never>((_, fail) => {
      either.addEventListener("abort", () => fail(either.reason));
    });
    stopped.catch(() => {});
    const open = async (port: number, type: SocketType) => {
      const at = addressOf(this.connection, port);
      const socket = await ZmtpSocket.connect(at, type, either);
      this.#sockets.push(socket);
      return socket;
    };
    try {
      const iopub = await open(iopub_port, "SUB");
      await open(stdin_port, "DEALER"); // the kernel wants it before a cell
      this.#shell = await open(shell_port, "DEALER");
      this.#listen(this.#shell, iopub);
      // The subscription is read on another connection than the first fence
      // and may be late for it: it is sent again.
      const fence = this.#fenced();
      fence.catch(() => {}); // the process may end before
      await Promise.race([fence, stopped]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #fenced(): Promise<Thrown | undefined> {
    const n = ++this.#fence;
    const passed = new Promise<Thrown | undefined>((r) =>
      this.#fences.set(n, r)
    );
    // One that was dropped behind a large error is sent again; each pushes on
    // what the kernel has not written yet.
    while (true) {
      await this.#request(fenceCode(n), true);
      const seen = await withinTime(
        50,
        Promise.race([passed, this.#dead]),
        LOST,
      );
      if (seen !== LOST) return seen;
    }
  }

  #request(code: string, silent: boolean): Promise<Message> {
    return this.request("execute_request", {
      ...{ code, silent, store_history: !silent, user_expressions: {} },
      ...{ allow_stdin: false, stop_on_error: true },
    });
  }

  /**
   * Asks over the shell channel, where a kernel answers one after the other.
   * @throws {KernelDied} when the process ends first
   */
  async request(type: string, content: unknown): Promise<Message> {
    const header = this.wire.header(type);
    const reply = new Promise<Message>((r) =>
      this.#replies.set(header.msg_id, r)
    );
    // A kernel that is gone is told by #dead, not by the failed write.
    this.#shell.send(this.wire.frames(header, {}, content)).catch(() => {});
    return await Promise.race([reply, this.#dead]);
  }

  /** Passes on what is in the log; see {@link OutputLog.read}. */
  #readLog(end?: number): Promise<void> {
    return this.#logged = this.#logged.then(async () => {
      for await (const message of this.#log.read(end)) {
        await this.#pass(message);
      }
    });
  }

  async #closeLog() {
    clearTimeout(this.#again);
    await this.#logged;
    await this.#log.close();
  }

  /** Passes a message on; one that cannot be taken is told. */
  async #pass(m: Message) {
    try {
      await this.onMessage(m);
    } catch (e) {
      this.#leftOut(e as Error);
    }
  }

  #leftOut({ message }: Error, size?: number) {
    const what = size === undefined
      ? "what"
      : `${(size / 2 ** 20).toFixed(1)} MB that`;
    const text = `\n(${what} the cell put out was left out: ${message})\n`;
    this.onMessage({
      ...{ type: "stream", parent: undefined },
      content: { name: "stderr", text },
    });
  }

  #listen(shell: ZmtpSocket, iopub: ZmtpSocket) {
    const pump = async (
      socket: ZmtpSocket,
      take: (m: Message) => Promise<unknown> | void,
    ) => {
      for await (const frames of socket) {
        try {
          const m = this.wire.read(frames);
          if (!m) continue;
          const { header, parent, content } = m;
          await take({
            ...{ type: header.msg_type, parent: parent.msg_id, content },
          });
        } catch (e) { // longer than a string can be, mostly
          this.#leftOut(e as Error, frames.reduce((n, f) => n + f.length, 0));
        }
      }
    };
    pump(shell, (m) => {
      const id = m.parent ?? "";
      this.#replies.get(id)?.(m);
      this.#replies.delete(id);
    });
    this.#published = pump(iopub, async (m) => {
      if (m.type === "ferlab_log") {
        clearTimeout(this.#again); // what comes before the next hint
        this.#again = setTimeout(() => this.#readLog(), 2 * LOG_HINT);
        return await this.#readLog();
      }
      if (m.type === "ferlab_fence") {
        const n = Number(m.content.n);
        await this.#readLog(m.content.log as number | undefined);
        this.#fences.get(n)?.(m.content.thrown as Thrown | undefined);
        this.#fences.delete(n);
      } else if (!/^(status|execute_input)$/.test(m.type)) {
        await this.#readLog();
        await this.onMessage(m);
      }
    });
  }
}
