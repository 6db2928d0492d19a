/** Repeats: how much two runs of one setting differ, and what follows. */
import { type Chart, percent, repeatsChart } from "../charts/mod.ts";
import { analysis } from "../study/mod.ts";
import { rateText } from "./depth_lr.ts";
import { pretrained, type Profile, trainingPlan } from "./profile.ts";
import { publishedFigure } from "./published.ts";
import { judgeRepeats, judgeSingleRuns } from "./repeats_claims.ts";
import { publishedGroups } from "./published_noise.ts";
import { neededFor, noises } from "./repeats_noise.ts";
import type { Report, Results } from "./report.ts";
import { points, type Shown, table } from "./show.ts";
import { noiseOf } from "./training_charts.ts";

const rates: Record<Profile, number[]> = {
  smoke: [1e-3],
  quick: [3e-4, 1e-3],
  cpu: [3e-4, 1e-3],
  // The repeated point and its neighbour of the comparison with CLS.
  paper: [5.6e-6, 1e-5],
};

const repeats: Record<Profile, number> = {
  smoke: 2,
  quick: 6,
  cpu: 6,
  paper: 6,
};

/** The published point and its one repeat, as the study would draw them. */
export const publishedRuns = (): Promise<Chart> =>
  publishedFigure("baseline-repeat", [
    { name: "model", label: "run", scale: "category" },
    { name: "lr_as_printed", label: "learning rate", scale: "category" },
  ]);

/** All published runs that share their settings: one row a setting. */
export const publishedRepeats = (): Chart =>
  repeatsChart(
    publishedGroups.flatMap(({ config, stage, values }) =>
      values.map((value, repeat) => ({
        label: `${config} (${stage})`,
        value,
        repeat,
        whose: "published" as const,
      }))
    ),
    { title: "Published nominal repeats", xLabel: "test accuracy", width: 860 },
  );

/** Our repeats, a row a setting. */
export const ourRepeats = (results: Results): Chart =>
  repeatsChart(
    results.rows().map((r) => ({
      label: `LR ${rateText(Number(r.params.lr))}`,
      value: r.accuracy,
      repeat: r.repeat,
    })),
    { xLabel: "test accuracy", noise: noiseOf(results.rows()) },
  );

const size = (share: number) => (100 * share).toFixed(2);

/** The spread of each of our settings, of all together, and the published. */
export function noiseTable(results: Results): Shown {
  const rows = results.analysed();
  const own = analysis.settings(rows).map(({ params, runs }) => ({
    of: `ours, LR ${rateText(Number(params.lr))}`,
    noise: analysis.noiseFloor(runs),
  }));
  return table(
    [...own, ...noises(rows)].map(({ of, noise }) => ({
      "repeats of": of,
      "sd (points)": noise ? size(noise.sd) : "–",
      "95 % interval": noise
        ? `${size(noise.low)} to ${size(noise.high)}`
        : "–",
      "degrees of freedom": noise?.df ?? 0,
      "sd of a difference of two runs": noise
        ? size(Math.SQRT2 * noise.sd)
        : "–",
    })),
  );
}

/** Paired repeats that see a difference with 80 % power, by the noise. */
export const repeatsTable = (results: Results): Shown =>
  table(
    noises(results.analysed()).map(({ of, noise }) => ({
      "noise of": of,
      ...Object.fromEntries(
        [0.005, 0.01, 0.02].map((difference) => [
          `${100 * difference} point${difference === 0.01 ? "" : "s"}`,
          noise?.sd ? neededFor(difference, noise.sd) : "–",
        ]),
      ),
      ...Object.fromEntries([3, 5, 10].map((present) => [
        `seen with ${present} repeats`,
        noise?.sd
          ? `${
            size(
              analysis.repeatsPlan({
                difference: 0.01,
                sd: Math.SQRT2 * noise.sd,
                present,
              }).detectable!,
            )
          } points`
          : "–",
      ])),
    })),
  );

/** How far the best of k equal single runs stands above their mean. */
export const flatteryTable = (results: Results): Shown =>
  table(
    noises(results.analysed()).map(({ of, noise }) => ({
      "noise of": of,
      ...Object.fromEntries(
        [2, 5, 12, 46].map((k) => [
          `best of ${k}`,
          noise ? points(analysis.bestOfBias(k, noise.sd)) : "–",
        ]),
      ),
    })),
  );

/** 97.5 % quantile of the normal distribution. */
const Z = 1.959964;

/** Half-width of a share's 95 % interval from its test images alone. */
const halfWidth = (share: number, n: number) =>
  Z * Math.sqrt(share * (1 - share) / n);

/**
 * What a finite test split adds: another 3,068 faces would give another
 * number (normal approximation).
 */
export function imagesTable(results: Results): Shown {
  const done = results.rows().filter((r) => r.accuracy !== null);
  const mean = done.reduce((sum, r) => sum + r.accuracy!, 0) / done.length;
  const n = done.find((r) => r.total !== undefined)?.total;
  const row = (of: string, share: number, n: number) => ({
    of,
    accuracy: percent(share),
    "test images": n,
    "one image (points)": (100 / n).toFixed(3),
    "95 % half-width (points)": `±${size(halfWidth(share, n))}`,
  });
  return table([
    row("published, RAF-DB", 0.85, 3068),
    ...n ? [row("ours", mean, n)] : [],
  ]);
}

/** The repeats that a difference of one point takes, by our own noise. */
function decide(results: Results): string {
  const rule = "The rule: as many paired repeats as see a difference of one " +
    "point with 80 % power at the noise found here; the upper end of its " +
    "interval says how many it could be.";
  const noise = analysis.noiseFloor(results.analysed());
  if (!noise || noise.sd === 0) {
    return `None: no setting has two finished runs that differ. ${rule}`;
  }
  return `${neededFor(0.01, noise.sd)} paired repeats a setting (up to ${
    neededFor(0.01, noise.high)
  } by the interval, ${noise.df} df), never a single run. ${rule}`;
}

export { determinismTable } from "./repeats_determinism.ts";

export const report: Report = {
  notebook: "10-repeats",
  title: "Repeats of chosen Baseline points",
  published: ["baseline-repeat", "cross-checks"],
  trainings: (profile) => [
    trainingPlan(profile, {
      name: "repeats",
      parameters: { lr: rates[profile] },
      repeats: repeats[profile],
      paper: {
        epochs: 60,
        ...pretrained,
      },
    }),
  ],
  claims: [
    {
      claim: "The point repeats: two runs of a setting agree within half a " +
        "point",
      published: "84.55 against 84.713 % at LR 5.6e-6: 0.163 points, 5 of " +
        "3,068 images, of one pair; pairs with the published noise of 0.48 " +
        "lie that near in 1 of 5 cases",
      judge: judgeRepeats,
    },
    {
      claim: "One run a point can rank settings that are a point apart",
      published: "one run a point throughout; noise 0.48 points (60 epochs, " +
        "pretrained) and 3.0 (10 epochs, from scratch)",
      judge: judgeSingleRuns,
    },
  ],
  decide,
};
