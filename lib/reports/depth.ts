/** Depth: whether two blocks are enough, the learning rate tuned for each. */
import { type Chart, costAccuracyChart, heatMapChart } from "../charts/mod.ts";
import { modelOf } from "../models/mod.ts";
import { count, flops } from "../profile/mod.ts";
import {
  differenceText,
  FEWEST,
  fewestOf,
  isBetter,
  repeatsWords,
  tooFew,
} from "./comparisons.ts";
import { depthsAtBest } from "./depth_charts.ts";
import {
  againstDepth,
  atBestRate,
  depthForest,
  depthTable,
} from "./depth_effects.ts";
import { lrAxis, publishedCells, valuesOf } from "./depth_lr.ts";
import { isolationRows } from "./isolation.ts";
import { rates, searchPlan } from "./lr_search.ts";
import { judgeRate } from "./lr_search_claims.ts";
import type { Profile } from "./profile.ts";
import { publishedFigure } from "./published.ts";
import { publishedNoise } from "./published_noise.ts";
import {
  cannotTell,
  type Judgement,
  type Report,
  type Results,
} from "./report.ts";
import type { Shown } from "./show.ts";

const depths: Record<Profile, number[]> = {
  smoke: [1, 2],
  quick: [1, 2, 4],
  cpu: [2, 4, 6, 8],
  paper: [2, 4, 6, 8],
};

/** Fifths of a decade from 1e-3 to 1e-5, as the study's code has them. */
const fifths = Array.from(
  { length: 11 },
  (_, i) => Number((10 ** (-3 - i / 5)).toPrecision(4)),
);

/** The 46 published runs, as the study drew them. */
export const publishedRuns = (): Promise<Chart> =>
  publishedFigure("depth-test", [
    { name: "depth", label: "depth", scale: "linear" },
    { name: "lr", label: "learning rate", scale: "log" },
  ]);

/** The same as a map; every rate counts to the nearest fifth of a decade. */
export async function publishedMap(): Promise<Chart> {
  const nearest = (lr: number) =>
    Number((10 ** (Math.round(5 * Math.log10(lr)) / 5)).toPrecision(4));
  return heatMapChart(
    await publishedCells("depth-test", "depth", { lrOf: nearest }),
    {
      ...lrAxis,
      yLabel: "depth",
      title: "Published: RAF-DB, 10 epochs from scratch",
      valueLabel: "maximum test accuracy",
      noise: publishedNoise.scratch,
      width: 760,
    },
  );
}

export { depthMap } from "./depth_charts.ts";

/** Each depth at its best rate, the published best runs beside ours. */
export const depthIsolation = (results: Results): Promise<Chart> =>
  depthsAtBest(results, "depth-test");

/** What a depth costs (a forward pass by thop's convention) and what it gives. */
export function costChart(results: Results): Chart {
  const costOf = (depth: number) => {
    const { recipe } = results.rows()
      .find((r) => r.params.depth === depth && r.recipe)!;
    const { size } = recipe!;
    const counted = count(modelOf(recipe!), [size, size, 3]);
    return flops(counted, "thop").total / 1e6;
  };
  return costAccuracyChart(
    isolationRows(results.analysed(), "depth").flatMap((
      { value, mean, low, high },
    ) =>
      mean === null ? [] : [{
        label: `depth ${value}`,
        cost: costOf(Number(value)),
        accuracy: mean,
        low: low ?? undefined,
        high: high ?? undefined,
      }]
    ),
    {
      costLabel: "forward pass, million FLOPs an image (thop)",
      yLabel: "test accuracy",
    },
  );
}

/** Depths against depth 2 (or the shallowest), ours and published. */
export const effectsChart = (results: Results): Promise<Chart> =>
  depthForest(results.analysed(), {
    id: "depth-test",
    noise: publishedNoise.scratch,
  });

/** The same in numbers, with p-values after Holm's correction. */
export const comparisons = (results: Results): Shown =>
  depthTable(results.analysed());

/** A deeper net has to be this much better for two blocks to be too few. */
const MARGIN = 0.01;

/** Holds if no deeper net can be a point better, fails if one is better. */
export function judgeEnough(results: Results): Judgement {
  const rows = results.analysed();
  if (!valuesOf(rows, "depth").includes(2)) {
    return cannotTell("depth 2 has no finished run");
  }
  const deeper = againstDepth(atBestRate(rows), 2)
    .filter((c) => Number(c.a.depth) > 2);
  if (deeper.length === 0) {
    return cannotTell("no deeper net has a finished run");
  }
  const ours = deeper.map((c) =>
    `depth ${c.a.depth} less 2: ${differenceText(c)}`
  ).join("; ");
  const fewest = fewestOf(deeper);
  if (fewest < FEWEST) return cannotTell(tooFew(fewest), ours);
  const better = deeper.filter(isBetter);
  if (better.length > 0) {
    return {
      ours,
      verdict: "does not hold",
      why: `depth ${
        better.map((c) => c.a.depth).join(" and ")
      } is better (paired t test, Holm), each depth at its best rate`,
    };
  }
  return deeper.every((c) => c.high !== null && c.high < MARGIN)
    ? {
      ours,
      verdict: "holds",
      why: "every interval excludes a gain of one point, each depth at its " +
        "best rate",
    }
    : cannotTell(
      `no deeper net is shown to be better, but a gain of a point is not ` +
        `excluded; ${repeatsWords(deeper)}`,
      ours,
    );
}

/** The shallowest depth that no other beats. */
function decide(results: Results): string {
  const rule =
    "The rule: the shallowest depth that no deeper one beats, each " +
    "at its best rate (paired t tests, Holm, at least three seeds); with fewer " +
    "seeds none.";
  const runs = atBestRate(results.analysed());
  const depths = valuesOf(runs, "depth");
  if (depths.length < 2) return `None: fewer than two depths ran. ${rule}`;
  const isBeaten = (depth: number) =>
    againstDepth(runs, depth).some((c) =>
      Number(c.a.depth) > depth && isBetter(c)
    );
  const fewest = Math.min(
    ...depths.map((d) => runs.filter((r) => r.params.depth === d).length),
  );
  if (fewest < FEWEST) {
    return `None: ${fewest} ${
      fewest === 1 ? "run" : "runs"
    } a depth are too few. ${rule}`;
  }
  const chosen = depths.find((depth) => !isBeaten(depth))!;
  return `Depth ${chosen}. Not beaten is not the same as best: the intervals ` +
    `above say what a deeper net could still gain. ${rule}`;
}

export const report: Report = {
  notebook: "03-depth",
  title: "Depth",
  published: ["depth-test"],
  trainings: (profile) => [
    searchPlan(
      profile,
      depths[profile],
      profile === "paper" ? fifths : rates[profile],
    ),
  ],
  claims: [
    {
      claim: "Depth 2 may be enough",
      published:
        "best runs 62.39, 56.33, 53.16 and 52.97 % at depths 2, 4, 6 " +
        "and 8; the first is one run, without it depth 2 has 56.58 %",
      judge: judgeEnough,
    },
    {
      claim: "At depth 2 the rate is 4e-4",
      published: "62.39 % at 4e-4 in one run; its neighbours 45.27 % (6e-4) " +
        "and 56.58 % (2e-4), noise 3.0 points; 60.34 % with 20 epochs",
      judge: (results) => judgeRate(results, 2, [2e-4, 8e-4]),
    },
  ],
  decide,
};
