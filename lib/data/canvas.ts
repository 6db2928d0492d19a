/** A gray float canvas whose shapes are signed distances in face coordinates. */
import type { Random } from "./random.ts";

/** Where the face lies: image = t + s R(rotation) face, in [-1, 1] units. */
export interface Pose {
  x: number;
  y: number;
  scale: number;
  /** Tangent of half the rotation angle. */
  halfTangent: number;
}

/** A distance to a shape's edge (negative inside), in face units. */
export type Distance = (x: number, y: number) => number;

/** Gray level at a point of the face, about 0..1. */
export type Shade = number | ((x: number, y: number) => number);

/** `size` x `size` gray levels, about 0..1, drawn in face coordinates. */
export class Canvas {
  readonly size: number;
  readonly pixels: Float32Array;
  readonly #pose: Pose;
  readonly #cos: number;
  readonly #sin: number;
  /** Side of a pixel in face units. */
  readonly unit: number;

  constructor(size: number, pose: Pose) {
    this.size = size;
    this.pixels = new Float32Array(size * size);
    this.#pose = pose;
    const t = pose.halfTangent;
    this.#cos = (1 - t * t) / (1 + t * t);
    this.#sin = 2 * t / (1 + t * t);
    this.unit = 2 / size / pose.scale;
  }

  /** Sets every pixel from image coordinates in [-1, 1]. */
  fill(shade: (x: number, y: number) => number): void {
    const { size, pixels } = this;
    for (let i = 0; i < size * size; i++) {
      const row = Math.floor(i / size);
      pixels[i] = shade(
        (2 * (i - row * size) + 1) / size - 1,
        (2 * row + 1) / size - 1,
      );
    }
  }

  /**
   * Paints a shape within `radius` of (cx, cy), edges one pixel soft.
   * @param alpha opacity, 0..1
   * @param blur extra softness of the edge in face units
   */
  paint(
    cx: number,
    cy: number,
    radius: number,
    distance: Distance,
    shade: Shade,
    alpha = 1,
    blur = 0,
  ): void {
    const { size, pixels, unit } = this;
    const { x: tx, y: ty, scale } = this.#pose;
    const cos = this.#cos, sin = this.#sin;
    const ix = tx + scale * (cos * cx - sin * cy);
    const iy = ty + scale * (sin * cx + cos * cy);
    const reach = (radius + blur + unit) * scale;
    const at = (v: number) => Math.floor((v + 1) * size / 2);
    const x0 = Math.max(0, at(ix - reach));
    const x1 = Math.min(size - 1, at(ix + reach));
    const y0 = Math.max(0, at(iy - reach));
    const y1 = Math.min(size - 1, at(iy + reach));
    const soft = 1 / (unit + blur);
    for (let row = y0; row <= y1; row++) {
      const dy = ((2 * row + 1) / size - 1 - ty) / scale;
      for (let column = x0; column <= x1; column++) {
        const dx = ((2 * column + 1) / size - 1 - tx) / scale;
        const x = cos * dx + sin * dy;
        const y = cos * dy - sin * dx;
        const cover = 0.5 - distance(x, y) * soft;
        if (cover <= 0) continue;
        const a = (cover < 1 ? cover : 1) * alpha;
        const i = row * size + column;
        const level = typeof shade === "number" ? shade : shade(x, y);
        pixels[i] += a * (level - pixels[i]);
      }
    }
  }

  /** Mixes in a 3x3 mean: `amount` 0 keeps, 1 is the mean alone. */
  soften(amount: number): void {
    const { size, pixels } = this;
    const from = pixels.slice();
    for (let y = 0; y < size; y++) {
      const up = Math.max(0, y - 1) * size, down = Math.min(size - 1, y + 1);
      for (let x = 0; x < size; x++) {
        const l = Math.max(0, x - 1), r = Math.min(size - 1, x + 1);
        const i = y * size, d = down * size;
        const mean = (from[up + l] + from[up + x] + from[up + r] +
          from[i + l] + from[i + x] + from[i + r] +
          from[d + l] + from[d + x] + from[d + r]) / 9;
        pixels[i + x] += amount * (mean - from[i + x]);
      }
    }
  }

  /** Adds noise, scales contrast about mid-gray, and writes bytes, each `planes` times. */
  write(
    out: Uint8Array,
    at: number,
    planes: 1 | 3,
    noise: number,
    contrast: number,
    brightness: number,
    random: Random,
  ): void {
    for (const level of this.pixels) {
      const v = (level - 0.5) * contrast + 0.5 + brightness +
        noise * (random.next() + random.next() - 1) * 2.449;
      const byte = v <= 0 ? 0 : v >= 1 ? 255 : Math.round(v * 255);
      for (let p = 0; p < planes; p++) out[at++] = byte;
    }
  }
}

/** Distance to an axis-aligned ellipse, first order in the level set. */
export function ellipse(
  cx: number,
  cy: number,
  rx: number,
  ry: number,
): Distance {
  return (x, y) => {
    const u = (x - cx) / rx, v = (y - cy) / ry;
    const f = Math.sqrt(u * u + v * v);
    const g = Math.sqrt((u / rx) * (u / rx) + (v / ry) * (v / ry));
    return g === 0 ? -Math.min(rx, ry) : f * (f - 1) / g;
  };
}

/** Distance to a thick segment with round ends. */
export function capsule(
  ax: number,
  ay: number,
  bx: number,
  by: number,
  half: number,
): Distance {
  const ex = bx - ax, ey = by - ay;
  const length2 = ex * ex + ey * ey || 1;
  return (x, y) => {
    const px = x - ax, py = y - ay;
    const t = (px * ex + py * ey) / length2;
    const c = t < 0 ? 0 : t > 1 ? 1 : t;
    const qx = px - c * ex, qy = py - c * ey;
    return Math.sqrt(qx * qx + qy * qy) - half;
  };
}
