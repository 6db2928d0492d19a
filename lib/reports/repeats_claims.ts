/** What repeats say of single runs: do points repeat, can one run rank? */
import { analysis } from "../study/mod.ts";
import { neededFor } from "./repeats_noise.ts";
import { cannotTell, type Judgement, type Results } from "./report.ts";

const size = (share: number) => (100 * share).toFixed(2);

/** With one degree of freedom the noise may be 30 times the sd found. */
const FEWEST_DF = 2;

/** Judges a size that is `factor` times the noise against a limit. */
function judgeNoise(
  { analysed }: Results,
  o: { factor: number; limit: number; what: string },
): Judgement {
  const noise = analysis.noiseFloor(analysed());
  if (!noise) return cannotTell("no setting has two finished runs");
  const ours = `${o.what}: ${size(o.factor * noise.sd)} points (95 % ` +
    `interval ${size(o.factor * noise.low)} to ${
      size(o.factor * noise.high)
    }, ${noise.df} df)`;
  if (noise.df < FEWEST_DF) {
    return cannotTell("fewer than three runs give no useful interval", ours);
  }
  const limit = `${size(o.limit)} points`;
  if (o.factor * noise.high < o.limit) {
    return { ours, verdict: "holds", why: `the interval lies below ${limit}` };
  }
  return o.factor * noise.low > o.limit
    ? {
      ours,
      verdict: "does not hold",
      why: `the interval lies above ${limit}; a difference of one point ` +
        `takes ${neededFor(0.01, noise.sd)} paired repeats (80 % power)`,
    }
    : cannotTell(`the interval holds ${limit}: more repeats narrow it`, ours);
}

/** The sd of a difference of two runs against half a point. */
export const judgeRepeats = (results: Results): Judgement =>
  judgeNoise(results, {
    factor: Math.SQRT2,
    limit: 0.005,
    what: "sd of the difference of two runs",
  });

/** What 95 % of the differences of two equal runs stay below, and one point. */
export const judgeSingleRuns = (results: Results): Judgement =>
  judgeNoise(results, {
    factor: 1.96 * Math.SQRT2,
    limit: 0.01,
    what: "difference that two equal runs exceed in 1 of 20 cases",
  });
