/** ExpW, Expression in-the-Wild (Zhang et al. 2018): faces in web pictures. */
import { join } from "node:path";
import type { Expression } from "../expressions.ts";
import type { Crop, ListedImage, Listing } from "../listing.ts";
import { readLines } from "./text.ts";
import { DataError } from "../types.ts";
import type { SkippedFile } from "../types.ts";
import { assertUsable, below, LISTED_TWICE, MISSING, onTree } from "./tree.ts";

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
    const images: ListedImage[] = [];
    const bad: SkippedFile[] = [];
    const used = new Set<string>();
    const leftOut: Record<string, number> = {};
    const lineOf = new Map<string, { line: number; text: string }>();
    for (const { text, line } of readLines(join(dir, list))) {
      const fail = (reason: string) =>
        bad.push({ path: `${list}:${line}`, reason });
      const [, image, numbers] = LINE.exec(text) ?? [];
      if (image === undefined) {
        fail("is no line of a name and seven numbers");
        continue;
      }
      const [face, top, left, right, bottom, , label] = numbers.trim()
        .split(/\s+/).map(Number);
      const crop = boxOf(top, left, right, bottom);
      if (CLASSES[label] === undefined) {
        fail(`label is ${label}; want 0 to 6`);
        continue;
      }
      if (crop === null) {
        fail(`the box ${left}..${right} × ${top}..${bottom} is empty`);
        continue;
      }
      const file = tree.image(folder, image);
      if (file === undefined) {
        bad.push({ path: below(folder, image), reason: MISSING });
        continue;
      }
      used.add(file);
      const name = `${file}#${face}`;
      const before = lineOf.get(name);
      if (before?.text === text) {
        leftOut[LISTED_TWICE] = (leftOut[LISTED_TWICE] ?? 0) + 1;
        continue;
      }
      if (before) {
        fail(`face ${face} of ${file} is at line ${before.line} already`);
        continue;
      }
      lineOf.set(name, { line, text });
      images.push({ name, source: { file }, label, crop });
    }
    assertUsable(dir, { images, bad });
    return {
      format: expw.name,
      layout: `faces in the pictures of ${folder || "."}/`,
      classes: [...CLASSES],
      images,
      bad,
      unlisted: tree.unlisted([folder], used),
      left: leftOut,
    };
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
