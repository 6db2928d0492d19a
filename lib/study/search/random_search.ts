/** Uniform numbers from a key, and the point of a random search. */
import { createHash } from "node:crypto";
import type { Params } from "../definition.ts";
import { type Spaces, valueInSpace } from "./space.ts";

/**
 * A stream of uniforms in [0, 1), 53 bits each, that depends on the key only:
 * SHA-256 of the key and a counter, four numbers a block.
 */
export function uniforms(...key: (number | string)[]): () => number {
  let drawn = 0;
  let block: Uint8Array;
  return () => {
    const place = drawn % 4;
    if (place === 0) {
      block = createHash("sha256").update(JSON.stringify([...key, drawn]))
        .digest();
    }
    drawn++;
    const bytes = new DataView(block.buffer, block.byteOffset + 8 * place);
    const high = bytes.getUint32(0) >>> 11;
    return (high * 2 ** 32 + bytes.getUint32(4)) / 2 ** 53;
  };
}

/**
 * The point number `index` (from 0) of a random search. A parameter's value
 * depends on its own name and space only, so it stays when others are added.
 */
export function randomPoint(
  spaces: Spaces,
  seed: number,
  index: number,
): Params {
  return Object.fromEntries(
    Object.entries(spaces).map(([name, space]) => [
      name,
      valueInSpace(space, uniforms("random", seed, index, name)()),
    ]),
  );
}
