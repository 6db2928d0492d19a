/**
 * The part of ZeroMQ's wire protocol (ZMTP 3.0, no security) that a client of
 * a kernel needs, over TCP or a Unix socket: DEALER and SUB sockets that connect.
 * What a kernel needs, sockets that listen, is in zmtp_server.ts.
 *
 * Why not a package: the native ones crash now and then under Deno when a
 * socket is closed, and take the run with them.
 */

import { Buffer } from "node:buffer";

export type SocketType = "DEALER" | "SUB" | "ROUTER" | "PUB" | "REP";

const MORE = 1, LONG = 2, COMMAND = 4; // flags of a frame
const RETRY = 15; // ms between two tries to connect
const GREETING = 64; // bytes
const GREET = 5000; // ms that a peer has to say who it is
const FRAME = 64; // bytes that a frame counts for beside its body
const STEP = 1 << 20; // bytes taken at once for a body that is still to come
/** Ends a subscription that was never made; see {@link ZmtpSocket}'s `#read`. */
const NOTHING = zmtpFrame(Uint8Array.of(0, 0), 0);

const ascii = (text: string) => new TextEncoder().encode(text);

/** Signature, version 3.0, mechanism NULL, as a client. */
function greeting(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(GREETING);
  bytes.set([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0]);
  bytes.set(ascii("NULL"), 12);
  return bytes;
}

/** One frame: flags, size (1 or 8 bytes), body. */
function zmtpFrame(body: Uint8Array, flags: number): Uint8Array<ArrayBuffer> {
  const long = body.length > 255;
  const bytes = new Uint8Array(body.length + (long ? 9 : 2));
  bytes[0] = flags | (long ? LONG : 0);
  const view = new DataView(bytes.buffer);
  if (long) view.setBigUint64(1, BigInt(body.length));
  else bytes[1] = body.length;
  bytes.set(body, long ? 9 : 2);
  return bytes;
}

/** The READY command with one property, the socket's type. */
function ready(type: SocketType): Uint8Array<ArrayBuffer> {
  const name = "Socket-Type";
  return zmtpFrame(
    Uint8Array.from([
      ...[5, ...ascii("READY")],
      ...[name.length, ...ascii(name)],
      ...[0, 0, 0, type.length, ...ascii(type)],
    ]),
    COMMAND,
  );
}

/** Closes what may be closed already, by the other end or by its process's. */
export function closeAll(...open: ({ close(): void } | undefined)[]): void {
  for (const one of open) {
    try {
      one?.close();
    } catch { /* it is */ }
  }
}

/** Where a socket listens: on this machine. */
export type Address =
  | { hostname: string; port: number }
  | { transport: "unix"; path: string };

/** A message as it goes over the wire. */
export const encoded = (frames: (string | Uint8Array)[]): Uint8Array =>
  Buffer.concat(frames.map((part, i) =>
    zmtpFrame(
      typeof part === "string" ? ascii(part) : part,
      i < frames.length - 1 ? MORE : 0,
    )
  ));

/** A connected socket; iterate it for messages, each a list of frames. */
export class ZmtpSocket implements AsyncIterable<Uint8Array[]> {
  /** Bytes of the longest message taken; a longer one ends the connection. */
  limit = Infinity;
  readonly #conn: Deno.Conn;
  #chunk = new Uint8Array(64 * 1024);
  #at = 0; // of the unread bytes in #chunk
  #end = 0;
  #answers = false; // to what is read
  #sending: Promise<unknown> = Promise.resolve();
  #behind = 0; // bytes not sent yet

  private constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  /**
   * Connects, trying until something listens there; a SUB socket is subscribed
   * to everything.
   * @throws {Error} when the other end speaks no ZMTP 3, or the reason of
   *   `signal` when it is aborted
   */
  static async connect(
    at: Address,
    type: SocketType,
    signal: AbortSignal,
  ): Promise<ZmtpSocket> {
    const socket = new ZmtpSocket(await connected(at, signal));
    const close = () => socket.close();
    signal.addEventListener("abort", close);
    try {
      if (!await socket.#greet(type)) {
        const place = "path" in at ? at.path : `port ${at.port}`;
        throw new Error(`${place} of this machine is not a kernel's`);
      }
      if (type === "SUB") await socket.#write(zmtpFrame(Uint8Array.of(1), 0));
      socket.#answers = type === "SUB";
      return socket;
    } catch (e) {
      socket.close();
      signal.throwIfAborted();
      throw e;
    } finally {
      signal.removeEventListener("abort", close);
    }
  }

  /**
   * Takes a connection that a listener accepted; `undefined`, and the
   * connection closed, when the other end speaks no ZMTP 3 or says nothing.
   */
  static async accept(
    conn: Deno.Conn,
    type: SocketType,
  ): Promise<ZmtpSocket | undefined> {
    const socket = new ZmtpSocket(conn);
    const timer = setTimeout(() => socket.close(), GREET);
    const known = await socket.#greet(type).catch(() => false);
    clearTimeout(timer);
    if (known) return socket;
    socket.close();
  }

  get behind(): number {
    return this.#behind;
  }

  /** Both ends say who they are; false when the other is no ZMTP 3. */
  async #greet(type: SocketType): Promise<boolean> {
    await this.#write(greeting());
    const hello = await this.#read(GREETING);
    if (!hello || hello[0] !== 0xff || hello[10] < 3) return false;
    await this.#write(ready(type));
    return true;
  }

  /** Sends one message; messages leave in the order of the calls. */
  send(frames: (string | Uint8Array)[]): Promise<void> {
    return this.sendBytes(encoded(frames));
  }

  /** Sends a message that is {@link encoded}. */
  sendBytes(bytes: Uint8Array): Promise<void> {
    this.#behind += bytes.length;
    const sent = this.#sending.then(() => this.#write(bytes))
      .finally(() => this.#behind -= bytes.length);
    this.#sending = sent.catch(() => {});
    return sent;
  }

  /**
   * Messages as they come; ends when either end closes the connection, or when
   * one is longer than `limit`.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array[]> {
    let length = 0;
    for (let message: Uint8Array[] = [];;) {
      const head = await this.#read(2);
      if (!head) return;
      let size = head[1];
      if (head[0] & LONG) {
        const rest = await this.#read(7);
        if (!rest) return;
        const bytes = Uint8Array.of(size, ...rest);
        size = Number(new DataView(bytes.buffer).getBigUint64(0));
      }
      length += size + FRAME;
      if (length > this.limit) return;
      const body = await this.#read(size);
      if (!body) return;
      if (head[0] & COMMAND) {
        length -= size + FRAME;
        continue;
      }
      message.push(body);
      if (head[0] & MORE) continue;
      yield message;
      message = [];
      length = 0;
    }
  }

  close(): void {
    closeAll(this.#conn);
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      at += await this.#conn.write(bytes.subarray(at));
    }
  }

  /**
   * Exactly `n` bytes; `undefined` when the connection ends before. Memory is
   * taken for what has come, not for what is announced.
   */
  async #read(n: number): Promise<Uint8Array | undefined> {
    let bytes = new Uint8Array(Math.min(n, STEP));
    for (let filled = 0; filled < n;) {
      if (filled === bytes.length) {
        const more = new Uint8Array(Math.min(n, 2 * filled));
        more.set(bytes);
        bytes = more;
      }
      if (this.#at === this.#end) {
        const got = await this.#conn.read(this.#chunk).catch(() => null);
        if (got === null) return;
        this.#at = 0;
        this.#end = got;
        // A kernel holds small messages back until the last is acknowledged
        // (Nagle), which TCP does after 40 ms, or with what is sent.
        if (this.#answers && got < this.#chunk.length) {
          this.#write(NOTHING).catch(() => {});
        }
      }
      const take = Math.min(bytes.length - filled, this.#end - this.#at);
      bytes.set(this.#chunk.subarray(this.#at, this.#at + take), filled);
      filled += take;
      this.#at += take;
    }
    return bytes;
  }
}

async function connected(at: Address, signal: AbortSignal): Promise<Deno.Conn> {
  while (true) {
    signal.throwIfAborted();
    try {
      if ("path" in at) return await Deno.connect(at);
      const conn = await Deno.connect(at);
      // With nobody listening, a socket may be given its target as its own
      // port, and then it is connected to itself.
      if ((conn.localAddr as Deno.NetAddr).port !== at.port) {
        conn.setNoDelay();
        return conn;
      }
      conn.close();
    } catch (e) {
      const { ConnectionRefused, NotFound } = Deno.errors;
      if (!(e instanceof ConnectionRefused || e instanceof NotFound)) throw e;
    }
    await new Promise((r) => setTimeout(r, RETRY));
  }
}
