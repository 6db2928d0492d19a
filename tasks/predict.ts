/** `deno task predict`: what a trained net says of photos. */
import { InvalidArgumentError } from "commander";
import { join, parse } from "node:path";
import type {
  Photo,
  Prediction,
  PredictOptions,
  TrainedNet,
  Unreadable,
} from "../lib/trained/mod.ts";
import { fileFault } from "../lib/faults/mod.ts";
import { readCsv } from "../lib/study/commands.ts";
import { addDeviceOption } from "../lib/tensorflow/commands.ts";
import {
  asUsage,
  command,
  exiting,
  namesInOption,
  print,
  readRecipe,
  say,
  UsageError,
} from "./cli.ts";
import { clean, plural, roomOf, wrapped } from "./text.ts";
import { writersOf } from "./predict/answers.ts";

type Box = NonNullable<Photo["box"]>;

interface Options {
  recipe?: string;
  classes?: string[];
  key?: string;
  box?: Box;
  boxes?: string;
  format: "table" | "json" | "csv";
  gradCam?: string;
}

/** Four whole numbers as a box. @throws Error that says what is wrong */
function boxOf(cells: readonly string[]): Box {
  const [left, top, width, height] = cells.map((cell) =>
    /^\s*-?\d+(\.0*)?\s*$/.test(cell) ? Number(cell) : NaN
  );
  const all = [left, top, width, height];
  if (cells.length !== 4 || !all.every(Number.isSafeInteger)) {
    throw new Error("a box is x,y,width,height in whole pixels");
  }
  if (width <= 0 || height <= 0) {
    throw new Error("a box has a width and height");
  }
  return { left, top, width, height };
}

function boxOption(text: string): Box {
  try {
    return boxOf(text.split(","));
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

const SIDES = [/^(x|left)$/i, /^(y|top)$/i, /^(w|width)$/i, /^(h|height)$/i];

/** The boxes of each photo in a CSV file, by the photo's path. */
async function boxesOf(file: string): Promise<Map<string, Box[]>> {
  const bytes = await asUsage(
    `--boxes ${file}: cannot be read`,
    () => Deno.readFile(file),
  );
  const { columns, rows } = readCsv(bytes, file);
  const named = (like: RegExp) => columns.find((name) => like.test(name));
  const photo = named(/^(photo|file|path|image)$/i);
  const sides = SIDES.map(named);
  if (!photo || sides.includes(undefined)) {
    throw new UsageError(
      `--boxes ${file}: has ${columns.join(", ")}; give the columns photo, ` +
        `x, y, width, height`,
    );
  }
  const boxes = new Map<string, Box[]>();
  for (const { line, cells } of rows) {
    const box = await asUsage(
      `--boxes ${file}: line ${line}`,
      () => boxOf(sides.map((side) => cells[side!])),
    );
    const own = boxes.get(cells[photo]) ?? [];
    own.push(box);
    boxes.set(cells[photo], own);
  }
  return boxes;
}

/** The photos with their boxes: of a photo with several, each of its faces. */
async function withBoxes(
  photos: readonly Photo[],
  { box, boxes: file }: Options,
): Promise<Photo[]> {
  if (box) return photos.map((photo) => ({ ...photo, box }));
  if (!file) return [...photos];
  const boxes = await boxesOf(file);
  const used = new Set<string>();
  let whole = 0;
  const all = photos.flatMap((photo): Photo[] => {
    const name = [photo.file, parse(photo.file).base].find((n) => boxes.has(n));
    if (name === undefined) {
      whole++;
      return [photo];
    }
    used.add(name);
    return boxes.get(name)!.map((box) => ({ ...photo, box }));
  });
  const strange = [...boxes.keys()].filter((name) => !used.has(name));
  if (strange.length > 0) {
    say(
      clean(
        `predict: ${file}: boxes of ${
          plural(strange.length, "photo")
        } that are not asked for: ${strange.slice(0, 3).join(", ")}`,
      ),
    );
  }
  if (whole > 0) {
    say(`predict: ${plural(whole, "photo")} without a box, read whole`);
  }
  return all;
}

/** A folder for pictures. @throws UsageError where there can be none */
async function made(folder: string): Promise<string> {
  await asUsage(
    `--grad-cam ${folder}: cannot be made`,
    () => Deno.mkdir(folder, { recursive: true }),
  );
  return folder;
}

/** What the net has of its own in words: where the marks come from. */
function about(net: TrainedNet): string {
  const { recipe, epoch, data, classes } = net;
  return clean(
    `${recipe.model}, ${recipe.size} px, ${classes.length} classes` +
      `${epoch === undefined ? "" : `, after epoch ${epoch}`}` +
      `${data ? `, trained on ${data}` : ""}` +
      `${net.gray ? ", on gray images: photos are made gray" : ""}`,
  );
}

async function run(
  weights: string,
  paths: string[],
  o: Options,
): Promise<number> {
  if (o.box && o.boxes) throw new UsageError("give --box or --boxes, not both");
  const recipe = o.recipe ? await readRecipe(o.recipe) : undefined;
  const pictures = o.gradCam ? await made(o.gradCam) : undefined;
  // TensorFlow is loaded where it is wanted: start-up time counts.
  const { trainedNet, photosOf, predictions } = await import(
    "../lib/trained/mod.ts"
  );
  const { photos, skipped } = photosOf(paths);
  const asked = await withBoxes(photos, o);
  const net = await trainedNet(weights, {
    recipe,
    classes: o.classes,
    key: o.key,
  });
  for (const note of net.notes) say(clean(`predict: ${note}`));
  say(wrapped(about(net), roomOf(Deno.stderr), 2));
  const options: PredictOptions = { gradCam: pictures !== undefined };
  const writer = writersOf[o.format](net, asked, roomOf(Deno.stdout));
  let isRead = print(writer.head);
  let answered = 0;
  const failed = (one: Unreadable) =>
    say(clean(`predict: ${one.file}: ${one.reason}`));
  skipped.forEach(failed);
  let bad = 0;
  for await (const one of predictions(net, asked, options)) {
    if (!isRead) break;
    if ("reason" in one) {
      bad++;
      failed(one);
      continue;
    }
    isRead = print(writer.row(one, answered++));
    if (pictures) await draw(pictures, one, answered, net);
  }
  if (isRead) print(writer.foot());
  if (pictures) {
    say(
      clean(`${plural(answered, "Grad-CAM picture")} in ${pictures}`),
    );
  }
  if (bad > 0) say(`predict: no answer for ${plural(bad, "photo")}`);
  return bad > 0 ? 1 : 0;
}

/** A photo's Grad-CAM as a PNG: what the net saw, and over it where it looked. */
async function draw(
  folder: string,
  { file, face, map, label }: Prediction,
  number: number,
  { recipe: { size }, channels, classes }: TrainedNet,
): Promise<void> {
  const { overlay } = await import("./predict/overlay.ts");
  const stem = clean(parse(file).name).replace(
    /[^\p{L}\p{N}._]+/gu,
    "-",
  )
    .replace(/^-/, "").slice(0, 60);
  const kind = classes[label].replace(/[^\p{L}\p{N}]+/gu, "-");
  const path = join(
    folder,
    `${String(number).padStart(4, "0")}-${stem}-${kind}.png`,
  );
  try {
    await Deno.writeFile(path, await overlay(face, map!, { size, channels }));
  } catch (error) {
    throw new Error(`${path}: cannot be written: ${fileFault(error)}`);
  }
}

const program = command("deno task predict", {
  about:
    "What a trained net says of photos: a share for each class. Photos are\n" +
    "files, or folders with all images below them; they are cut and sized as\n" +
    "the training's images were. A checkpoint of a training says its recipe\n" +
    "and classes itself, and so do files that `deno task weights convert` made\n" +
    "of one. Exit codes: 0 done; 1 photos or weights that cannot be used; 2\n" +
    "wrong usage.",
  examples: ["predict runs/mine/checkpoints/KEY me.jpg"],
  takes: (c) =>
    addDeviceOption(c).argument(
      "<weights>",
      "a checkpoint or its folder, or any weights with --recipe",
    ).argument("<photos...>", "photos, or folders of them"),
  options: {
    "--box <x,y,w,h>": ["the face's box in pixels, of each photo", {
      read: boxOption,
    }],
    "--boxes <file>":
      "CSV: photo, x, y, width, height; several lines for several faces",
    "--format <format>": ["how answers are printed", {
      choices: ["table", "json", "csv"],
      default: "table",
    }],
    "--grad-cam <folder>": "write one picture per face: where the net looked",
    "--recipe <file>": "the net's recipe (JSON), where weights say none",
    "--classes <names>": ["the classes' names by label, with commas between", {
      read: namesInOption,
    }],
    "--key <key>": "the mapping of a PyTorch checkpoint, as model_ema",
  },
}, run);

await exiting(
  "predict",
  () => program().parseAsync(Deno.args, { from: "user" }),
);
