/** Shapes as signed distances to their edge, in face coordinates. */

/** A distance to a shape's edge, negative inside. */
type Distance = (x: number, y: number, edge?: number) => number;

/**
 * What a canvas paints. Classes, not closures: the painter's loop then works
 * without a heap number a pixel.
 */
export interface Shape {
  /** A circle about all of it. */
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  /**
   * Exact within `edge` of the shape's edge; farther off any value beyond
   * `edge` will do.
   */
  distance: Distance;
}

class Ellipse implements Shape {
  readonly #least: number;

  constructor(
    readonly x: number,
    readonly y: number,
    readonly rx: number,
    readonly ry: number,
    readonly radius: number,
  ) {
    this.#least = Math.min(rx, ry);
  }

  distance(x: number, y: number, edge = Infinity): number {
    const { rx, ry } = this, least = this.#least;
    const u = (x - this.x) / rx, v = (y - this.y) / ry;
    const f = Math.sqrt(u * u + v * v);
    // The level set's slope is at most 1 / least: no distance is less.
    const bound = (f - 1) * least;
    if (bound >= edge || bound <= -edge) return bound;
    const g = Math.sqrt((u / rx) * (u / rx) + (v / ry) * (v / ry));
    return g === 0 ? -least : f * (f - 1) / g;
  }
}

/**
 * An axis-aligned ellipse; the distance is first order in the level set, and
 * too short far from a flat one: there `radius` ends what is drawn.
 */
export function ellipse(
  x: number,
  y: number,
  rx: number,
  ry: number,
  radius = 1.1 * Math.max(rx, ry),
): Shape {
  return new Ellipse(x, y, rx, ry, radius);
}

class Capsule implements Shape {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
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
    this.x = (ax + bx) / 2;
    this.y = (ay + by) / 2;
    this.#ex = ex;
    this.#ey = ey;
    this.#length2 = ex * ex + ey * ey || 1;
    this.radius = half + Math.sqrt(this.#length2) / 2;
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

  constructor(
    readonly x: number,
    readonly y: number,
    readonly radius: number,
    of: Distance,
  ) {
    this.#of = of;
  }

  distance(x: number, y: number, edge?: number): number {
    return this.#of(x, y, edge);
  }
}

/** A shape from a distance of its own, drawn within `radius` of (x, y). */
export function shape(
  x: number,
  y: number,
  radius: number,
  distance: Distance,
): Shape {
  return new Free(x, y, radius, distance);
}

/** `v`, or the nearer end of low..high. */
export function clamp(v: number, low: number, high: number): number {
  return v < low ? low : v > high ? high : v;
}
