/** The face that the proxy shows to front ends: five sockets, signed messages. */
import {
  addressOf,
  type Connection,
  type Header,
  Wire,
  type WireMessage,
} from "./wire.ts";
import type { ZmtpSocket } from "./zmtp.ts";
import { ZmtpServer } from "./zmtp_server.ts";

const FLUSH = 30; // ms that printed text waits for more of its kind
const LONG = 1 << 20; // characters of it that wait no longer
const ECHO = 1 << 20; // bytes that may wait for a peer without the key

/** A request, and how to answer it. */
export interface Request extends WireMessage {
  reply(content: Record<string, unknown>): void;
}

/** Text of one stream, not sent yet. */
interface Printed {
  parent: Partial<Header>;
  name: string;
  text: string;
  timer: ReturnType<typeof setTimeout>;
}

/** The sockets of one kernel; listens at once. */
export class Front {
  readonly #wire: Wire;
  readonly #servers: ZmtpServer[];
  readonly #iopub: ZmtpServer;
  #printed: Printed | undefined;

  /** @throws {Deno.errors.AddrInUse} when a port is taken */
  constructor(
    connection: Connection,
    on: { shell: (r: Request) => void; control: (r: Request) => void },
  ) {
    this.#wire = new Wire(connection.key);
    const serve = (take: (r: Request) => void) =>
    (
      frames: Uint8Array[],
      peer: ZmtpSocket,
    ) => {
      const message = this.#wire.read(frames);
      if (message) take(this.#request(message, peer));
      return message !== undefined;
    };
    const { shell_port, control_port, stdin_port, hb_port, iopub_port } =
      connection;
    const at = (port: number) => addressOf(connection, port);
    this.#iopub = new ZmtpServer(
      at(iopub_port),
      "PUB",
      (frames, peer) => this.#welcome(frames, peer),
    );
    this.#servers = [
      this.#iopub,
      new ZmtpServer(at(shell_port), "ROUTER", serve(on.shell)),
      new ZmtpServer(at(control_port), "ROUTER", serve(on.control)),
      new ZmtpServer(at(stdin_port), "ROUTER", () => {}),
      new ZmtpServer(at(hb_port), "REP", (frames, peer) => {
        if (peer.behind > ECHO) return peer.close();
        peer.send(frames).catch(() => {});
      }),
    ];
  }

  /**
   * Publishes one message that belongs to the request `parent`; the result
   * resolves when the subscribers can take more.
   */
  publish(
    parent: Partial<Header>,
    type: string,
    content: Record<string, unknown>,
  ): Promise<unknown> | void {
    if (type === "stream") return this.#print(parent, content);
    this.flush();
    return this.#send(parent, type, content);
  }

  #send(parent: Partial<Header>, type: string, content: unknown) {
    const frames = this.#wire.frames(this.#wire.header(type), parent, content);
    return this.#iopub.publish([`kernel.${type}`, ...frames]);
  }

  flush(): Promise<unknown> | void {
    const printed = this.#printed;
    if (!printed) return;
    clearTimeout(printed.timer);
    this.#printed = undefined;
    const { parent, name, text } = printed;
    return this.#send(parent, "stream", { name, text });
  }

  close(): void {
    this.#servers.forEach((s) => s.close());
  }

  /** Lines are sent together: servers drop what comes too often. */
  #print(parent: Partial<Header>, content: Record<string, unknown>) {
    const { name, text } = content as { name: string; text: string };
    const last = this.#printed;
    if (last?.parent === parent && last.name === name) {
      last.text += text;
      return last.text.length > LONG ? this.flush() : undefined;
    }
    const room = this.flush();
    const timer = setTimeout(() => this.flush(), FLUSH);
    this.#printed = { parent, name, text, timer };
    return room;
  }

  #request(message: WireMessage, peer: ZmtpSocket): Request {
    const type = message.header.msg_type.replace(/_request$/, "_reply");
    return {
      ...message,
      reply: (content) => {
        const header = this.#wire.header(type);
        const frames = this.#wire.frames(header, message.header, content);
        peer.send([...message.identities, ...frames]).catch(() => {});
      },
    };
  }

  /** A new subscriber is told that it hears all from here on. */
  #welcome([first]: Uint8Array[], peer: ZmtpSocket) {
    if (first?.[0] !== 1 || peer.behind > ECHO) return;
    const subscription = new TextDecoder().decode(first.subarray(1));
    const header = this.#wire.header("iopub_welcome");
    const frames = this.#wire.frames(header, {}, { subscription });
    peer.send([subscription, ...frames]).catch(() => {});
  }
}
