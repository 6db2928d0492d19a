/** Draws one face: head, hair, brows, eyes, nose, mouth. */
import type { Canvas } from "./canvas.ts";
import type { Actions } from "./actions.ts";
import { paintMouth } from "./paint_mouth.ts";
import type { Random } from "../random.ts";
import { capsule, clamp, ellipse, shape } from "./drawn_shapes.ts";

/** Paints a face at rest size about 0.75 x 0.95, centred on the origin. */
export function paintFace(c: Canvas, a: Actions, random: Random): void {
  const rx = random.between(0.62, 0.78), ry = random.between(0.88, 1.02);
  const skin = random.between(0.3, 0.85);
  const hair = random.chance(0.75)
    ? random.between(0.02, 0.3)
    : random.between(0.3, 0.8);
  const lightX = 0.16 * random.normal(), lightY = random.between(-0.1, 0.05);
  const yaw = 0.4 * random.normal();
  const shift = 0.13 * yaw;
  const light = (x: number, y: number) => {
    const u = x / rx, v = y / ry;
    return skin * (1.05 + lightX * u + lightY * v - 0.22 * (u * u + v * v));
  };

  // Hair behind the head, neck, head, fringe.
  const long = random.chance(0.35);
  if (long) c.paint(ellipse(0, 0.2, rx + 0.22, 1.25), hair);
  c.paint(capsule(0, 0.8, 0, 1.4, 0.36), light(0.2, 0.9) * 0.75);
  const bald = random.chance(0.12);
  if (!bald) c.paint(ellipse(0, -0.25, rx + 0.1, 0.9), hair);
  const head = ellipse(0, 0, rx, ry);
  c.paint(head, light);
  const line = -random.between(0.55, 0.72), slant = 0.15 * random.normal();
  if (!bald) {
    const fringe = shape(0, -0.6, 0.9, (x, y, edge) => {
      const d = y - line + slant * x - 0.35 * x * x;
      return Math.max(head.distance(x, y, edge), d);
    });
    c.paint(fringe, hair);
  }

  paintEyes(c, a, random, shift, yaw, skin, hair, light);
  paintNose(c, a, random, shift, skin);
  paintMouth(c, a, random, shift, skin);
}

type Light = (x: number, y: number) => number;

function paintEyes(
  c: Canvas,
  a: Actions,
  random: Random,
  shift: number,
  yaw: number,
  skin: number,
  hair: number,
  light: Light,
): void {
  const apart = random.between(0.27, 0.33);
  const eyeY = -0.14 + 0.03 * random.normal();
  const restOpen = random.between(0.065, 0.09);
  const browGap = random.between(0.17, 0.22);
  const thick = random.between(0.022, 0.045);
  const gazeX = 0.03 * random.normal();
  const browShade = Math.min(hair, skin * 0.55);
  for (const side of [-1, 1]) {
    const far = 1 - 0.15 * clamp(side * yaw, -1, 1);
    const x = side * apart * far + shift;
    const open = clamp(
      restOpen * (1 + 0.75 * a.eyes + 0.1 * random.normal()),
      0.012,
      0.16,
    );
    const half = 0.14 * far;
    // Socket shadow, white, iris, lids.
    c.paint(ellipse(x, eyeY, 0.2, 0.15), skin * 0.72, 0.5, 0.12);
    const white = ellipse(x, eyeY, half, open, 0.2);
    c.paint(white, Math.min(1, skin * 0.5 + 0.5));
    const iris = ellipse(x + gazeX, eyeY - 0.01, 0.07, 0.07);
    const seen = shape(
      x,
      eyeY,
      0.2,
      (px, py, edge) =>
        Math.max(white.distance(px, py, edge), iris.distance(px, py, edge)),
    );
    c.paint(seen, 0.05);
    const lid = shape(x, eyeY, 0.25, (px, py, edge = Infinity) =>
      Math.max(
        Math.abs(white.distance(px, py, edge + 0.014)) - 0.014,
        py - eyeY - 0.25 * open,
      ));
    c.paint(lid, skin * 0.25, 0.9);
    if (a.cheeks > 0.15) {
      const y = eyeY + open + 0.06;
      c.paint(
        capsule(x - 0.1, y + 0.01, x + 0.1, y + 0.01, 0.014),
        skin * 0.6,
        clamp(a.cheeks * 0.7, 0, 0.7),
      );
      c.paint(
        ellipse(x + side * 0.06, 0.2, 0.15, 0.11),
        light(x, 0.2) * 1.2,
        clamp(a.cheeks * 0.6, 0, 0.6),
        0.1,
      );
    }
    // Brow: three points, inner, middle and outer.
    const rest = eyeY - browGap;
    const inner = rest - 0.12 * a.browInner;
    const outer = rest + 0.03 - 0.12 * a.browOuter;
    const middle = (inner + outer) / 2 - 0.03;
    const xi = x - side * (0.16 + 0.03 * Math.min(0, a.browInner)) * far;
    const xm = x + side * 0.05 * far, xo = x + side * 0.19 * far;
    const first = capsule(xi, inner, xm, middle, thick);
    const second = capsule(xm, middle, xo, outer, thick * 0.7);
    const brow = shape(
      x,
      rest,
      0.4,
      (px, py) => Math.min(first.distance(px, py), second.distance(px, py)),
    );
    c.paint(brow, browShade, 0.9);
  }
  // Frown lines between lowered brows, forehead lines above raised ones.
  if (a.browInner < -0.3) {
    for (const side of [-1, 1]) {
      const x = shift + side * 0.045;
      c.paint(
        capsule(x, -0.36, x, -0.25, 0.012),
        skin * 0.5,
        clamp(-a.browInner * 0.7, 0, 0.7),
      );
    }
  }
  const raised = Math.min(a.browInner, a.browOuter + 0.3);
  if (raised > 0.4) {
    for (const y of [-0.52, -0.6]) {
      c.paint(
        capsule(shift - 0.22, y, shift + 0.22, y, 0.012),
        skin * 0.7,
        clamp(raised * 0.6, 0, 0.6),
      );
    }
  }
}

function paintNose(
  c: Canvas,
  a: Actions,
  random: Random,
  shift: number,
  skin: number,
): void {
  const x = shift * 1.5;
  const tip = random.between(0.17, 0.23) - 0.05 * clamp(a.nose, 0, 1);
  const wide = random.between(0.08, 0.12) + 0.03 * clamp(a.nose, 0, 1);
  const lit = random.chance(0.5) ? 1 : -1;
  const side = x + lit * 0.06;
  c.paint(
    capsule(shift + lit * 0.05, -0.12, side, tip - 0.03, 0.03),
    skin * 0.75,
    0.6,
    0.06,
  );
  c.paint(ellipse(x, tip - 0.03, 0.07, 0.07), skin * 1.15, 0.5, 0.06);
  for (const s of [-1, 1]) {
    const nx = x + s * wide * 0.6;
    c.paint(ellipse(nx, tip + 0.04, 0.035, 0.02, 0.1), skin * 0.3);
    // Folds from the nose to the mouth corners.
    const fold = clamp(
      0.9 * a.nose + 0.5 * a.cheeks + 0.2 * a.upperLip +
        0.6 * Math.max(0, s * a.smirk),
      0,
      0.8,
    );
    if (fold > 0.1) {
      c.paint(
        capsule(x + s * (wide + 0.03), tip, x + s * 0.3, tip + 0.2, 0.016),
        skin * 0.55,
        fold,
      );
    }
  }
  // Wrinkles across the bridge.
  if (a.nose > 0.2) {
    for (const y of [-0.12, -0.06, 0]) {
      c.paint(
        capsule(shift - 0.07, y + 0.02, shift + 0.07, y - 0.01, 0.012),
        skin * 0.5,
        clamp(a.nose * 0.8, 0, 0.8),
      );
    }
  }
}
