/** A socket to a PostgreSQL server, under TLS as libpq's sslmode says. */
import net from "node:net";
import tls from "node:tls";
import type { Target } from "./url.ts";

// A length of 8, then the code 80877103.
const SSL_REQUEST = new Uint8Array([0, 0, 0, 8, 4, 210, 22, 47]);
const YES = "S".charCodeAt(0);

/** Silence of the server after which a connection counts as lost. */
const SILENCE_MS = 60_000;

/** An error with a code, as those of node:net have it. */
export const coded = (message: string, code: string): Error =>
  Object.assign(new Error(message), { code });

function event<T>(
  socket: net.Socket,
  name: "connect" | "secureConnect" | "data",
): Promise<T> {
  return new Promise((resolve, reject) => {
    socket.once(name, (value) => {
      socket.removeAllListeners();
      resolve(value as T);
    });
    socket.once("error", reject);
    socket.once(
      "close",
      () => reject(coded("the server closed the connection", "ECONNRESET")),
    );
    socket.once("timeout", () => {
      reject(coded("the server does not answer", "ETIMEDOUT"));
      socket.destroy();
    });
  });
}

async function plain(target: Target): Promise<net.Socket> {
  const { host, port } = target;
  const socket = host.startsWith("/")
    ? net.connect(`${host}/.s.PGSQL.${port}`)
    : net.connect(port, host);
  socket.setTimeout(target.connectSeconds * 1000);
  try {
    await event(socket, "connect");
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return socket;
}

/** The socket under TLS; undefined where the server has none. */
async function secured(target: Target): Promise<net.Socket | undefined> {
  const { host, sslMode, verifies, rootCertificates } = target;
  const socket = await plain(target);
  try {
    socket.write(SSL_REQUEST);
    const answer = await event<Uint8Array>(socket, "data");
    // More bytes than one would be somebody's between us and the server.
    if (answer.length !== 1 || answer[0] !== YES) {
      socket.destroy();
      return undefined;
    }
    const over = tls.connect({
      socket,
      ...(net.isIP(host) ? { host } : { servername: host }),
      ...(rootCertificates && { ca: rootCertificates }),
      rejectUnauthorized: verifies,
      ...(sslMode !== "verify-full" &&
        { checkServerIdentity: () => undefined }),
    });
    over.setTimeout(target.connectSeconds * 1000);
    await event(over, "secureConnect");
    return over;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** Connects. @throws Error of node:net or node:tls, with a `code` */
export async function connectSocket(
  target: Target,
  isWaiting: () => boolean,
): Promise<net.Socket> {
  const { sslMode } = target;
  let socket: net.Socket | undefined;
  if (sslMode !== "disable" && !target.host.startsWith("/")) {
    try {
      socket = await secured(target);
    } catch (error) {
      const { code = "" } = error as { code?: string };
      // libpq's "prefer" goes on without TLS when its handshake fails.
      if (sslMode !== "prefer" || /^E(CONN|HOST|NET|NOT|AI_|TIME)/.test(code)) {
        throw error;
      }
    }
    if (!socket && sslMode !== "prefer") {
      throw coded(
        `the server has no TLS, which sslmode=${sslMode} wants`,
        "NO_TLS",
      );
    }
  }
  const connected = socket ?? await plain(target);
  connected.setTimeout(SILENCE_MS);
  connected.on("timeout", () => {
    if (!isWaiting()) return;
    const silence = `the server was silent for ${SILENCE_MS / 1000} s`;
    connected.destroy(coded(silence, "ETIMEDOUT"));
  });
  return connected;
}
