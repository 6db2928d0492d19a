/** ZMTP sockets that listen: what a kernel shows to its front ends. */
import { lstatSync, unlinkSync } from "node:fs";
import {
  type Address,
  closeAll,
  encoded,
  type SocketType,
  ZmtpSocket,
} from "./zmtp.ts";

/** Bytes of the longest message of a peer that has not shown that it may. */
const SMALL = 1 << 20;
const LARGE = 256 * SMALL;
const PEERS = 100; // connections that a socket holds at once
const PAUSE = 100; // ms between two tries to accept when that fails
const BEHIND = 64 * SMALL; // bytes that a peer may lag behind
const PATIENCE = 2000; // ms that it has to read a part of them
const LEAST = BEHIND / 16; // that part, in bytes
const LOOK = 10; // ms between two looks whether it has

/** Removes the socket file that a process which is gone has left. */
function removeSocket(path: string) {
  try {
    if (lstatSync(path).isSocket()) unlinkSync(path);
  } catch { /* there is none */ }
}

/**
 * A listening ROUTER, PUB or REP socket with all its peers. Whatever a peer
 * sends, it ends its own connection at the most: anybody on this machine may
 * reach the port.
 */
export class ZmtpServer {
  readonly #listener: Deno.Listener;
  readonly #conns = new Set<Deno.Conn>();
  readonly #peers = new Set<ZmtpSocket>();
  #closed = false;

  /**
   * Listens at once.
   * @param take receives each message and who sent it; of a PUB socket these
   *   are subscriptions: a byte, 1 to begin and 0 to end, and the topic. When
   *   it returns true, the peer may send long messages from then on
   * @throws {Deno.errors.AddrInUse} when the port is taken
   */
  constructor(
    readonly address: Address,
    type: SocketType,
    take: (frames: Uint8Array[], peer: ZmtpSocket) => boolean | void,
  ) {
    if ("path" in address) removeSocket(address.path);
    this.#listener = "path" in address
      ? Deno.listen(address)
      : Deno.listen(address);
    this.#accept(type, take);
  }

  /**
   * Sends one message to every peer. When one lags far behind, the result
   * resolves once it has caught up, or has been let go since it hardly reads.
   */
  publish(frames: (string | Uint8Array)[]): Promise<unknown> | void {
    if (!this.#peers.size) return;
    const bytes = encoded(frames); // one for all, however many lag behind
    for (const peer of this.#peers) peer.sendBytes(bytes).catch(() => {});
    const slow = [...this.#peers].filter((peer) => peer.behind > BEHIND);
    if (slow.length) return Promise.all(slow.map(caughtUp));
  }

  close(): void {
    this.#closed = true;
    this.#listener.close();
    closeAll(...this.#conns);
    if ("path" in this.address) removeSocket(this.address.path);
  }

  async #accept(
    type: SocketType,
    take: (frames: Uint8Array[], peer: ZmtpSocket) => boolean | void,
  ) {
    const serve = async (conn: Deno.Conn) => {
      this.#conns.add(conn);
      let peer: ZmtpSocket | undefined;
      try {
        if ("setNoDelay" in conn) (conn as Deno.TcpConn).setNoDelay();
        peer = await ZmtpSocket.accept(conn, type);
        if (!peer) return;
        peer.limit = SMALL;
        this.#peers.add(peer);
        for await (const frames of peer) {
          if (take(frames, peer)) peer.limit = LARGE;
        }
      } catch {
        /* this peer is let go */
      } finally {
        if (peer) this.#peers.delete(peer);
        this.#conns.delete(conn);
        closeAll(conn);
      }
    };
    while (!this.#closed) {
      try {
        const conn = await this.#listener.accept();
        if (this.#conns.size < PEERS) serve(conn);
        else closeAll(conn);
      } catch {
        // No descriptor may be free for a while.
        if (!this.#closed) await new Promise((r) => setTimeout(r, PAUSE));
      }
    }
  }
}

async function caughtUp(peer: ZmtpSocket): Promise<void> {
  let [from, since] = [peer.behind, performance.now()];
  while (peer.behind > BEHIND / 2) {
    await new Promise((r) => setTimeout(r, LOOK));
    if (performance.now() - since < PATIENCE) continue;
    if (from - peer.behind < LEAST) return peer.close();
    [from, since] = [peer.behind, performance.now()];
  }
}
