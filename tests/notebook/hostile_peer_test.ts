/** Peers without the key: none ends the lab's kernel or fills its memory. */
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  type Connection,
  newConnection,
} from "../../lib/notebook/kernel/wire.ts";
import { ZmtpServer } from "../../lib/notebook/kernel/zmtp_server.ts";
import { ZmtpSocket } from "../../lib/notebook/kernel/zmtp.ts";
import { proxyTest, serving } from "./_client.ts";
import { filesTest } from "./_notebook.ts";

const test = { files: filesTest, proxy: proxyTest };

const PORTS = [
  "hb_port",
  "shell_port",
  "control_port",
  "stdin_port",
  "iopub_port",
] as const;

/** What a peer says before its first message. */
function hello(): Uint8Array {
  const bytes = new Uint8Array(64 + 2 + 27);
  bytes.set([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0]);
  bytes.set(new TextEncoder().encode("NULL"), 12);
  bytes.set([4, 27, 5], 64);
  bytes.set(new TextEncoder().encode("READY"), 67);
  bytes[72] = 11;
  bytes.set(new TextEncoder().encode("Socket-Type"), 73);
  bytes.set([0, 0, 0, 4], 84);
  bytes.set(new TextEncoder().encode("DEAL"), 88);
  return bytes;
}

/** The head of a frame of `size` bytes. */
function head(size: bigint): Uint8Array {
  const bytes = new Uint8Array(9);
  bytes[0] = 2;
  new DataView(bytes.buffer).setBigUint64(1, size);
  return bytes;
}

/** Waits until the other end has closed the connection. */
async function dropped(conn: Deno.Conn): Promise<void> {
  const bytes = new Uint8Array(1 << 16);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    conn.close();
  }, 20_000);
  while (await conn.read(bytes).catch(() => null) !== null);
  clearTimeout(timer);
  assert.ok(!late, "the connection is still open");
}

async function raw(c: Connection, port: (typeof PORTS)[number]) {
  return await Deno.connect({ hostname: c.ip, port: c[port] });
}

/** Memory of a process in MB. */
async function memory(pid: number): Promise<number> {
  const { stdout } = await new Deno.Command("ps", {
    args: ["-o", "rss=", "-p", String(pid)],
  }).output();
  return Number(new TextDecoder().decode(stdout)) / 1024;
}

test.proxy("a frame said to be of 2^53 bytes, or of any too many, ends its own peer alone", async ({ client, c }) => {
  await client.run("let kept = 41");
  for (const port of PORTS) {
    for (const size of [2n ** 64n - 1n, 2n ** 53n, 2n ** 33n, 2n ** 21n]) {
      using conn = await raw(c, port);
      await conn.write(hello());
      await conn.write(head(size));
      await dropped(conn);
    }
    for (const words of [new Uint8Array(200), Uint8Array.of(1)]) {
      using conn = await raw(c, port);
      await conn.write(words); // no ZMTP at all; and gone at once
    }
  }
  // Frames without end in one message.
  using conn = await raw(c, "hb_port");
  await conn.write(hello());
  const many = new Uint8Array(1 << 16).map((_, i) => i % 2 ? 0 : 1);
  const sending = (async () => {
    while (true) await conn.write(many);
  })().catch(() => {});
  await dropped(conn);
  await sending;
  const { text } = await client.run("console.log(kept + 1)");
  assert.equal(text, "42\n");
});

test.proxy("signed requests that make no sense are passed over", async ({ client }) => {
  await client.run("let kept = 41");
  for (const header of [null, 5, [], {}, { msg_type: 7, msg_id: "a" }]) {
    // deno-lint-ignore no-explicit-any
    await client.shell.send(client.wire.frames(header as any, {}, {}));
  }
  const good = client.wire.header("history_request");
  await client.shell.send(client.wire.frames(good, {}, null));
  await client.send("comm_open", {});
  assert.equal((await client.run("console.log(kept)")).text, "41\n");
});

test.proxy("a subscriber that never reads is let go; one that is slow misses nothing", async ({ client, proxy, c }) => {
  await client.run("const line = 'x'.repeat(2 ** 20 - 1);");
  using conn = await raw(c, "iopub_port");
  await conn.write(hello());
  await conn.write(Uint8Array.of(0, 1, 1)); // subscribes to everything
  const before = await memory(proxy.pid);
  const { text } = await client.run(
    `for (let i = 0; i < 160; i++) {
         console.log(line);
         await new Promise((r) => setTimeout(r));
       }`,
  );
  assert.equal(text.length, 160 * 2 ** 20);
  await dropped(conn);
  const more = await memory(proxy.pid) - before;
  assert.ok(more < 300, `${more} MB more`);
});

test.files("what many peers wait for is kept once, and a busy socket takes no more", async (file) => {
  const at = { transport: "unix", path: join(file("."), "s") } as const;
  const server = new ZmtpServer(at, "PUB", () => {});
  const stop = AbortSignal.timeout(10_000);
  const peers = await Promise.all(
    Array.from({ length: 100 }, () => ZmtpSocket.connect(at, "SUB", stop)),
  );
  using late = await Deno.connect(at);
  await dropped(late);
  server.publish(["all"]);
  for (const peer of peers) {
    for await (const [word] of peer) {
      assert.equal(new TextDecoder().decode(word), "all");
      break;
    }
    peer.close();
  }
  server.close();
});

test.files("over IPC the kernel's sockets are files in the connection's folder", async (file) => {
  const ip = join(file("."), "k");
  const c = { ...newConnection(), transport: "ipc", ip };
  // A process that was killed has left its socket.
  Deno.listen({ transport: "unix", path: `${ip}-${c.hb_port}` });
  await serving(c, async ({ client, proxy }) => {
    assert.equal((await client.run("console.log(6 * 7)")).text, "42\n");
    await assert.rejects(
      Deno.connect({ hostname: "127.0.0.1", port: c.iopub_port }),
    );
    await client.ask("shutdown_request", { restart: false }, "control");
    await proxy.status;
  });
  assert.deepEqual([...Deno.readDirSync(file("."))], []);
});
