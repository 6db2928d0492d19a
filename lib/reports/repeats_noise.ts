/** The noise between repeats, ours and the published, and what it asks for. */
import { analysis } from "../study/mod.ts";
import { rateText, type Row } from "./depth_lr.ts";
import { publishedNoise } from "./published_noise.ts";

/** Ours, pooled, then the published; null where nothing was repeated. */
export const noises = (
  rows: readonly Row[],
): { of: string; noise: analysis.NoiseFloor | null }[] => [
  { of: "ours, pooled", noise: analysis.noiseFloor(rows) },
  { of: "published, 60 epochs, pretrained", noise: publishedNoise.pretrained },
  {
    of: `published, 10 epochs, from scratch, LR ${rateText(1e-4)} and ${
      rateText(2e-4)
    }`,
    noise: publishedNoise.scratch,
  },
];

/**
 * Paired repeats that see a difference, both in shares, with 80 % power. The
 * pairing is taken to help nothing: differences have √2 times the noise.
 */
export const neededFor = (difference: number, noise: number): number =>
  analysis.repeatsPlan({ difference, sd: Math.SQRT2 * noise }).needed;
