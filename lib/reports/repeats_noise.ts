/** The noise between repeats, ours and the published, and what it asks for. */
import { pooledSd } from "../statistics/mod.ts";
import { analysis, readReplicates } from "../study/mod.ts";
import { rateText, type Row } from "./depth_lr.ts";

/** Published runs with the same nominal settings; values are shares. */
export interface PublishedGroup {
  stage: string;
  config: string;
  values: number[];
}

export const publishedGroups: PublishedGroup[] = (await readReplicates())
  .map(({ stage, config, runs }) => ({
    stage,
    config,
    values: runs.map(([, accuracy]) => Number(accuracy) / 100),
  }));

/** Pooled over the published groups that `isOf` picks. */
function publishedFloor(isOf: (group: PublishedGroup) => boolean) {
  const { sd, low, high, df } = pooledSd(
    publishedGroups.filter(isOf).map((g) => g.values),
  );
  return { sd: sd!, low: low!, high: high!, df };
}

const isNearBest = ({ config }: PublishedGroup) => /lr [12]e-4$/.test(config);

/** The published noise: long pretrained runs, short ones near the best LR. */
export const publishedFloors = {
  pretrained: publishedFloor((g) => g.stage === "60 epochs, pretrained"),
  scratch: publishedFloor((g) =>
    g.stage === "10 epochs, from scratch" && isNearBest(g)
  ),
};

/** Ours, pooled, then the published; null where nothing was repeated. */
export const noises = (
  rows: readonly Row[],
): { of: string; noise: analysis.NoiseFloor | null }[] => [
  { of: "ours, pooled", noise: analysis.noiseFloor(rows) },
  {
    of: "published, 60 epochs, pretrained",
    noise: publishedFloors.pretrained,
  },
  {
    of: `published, 10 epochs, from scratch, LR ${rateText(1e-4)} and ${
      rateText(2e-4)
    }`,
    noise: publishedFloors.scratch,
  },
];

/**
 * Paired repeats that see a difference, both in shares, with 80 % power. The
 * pairing is taken to help nothing: differences have √2 times the noise.
 */
export const neededFor = (difference: number, noise: number): number =>
  analysis.repeatsPlan({ difference, sd: Math.SQRT2 * noise }).needed;
