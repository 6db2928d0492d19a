/** CK+, the extended Cohn-Kanade data set (Lucey et al. 2010). */
import { join } from "node:path";
import { EXPRESSIONS } from "../expressions.ts";
import type { Expression } from "../expressions.ts";
import type { Listing } from "../listing.ts";
import { Collector, MISSING } from "./collector.ts";
import { readLines } from "./text_files.ts";
import { DataError } from "../types.ts";
import { below, isImageName, onTree, stemOf } from "./tree.ts";
import { CONTEMPT_LEFT } from "./split_and_class_names.ts";

const IMAGES = [
  "cohn-kanade-images",
  "extended-cohn-kanade-images/cohn-kanade-images",
];
const LABELS = ["Emotion", "Emotion_labels/Emotion", "Emotion_labels"];
const SUFFIX = "_emotion.txt";

/** By the number in a label file. */
const CODES: Expression[] = [
  "Neutral",
  "Angry",
  "Contempt",
  "Disgust",
  "Fear",
  "Happy",
  "Sad",
  "Surprise",
];

/**
 * A sequence goes from a neutral face to the peak of an expression. Of each
 * labelled one two images are taken: the frame that its label file is named
 * for, which is the last one, and the first frame (number 1) as neutral. So
 * seven classes are the six basic expressions and neutral, eight contempt too.
 * There is no official split; images of one subject stay together.
 */
export const ckPlus = onTree({
  name: "ck+",
  about: "CK+: cohn-kanade-images/S005/001/*.png with " +
    "Emotion/S005/001/*_emotion.txt",

  detect(tree) {
    return tree.firstFolder(IMAGES) !== undefined &&
      tree.firstFolder(LABELS) !== undefined;
  },

  list(tree, { classes: count = 7 }): Listing {
    const dir = tree.root;
    const base = tree.firstFolder(IMAGES), labels = tree.firstFolder(LABELS);
    if (base === undefined || labels === undefined) {
      throw new DataError(
        `${dir}: is no CK+ folder; want ${IMAGES[0]}/ and ${LABELS[0]}/`,
      );
    }
    const classes = EXPRESSIONS.slice(0, count);
    const found = new Collector();
    const foldersOf = (path: string) =>
      [base, labels].flatMap((root) => tree.folders(root + path));
    for (const subject of new Set(foldersOf("").sort())) {
      const add = (file: string, expression: Expression) => {
        const label = classes.indexOf(expression);
        found.images.push({ name: file, source: { file }, label, subject });
      };
      for (const take of new Set(foldersOf(`/${subject}`).sort())) {
        const sequence = `${base}/${subject}/${take}`;
        const at = `${labels}/${subject}/${take}`;
        const files = tree.files(at).filter((name) => name.endsWith(SUFFIX));
        if (files.length === 0) {
          found.leave("sequence without a label");
          continue;
        }
        const path = `${at}/${files[0]}`;
        const expression = expressionIn(join(dir, path));
        const peak = files[0].slice(0, -SUFFIX.length);
        const file = tree.image(`${sequence}/${peak}.png`);
        if (files.length > 1) {
          found.refuse(at, `${files.length} label files`);
        } else if (typeof expression !== "string") {
          found.refuse(path, expression.wrong);
        } else if (!classes.includes(expression)) found.leave(CONTEMPT_LEFT);
        else if (file === undefined) {
          found.refuse(`${sequence}/${peak}.png`, MISSING);
        } else {
          const first = tree.files(sequence).filter(isImageName)
            .find((name) => /_0*1$/.test(stemOf(name)));
          const neutral = first && below(sequence, first);
          if (neutral === undefined || neutral === file) {
            found.leave("neutral: no first frame");
          } else add(neutral, "Neutral");
          add(file, expression);
        }
      }
    }
    return found.listing(dir, {
      format: ckPlus.name,
      layout: "peak frames, and first frames as neutral",
      classes,
    });
  },
});

/** A label file holds one number: "   3.0000000e+00". */
function expressionIn(path: string): Expression | { wrong: string } {
  const lines = readLines(path);
  const text = lines.map((line) => line.text).join(" ");
  const expression = text === "" ? undefined : CODES[Number(text)];
  return expression ?? {
    wrong: text === ""
      ? "is empty"
      : `holds ${JSON.stringify(text.slice(0, 20))}; want a number, 0 to 7`,
  };
}
