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
  thumb: Uint8Array;
  /** Standard deviation of the pixels, in grey levels. */
  deviation: number;
}

/** Which source cells a target cell covers, and how much of each. */
function spans(from: number, to: number): { at: number; share: number[] }[] {
  return Array.from({ length: to }, (_, i) => {
    const low = i * from / to, high = (i + 1) * from / to;
    const at = Math.floor(low);
    const share = [];
    for (let j = at; j < high; j++) {
      share.push((Math.min(high, j + 1) - Math.max(low, j)) * to / from);
    }
    return { at, share };
  });
}

const known = new Map<string, ReturnType<typeof spans>>();

function spansOf(from: number, to: number) {
  const key = `${from} ${to}`;
  const kept = known.get(key) ?? spans(from, to);
  known.set(key, kept);
  return kept;
}

/** Area means: grey `[fromHeight, fromWidth]` to `[height, width]`. */
export function areaMeans(
  pixels: Uint8Array,
  [fromWidth, fromHeight]: readonly [number, number],
  [width, height]: readonly [number, number],
): Float32Array {
  const across = spansOf(fromWidth, width), down = spansOf(fromHeight, height);
  const rows = new Float32Array(fromHeight * width);
  for (let y = 0; y < fromHeight; y++) {
    for (let x = 0; x < width; x++) {
      const { at, share } = across[x];
      let sum = 0;
      for (let k = 0; k < share.length; k++) {
        sum += share[k] * pixels[y * fromWidth + at + k];
      }
      rows[y * width + x] = sum;
    }
  }
  const out = new Float32Array(height * width);
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
}

/** A bit a pair of neighbours in 8 rows of 9 cells: is the right one lighter? */
function differenceHash(cells: Float32Array, mirror: boolean): Uint16Array {
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
  for (const p of pixels) {
    sum += p;
    squares += p * p;
  }
  const mean = sum / pixels.length;
  return Math.sqrt(Math.max(0, squares / pixels.length - mean * mean));
}

/**
 * The signature of a grey image, `[SIDE, SIDE]`. The hash is dHash (N. Krawetz,
 * "Kind of Like That", 2013): the signs of 8 × 8 horizontal differences.
 */
export function signatureOf(pixels: Uint8Array): Signature {
  const from = [SIDE, SIDE] as const;
  const cells = areaMeans(pixels, from, [9, 8]);
  return {
    hash: differenceHash(cells, false),
    mirrored: differenceHash(cells, true),
    thumb: Uint8Array.from(areaMeans(pixels, from, [THUMB, THUMB]), Math.round),
    deviation: deviationOf(pixels),
  };
}
