/** Pictures that a cell names, as parts of the page. */
import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { escapeHtml } from "../ansi.ts";
import { LIMITS, sizeText } from "../page_limits.ts";
import { decoded } from "./links.ts";
import { drawable } from "./sanitise.ts";

/** Attachments of a cell: name → MIME type → content. */
type Attachments = Record<string, Record<string, unknown>> | undefined;

const utf8 = new TextDecoder();

/** The MIME type of a picture by its first bytes. */
function typeOf(bytes: Uint8Array): string | undefined {
  const head = String.fromCharCode(...bytes.subarray(0, 16));
  if (head.startsWith("\x89PNG\r\n")) return "image/png";
  if (head.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (head.startsWith("GIF8")) return "image/gif";
  if (/^RIFF....WEBP/s.test(head)) return "image/webp";
  if (/^....ftypavif/s.test(head)) return "image/avif";
  const text = utf8.decode(bytes.subarray(0, 2_000));
  if (/^\s*</.test(text) && text.includes("<svg")) return "image/svg+xml";
}

export class Pictures {
  /**
   * @param folder that relative paths start from; without it they stay links
   * @param warn hears of pictures that are missing
   */
  constructor(
    readonly folder: string | undefined,
    readonly warn: (message: string) => void,
  ) {}

  /**
   * The data URI of a picture, or what stands in its place; `undefined` for one
   * that lies elsewhere, which no page loads.
   */
  find(
    src: string,
    attachments?: unknown,
  ): { src: string } | { html: string } | undefined {
    const name = src.trim();
    if (/^data:image\//i.test(name)) {
      return this.#checked(name, `${name.slice(0, 40)}…`);
    }
    if (/^attachment:/i.test(name)) {
      return this.#attached(name.slice(11), attachments as Attachments);
    }
    if (!name || /^([a-z][a-z\d+.-]*:|\/|#|\\)/i.test(name)) return;
    return this.folder === undefined ? undefined : this.#file(name);
  }

  #missing(name: string, why: string): { html: string } {
    const shown = name.slice(0, 200);
    this.warn(`picture ${shown}: ${why}`);
    return {
      html: `<span class="missing">Picture ${escapeHtml(shown)}: ${
        escapeHtml(why)
      }</span>`,
    };
  }

  #checked(uri: string, name: string): { src: string } | { html: string } {
    if (uri.length > LIMITS.image) {
      return this.#missing(name, `${sizeText(uri.length)}, too large to show`);
    }
    return drawable(uri)
      ? { src: uri }
      : this.#missing(name, "a drawing that a browser would never finish");
  }

  #attached(name: string, attachments: Attachments) {
    const bundle = attachments?.[decoded(name)] ?? attachments?.[name];
    const [mime, data] = Object.entries(bundle ?? {})[0] ?? [];
    if (!/^image\/[\w.+-]+$/.test(mime ?? "")) {
      return this.#missing(decoded(name), "the cell has no such attachment");
    }
    const body = String(Array.isArray(data) ? data.join("") : data);
    // JupyterLab keeps an SVG as text.
    const uri = /^\s*</.test(body)
      ? `data:${mime},${encodeURIComponent(body)}`
      : `data:${mime};base64,${body.replace(/[^A-Za-z0-9+/=]/g, "")}`;
    return this.#checked(uri, decoded(name));
  }

  #file(src: string): { src: string } | { html: string } {
    const bare = src.replace(/[?#].*$/s, "");
    const shown = decoded(src);
    for (const name of new Set([decoded(bare), bare, shown])) {
      const path = resolve(this.folder!, name);
      try {
        const info = statSync(path);
        if (!info.isFile()) continue;
        if (info.size > LIMITS.image * 3 / 4) {
          const size = sizeText(info.size);
          return this.#missing(shown, `${size}, too large to show`);
        }
        const bytes = readFileSync(path);
        const type = typeOf(bytes);
        if (!type) return this.#missing(shown, "not a picture");
        const uri = `data:${type};base64,${bytes.toString("base64")}`;
        return this.#checked(uri, shown);
      } catch {
        // not there, or not to be read
      }
    }
    return this.#missing(shown, "no such file");
  }
}
