/** Deno's own kernel as the proxy drives it: executed, asked, stopped. */
import { agentCode } from "./agent.ts";
import { addressOf } from "./wire.ts";
import { Kernel } from "./kernel.ts";
import { withinTime } from "../concurrency.ts";
import { closeAll, ZmtpSocket } from "./zmtp.ts";

// ms; an event loop silent for longer is in a loop. On a busy machine the time
// that its thread waited for a processor does not count.
const PONG = 700;
const COLLECTION = 10_000; // ms that a collection of garbage may take

export type Stopping = "listener" | "await" | "loop";

/** One kernel with its agent; make it with {@link InnerKernel.start}. */
export class InnerKernel {
  #line: Deno.Conn | undefined;
  #pong: ((listeners: number) => void) | undefined;
  #collected: (() => void) | undefined;

  private constructor(
    readonly kernel: Kernel,
    readonly control: ZmtpSocket,
    readonly listener: Deno.TcpListener,
  ) {}

  static async start(cwd: string): Promise<InnerKernel> {
    const kernel = await Kernel.start({ cwd });
    const { connection } = kernel;
    const stop = new AbortController();
    kernel.ended.then(() => stop.abort(new Error("the kernel ended")));
    const at = addressOf(connection, connection.control_port);
    const inner = new InnerKernel(
      kernel,
      await ZmtpSocket.connect(at, "DEALER", stop.signal),
      Deno.listen({ hostname: "127.0.0.1", port: 0 }),
    );
    const token = crypto.randomUUID();
    const lined = inner.#takeLine(token);
    await kernel.execute(agentCode(inner.listener.addr.port, token));
    await Promise.race([lined, kernel.ended]);
    return inner;
  }

  /** Begins to stop the running cell, in the way that fits what it does. */
  async stopCell(): Promise<Stopping> {
    const listeners = await this.ping();
    if (listeners === undefined) {
      // Sent to a kernel that awaits, this would block it for good.
      const { wire } = this.kernel;
      const header = wire.header("interrupt_request");
      const frames = wire.frames(header, {}, {});
      await this.control.send(frames).catch(() => {}); // it may have ended
      return "loop";
    }
    if (listeners > 0) {
      this.kernel.interrupt();
      return "listener";
    }
    this.stopAwaits();
    return "await";
  }

  /** Rejects what the cell's top-level awaits wait for, or will wait for next. */
  stopAwaits(): void {
    this.#say("stop");
  }

  /** Lets the next cell wait for what it likes. */
  goOn(): void {
    this.#say("go");
  }

  /** Collects garbage, which ends a cell that a loop's end left without one. */
  async collect(): Promise<void> {
    const collected = new Promise<void>((r) => this.#collected = r);
    this.#say("collect");
    await withinTime(COLLECTION, collected);
  }

  /**
   * Number of the kernel's listeners of SIGINT; `undefined` when its event
   * loop does not answer.
   */
  async ping(): Promise<number | undefined> {
    const pong = new Promise<number>((r) => this.#pong = r);
    this.#say("ping");
    const begun = performance.now() - this.kernel.waited();
    for (let left = PONG; left > 0;) {
      const listeners = await withinTime(Math.max(left, 50), pong);
      if (listeners !== undefined) return listeners;
      left = PONG - (performance.now() - this.kernel.waited() - begun);
    }
  }

  /** Kills the process, closes all sockets; may be called twice. */
  async stop(): Promise<void> {
    await this.kernel.stop();
    closeAll(this.control, this.listener, this.#line);
  }

  #say(text: string) {
    this.#line?.write(new TextEncoder().encode(text + "\n")).catch(() => {});
  }

  /**
   * Resolves when the agent's line is there. The watcher's connection, which
   * says nothing, is only held open.
   */
  #takeLine(token: string): Promise<void> {
    return new Promise((ready) => {
      const serve = async (conn: Deno.Conn) => {
        const texts = conn.readable.pipeThrough(new TextDecoderStream());
        let known = false;
        for await (const text of texts) {
          for (const said of text.trim().split("\n")) {
            const [, listeners] = /^pong (\d+)$/.exec(said) ?? [];
            if (known && listeners) this.#pong?.(Number(listeners));
            if (known && said === "collected") this.#collected?.();
            if (said !== token) continue;
            known = true;
            this.#line = conn;
            ready();
          }
        }
      };
      const accept = async () => {
        for await (const conn of this.listener) serve(conn).catch(() => {});
      };
      accept().catch(() => {});
    });
  }
}
