/** Near copies among many images, without looking at every pair. */
import { type Signature, THUMB } from "./signature.ts";

/** Hashes of copies differ in at most so many of their 64 bits. */
export const MOST_BITS = 7;

/**
 * Thumbs of copies correlate at least so much. On FER2013 JPEG at quality 10
 * leaves 0.988 and more, at quality 20 0.994; pairs from 0.98 on were one
 * photograph each in every sample looked at, shifted or cropped anew.
 */
export const LEAST_CORRELATION = 0.98;

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
function normalised(thumb: Uint8Array): Float32Array {
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

/** All images by one word of their hash: `order[start[w]..start[w + 1]]`. */
function buckets(signatures: readonly Signature[], word: number) {
  const start = new Uint32Array((1 << 16) + 1);
  for (const { hash } of signatures) start[hash[word] + 1]++;
  for (let i = 0; i < 1 << 16; i++) start[i + 1] += start[i];
  const next = start.slice();
  const order = new Uint32Array(signatures.length);
  signatures.forEach(({ hash }, i) => order[next[hash[word]]++] = i);
  return { start, order };
}

/**
 * Finds every pair whose hashes differ in at most MOST_BITS bits, as they are
 * or with one mirrored, and whose thumbs correlate. Seven bits over four words
 * leave one word with at most one of them, so only images that share a word to
 * one bit are compared (multi-index hashing, Norouzi et al., 2012).
 *
 * @param onProgress called with (done, total) after each word
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
  const found = new Map<string, NearPair>();
  for (let word = 0; word < WORDS; word++) {
    const { start, order } = buckets(signatures, word);
    for (let i = 0; i < signatures.length; i++) {
      for (const mirrored of [false, true]) {
        const hash = mirrored ? signatures[i].mirrored : signatures[i].hash;
        for (let flip = -1; flip < 16; flip++) {
          const key = flip < 0 ? hash[word] : hash[word] ^ (1 << flip);
          for (let k = start[key]; k < start[key + 1]; k++) {
            const j = order[k];
            if (j <= i) continue;
            const other = signatures[j].hash;
            let bits = 0, first = WORDS;
            for (let w = WORDS - 1; w >= 0; w--) {
              const differing = ONES[hash[w] ^ other[w]];
              bits += differing;
              if (differing <= 1) first = w;
            }
            // Each pair is taken once: at the first word that shows it.
            if (bits > MOST_BITS || first !== word) continue;
            const correlation = dot(pattern(i), pattern(j), mirrored);
            if (correlation < LEAST_CORRELATION) continue;
            const pair = `${i} ${j}`;
            // A symmetric face is found both ways: the better one counts.
            if (correlation > (found.get(pair)?.correlation ?? -1)) {
              found.set(pair, { a: i, b: j, mirrored, correlation });
            }
          }
        }
      }
    }
    onProgress?.(word + 1, WORDS);
  }
  return [...found.values()].sort((p, q) => p.a - q.a || p.b - q.b);
}
