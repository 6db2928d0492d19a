/** Mixing: how strongly MixUp and CutMix should mix, the rate tuned for each. */
import { type Chart } from "../charts/mod.ts";
import { readPublished } from "../study/mod.ts";
import {
  differenceText,
  FEWEST,
  fewestOf,
  isBetter,
  isWorse,
  leaderOf,
  repeatsWords,
  tooFew,
} from "./comparisons.ts";
import {
  againstForest,
  againstTable,
  againstText,
  againstValue,
} from "./against.ts";
import { bestRate, rateText, valuesOf } from "./depth_lr.ts";
import { isolationOf } from "./isolation.ts";
import { pretrained, type Profile, trainingPlan } from "./profile.ts";
import { publishedFigure } from "./published.ts";
import { publishedNoise } from "./published_noise.ts";
import {
  cannotTell,
  type Judgement,
  type Report,
  type Results,
} from "./report.ts";
import { markdown, type Shown } from "./show.ts";
import { bandsChart } from "./training_charts.ts";

const ALPHA = "mixing.alpha";

const published = [0, 0.1, 0.2, 0.6, 1, 2];

const alphas: Record<Profile, number[]> = {
  smoke: [0, 1],
  quick: [0, 0.2, 0.6, 1],
  cpu: published,
  paper: published,
};

const rates: Record<Profile, number[]> = {
  smoke: [1e-3],
  quick: [5e-4, 1e-3],
  cpu: [3e-4, 1e-3],
  paper: [3.5e-6, 5.6e-6],
};

/** The 11 published runs, as the study drew them. */
export const publishedRuns = (): Promise<Chart> =>
  publishedFigure("mixup-alpha", [
    { name: "lr", label: "learning rate", scale: "log" },
    { name: "alpha", label: "alpha", scale: "category" },
  ]);

const axis = { xLabel: "alpha (0: no mixing)", scale: "category" } as const;

/** Published: each alpha at the better of its two rates. */
export async function publishedAlphas(): Promise<Chart> {
  const { records } = await readPublished("mixup-alpha");
  const byAlpha = Map.groupBy(records, (r) => Number(r.alpha));
  return isolationOf([], ALPHA, {
    ...axis,
    published: [...byAlpha].map(([value, own]) => ({
      value,
      accuracy: Math.max(...own.map((r) => Number(r.acc))) / 100,
    })),
    noise: publishedNoise.pretrained,
  });
}

/** Each of our alphas at its best rate. */
export const alphaIsolation = (results: Results): Chart =>
  isolationOf(results.analysed(), ALPHA, axis);

const ours = (results: Results) => [{
  group: "ours, mean over the rates",
  of: againstValue(results.analysed(), ALPHA, 0),
}];

/** Every alpha against no mixing, by seed over the rates; published beside. */
export async function alphaForest(results: Results): Promise<Chart> {
  const { records } = await readPublished("mixup-alpha");
  const without = new Map(
    records.filter((r) => r.alpha === 0).map((r) => [r.lr, Number(r.acc)]),
  );
  const theirs = records.filter((r) => r.alpha !== 0).map((r) => ({
    label: String(r.alpha),
    group: `published, lr ${rateText(Number(r.lr))}`,
    difference: (Number(r.acc) - without.get(r.lr)!) / 100,
  }));
  return againstForest(ours(results), theirs, {
    xLabel: "test accuracy with mixing less that without",
  });
}

/** The same in numbers. */
export const comparisons = (results: Results): Shown =>
  againstTable(ours(results));

/** Validation accuracy by epoch of each alpha at its best rate. */
export function alphaCurves(results: Results): Chart {
  const analysed = results.analysed(), rows = results.rows();
  const rateOf = new Map(
    valuesOf(analysed, ALPHA).map((alpha) => [
      alpha,
      bestRate(analysed.filter((r) => r.params[ALPHA] === alpha)),
    ]),
  );
  return bandsChart(
    rows.filter((r) => rateOf.get(Number(r.params[ALPHA])) === r.params.lr),
    (r) => `alpha ${r.params[ALPHA]}`,
    { all: rows },
  );
}

/** What the alpha that was never read would have changed: 0.2 against 1. */
export function neverRead(results: Results): Shown {
  const c = againstValue(
    results.analysed().filter((r) =>
      [0.2, 1].includes(Number(r.params[ALPHA]))
    ),
    ALPHA,
    1,
  )[0];
  return markdown(
    c
      ? `Ours, alpha 0.2 less 1: ${differenceText(c)}; ${c.verdict}.`
      : "Ours: alpha 0.2 or 1 has no finished run.",
  );
}

/** Holds if every alpha beats none, fails if mixing is worse at one. */
export function judgeMixing(results: Results): Judgement {
  const rows = results.analysed();
  const of = againstValue(rows, ALPHA, 0);
  if (of.length === 0) {
    return cannotTell("alpha 0, or every other, has no finished run");
  }
  const text = againstText(of);
  const fewest = fewestOf(of);
  if (fewest < FEWEST) return cannotTell(tooFew(fewest), text);
  if (of.every(isBetter)) {
    return {
      ours: text,
      verdict: "holds",
      why: "every alpha beats none (paired t tests, Holm)",
    };
  }
  const worse = of.filter(isWorse);
  return worse.length > 0
    ? {
      ours: text,
      verdict: "does not hold",
      why: `mixing is worse than none at alpha ${
        worse.map((c) => c.a[ALPHA]).join(", ")
      } (paired t tests, Holm); the published runs had 60 epochs from ` +
        "pretrained weights: the length of the run matters here",
    }
    : cannotTell(
      `not every alpha is told apart from 0; ${repeatsWords(of)}`,
      text,
    );
}

/** Accuracies that differ by less count as tied. */
const MARGIN = 0.01;

/** Holds if the interval of 0.6 less 1 lies within ± one point. */
export function judgeTie(results: Results): Judgement {
  const rows = results.analysed();
  const [c] = againstValue(
    rows.filter((r) => [0.6, 1].includes(Number(r.params[ALPHA]))),
    ALPHA,
    1,
  );
  if (!c) return cannotTell("alpha 0.6 or 1 has no finished run");
  const text = againstText([c]);
  if (c.n < FEWEST) return cannotTell(tooFew(c.n), text);
  const isWithin = Math.max(Math.abs(c.low!), Math.abs(c.high!)) < MARGIN;
  if (isWithin) {
    return {
      ours: text,
      verdict: "holds",
      why: "the interval lies within ± one point",
    };
  }
  return c.verdict === "differs" && Math.min(
        Math.abs(c.low!),
        Math.abs(c.high!),
      ) > MARGIN
    ? {
      ours: text,
      verdict: "does not hold",
      why: "the interval lies beyond one point",
    }
    : cannotTell(
      `the interval holds differences above one point; ${repeatsWords([c])}`,
      text,
    );
}

/** The best mean among the alphas that beat none; else no mixing. */
function decide(results: Results): string {
  const rule =
    "The rule: no mixing, unless an alpha beats it (t tests paired by " +
    "seed, the mean over the rates; Holm, at least three seeds); of several " +
    "that do, the one with the largest gain.";
  const of = againstValue(results.analysed(), ALPHA, 0);
  if (fewestOf(of) < FEWEST) {
    return `None: fewer than three seeds paired with alpha 0. ${rule}`;
  }
  const best = leaderOf(of);
  return best
    ? `Alpha ${best.a[ALPHA]}. ${rule}`
    : `No mixing at this length of run: no alpha beats it. ${rule}`;
}

export const report: Report = {
  notebook: "12-mixup-alpha",
  title: "MixUp and CutMix alpha",
  published: ["mixup-alpha"],
  trainings: (profile) => [
    trainingPlan(profile, {
      name: "mixup-alpha",
      parameters: {
        [ALPHA]: alphas[profile],
        lr: { values: rates[profile], role: "nuisance" },
      },
      recipe: {
        model: "cls",
        mixing: { kind: "mixup-or-cutmix", alpha: 1, pairing: "roll" },
      },
      paper: {
        epochs: 60,
        ...pretrained,
      },
    }),
  ],
  claims: [
    {
      claim: "Any mixing helps: without it (alpha 0) the accuracy is lower",
      published: "alpha 0.6 less 0: +4.70 points at LR 5.6e-6, +3.62 at " +
        "3.5e-6, in single runs with noise 0.48 (60 epochs, pretrained): far " +
        "more than noise",
      judge: judgeMixing,
    },
    {
      claim: "Alpha 0.6 and 1 are tied",
      published: "85.366 and 85.301 % at LR 5.6e-6, 84.191 and 84.192 % at " +
        "3.5e-6; single runs cannot exclude a difference of a point",
      judge: judgeTie,
    },
  ],
  decide,
};
