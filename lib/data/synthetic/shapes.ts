/** Shapes as signed distances to their edge, in face coordinates. */

/** A distance to a shape's edge, negative inside. */
type Distance = (x: number, y: number, edge?: number) => number;

/**
 * What a canvas paints. Classes, not closures: the painter's loop then works
 * without a heap number a pixel.
 */
export interface Shape {
  /**
   * Exact within `edge` of the shape's edge; farther off any value beyond
   * `edge` will do.
   */
  distance: Distance;
}

class Ellipse implements Shape {
  readonly #least: number;

  constructor(
    readonly cx: number,
    readonly cy: number,
    readonly rx: number,
    readonly ry: number,
  ) {
    this.#least = Math.min(rx, ry);
  }

  distance(x: number, y: number, edge = Infinity): number {
    const { rx, ry } = this, least = this.#least;
    const u = (x - this.cx) / rx, v = (y - this.cy) / ry;
    const f = Math.sqrt(u * u + v * v);
    // The level set's slope is at most 1 / least: no distance is less.
    const bound = (f - 1) * least;
    if (bound >= edge || bound <= -edge) return bound;
    const g = Math.sqrt((u / rx) * (u / rx) + (v / ry) * (v / ry));
    return g === 0 ? -least : f * (f - 1) / g;
  }
}

/** An axis-aligned ellipse; the distance is first order in the level set. */
export function ellipse(
  cx: number,
  cy: number,
  rx: number,
  ry: number,
): Shape {
  return new Ellipse(cx, cy, rx, ry);
}

class Capsule implements Shape {
  readonly #ex: number;
  readonly #ey: number;
  readonly #length2: number;

  constructor(
    readonly ax: number,
    readonly ay: number,
    bx: number,
    by: number,
    readonly half: number,
  ) {
    const ex = bx - ax, ey = by - ay;
    this.#ex = ex;
    this.#ey = ey;
    this.#length2 = ex * ex + ey * ey || 1;
  }

  distance(x: number, y: number): number {
    const ex = this.#ex, ey = this.#ey;
    const px = x - this.ax, py = y - this.ay;
    const t = (px * ex + py * ey) / this.#length2;
    const c = t < 0 ? 0 : t > 1 ? 1 : t;
    const qx = px - c * ex, qy = py - c * ey;
    return Math.sqrt(qx * qx + qy * qy) - this.half;
  }
}

/** A thick segment with round ends. */
export function capsule(
  ax: number,
  ay: number,
  bx: number,
  by: number,
  half: number,
): Shape {
  return new Capsule(ax, ay, bx, by, half);
}

class Free implements Shape {
  readonly #of: Distance;

  constructor(of: Distance) {
    this.#of = of;
  }

  distance(x: number, y: number, edge?: number): number {
    return this.#of(x, y, edge);
  }
}

/** A shape from a distance of its own. */
export function shape(distance: Distance): Shape {
  return new Free(distance);
}

/** `v`, or the nearer end of low..high. */
export function clamp(v: number, low: number, high: number): number {
  return v < low ? low : v > high ? high : v;
}
