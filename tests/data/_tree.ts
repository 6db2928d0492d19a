/** Small data folders for the tests of the formats. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** File contents by path; "" makes an empty file, as no reader opens images. */
export type Files = Record<string, string | Uint8Array>;

/** Writes files and returns their folder, gone when `using` ends. */
export function treeOf(files: Files): { dir: string } & Disposable {
  const dir = Deno.makeTempDirSync();
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), content);
  }
  return {
    dir,
    [Symbol.dispose]: () => Deno.removeSync(dir, { recursive: true }),
  };
}

/** Empty files. */
export function empty(...paths: string[]): Files {
  return Object.fromEntries(paths.map((path) => [path, ""]));
}

/** A clean text as editors and spreadsheets give it back. */
export function disguises(text: string): Record<string, string> {
  const lines = text.trimEnd().split("\n");
  const blanks = (by: string) =>
    lines.map((line) =>
      line.includes(",") ? line.replaceAll(",", by) : line.replace(/ +/g, by)
    ).join("\n");
  const comma = lines[0].includes(",");
  return {
    "BOM and CRLF": "\ufeff" + lines.join("\r\n") + "\r\n",
    "CR alone": lines.join("\r"),
    tabs: blanks("\t"),
    "double blanks": blanks(comma ? " ,  " : "  "),
    "trailing blanks": lines.map((line) => line + " \t").join("\n") + "\n",
    "blank last line": lines.join("\n") + "\n\n   \n",
    "no last newline": lines.join("\n"),
  };
}

/** Text as UTF-16 with its mark, little or big endian. */
export function utf16(text: string, littleEndian: boolean): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(2 * text.length + 2));
  [..."\ufeff" + text].forEach((c, i) =>
    bytes.setUint16(2 * i, c.charCodeAt(0), littleEndian)
  );
  return new Uint8Array(bytes.buffer);
}

/** A listing's images as `name → class`, in its order. */
export function named(
  { images, classes }: {
    images: { name: string; label: number }[];
    classes: string[];
  },
): Record<string, string> {
  return Object.fromEntries(images.map((i) => [i.name, classes[i.label]]));
}

/** Does `work` with a clock to which all files have long been at rest. */
export async function atRest(work: () => Promise<void>): Promise<void> {
  const { now } = Date;
  Date.now = () => now() + 60_000;
  try {
    await work();
  } finally {
    Date.now = now;
  }
}
