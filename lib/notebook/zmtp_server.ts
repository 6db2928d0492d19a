/** ZMTP sockets that listen: what a kernel shows to its front ends. */
import { type SocketType, ZmtpSocket } from "./zmtp.ts";

/** A listening ROUTER, PUB or REP socket with all its peers. */
export class ZmtpServer {
  readonly #listener: Deno.TcpListener;
  readonly #peers = new Set<ZmtpSocket>();

  /**
   * Listens at once.
   * @param take receives each message and who sent it; of a PUB socket these
   *   are subscriptions: a byte, 1 to begin and 0 to end, and the topic
   * @param left is told of each peer that has gone
   * @throws {Deno.errors.AddrInUse} when the port is taken
   */
  constructor(
    hostname: string,
    port: number,
    type: SocketType,
    take: (frames: Uint8Array[], peer: ZmtpSocket) => void,
    left: () => void = () => {},
  ) {
    this.#listener = Deno.listen({ hostname, port });
    this.#accept(type, take, left);
  }

  /** Number of peers connected now. */
  get peers(): number {
    return this.#peers.size;
  }

  /** Sends one message to every peer. */
  publish(frames: (string | Uint8Array)[]): void {
    for (const peer of this.#peers) peer.send(frames).catch(() => {});
  }

  /** Ends all connections and listens no more. */
  close(): void {
    this.#listener.close();
    for (const peer of this.#peers) peer.close();
  }

  async #accept(
    type: SocketType,
    take: (frames: Uint8Array[], peer: ZmtpSocket) => void,
    left: () => void,
  ) {
    const serve = async (conn: Deno.TcpConn) => {
      conn.setNoDelay();
      const peer = await ZmtpSocket.accept(conn, type);
      if (!peer) return;
      this.#peers.add(peer);
      try {
        for await (const frames of peer) take(frames, peer);
      } finally {
        this.#peers.delete(peer);
        peer.close();
        left();
      }
    };
    try {
      for await (const conn of this.#listener) serve(conn);
    } catch { /* it is closed */ }
  }
}
