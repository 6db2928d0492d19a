/** Small pictures for the page of an audit: of each class, and of findings. */
import sharp from "sharp";
import type { Audit, ListedImage, Listing } from "../../lib/data/mod.ts";
import { byKind } from "./audit_text.ts";
import { imageFile } from "./content.ts";

export interface Samples {
  /** Data URIs by the images' names. */
  images: Map<string, string>;
  /** Names of images of each class. */
  classes: Map<string, string[]>;
}

const EACH_CLASS = 26;
const EACH_KIND = 20;
const EACH_FINDING = 6;
/** Of a picture, in pixels: twice what the page shows. */
const HEIGHT = 112;

/** `count` of the items, evenly spread. */
function spread<T>(items: readonly T[], count: number): T[] {
  if (items.length <= count) return [...items];
  return Array.from(
    { length: count },
    (_, i) => items[Math.floor(i * items.length / count)],
  );
}

async function picture(dir: string, image: ListedImage) {
  const content = await imageFile(dir, image);
  if (typeof content === "string") return undefined;
  try {
    const bytes = await sharp(content).autoOrient()
      .resize({ height: HEIGHT, width: 2 * HEIGHT, fit: "inside" })
      .flatten().jpeg({ quality: 80 }).toBuffer();
    return `data:image/jpeg;base64,${bytes.toString("base64")}`;
  } catch {
    return undefined; // a damaged file has no picture
  }
}

/** Reads the pictures that a page shows. */
export async function drawSamples(
  dir: string,
  { images, classes }: Listing,
  { findings }: Audit,
): Promise<Samples> {
  const shown = new Map(classes.map((name, label) => [
    name,
    spread(images.filter((i) => i.label === label), EACH_CLASS)
      .map((i) => i.name),
  ]));
  const found = [...byKind(findings).values()].flatMap((some) =>
    some.slice(0, EACH_KIND).flatMap((f) => f.images.slice(0, EACH_FINDING))
  );
  const wanted = new Set([...[...shown.values()].flat(), ...found]);
  const pictures = new Map<string, string>();
  for (const image of images) {
    if (!wanted.has(image.name)) continue;
    const uri = await picture(dir, image);
    if (uri) pictures.set(image.name, uri);
  }
  return { images: pictures, classes: shown };
}
