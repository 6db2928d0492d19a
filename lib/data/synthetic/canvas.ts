/** A gray float canvas that shapes are painted on in face coordinates. */
import type { Random } from "../random.ts";
import type { Shape } from "./drawn_shapes.ts";

/** Where the face lies: image = t + s R(rotation) face, in [-1, 1] units. */
export interface Pose {
  x: number;
  y: number;
  scale: number;
  /** Tangent of half the rotation angle. */
  halfTangent: number;
}

/** Gray level at a point of the face, about 0..1. */
export type Shade = number | ((x: number, y: number) => number);

/**
 * `size` x `size` gray levels, about 0..1, drawn in face coordinates. One
 * canvas serves for many faces: `place` begins the next.
 */
export class Canvas {
  readonly size: number;
  readonly pixels: Float32Array;
  #pose: Pose = { x: 0, y: 0, scale: 1, halfTangent: 0 };
  #cos = 1;
  #sin = 0;
  /** Face coordinates of the pixels' centres. */
  readonly #x: Float64Array;
  readonly #y: Float64Array;
  readonly #sharp: Float32Array;
  /** Side of a pixel in face units. */
  #unit = 0;

  constructor(size: number) {
    this.size = size;
    this.pixels = new Float32Array(size * size);
    this.#sharp = new Float32Array(size * size);
    this.#x = new Float64Array(size * size);
    this.#y = new Float64Array(size * size);
  }

  /** Says where the next face lies. */
  place(pose: Pose): void {
    const { size } = this;
    const t = pose.halfTangent;
    this.#pose = pose;
    this.#cos = (1 - t * t) / (1 + t * t);
    this.#sin = 2 * t / (1 + t * t);
    this.#unit = 2 / size / pose.scale;
    for (let row = 0, i = 0; row < size; row++) {
      const dy = ((2 * row + 1) / size - 1 - pose.y) / pose.scale;
      for (let column = 0; column < size; column++, i++) {
        const dx = ((2 * column + 1) / size - 1 - pose.x) / pose.scale;
        this.#x[i] = this.#cos * dx + this.#sin * dy;
        this.#y[i] = this.#cos * dy - this.#sin * dx;
      }
    }
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
   * Paints a shape, edges one pixel soft.
   * @param alpha opacity, 0..1
   * @param blur extra softness of the edge in face units
   */
  paint(shape: Shape, shade: Shade, alpha = 1, blur = 0): void {
    const { size, pixels } = this, unit = this.#unit;
    const { x: tx, y: ty, scale } = this.#pose;
    const cos = this.#cos, sin = this.#sin, xs = this.#x, ys = this.#y;
    const ix = tx + scale * (cos * shape.x - sin * shape.y);
    const iy = ty + scale * (sin * shape.x + cos * shape.y);
    const reach = (shape.radius + blur + unit) * scale;
    const at = (v: number) => Math.floor((v + 1) * size / 2);
    const x0 = Math.max(0, at(ix - reach));
    const x1 = Math.min(size - 1, at(ix + reach));
    const y0 = Math.max(0, at(iy - reach));
    const y1 = Math.min(size - 1, at(iy + reach));
    const soft = 1 / (unit + blur), edge = 0.5 * (unit + blur);
    for (let row = y0; row <= y1; row++) {
      for (let i = row * size + x0; i <= row * size + x1; i++) {
        const x = xs[i], y = ys[i];
        const cover = 0.5 - shape.distance(x, y, edge) * soft;
        if (cover <= 0) continue;
        const a = (cover < 1 ? cover : 1) * alpha;
        const level = typeof shade === "number" ? shade : shade(x, y);
        pixels[i] += a * (level - pixels[i]);
      }
    }
  }

  /** Mixes in a 3x3 mean: `amount` 0 keeps, 1 is the mean alone. */
  soften(amount: number): void {
    if (amount === 0) return;
    const { size, pixels } = this, from = this.#sharp;
    from.set(pixels);
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
    const { pixels } = this;
    for (let i = 0; i < pixels.length; i++) {
      const v = (pixels[i] - 0.5) * contrast + 0.5 + brightness +
        noise * (random.next() + random.next() - 1) * 2.449;
      const byte = v <= 0 ? 0 : v >= 1 ? 255 : Math.round(v * 255);
      for (let p = 0; p < planes; p++) out[at++] = byte;
    }
  }
}
