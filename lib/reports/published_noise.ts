/** What published runs of equal settings say of their noise. */
import { pooledSd, studentQuantile } from "../statistics/mod.ts";
import { readReplicates } from "../study/mod.ts";

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

/** Pooled over the published groups that `isOf` picks; shares. */
function pooledOver(isOf: (group: PublishedGroup) => boolean) {
  const { sd, low, high, df } = pooledSd(
    publishedGroups.filter(isOf).map((g) => g.values),
  );
  return { sd: sd!, low: low!, high: high!, df };
}

/** The spread of one published run: its sd, with a 95 % interval. */
export const publishedNoise = {
  /** 60 epochs from a pretrained backbone. */
  pretrained: pooledOver((g) => g.stage === "60 epochs, pretrained"),
  /** 10 epochs from scratch, LR 1e-4 and 2e-4. */
  scratch: pooledOver((g) =>
    g.stage === "10 epochs, from scratch" && /lr [12]e-4$/.test(g.config)
  ),
};

/**
 * Half the 95 % interval of the difference of two single runs in this noise:
 * t(0.975, df) · √2 · sd.
 */
export const halfOf = ({ sd, df }: { sd: number; df: number }): number =>
  studentQuantile(0.975, df) * Math.SQRT2 * sd;
