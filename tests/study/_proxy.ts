// A connection to PostgreSQL that breaks when a test wants it to.

/** Passes bytes on, until it swallows the answer to a COMMIT. */
export class Proxy {
  readonly #listener: Deno.TcpListener;
  #cuts = 0;
  #connections = new Set<Promise<unknown>>();
  readonly port: number;

  constructor(readonly server: number) {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = (this.#listener.addr as Deno.NetAddr).port;
    this.#connections.add(this.#accept());
  }

  /** The next COMMIT is done by the server, but its client is not told. */
  cutNextCommit(): void {
    this.#cuts++;
  }

  get cutsLeft(): number {
    return this.#cuts;
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) {
      const server = await Deno.connect({
        hostname: "127.0.0.1",
        port: this.server,
      });
      const passed = { cut: false };
      const both = [
        this.#pass(client, server, passed, true),
        this.#pass(server, client, passed, false),
      ];
      const done = Promise.all(both).finally(() => {
        for (const end of [client, server]) {
          try {
            end.close();
          } catch {
            // Closed by the other direction.
          }
        }
      });
      this.#connections.add(done);
    }
  }

  async #pass(
    from: Deno.Conn,
    to: Deno.Conn,
    passed: { cut: boolean },
    fromClient: boolean,
  ): Promise<void> {
    const buffer = new Uint8Array(65536);
    try {
      for (;;) {
        const n = await from.read(buffer);
        if (n === null) break;
        const bytes = buffer.subarray(0, n);
        const text = new TextDecoder("latin1").decode(bytes);
        if (fromClient && this.#cuts > 0 && text.includes("COMMIT\0")) {
          this.#cuts--;
          passed.cut = true;
        }
        // The server's "ready, not in a transaction" after the COMMIT.
        if (!fromClient && passed.cut && text.endsWith("Z\0\0\0\x05I")) break;
        if (fromClient || !passed.cut) await to.write(bytes);
      }
    } catch {
      // The other side is gone.
    }
    for (const end of [from, to]) {
      try {
        end.close();
      } catch {
        // Closed already.
      }
    }
  }

  async close(): Promise<void> {
    this.#listener.close();
    await Promise.allSettled(this.#connections);
  }
}
