/** Points that fill a space evenly: the Sobol' sequence, scrambled by a seed. */
import type { Params } from "../definition.ts";
import { StudyError } from "../errors.ts";
import { uniforms } from "./random_search.ts";
import { DIRECTIONS } from "./sobol_directions.ts";
import { type Spaces, valueInSpace } from "./space.ts";

const BITS = 32;

/** The 32 direction numbers of a dimension (Bratley and Fox 1988), uint32. */
function directionNumbers(dimension: number): Uint32Array {
  const [polynomial, ...initial] = DIRECTIONS[dimension];
  const degree = 31 - Math.clz32(polynomial);
  const v = new Uint32Array(BITS);
  for (let j = 0; j < BITS; j++) {
    if (j < initial.length || degree === 0) { // degree 0: van der Corput's
      v[j] = (initial[j] ?? 1) << (31 - j);
      continue;
    }
    v[j] = v[j - degree] ^ (v[j - degree] >>> degree);
    for (let k = 1; k < degree; k++) {
      if ((polynomial >>> (degree - k)) & 1) v[j] ^= v[j - k];
    }
  }
  return v;
}

/** Coordinate of the point `index` in Gray code's order, times 2³². */
function coordinate(dimension: number, index: number): number {
  const v = directionNumbers(dimension);
  const gray = (index ^ (index >>> 1)) >>> 0;
  let x = 0;
  for (let j = 0; j < BITS; j++) if ((gray >>> j) & 1) x ^= v[j];
  return x >>> 0;
}

/** 1 for an odd number of set bits, else 0. */
function parity(bits: number): number {
  bits ^= bits >>> 16;
  bits ^= bits >>> 8;
  bits ^= bits >>> 4;
  bits ^= bits >>> 2;
  bits ^= bits >>> 1;
  return bits & 1;
}

/**
 * Matoušek's linear scramble (J. Complexity 14, 1998): each binary digit has
 * random ones of the digits before it added, and a random digit; both belong
 * to the seed and the dimension, so the points stay a digital net.
 */
function scrambled(x: number, seed: number, dimension: number): number {
  const next = uniforms("sobol", seed, dimension);
  const word = () => Math.floor(next() * 2 ** 32);
  let y = word();
  for (let digit = 0; digit < BITS; digit++) {
    const own = 0x80000000 >>> digit;
    const before = -2 * own; // the digits above this one
    y ^= parity(x & ((word() & before) | own)) ? own : 0;
  }
  return y >>> 0;
}

/**
 * The point number `index` (from 0, below 2³²) of a Sobol' sequence with the
 * direction numbers of Joe and Kuo (new-joe-kuo-6), in the order of Gray code
 * as SciPy's `qmc.Sobol` gives them; scrambled as SciPy does it, with random
 * numbers of our own.
 * Dimensions go by the parameters' names in sorted order. The first 2^m points
 * are the most even.
 *
 * @throws StudyError with more parameters than there are dimensions (64).
 */
export function sobolPoint(
  spaces: Spaces,
  seed: number,
  index: number,
  { scramble = true }: { scramble?: boolean } = {},
): Params {
  const names = Object.keys(spaces).sort();
  if (names.length > DIRECTIONS.length) {
    throw new StudyError(
      `a Sobol' search takes up to ${DIRECTIONS.length} parameters and this ` +
        `one has ${names.length}: take fewer, or the random search`,
    );
  }
  return Object.fromEntries(
    Object.entries(spaces).map(([name, space]) => {
      const dimension = names.indexOf(name);
      const x = coordinate(dimension, index);
      const y = scramble ? scrambled(x, seed, dimension) : x;
      return [name, valueInSpace(space, y / 2 ** BITS)];
    }),
  );
}
