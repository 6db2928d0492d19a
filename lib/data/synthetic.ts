/** Drawn faces with seven expressions: a seeded stand-in for a real data set. */
import { Canvas, capsule, ellipse } from "./canvas.ts";
import { assertSize, withHash } from "./dataset.ts";
import { drawActions } from "./expression.ts";
import { paintFace } from "./face.ts";
import { paintOcclusion } from "./occlusion.ts";
import { hash32, Random } from "./random.ts";
import { DataError, FER_CLASSES, SPLITS } from "./types.ts";
import type { Dataset, Split } from "./types.ts";

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
}

/** Draws one face of class `label` into `out` at byte `at`. */
function drawFace(
  out: Uint8Array,
  at: number,
  size: number,
  channels: 1 | 3,
  label: number,
  random: Random,
): void {
  const actions = drawActions(label, random);
  const canvas = new Canvas(size, {
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
    canvas.paint(x, y, r, ellipse(x, y, r, r), level, 0.5, 0.2);
  }
  if (random.chance(0.3)) {
    const x = random.between(-1, 1);
    const level = random.between(0, 0.9);
    canvas.paint(x, 0, 2, capsule(x, -2, x, 2, 0.06), level, 0.5);
  }
  paintFace(canvas, actions, random);
  paintOcclusion(canvas, random);
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

/**
 * Draws a data set of gray faces, classes in FER2013's order and in equal
 * numbers. Image i of a split depends on `seed`, the split, i and `size` only,
 * not on how many are drawn. Expressions are drawn at intensity 0.25..1 with
 * noise, so some faces are ambiguous by design.
 * @throws {DataError} a size or number out of range
 */
export function syntheticFaces(o: SyntheticOptions = {}): Dataset {
  const size = assertSize(o.size ?? 48);
  const channels = o.channels ?? 3;
  const seed = o.seed ?? 0;
  const wanted = [o.train ?? 2048, o.validation ?? 512, o.test ?? 512];
  const width = size * size * channels;
  const splits = SPLITS.map((name, index): Split => {
    const n = wanted[index];
    if (!Number.isInteger(n) || n < 1) {
      throw new DataError(
        `synthetic: ${n} ${name} images; give a whole number from 1`,
      );
    }
    const images = new Uint8Array(n * width);
    const labels = new Int32Array(n);
    const names: string[] = [];
    for (let i = 0; i < n; i++) {
      labels[i] = i % FER_CLASSES.length;
      names.push(`${name}/${i}`);
      const random = new Random(hash32(seed, index, i));
      drawFace(images, i * width, size, channels, labels[i], random);
    }
    return { images, labels, n, names };
  });
  return withHash({ name: "synthetic", size, channels, skipped: [] }, splits);
}
