/** Messages of the Jupyter protocol (5.3) as frames: made, signed, checked. */
import { createHmac } from "node:crypto";

/** The header of a message. */
export interface Header {
  msg_id: string;
  msg_type: string;
  session: string;
  username: string;
  date: string;
  version: string;
}

/** A message as it arrived. */
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

const isObject = (v: unknown): v is Record<string, unknown> =>
  typeof v === "object" && v !== null && !Array.isArray(v);
const isHeader = (v: unknown): v is Header =>
  isObject(v) && typeof v.msg_type === "string" && typeof v.msg_id === "string";

/** Makes and reads the messages of one session. */
export class Wire {
  constructor(
    readonly key: string,
    readonly session: string = crypto.randomUUID(),
  ) {}

  /** A new header. */
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

  /** Reads a message; `undefined` when it is none, or wrongly signed. */
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
    } catch {
      return;
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
