/** Small data folders that tests make, and images to put into them. */
import { join } from "node:path";
import sharp from "sharp";

export interface Folder {
  dir: string;
  cacheDir: string;
  /** Writes text or bytes at a path below `dir`. */
  put(path: string, content: string | Uint8Array): void;
}

/** Runs `body` with an empty folder, which is gone afterwards. */
export async function withFolder(
  body: (folder: Folder) => void | Promise<void>,
): Promise<void> {
  const root = Deno.makeTempDirSync();
  const dir = join(root, "data");
  Deno.mkdirSync(dir);
  try {
    await body({
      dir,
      cacheDir: join(root, "cache"),
      put(path, content) {
        Deno.mkdirSync(join(dir, path, ".."), { recursive: true });
        const bytes = typeof content === "string"
          ? new TextEncoder().encode(content)
          : content;
        Deno.writeFileSync(join(dir, path), bytes);
      },
    });
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}

/** A plain gray image, 8 × 8 unless said. */
export function plain(level: number, side = 8): Promise<Uint8Array> {
  const background = { r: level, g: level, b: level };
  const create = {
    width: side,
    height: side,
    channels: 3,
    background,
  } as const;
  return sharp({ create }).png().toBuffer();
}
