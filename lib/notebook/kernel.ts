/** A client of one Deno notebook kernel: start, execute, interrupt, stop. */
import { createHmac, randomBytes } from "node:crypto";
import { Dealer, Subscriber } from "zeromq";

/** A message of the Jupyter protocol, without its buffers. */
export interface Message {
  type: string;
  parent: string | undefined;
  content: Record<string, unknown>;
}

/** How the kernel process ended. */
export interface KernelEnd {
  code: number;
  signal: string | null;
  /** last lines the kernel process wrote on stderr */
  stderr: string;
}

/** Thrown from a pending request when the kernel process ends. */
export class KernelDied extends Error {
  constructor(readonly end: KernelEnd) {
    const how = end.signal
      ? `was ended by signal ${end.signal}`
      : `ended with exit code ${end.code}`;
    super(`the kernel ${how} in the middle of the cell`);
    this.name = "KernelDied";
  }
}

const DELIMITER = "<IDS|MSG>";
const STDERR_TAIL = 4000; // characters kept

/** Free TCP ports on 127.0.0.1, all different. */
function freePorts(n: number): number[] {
  const listeners = Array.from(
    { length: n },
    () => Deno.listen({ hostname: "127.0.0.1", port: 0 }),
  );
  const ports = listeners.map((l) => l.addr.port);
  listeners.forEach((l) => l.close());
  return ports;
}

/** One running kernel; make it with {@link Kernel.start}, end with `stop`. */
export class Kernel {
  /** Receives all that arrives on iopub but the fences. */
  onMessage: (m: Message) => void = () => {};
  /** Resolves when the kernel process has ended. */
  readonly ended: Promise<KernelEnd>;

  readonly #child: Deno.ChildProcess;
  readonly #key: string;
  readonly #session = crypto.randomUUID();
  readonly #shell = new Dealer({ linger: 0 });
  readonly #control = new Dealer({ linger: 0 });
  readonly #stdin = new Dealer({ linger: 0 });
  readonly #iopub = new Subscriber({ linger: 0, receiveHighWaterMark: 0 });
  readonly #replies = new Map<string, (m: Message) => void>();
  readonly #fences = new Map<number, () => void>();
  readonly #dead: Promise<never>;
  #fence = 0;
  #stderr = "";
  #alive = true;

  private constructor(child: Deno.ChildProcess, key: string) {
    this.#child = child;
    this.#key = key;
    const drained = this.#drain();
    this.ended = child.status.then(async (status) => {
      this.#alive = false;
      // A grandchild may hold the pipe open: do not wait for it for long.
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise<void>((r) => timer = setTimeout(r, 500));
      await Promise.race([drained, late]);
      clearTimeout(timer);
      return {
        code: status.code,
        signal: status.signal,
        stderr: this.#stderr.trim(),
      };
    });
    this.#dead = this.ended.then((end) => {
      throw new KernelDied(end);
    });
    this.#dead.catch(() => {});
  }

  /**
   * Starts `deno jupyter --kernel` in `cwd` and waits until it answers.
   * @throws {Error} when the kernel ends or is silent for `timeout` ms
   */
  static async start(
    o: { cwd: string; env?: Record<string, string>; timeout?: number },
  ): Promise<Kernel> {
    const [shell, control, stdin, iopub, hb] = freePorts(5);
    const key = randomBytes(32).toString("hex");
    const file = await Deno.makeTempFile({ suffix: ".json" });
    const connection = {
      transport: "tcp",
      ip: "127.0.0.1",
      shell_port: shell,
      control_port: control,
      stdin_port: stdin,
      iopub_port: iopub,
      hb_port: hb,
      key,
      signature_scheme: "hmac-sha256",
      kernel_name: "deno",
    };
    await Deno.writeTextFile(file, JSON.stringify(connection));
    const child = new Deno.Command(Deno.execPath(), {
      args: ["jupyter", "--kernel", "--conn", file],
      cwd: o.cwd,
      env: o.env,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const kernel = new Kernel(child, key);
    try {
      const at = (port: number) => `tcp://127.0.0.1:${port}`;
      kernel.#stdin.connect(at(stdin));
      kernel.#shell.connect(at(shell));
      kernel.#control.connect(at(control));
      kernel.#iopub.connect(at(iopub));
      kernel.#iopub.subscribe();
      kernel.#listen();
      await kernel.#ready(o.timeout ?? 30_000);
      return kernel;
    } catch (e) {
      await kernel.stop();
      if (!(e instanceof KernelDied)) throw e;
      throw new Error(
        `the kernel did not start: ${e.end.stderr || `exit ${e.end.code}`}`,
      );
    } finally {
      await Deno.remove(file).catch(() => {});
    }
  }

  /**
   * Runs `code`; resolves with the reply's content once all that the code
   * printed has gone through `onMessage`.
   *
   * Output can arrive after the reply, so a fence follows: a silent
   * broadcast, which the kernel publishes after everything before it.
   * @throws {KernelDied} when the process ends first
   */
  async execute(code: string): Promise<Record<string, unknown>> {
    const reply = await this.#request(code, false);
    await this.#fenced();
    return reply.content;
  }

  /** Sends SIGINT; nothing happens when the kernel has ended. */
  interrupt(): void {
    this.#kill("SIGINT");
  }

  /** Ends the process at once. */
  kill(): void {
    this.#kill("SIGKILL");
  }

  /** Kills the process, closes the sockets; may be called twice. */
  async stop(): Promise<KernelEnd> {
    this.kill();
    const end = await this.ended;
    for (
      const s of [this.#shell, this.#control, this.#stdin, this.#iopub]
    ) if (!s.closed) s.close();
    return end;
  }

  #kill(signal: Deno.Signal) {
    try {
      if (this.#alive) this.#child.kill(signal);
    } catch { /* it ended in between */ }
  }

  async #drain() {
    const text = this.#child.stderr.pipeThrough(new TextDecoderStream());
    for await (const chunk of text) {
      this.#stderr = (this.#stderr + chunk).slice(-STDERR_TAIL);
    }
  }

  async #ready(timeout: number) {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, fail) => {
      timer = setTimeout(
        () => fail(new Error(`no answer from the kernel in ${timeout} ms`)),
        timeout,
      );
    });
    try {
      // A subscription takes effect some time after connecting, so the first
      // fences may be lost: send them until one is seen.
      for (let seen = false; !seen;) {
        let again: ReturnType<typeof setTimeout> | undefined;
        const pause = new Promise<boolean>((r) =>
          again = setTimeout(() => r(false), 200)
        );
        const fence = this.#fenced().then(() => true);
        fence.catch(() => {}); // the process may end during a pause
        seen = await Promise.race([fence, pause, late]);
        clearTimeout(again);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  async #fenced() {
    const n = ++this.#fence;
    const passed = new Promise<void>((r) => this.#fences.set(n, r));
    await this.#request(
      `await Deno.jupyter.broadcast("ferlab_fence", { n: ${n} })`,
      true,
    );
    await Promise.race([passed, this.#dead]);
  }

  async #request(code: string, silent: boolean): Promise<Message> {
    const id = crypto.randomUUID();
    const reply = new Promise<Message>((r) => this.#replies.set(id, r));
    await this.#shell.send(this.#sign(id, "execute_request", {
      code,
      silent,
      store_history: !silent,
      user_expressions: {},
      allow_stdin: false,
      stop_on_error: true,
    }));
    return await Promise.race([reply, this.#dead]);
  }

  #sign(id: string, type: string, content: unknown): string[] {
    const header = {
      msg_id: id,
      session: this.#session,
      username: "ferlab",
      date: new Date().toISOString(),
      msg_type: type,
      version: "5.3",
    };
    const parts = [header, {}, {}, content].map((p) => JSON.stringify(p));
    return [DELIMITER, this.#signature(parts), ...parts];
  }

  #signature(parts: (string | Uint8Array)[]): string {
    const hmac = createHmac("sha256", this.#key);
    for (const p of parts) hmac.update(p);
    return hmac.digest("hex");
  }

  /** Parses and checks a message; `undefined` when the signature is wrong. */
  #parse(frames: Uint8Array[]): Message | undefined {
    const text = (f: Uint8Array) => new TextDecoder().decode(f);
    const start = frames.findIndex((f) =>
      f.length === DELIMITER.length && text(f) === DELIMITER
    );
    const parts = frames.slice(start + 2, start + 6);
    if (start < 0 || parts.length < 4) return;
    if (this.#signature(parts) !== text(frames[start + 1])) return;
    const [header, parent, , content] = parts.map((p) => JSON.parse(text(p)));
    return { type: header.msg_type, parent: parent?.msg_id, content };
  }

  #listen() {
    const pump = async (
      socket: AsyncIterable<Uint8Array[]>,
      take: (m: Message) => void,
    ) => {
      try {
        for await (const frames of socket) {
          const message = this.#parse(frames);
          if (message) take(message);
        }
      } catch (e) {
        if (this.#alive) throw e; // else closed by stop()
      }
    };
    pump(this.#shell as AsyncIterable<Uint8Array[]>, (m) => {
      const id = m.parent ?? "";
      this.#replies.get(id)?.(m);
      this.#replies.delete(id);
    });
    pump(this.#iopub as AsyncIterable<Uint8Array[]>, (m) => {
      if (m.type !== "ferlab_fence") return this.onMessage(m);
      const n = Number(m.content.n);
      this.#fences.get(n)?.();
      this.#fences.delete(n);
    });
  }
}
