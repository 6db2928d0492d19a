/** How one reaches a kernel: the contents of Jupyter's connection file. */
import { randomBytes } from "node:crypto";
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
  const listeners = Array.from(
    { length: 5 },
    () => Deno.listen({ hostname: "127.0.0.1", port: 0 }),
  );
  const [shell, control, stdin, iopub, hb] = listeners.map((l) => l.addr.port);
  listeners.forEach((l) => l.close());
  return {
    transport: "tcp",
    ip: "127.0.0.1",
    shell_port: shell,
    control_port: control,
    stdin_port: stdin,
    iopub_port: iopub,
    hb_port: hb,
    key: randomBytes(32).toString("hex"),
    signature_scheme: "hmac-sha256",
    kernel_name: "deno",
  };
}
