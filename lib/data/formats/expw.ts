/** ExpW, Expression in-the-Wild (Zhang et al. 2018): faces in web pictures. */
import { join } from "node:path";
import type { Expression } from "../expressions.ts";
import type { Crop, Listing } from "../listing.ts";
import { Collector, MISSING } from "./collector.ts";
import { readLines } from "./text_files.ts";
import { DataError } from "../types.ts";
import { below, onTree } from "./tree.ts";

const LISTS = ["label/label.lst", "label.lst"];
const IMAGES = ["image/origin", "origin", "image", "images"];

const CLASSES: Expression[] = [
  "Angry",
  "Disgust",
  "Fear",
  "Happy",
  "Sad",
  "Surprise",
  "Neutral",
];

/** A name, which may hold blanks, and seven numbers. */
const LINE = /^(\S.*?)((?:\s+[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?){7})$/i;

/**
 * A line is `image_name face_id top left right bottom confidence label`; an
 * image has as many lines as faces, so each is cut out by its box. The
 * confidence is the face detector's, not a rater's: people labelled every
 * listed face and removed what is none, so no face is left out for a low one.
 * There is no official split.
 */
export const expw = onTree({
  name: "expw",
  about: "ExpW: label/label.lst (image_name face_id top left right bottom " +
    "confidence label) with image/origin/",

  detect: (tree) => tree.firstFile(LISTS) !== undefined,

  list(tree): Listing {
    const dir = tree.root;
    const list = tree.firstFile(LISTS);
    if (list === undefined) throw new DataError(`${dir}: no ${LISTS[0]}`);
    const folder = tree.firstFolder(IMAGES) ?? "";
    const found = new Collector();
    const used = new Set<string>();
    for (const { text, line } of readLines(join(dir, list))) {
      const where = `${list}:${line}`;
      const [, image, numbers] = LINE.exec(text) ?? [];
      if (image === undefined) {
        found.refuse(where, "is no line of a name and seven numbers");
        continue;
      }
      const [face, top, left, right, bottom, , label] = numbers.trim()
        .split(/\s+/).map(Number);
      const crop = boxOf(top, left, right, bottom);
      const file = tree.image(below(folder, image));
      if (CLASSES[label] === undefined) {
        found.refuse(where, `label is ${label}; want 0 to 6`);
      } else if (crop === null) {
        const box = `${left}..${right} × ${top}..${bottom}`;
        found.refuse(where, `the box ${box} is empty`);
      } else if (file === undefined) {
        found.refuse(below(folder, image), MISSING);
      } else {
        used.add(file);
        const name = `${file}#${face}`;
        const said = `listed as ${numbers.trim().replace(/\s+/g, " ")}`;
        if (!found.isFirst(name, said, where)) continue;
        found.images.push({ name, source: { file }, label, crop });
      }
    }
    return found.listing(dir, {
      format: expw.name,
      layout: `faces in the pictures of ${folder || "."}/`,
      classes: [...CLASSES],
      unlisted: tree.unlisted([folder], used),
    });
  },
});

/** A box that begins within the image; null for one without an area. */
function boxOf(
  top: number,
  left: number,
  right: number,
  bottom: number,
): Crop | null {
  const x = Math.max(0, Math.round(left)), y = Math.max(0, Math.round(top));
  const width = Math.round(right) - x, height = Math.round(bottom) - y;
  return width > 0 && height > 0 ? { left: x, top: y, width, height } : null;
}
