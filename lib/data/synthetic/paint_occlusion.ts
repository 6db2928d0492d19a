/** What may hide part of a drawn face. */
import type { Canvas } from "./canvas.ts";
import type { Random } from "../random.ts";
import { capsule, ellipse, shape } from "./drawn_shapes.ts";

/**
 * Now and then hides part of the face: glasses, a hand, a bar.
 * @param often a multiple of the usual chances
 */
export function paintOcclusion(
  c: Canvas,
  often: number,
  random: Random,
): void {
  if (random.chance(0.15 * often)) {
    const level = random.between(0, 0.25);
    const dark = random.chance(0.2);
    for (const side of [-1, 1]) {
      const x = side * 0.3;
      const lens = ellipse(x, -0.13, 0.22, 0.17);
      if (dark) c.paint(lens, level, 0.85);
      const frame = shape(
        x,
        -0.13,
        0.3,
        (px, py) => Math.abs(lens.distance(px, py)) - 0.018,
      );
      c.paint(frame, level);
    }
    c.paint(capsule(-0.08, -0.15, 0.08, -0.15, 0.018), level);
  }
  if (random.chance(0.08 * often)) {
    const x = random.between(-0.7, 0.7), y = random.between(0.3, 0.9);
    const level = random.between(0.3, 0.8);
    for (let finger = 0; finger < 4; finger++) {
      const fx = x + 0.13 * (finger - 1.5);
      c.paint(
        capsule(fx, y - 0.05 * (finger % 2), fx, y + 0.7, 0.065),
        level * (1 - 0.08 * finger),
      );
    }
  }
  if (random.chance(0.06 * often)) {
    const y = random.between(-0.8, 0.8), half = random.between(0.05, 0.12);
    const tilt = random.between(-0.4, 0.4);
    const level = random.between(0, 1);
    c.paint(capsule(-2, y - tilt, 2, y + tilt, half), level);
  }
}
