/** `deno task data convert`: a data set in a layout that any tool reads. */
import { csvFormatRows } from "d3";
import { lstatSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import {
  DataError,
  type ListedImage,
  type Listing,
} from "../../lib/data/mod.ts";
import { path, shownPath } from "../../lib/notebook/commands/mod.ts";
import { clean, plural } from "../text.ts";
import { imageFile } from "./content.ts";
import { openSet, type SetOptions, withSetOptions } from "./set.ts";
import { asUsage, command, printLine, say, stopSignal } from "../cli.ts";
import { Progress } from "../screen.ts";

/** What is written: folders of classes, or one folder and labels.csv. */
type Layout = "folders" | "csv";

interface Options extends SetOptions {
  to: Layout;
}

/** A name as one part of a path. */
const flat = (name: string) => name.replace(/[^\p{L}\p{N}._-]+/gu, "-");

/**
 * The usual file name of an image, without a folder. One that a list or
 * another system would read differently is made plain.
 */
function fileName({ name, source, crop }: ListedImage): string {
  if (!("file" in source) || crop) return `${flat(name)}.png`;
  const own = basename(source.file);
  return /[\\:*?"<>|\p{Cc}]|^\s|\s(\.\w+)?$/u.test(own) ? flat(own) : own;
}

/** Paths below the new folder, one an image, none twice. */
function targets({ images, classes }: Listing, to: Layout): string[] {
  for (const name of to === "folders" ? classes : []) {
    if (!/^[^./\\:*?"<>|\p{Cc}][^/\\:*?"<>|\p{Cc}]*$/u.test(name)) {
      throw new DataError(
        `class ${JSON.stringify(name)} cannot be the name of a folder: ` +
          `use --to csv`,
      );
    }
  }
  const taken = new Set<string>();
  return images.map((image, i) => {
    const folder = to === "csv"
      ? "images"
      : join(image.split ?? "", classes[image.label]);
    const usual = fileName(image);
    const names = [usual, flat(`${dirname(image.name)}-${usual}`)];
    const free = [...names, `${i}-${usual}`].map((name) => join(folder, name))
      .find((target) => !taken.has(target.toLowerCase()))!;
    taken.add(free.toLowerCase());
    return free;
  });
}

/** The list of a csv layout; columns that no image fills are left out. */
function csvOf(
  { classes }: Listing,
  rows: readonly { image: ListedImage; target: string }[],
): string {
  const columns: [string, (row: typeof rows[number]) => string | undefined][] =
    [
      ["image", ({ target }) => target.replaceAll("\\", "/")],
      ["label", ({ image }) => classes[image.label]],
      ["split", ({ image }) => image.split],
      ["subject", ({ image }) => image.subject],
    ];
  const filled = columns.filter(([, of]) => rows.some(of));
  const lines = [
    filled.map(([name]) => name),
    ...rows.map((row) => filled.map(([, of]) => of(row) ?? "")),
  ];
  return `${csvFormatRows(lines)}\n`;
}

/** Writes everything to `dir`; what cannot be read is told and left out. */
async function writeAll(
  from: string,
  listing: Listing,
  { dir, to, signal }: { dir: string; to: Layout; signal: AbortSignal },
): Promise<{ written: number; bad: string[] }> {
  const { images } = listing;
  const rows: { image: ListedImage; target: string }[] = [];
  const bad: string[] = [];
  const progress = new Progress();
  const names = targets(listing, to);
  try {
    for (const [i, image] of images.entries()) {
      signal.throwIfAborted();
      const target = join(dir, names[i]);
      await Deno.mkdir(dirname(target), { recursive: true });
      const content = await imageFile(from, image);
      if (typeof content === "string") bad.push(`${image.name}: ${content}`);
      else {
        await Deno.writeFile(target, content);
        rows.push({ image, target: names[i] });
      }
      progress.show("writing images", i + 1, images.length);
    }
  } finally {
    progress.end();
  }
  if (to === "csv") {
    await Deno.writeTextFile(join(dir, "labels.csv"), csvOf(listing, rows));
  }
  return { written: rows.length, bad };
}

async function convert(
  given: string,
  out: string,
  o: Options,
): Promise<number> {
  const dir = path(out);
  if (lstatSync(dir, { throwIfNoEntry: false })) {
    throw new DataError(
      `${shownPath(dir)} exists: nothing is overwritten; give a new folder`,
    );
  }
  const { dir: from, listing } = openSet(given, o);
  const stop = stopSignal(() => {});
  // All or nothing: the folder gets its name when it is whole.
  const making = `${dir}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  try {
    await asUsage(
      `${shownPath(dir)}: cannot be made`,
      () => Deno.mkdir(making, { recursive: true }),
    );
    const { written, bad } = await writeAll(from, listing, {
      dir: making,
      to: o.to,
      signal: stop.signal,
    });
    await Deno.rename(making, dir);
    for (const line of bad) {
      say(`left out: ${clean(line.split("\n")[0])}`);
    }
    if (listing.images.some((i) => i.target)) {
      say("the shares of the raters are not kept, only the labels");
    }
    say(`${plural(written, "image")} of ${listing.images.length} written`);
    printLine(shownPath(dir));
    return bad.length ? 1 : 0;
  } catch (error) {
    await Deno.remove(making, { recursive: true }).catch(() => {});
    if (!stop.signal.aborted) throw error;
    say("stopped; nothing is left behind");
    return stop.code();
  }
}

export const convertCommand = command("convert", {
  summary: "write a data set as folders of classes or as csv",
  about:
    "Write a data set in a layout that other tools read, with classes named " +
    "by their expression. Files are copied as they are; pixels from a " +
    "table and faces cut out of a photograph become PNG. Nothing is " +
    "overwritten.",
  examples: ["data convert data/raf-db --to folders data/raf"],
  takes: (c) => withSetOptions(c).argument("<out>", "the folder to make"),
  options: {
    "--to <layout>": [
      "folders: SPLIT/CLASS/IMAGE; csv: images/ and labels.csv " +
      "(image,label,split)",
      { choices: ["folders", "csv"], required: true },
    ],
  },
}, convert);
