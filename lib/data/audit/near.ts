/** Near copies among many images, without looking at every pair. */
import { type Signature, THUMB } from "./signature.ts";

/** Hashes of copies differ in at most so many of their 64 bits. */
export const MOST_BITS = 7;

/**
 * Thumbs of copies correlate at least so much. On FER2013 JPEG at quality 10
 * leaves 0.988 and more, at quality 20 0.994; pairs from 0.98 on were one
 * photograph each in every sample looked at, shifted or cropped anew.
 */
const LEAST_CORRELATION = 0.98;

/** Two images, `a < b`, of which one is a near copy of the other. */
export interface NearPair {
  a: number;
  b: number;
  /** Whether one is the other's mirror image. */
  mirrored: boolean;
  /** Of their thumbs, -1 to 1. */
  correlation: number;
}

const WORDS = 4;

/** Ones in each number of 16 bits. */
const ONES = new Uint8Array(1 << 16);
for (let i = 1; i < ONES.length; i++) ONES[i] = ONES[i >> 1] + (i & 1);

/** A thumb with mean 0 and length 1, so that a dot product is a correlation. */
function normalised(thumb: Uint8ClampedArray): Float32Array {
  const out = Float32Array.from(thumb);
  const mean = out.reduce((a, b) => a + b, 0) / out.length;
  let squares = 0;
  for (let i = 0; i < out.length; i++) squares += (out[i] -= mean) ** 2;
  const length = Math.sqrt(squares) || 1;
  for (let i = 0; i < out.length; i++) out[i] /= length;
  return out;
}

function dot(a: Float32Array, b: Float32Array, mirror: boolean): number {
  let sum = 0;
  for (let y = 0; y < THUMB; y++) {
    for (let x = 0; x < THUMB; x++) {
      sum += a[y * THUMB + x] * b[y * THUMB + (mirror ? THUMB - 1 - x : x)];
    }
  }
  return sum;
}

/** Hashes of all images one behind the other, WORDS numbers each. */
function joined(hashes: readonly Uint16Array[]): Uint16Array {
  const words = new Uint16Array(hashes.length * WORDS);
  hashes.forEach((hash, i) => words.set(hash, i * WORDS));
  return words;
}

/** All images by one word of their hash: `order[start[w]..start[w + 1]]`. */
function buckets(words: Uint16Array, word: number) {
  const start = new Uint32Array((1 << 16) + 1);
  for (let i = word; i < words.length; i += WORDS) start[words[i] + 1]++;
  for (let i = 0; i < 1 << 16; i++) start[i + 1] += start[i];
  const next = start.slice();
  const order = new Uint32Array(words.length / WORDS);
  for (let i = 0; i < order.length; i++) {
    order[next[words[i * WORDS + word]]++] = i;
  }
  return { start, order };
}

/**
 * Pairs `i < j` whose hashes differ in at most MOST_BITS bits, of i taken from
 * `from`; each is given once. Seven bits over four words leave one word with
 * at most one of them, so only images that share a word to one bit are
 * compared (multi-index hashing, Norouzi et al., 2012).
 */
function closeHashes(
  from: Uint16Array,
  words: Uint16Array,
  word: number,
  use: (i: number, j: number) => void,
): void {
  const { start, order } = buckets(words, word);
  for (let i = 0; i < order.length; i++) {
    const at = i * WORDS;
    const [a, b, c, d] = [from[at], from[at + 1], from[at + 2], from[at + 3]];
    for (let flip = -1; flip < 16; flip++) {
      const key = flip < 0 ? from[at + word] : from[at + word] ^ (1 << flip);
      for (let k = start[key]; k < start[key + 1]; k++) {
        const j = order[k], to = j * WORDS;
        if (j <= i) continue;
        const bitsA = ONES[a ^ words[to]], bitsB = ONES[b ^ words[to + 1]];
        const bitsC = ONES[c ^ words[to + 2]], bitsD = ONES[d ^ words[to + 3]];
        if (bitsA + bitsB + bitsC + bitsD > MOST_BITS) continue;
        const first = bitsA < 2 ? 0 : bitsB < 2 ? 1 : bitsC < 2 ? 2 : 3;
        if (first === word) use(i, j);
      }
    }
  }
}

/**
 * Finds every pair whose hashes are close, as they are or with one mirrored,
 * and whose thumbs correlate; in the order of their images.
 *
 * @param onProgress called with (done, total) words of the hash
 */
export function nearPairs(
  signatures: readonly Signature[],
  onProgress?: (done: number, total: number) => void,
): NearPair[] {
  const patterns = new Map<number, Float32Array>();
  const pattern = (i: number) => {
    const kept = patterns.get(i) ?? normalised(signatures[i].thumb);
    patterns.set(i, kept);
    return kept;
  };
  const words = joined(signatures.map((s) => s.hash));
  const turned = joined(signatures.map((s) => s.mirrored));
  const found = new Map<string, NearPair>();
  for (let word = 0; word < WORDS; word++) {
    for (const mirrored of [false, true]) {
      closeHashes(mirrored ? turned : words, words, word, (a, b) => {
        const correlation = dot(pattern(a), pattern(b), mirrored);
        if (correlation < LEAST_CORRELATION) return;
        // A symmetric face is found both ways: the better one counts.
        const before = found.get(`${a} ${b}`);
        if (before && before.correlation >= correlation) return;
        found.set(`${a} ${b}`, { a, b, mirrored, correlation });
      });
    }
    onProgress?.(word + 1, WORDS);
  }
  return [...found.values()].sort((p, q) => p.a - q.a || p.b - q.b);
}
