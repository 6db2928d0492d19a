/** Drawn faces with expressions: a seeded data set that anybody may have. */
import { Canvas } from "./canvas.ts";
import { assertSize, contentHash } from "../dataset.ts";
import { drawActions } from "./actions.ts";
import { EXPRESSIONS } from "../expressions.ts";
import { paintFace } from "./paint_face.ts";
import { paintOcclusion } from "./paint_occlusion.ts";
import { hash32, Random } from "../random.ts";
import { capsule, ellipse } from "./drawn_shapes.ts";
import { classShares, labelSequence, noisyLabels } from "./labels.ts";
import { DataError, SPLITS } from "../types.ts";
import type { Dataset, FaceOptions, Split } from "../types.ts";

/** What syntheticFaces takes. */
export interface SyntheticOptions {
  /** Side in pixels (48). */
  size?: number;
  /** Images in each split (2048, 512, 512). */
  train?: number;
  validation?: number;
  test?: number;
  seed?: number;
  /** 3 repeats the gray plane (3). */
  channels?: 1 | 3;
  /** 8 adds contempt (7). */
  classes?: 7 | 8;
  faces?: FaceOptions;
}

type Look = Required<Pick<FaceOptions, "intensity" | "occlusion">>;

/** Draws one face of class `label` into `out` at byte `at`. */
function drawFace(
  out: Uint8Array,
  at: number,
  canvas: Canvas,
  channels: 1 | 3,
  label: number,
  { intensity, occlusion }: Look,
  random: Random,
): void {
  const actions = drawActions(label, intensity, random);
  canvas.place({
    x: 0.05 * random.normal(),
    y: 0.05 * random.normal(),
    scale: random.between(0.86, 1.12),
    halfTangent: 0.05 * random.normal(),
  });
  const base = random.between(0.1, 0.8);
  const gx = random.between(-0.2, 0.2), gy = random.between(-0.2, 0.2);
  canvas.fill((x, y) => base + gx * x + gy * y);
  if (random.chance(0.4)) {
    const x = random.between(-1, 1), y = random.between(-1, 1);
    const r = random.between(0.3, 0.7);
    const level = random.between(0, 0.9);
    canvas.paint(ellipse(x, y, r, r), level, 0.5, 0.2);
  }
  if (random.chance(0.3)) {
    const x = random.between(-1, 1);
    const level = random.between(0, 0.9);
    canvas.paint(capsule(x, -2, x, 2, 0.06), level, 0.5);
  }
  paintFace(canvas, actions, random);
  paintOcclusion(canvas, occlusion, random);
  canvas.soften(random.chance(0.6) ? random.between(0, 0.9) : 0);
  canvas.write(
    out,
    at,
    channels,
    random.between(0, 0.04),
    random.between(0.65, 1.15),
    random.between(-0.12, 0.12),
    random,
  );
}

/** A number of `range`, or a DataError that names it. */
function within(what: string, value: number, low: number, high: number) {
  if (value >= low && value <= high) return value;
  throw new DataError(
    `synthetic: ${what} ${value} is out of range; give ${low} to ${high}`,
  );
}

/**
 * Draws a data set of gray faces, by default with FER2013's classes in equal
 * numbers. Image i of a split depends on `seed`, the split, i, `size` and its
 * class, not on how many are drawn; its class on `balance` and i alone. By
 * default expressions are drawn at intensity 0.25..1 with noise, so some faces
 * are ambiguous by design. Nothing but IEEE 754's exactly rounded operations
 * and integers is used: the bits are the same on every machine.
 * @throws {DataError} an option out of range
 */
export function syntheticFaces(o: SyntheticOptions = {}): Dataset {
  const size = assertSize(o.size ?? 48);
  const { channels = 3, seed = 0, faces = {} } = o;
  const count = within("number of classes", o.classes ?? 7, 7, 8);
  const classes = EXPRESSIONS.slice(0, count);
  const shares = classShares(faces.balance, classes);
  const noise = within("label noise", faces.labelNoise ?? 0, 0, 1);
  const [least, greatest] = faces.intensity ?? [0.25, 1];
  within("greatest intensity", greatest, 0, 1);
  within("least intensity", least, 0, greatest);
  const look: Look = {
    intensity: [least, greatest],
    occlusion: within("occlusion", faces.occlusion ?? 1, 0, 6),
  };
  const wanted = [o.train ?? 2048, o.validation ?? 512, o.test ?? 512];
  const width = size * size * channels;
  const canvas = new Canvas(size);
  const splits = SPLITS.map((name, index): Split => {
    const n = wanted[index];
    if (!Number.isInteger(n) || n < 1) {
      throw new DataError(
        `synthetic: ${n} ${name} images; give a whole number from 1`,
      );
    }
    const images = new Uint8Array(n * width);
    const labels = labelSequence(shares, n);
    labels.forEach((label, i) => {
      const random = new Random(hash32(seed, index, i));
      drawFace(images, i * width, canvas, channels, label, look, random);
    });
    const names = Array.from(labels, (_, i) => `${name}/${i}`);
    const split = { images, labels, n, names };
    return name === "train" && noise > 0
      ? {
        ...split,
        labels: noisyLabels(labels, noise, count, seed),
        cleanLabels: labels,
      }
      : split;
  });
  const [train, validation, test] = splits;
  const body = { size, channels, classes, train, validation, test };
  const hash = contentHash(body);
  return { name: "synthetic", ...body, hash, skipped: [] };
}
