/** Answers for photos as a table, JSON or CSV, each row as it comes. */
import stringWidth from "string-width";
import { csvLine } from "../../lib/study/commands.ts";
import type { Photo, Prediction, TrainedNet } from "../../lib/trained/mod.ts";
import { confusedWith } from "../../lib/trained/commands.ts";
import { clean, pad, wrapped } from "../text.ts";

interface Writer {
  head: string;
  row(one: Prediction, number: number): string;
  /** After the last row. */
  foot(): string;
}

type WriterOf = (
  net: TrainedNet,
  photos: readonly Photo[],
  room: number,
) => Writer;

const boxText = ({ box }: Pick<Photo, "box">) =>
  box ? `${box.left},${box.top},${box.width},${box.height}` : "";

const titleOf = (photo: Photo | Prediction) =>
  clean(photo.box ? `${photo.file} [${boxText(photo)}]` : photo.file);

const percent = (share: number) => `${Math.round(100 * share)} %`;

/** Names of the classes that are often meant where `label` is the answer. */
const confusedNames = (net: TrainedNet, label: number) =>
  confusedWith(net, label).classes.map((c) => net.classes[c.label]);

/** The widest that photos' names get while a table has its columns. */
const NARROW = 16;

const table: WriterOf = (net, photos, room) => {
  const { classes } = net;
  const heads = classes.map(clean);
  const widths = heads.map((name) =>
    Math.max(stringWidth(name), "100.0*".length)
  );
  const columns = widths.reduce((sum, w) => sum + w + 1, 0);
  const longest = photos.reduce(
    (most, photo) => Math.max(most, stringWidth(titleOf(photo))),
    "photo".length,
  );
  const width = Math.min(longest, Math.max(NARROW, room - columns));
  // A name that is cut may hide which photo it is: it gets its own line then.
  const isWide = longest > width || width + columns > room;
  const answered = new Set<number>();
  const marked = (shares: readonly number[], label: number) => {
    const often = confusedWith(net, label).classes.map((c) => c.label);
    return shares.map((share, i) => {
      const mark = i === label ? "*" : often.includes(i) ? "~" : " ";
      return `${(100 * share).toFixed(1)}${mark}`;
    });
  };
  const line = (first: string, cells: readonly string[]) =>
    `${isWide ? `${first}\n ` : pad(first, width)} ${
      cells.map((cell, i) => pad(cell, widths[i], true)).join(" ")
    }`.trimEnd() + "\n";
  const record = (title: string, cells: readonly string[]) =>
    `${title}\n${
      wrapped(
        `  ${cells.map((cell, i) => `${heads[i]} ${cell.trim()}`).join(", ")}`,
        room,
        2,
      )
    }\n`;
  const fits = columns + 2 <= room;
  return {
    head: fits ? line("photo (shares in %)", heads) : "shares in %\n",
    row({ shares, label, ...photo }) {
      answered.add(label);
      const cells = marked(shares, label);
      return (fits ? line : record)(
        titleOf({ shares, label, ...photo }),
        cells,
      );
    },
    foot() {
      const told = [...answered].sort((a, b) => a - b).flatMap((label) => {
        const { images, classes: often } = confusedWith(net, label);
        if (often.length === 0) return [];
        const [first, ...others] = often.map((c) => ({
          share: percent(c.share),
          name: heads[c.label],
        }));
        return [
          `~ of the ${images} test images that this net called ${
            heads[label]
          }, ` +
          `${first.share} were ${first.name}` +
          others.map((c) => `, ${c.share} ${c.name}`).join(""),
        ];
      });
      const where = told.length > 0
        ? [
          `  (the checkpoint's own confusion matrix${
            net.data ? `, test split of ${clean(net.data)}` : ""
          })`,
        ]
        : [];
      return ["* the answer", ...told, ...where]
        .map((text) => `${wrapped(text, room, 2)}\n`).join("");
    },
  };
};

const json: WriterOf = (net) => ({
  head: "[",
  row: ({ file, box, shares, label }, number) =>
    `${number > 0 ? "," : ""}\n${
      JSON.stringify({
        photo: file,
        ...box && { box: [box.left, box.top, box.width, box.height] },
        answer: net.classes[label],
        shares: Object.fromEntries(net.classes.map((c, i) => [c, shares[i]])),
        oftenConfused: confusedWith(net, label).classes.map((c) => ({
          class: net.classes[c.label],
          share: c.share,
        })),
      })
    }`,
  foot: () => "\n]\n",
});

const csv: WriterOf = (net) => ({
  head: csvLine(["photo", "box", "answer", "oftenConfused", ...net.classes]),
  row: ({ shares, label, ...photo }) =>
    csvLine([
      photo.file,
      boxText(photo) || null,
      net.classes[label],
      confusedNames(net, label).join(" ") || null,
      ...shares,
    ]),
  foot: () => "",
});

export const writersOf = { table, json, csv };
