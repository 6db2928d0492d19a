/** How one reaches a kernel, and the messages of the Jupyter protocol (5.3) as frames. */
import { createHmac, randomBytes } from "node:crypto";
import { isObject } from "../file/malformed.ts";
import type { Address } from "./zmtp.ts";

export interface Connection {
  transport?: string;
  ip: string;
  shell_port: number;
  control_port: number;
  stdin_port: number;
  iopub_port: number;
  hb_port: number;
  key: string;
  signature_scheme?: string;
  kernel_name?: string;
}

const PORTS = ["shell", "control", "stdin", "iopub", "hb"]
  .map((name) => `${name}_port`);

/**
 * The connection that a front end wrote into a file.
 * @throws {Error} in one line where there is none
 */
export async function readConnection(
  file: string | undefined,
): Promise<Connection> {
  if (!file) throw new Error("--conn FILE is missing: the connection file");
  const text = await Deno.readTextFile(file).catch(() => {
    throw new Error(`${file}: cannot read the connection file`);
  });
  const wrong = (what: string) =>
    new Error(`${file}: is no connection file: ${what}`);
  let c: unknown;
  try {
    c = JSON.parse(text);
  } catch (e) {
    throw wrong((e as Error).message);
  }
  if (!isObject(c)) throw wrong("it holds no object");
  const { transport = "tcp", signature_scheme = "hmac-sha256" } = c;
  if (transport !== "tcp" && transport !== "ipc") {
    throw wrong("its transport is neither tcp nor ipc");
  }
  for (const name of ["ip", "key"]) {
    if (typeof c[name] !== "string") throw wrong(`it has no ${name}`);
  }
  if (c.key && signature_scheme !== "hmac-sha256") {
    throw wrong("messages are signed by hmac-sha256 alone");
  }
  for (const name of PORTS) {
    const port = Number(c[name]);
    if (!Number.isInteger(port) || port < 1 || port > 65535) {
      throw wrong(`${name} is no port`);
    }
  }
  return c as unknown as Connection;
}

/** Where one of a kernel's sockets is; `ipc` are files beside each other. */
export function addressOf(
  { transport, ip }: Connection,
  port: number,
): Address {
  return transport === "ipc"
    ? { transport: "unix", path: `${ip}-${port}` }
    : { hostname: ip, port };
}

/** A new key and free TCP ports on 127.0.0.1, all different. */
export function newConnection(): Connection {
  const listeners = PORTS.map(() =>
    Deno.listen({ hostname: "127.0.0.1", port: 0 })
  );
  const ports = listeners.map(({ addr }, i) => [PORTS[i], addr.port]);
  listeners.forEach((l) => l.close());
  return {
    ...Object.fromEntries(ports),
    ...{ transport: "tcp", ip: "127.0.0.1", kernel_name: "deno" },
    key: randomBytes(32).toString("hex"),
    signature_scheme: "hmac-sha256",
  };
}

export interface Header {
  msg_id: string;
  msg_type: string;
  session: string;
  username: string;
  date: string;
  version: string;
}

export interface WireMessage {
  /** frames before the delimiter: to whom the reply goes */
  identities: Uint8Array[];
  header: Header;
  parent: Partial<Header>;
  metadata: Record<string, unknown>;
  content: Record<string, unknown>;
}

const DELIMITER = "<IDS|MSG>";
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

const isHeader = (v: unknown): v is Header =>
  isObject(v) && typeof v.msg_type === "string" && typeof v.msg_id === "string";

export class Wire {
  constructor(
    readonly key: string,
    readonly session: string = crypto.randomUUID(),
  ) {}

  header(type: string): Header {
    return {
      msg_id: crypto.randomUUID(),
      msg_type: type,
      session: this.session,
      username: "ferlab",
      date: new Date().toISOString(),
      version: "5.3",
    };
  }

  /** The frames of a message with its signature, without identities. */
  frames(header: Header, parent: Partial<Header>, content: unknown): string[] {
    const parts = [header, parent, {}, content].map((p) => JSON.stringify(p));
    return [DELIMITER, this.#signature(parts), ...parts];
  }

  /**
   * Reads a message; `undefined` when it is none, or wrongly signed.
   * @throws {Error} when it is longer than a string can be
   */
  read(frames: Uint8Array[]): WireMessage | undefined {
    const start = frames.findIndex((f) =>
      f.length === DELIMITER.length && text(f) === DELIMITER
    );
    const parts = frames.slice(start + 2, start + 6);
    if (start < 0 || parts.length < 4) return;
    if (this.#signature(parts) !== text(frames[start + 1])) return;
    try {
      const [header, parent, metadata, content] = parts.map((p) =>
        JSON.parse(text(p))
      );
      if (!isHeader(header) || !isObject(parent) || !isObject(content)) return;
      const identities = frames.slice(0, start);
      return { identities, header, parent, metadata, content };
    } catch (e) {
      if (!(e instanceof SyntaxError)) throw e; // longer than a string can be
    }
  }

  /** An empty key means that nothing is signed. */
  #signature(parts: (string | Uint8Array)[]): string {
    if (!this.key) return "";
    const hmac = createHmac("sha256", this.key);
    for (const p of parts) hmac.update(p);
    return hmac.digest("hex");
  }
}
