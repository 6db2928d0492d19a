/** Draws the mouth of a face, with what lies around it. */
import type { Canvas } from "./canvas.ts";
import type { Actions } from "./actions.ts";
import type { Random } from "../random.ts";
import { capsule, clamp, ellipse, shape } from "./drawn_shapes.ts";

/**
 * @param shift where the middle of the face lies, for a turned head
 * @param skin its gray level
 */
export function paintMouth(
  c: Canvas,
  a: Actions,
  random: Random,
  shift: number,
  skin: number,
): void {
  const x0 = shift * 1.1;
  const half = clamp(
    random.between(0.22, 0.27) * (1 + 0.4 * a.width),
    0.11,
    0.42,
  );
  const rest = random.between(0.48, 0.54);
  const bend = -0.11 * a.corners;
  const skew = 0.018 * random.normal();
  const gap = clamp(0.3 * a.jaw, 0, 0.34);
  const lip = random.between(0.022, 0.04) * (1 - 0.3 * Math.max(0, -a.width));
  const raise = 0.09 * clamp(a.upperLip, 0, 1.2);
  // The line of the lips at u = -1..1, and half-openings above and below it.
  const line = (u: number) => {
    const raised = Math.max(0, a.smirk * u);
    return rest + 0.5 * gap + bend * (u * u - 0.4) + skew * u -
      0.2 * raised * Math.abs(u);
  };
  const inside = (u: number) => Math.sqrt(Math.max(0, 1 - u * u));
  const upper = (u: number) =>
    line(u) - (0.4 * gap + raise * (1 - 0.5 * u * u)) * inside(u);
  const lower = (u: number) => line(u) + 0.6 * gap * inside(u);
  const between = (grow: number) => (x: number, y: number) => {
    const u = (x - x0) / half;
    const w = clamp(u, -1, 1);
    const vertical = Math.max(upper(w) - grow - y, y - lower(w) - grow);
    return Math.max(vertical, (Math.abs(u) - 1) * half - grow * 0.5);
  };
  const reach = half + gap + raise + 0.12;
  const lips = skin * random.between(0.5, 0.75);
  c.paint(shape(x0, rest, reach, between(lip)), lips);
  c.paint(shape(x0, rest, reach, between(0.008)), skin * 0.18);
  if (a.teeth > 0.1 && gap + raise > 0.05) {
    const tall = 0.1 * clamp(a.teeth, 0, 1) + raise * 0.4;
    const open = between(-0.006);
    const teeth = shape(x0, rest, reach, (x, y) => {
      const u = clamp((x - x0) / half, -1, 1);
      return Math.max(open(x, y), y - upper(u) - tall);
    });
    c.paint(teeth, Math.min(0.95, skin * 0.3 + 0.62));
  }
  if (a.smirk !== 0) {
    // The corner that is pressed in.
    const side = Math.sign(a.smirk);
    const x = x0 + side * (half + 0.04), y = line(side);
    c.paint(
      capsule(x - side * 0.02, y - 0.07, x + side * 0.02, y + 0.05, 0.018),
      skin * 0.4,
      clamp(Math.abs(a.smirk), 0, 0.8),
    );
  }
  // Shadow under the lower lip, and a beard now and then.
  const under = lower(0) + lip + 0.05;
  c.paint(ellipse(x0, under, 0.14, 0.03, 0.25), skin * 0.75, 0.5, 0.06);
  if (random.chance(0.12)) {
    c.paint(capsule(x0 - 0.17, 0.37, x0 + 0.17, 0.37, 0.05), skin * 0.3, 0.7);
  }
}
