/** What tells an image from others: its difference hash, a thumb, its spread. */

/** Side at which images are compared, in pixels. */
export const SIDE = 48;

/** Side of a thumb. */
export const THUMB = 16;

/** An image as the search for copies sees it. */
export interface Signature {
  /** 64 bits of the difference hash in four words of 16. */
  hash: Uint16Array;
  /** The hash of the mirrored image. */
  mirrored: Uint16Array;
  /** `[THUMB, THUMB]` means of the image's cells, 0 to 255. */
  thumb: Uint8ClampedArray;
  /** Standard deviation of the pixels, in grey levels. */
  deviation: number;
}

/** Cells that a larger cell covers: from `at` on, each with its share. */
interface Span {
  at: number;
  share: Float64Array;
}

/** `from` cells in a line, gathered to `to` of one size. */
function spans(from: number, to: number): Span[] {
  return Array.from({ length: to }, (_, i) => {
    const low = i * from / to, high = (i + 1) * from / to;
    const at = Math.floor(low);
    const share = Float64Array.from(
      { length: Math.ceil(high) - at },
      (_, k) =>
        (Math.min(high, at + k + 1) - Math.max(low, at + k)) * to / from,
    );
    return { at, share };
  });
}

/** Gathers an image of SIDE × SIDE to `width` × `height` area means. */
function shrinker(width: number, height: number) {
  const across = spans(SIDE, width), down = spans(SIDE, height);
  const rows = new Float64Array(SIDE * width);
  const out = new Float64Array(height * width);
  /** `[SIDE, SIDE]` to `[height, width]`; the next call overwrites it. */
  return (pixels: Uint8Array): Float64Array => {
    for (let x = 0; x < width; x++) {
      const { at, share } = across[x];
      for (let y = 0; y < SIDE; y++) {
        let sum = 0;
        for (let k = 0; k < share.length; k++) {
          sum += share[k] * pixels[y * SIDE + at + k];
        }
        rows[y * width + x] = sum;
      }
    }
    for (let y = 0; y < height; y++) {
      const { at, share } = down[y];
      for (let x = 0; x < width; x++) {
        let sum = 0;
        for (let k = 0; k < share.length; k++) {
          sum += share[k] * rows[(at + k) * width + x];
        }
        out[y * width + x] = sum;
      }
    }
    return out;
  };
}

const toCells = shrinker(9, 8), toThumb = shrinker(THUMB, THUMB);

/** A bit a pair of neighbours in 8 rows of 9 cells: is the right one lighter? */
function differenceHash(cells: Float64Array, mirror: boolean): Uint16Array {
  const words = new Uint16Array(4);
  for (let y = 0; y < 8; y++) {
    for (let x = 0; x < 8; x++) {
      const left = mirror ? 8 - x : x, right = mirror ? 7 - x : x + 1;
      if (cells[y * 9 + left] < cells[y * 9 + right]) {
        words[y >> 1] |= 1 << ((y & 1) * 8 + x);
      }
    }
  }
  return words;
}

function deviationOf(pixels: Uint8Array): number {
  let sum = 0, squares = 0;
  for (let i = 0; i < pixels.length; i++) {
    sum += pixels[i];
    squares += pixels[i] * pixels[i];
  }
  const mean = sum / pixels.length;
  return Math.sqrt(Math.max(0, squares / pixels.length - mean * mean));
}

/**
 * The signature of a grey image, `[SIDE, SIDE]`. The hash is dHash (N. Krawetz,
 * "Kind of Like That", 2013): the signs of 8 × 8 horizontal differences.
 */
export function signatureOf(pixels: Uint8Array): Signature {
  const cells = toCells(pixels);
  return {
    hash: differenceHash(cells, false),
    mirrored: differenceHash(cells, true),
    thumb: new Uint8ClampedArray(toThumb(pixels)), // rounds
    deviation: deviationOf(pixels),
  };
}
