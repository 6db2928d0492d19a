/** The PyTorch files of the fixtures, and what PyTorch itself reads from them. */
import type { StoredTensor, Weights } from "../../lib/weights/mod.ts";

export const folder = new URL("../fixtures/weights/", import.meta.url).pathname;

export interface Expected {
  key: string;
  format: Weights["format"];
  tensors: Record<string, {
    dtype: string;
    shape: number[];
    stored: string | null;
    /** Texts where JSON has no such number or it is not exact. */
    values: (number | string)[];
  }>;
}

export const expected = JSON.parse(
  await Deno.readTextFile(`${folder}expected.json`),
) as Record<string, Expected>;

/** Checkpoints as training scripts save them, by `_published.py`. */
export const published = `${folder}published/`;
export const expectedPublished = JSON.parse(
  await Deno.readTextFile(`${published}expected.json`),
) as Record<string, Expected & { standIns: string[]; leftOut: string[] }>;

/** A tensor as the fixtures put it. */
export function plain({ dtype, shape, data, storedAs }: StoredTensor) {
  const values = Array.from(data as ArrayLike<number | bigint>, (x) => {
    if (typeof x === "bigint") {
      return Number.isSafeInteger(Number(x)) ? Number(x) : String(x);
    }
    if (Number.isFinite(x)) return x;
    return Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf";
  });
  return { dtype, shape, stored: storedAs ?? null, values };
}
