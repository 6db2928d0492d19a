/** A front end for these tests: starts the proxy, sends cells, keeps all. */
import { join } from "node:path";
import {
  addressOf,
  type Connection,
  newConnection,
  Wire,
  type WireMessage,
} from "../../lib/notebook/kernel/wire.ts";
import { ZmtpSocket } from "../../lib/notebook/kernel/zmtp.ts";
import { testsWith } from "../_folder.ts";
import { ROOT } from "./_notebook.ts";

type Content = Record<string, unknown>;

/** Arguments for Deno that start the proxy. */
export const proxyArgs = (file: string) => [
  ...["run", "-A", "--no-check", join(ROOT, "lib/notebook/kernel/proxy.ts")],
  ...["--conn", file],
];

/** What one request brought. */
export interface Answer {
  reply: Content;
  /** of iopub, with this request as parent, up to `idle` */
  messages: { type: string; content: Content }[];
  /** all printed text */
  text: string;
}

/** One front end; its `key` may be a wrong one. */
export class Client {
  /** everything that came on iopub, in order */
  readonly heard: WireMessage[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly #replies: WireMessage[] = [];

  private constructor(
    readonly wire: Wire,
    readonly shell: ZmtpSocket,
    readonly control: ZmtpSocket,
    readonly iopub: ZmtpSocket,
  ) {
    this.#pump(shell, this.#replies);
    this.#pump(control, this.#replies);
    this.#pump(iopub, this.heard);
  }

  static async connect(
    c: Connection,
    signal = AbortSignal.timeout(20_000),
  ): Promise<Client> {
    const open = (port: number, type: "DEALER" | "SUB") =>
      ZmtpSocket.connect(addressOf(c, port), type, signal);
    const client = new Client(
      new Wire(c.key),
      await open(c.shell_port, "DEALER"),
      await open(c.control_port, "DEALER"),
      await open(c.iopub_port, "SUB"),
    );
    await client.until(() =>
      client.heard.some((m) => m.header.msg_type === "iopub_welcome")
    );
    return client;
  }

  /** Sends a request; its id. */
  async send(
    type: string,
    content: Content,
    channel: "shell" | "control" = "shell",
  ): Promise<string> {
    const header = this.wire.header(type);
    await this[channel].send(this.wire.frames(header, {}, content));
    return header.msg_id;
  }

  /** Waits for the reply to `id` and its `idle`. */
  async answer(id: string): Promise<Answer> {
    const own = (m: WireMessage) => m.parent.msg_id === id;
    const idle = (m: WireMessage) =>
      own(m) && m.content.execution_state === "idle";
    await this.until(() => this.#replies.some(own) && this.heard.some(idle));
    const messages = this.heard.filter(own).map((m) => ({
      type: m.header.msg_type,
      content: m.content,
    }));
    return {
      reply: this.#replies.find(own)!.content,
      messages,
      text: messages.map((m) => m.type === "stream" ? m.content.text : "")
        .join(""),
    };
  }

  async ask(
    type: string,
    content: Content = {},
    channel: "shell" | "control" = "shell",
  ): Promise<Answer> {
    return await this.answer(await this.send(type, content, channel));
  }

  cell(code: string, more: Content = {}): Promise<string> {
    return this.send("execute_request", { code, ...more });
  }

  async run(code: string, more: Content = {}): Promise<Answer> {
    return await this.answer(await this.cell(code, more));
  }

  /** Waits until the cell `id` has printed `text`. */
  printed(id: string, text: string): Promise<void> {
    return this.until(() =>
      this.heard.some((m) =>
        m.parent.msg_id === id && String(m.content.text ?? "").includes(text)
      )
    );
  }

  /** Waits for messages until `met()`. */
  async until(met: () => boolean): Promise<void> {
    while (!met()) {
      await new Promise<void>((r) => this.#waiting.push(r));
    }
  }

  close() {
    for (const s of [this.shell, this.control, this.iopub]) s.close();
  }

  async #pump(socket: ZmtpSocket, into: WireMessage[]) {
    for await (const frames of socket) {
      const message = this.wire.read(frames);
      if (message) into.push(message);
      this.#waiting.splice(0).forEach((wake) => wake());
    }
  }
}

/** Whether a process has ended, a zombie included. */
function gone(pid: number): boolean {
  try {
    const state = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return /\) Z /.test(state);
  } catch {
    return true;
  }
}

/** Waits until all processes are gone, at most `ms`; those left over. */
export async function leftOver(pids: number[], ms = 5000): Promise<number[]> {
  const end = performance.now() + ms;
  while (performance.now() < end && !pids.every(gone)) {
    await new Promise((r) => setTimeout(r, 20));
  }
  return pids.filter((pid) => !gone(pid));
}

/** A client, the process of its proxy and the ports between them. */
interface Served {
  client: Client;
  proxy: Deno.ChildProcess;
  c: Connection;
}

/** Does work with a client of a proxy of its own. */
export const withProxy = (body: (served: Served) => Promise<void>) =>
  serving(newConnection(), body);

export const proxyTest = testsWith(withProxy);

/** The same on given ports, as a front end restarts a kernel. */
export async function serving(
  c: Connection,
  body: (served: Served) => Promise<void>,
): Promise<void> {
  const file = await Deno.makeTempFile({ suffix: ".json" });
  await Deno.writeTextFile(file, JSON.stringify(c));
  const proxy = new Deno.Command(Deno.execPath(), {
    args: proxyArgs(file),
    cwd: ROOT,
    stdin: "null",
    stdout: "null",
  }).spawn();
  let client: Client | undefined;
  try {
    client = await Client.connect(c);
    await body({ client, proxy, c });
  } finally {
    client?.close();
    try {
      proxy.kill("SIGTERM");
    } catch { /* it has ended */ }
    await proxy.status;
    await Deno.remove(file);
  }
}
