/** Hashes of images, and the search for those that are close. */
import assert from "node:assert/strict";
import {
  MOST_BITS,
  type NearPair,
  nearPairs,
} from "../../lib/data/audit/near.ts";
import { type Signature, signatureOf } from "../../lib/data/audit/signature.ts";
import { Random } from "../../lib/data/random.ts";
import { picture } from "./_pictures.ts";

/** Words of a hash, each with about `flips` bits of `from` turned. */
function flipped(from: Uint16Array, flips: number, random: Random) {
  const out = from.slice();
  for (let i = 0; i < flips; i++) {
    out[Math.floor(4 * random.next())] ^= 1 << Math.floor(16 * random.next());
  }
  return out;
}

Deno.test("the search by words finds each pair that all pairs would", () => {
  const random = new Random(7);
  const word = () => Math.floor(65536 * random.next());
  const thumb = Uint8ClampedArray.from({ length: 256 }, (_, i) => i);
  const signatures: Signature[] = [];
  for (let i = 0; i < 20; i++) {
    const centre = Uint16Array.from({ length: 4 }, word);
    for (let k = 0; k < 12; k++) {
      const hash = flipped(centre, k % 8, random);
      const mirrored = flipped(centre, 20, random);
      signatures.push({ hash, mirrored, thumb, deviation: 50 });
    }
  }
  const bits = (a: Uint16Array, b: Uint16Array) =>
    a.reduce(
      (sum, w, i) => sum + (w ^ b[i]).toString(2).replaceAll("0", "").length,
      0,
    );
  const near: string[] = [];
  for (let a = 0; a < signatures.length; a++) {
    for (let b = a + 1; b < signatures.length; b++) {
      if (bits(signatures[a].hash, signatures[b].hash) <= MOST_BITS) {
        near.push(`${a} ${b}`);
      }
    }
  }
  assert.ok(near.length > 300);
  const found = nearPairs(signatures).filter((p) => !p.mirrored)
    .map(({ a, b }: NearPair) => `${a} ${b}`);
  assert.deepEqual(found, near);
});

Deno.test("the mirrored hash is the hash of the mirrored image", async () => {
  const of = async (flop: boolean) =>
    signatureOf(
      new Uint8Array(
        await (await picture(3, 48)).flop(flop).toColourspace("b-w").raw()
          .toBuffer(),
      ),
    );
  const [as, flopped] = [await of(false), await of(true)];
  assert.deepEqual(as.mirrored, flopped.hash);
  assert.notDeepEqual(as.hash, as.mirrored);
});

Deno.test("a thumb's cells are the means of three by three pixels", () => {
  const pixels = new Uint8Array(48 * 48);
  pixels.set([10, 20, 30], 48); // second row, below the first cell's corner
  pixels[3] = 200;
  const { thumb, deviation } = signatureOf(pixels);
  assert.deepEqual([...thumb.subarray(0, 3)], [7, 22, 0]);
  const mean = 260 / 2304;
  const squares = (100 + 400 + 900 + 40000) / 2304;
  assert.ok(Math.abs(deviation - Math.sqrt(squares - mean * mean)) < 1e-9);
});
