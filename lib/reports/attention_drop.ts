/** Attention drop: whether dropping attention weights in training helps. */
import { type Chart } from "../charts/mod.ts";
import { analysis, readPublished } from "../study/mod.ts";
import {
  FEWEST,
  fewestOf,
  isBetter,
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
import { type Row } from "./depth_lr.ts";
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

const DROP = "attentionDrop";

const published = [0, 0.1, 0.2, 0.4, 0.6, 0.8];

const drops: Record<Profile, number[]> = {
  smoke: [0, 0.4],
  quick: [0, 0.4, 0.8],
  cpu: published,
  paper: published,
};

/** As published, and with a real softmax in every block. */
const both = ["dropped", "catAfterMlp"];

const rates: Record<Profile, number> = {
  smoke: 1e-3,
  quick: 1e-3,
  cpu: 1e-3,
  paper: 1e-5,
};

/** The six published runs, as the study drew them. */
export const publishedRuns = (): Promise<Chart> =>
  publishedFigure("attn-drop", [
    { name: "attn_drop", label: "attention drop", scale: "linear" },
  ]);

/** Published accuracies as shares, the drop rates rising. */
async function publishedPoints() {
  const { records } = await readPublished("attn-drop");
  return records.map((r) => ({
    value: Number(r.attn_drop),
    accuracy: Number(r.acc) / 100,
  }));
}

/** How far apart six single runs of one setting would lie, in the same noise. */
export async function publishedRange(): Promise<Shown> {
  const points = await publishedPoints();
  const all = points.map((p) => p.accuracy);
  const range = 100 * (Math.max(...all) - Math.min(...all));
  const { sd, df } = publishedNoise.pretrained;
  const expected = 200 * analysis.bestOfBias(points.length, sd);
  return markdown(
    `The ${points.length} published runs span ${range.toFixed(2)} points. ` +
      `As many repeats of _one_ setting, with the published noise of ` +
      `${(100 * sd).toFixed(3)} points (${df} df), would span ` +
      `${expected.toFixed(2)} points on average.`,
  );
}

const ofPatches = ({ analysed }: Results, patches: string): Row[] =>
  analysed().filter((r) => r.params.patches === patches);

/** The published runs in the noise of such runs. */
export const publishedDrops = async (): Promise<Chart> =>
  isolationOf([], DROP, {
    xLabel: "attention drop",
    published: await publishedPoints(),
    noise: publishedNoise.pretrained,
  });

/** Every drop rate's runs with their mean. */
export const dropChart = (results: Results, patches = both[0]): Chart =>
  isolationOf(ofPatches(results, patches), DROP, {
    xLabel: "attention drop",
    title: `Patches ${patches}`,
  });

const ours = (results: Results) =>
  both.map((patches) => ({
    group: `ours, patches ${patches}`,
    of: againstValue(ofPatches(results, patches), DROP, 0),
  }));

/** Every drop rate against none, paired by seed; published beside. */
export async function dropForest(results: Results): Promise<Chart> {
  const [without, ...others] = await publishedPoints();
  return againstForest(
    ours(results),
    others.map(({ value, accuracy }) => ({
      label: String(value),
      group: "published, single runs",
      difference: accuracy - without.accuracy,
    })),
    { xLabel: "test accuracy with attention drop less that without" },
  );
}

/** The same in numbers. */
export const comparisons = (results: Results): Shown =>
  againstTable(ours(results));

/** Validation accuracy by epoch of each drop rate. */
export function dropCurves(results: Results, patches = both[0]): Chart {
  const rows = results.rows().filter((r) => r.params.patches === patches);
  return bandsChart(rows, (r) => `drop ${r.params[DROP]}`, {
    title: `Patches ${patches}`,
  });
}

/** A gain that would be worth another parameter. */
const MARGIN = 0.01;

/** Holds if a rate beats none, fails if all exclude a gain of a point. */
export function judgeHelps(results: Results, patches: string): Judgement {
  const rows = ofPatches(results, patches);
  const of = againstValue(rows, DROP, 0);
  if (of.length === 0) {
    return cannotTell(
      `with patches ${patches} drop 0, or every other, has no finished run`,
    );
  }
  const text = againstText(of);
  const fewest = fewestOf(of);
  if (fewest < FEWEST) return cannotTell(tooFew(fewest), text);
  const better = of.filter(isBetter);
  if (better.length > 0) {
    return {
      ours: text,
      verdict: "holds",
      why: `drop ${
        better.map((c) => c.a[DROP]).join(", ")
      } beats none (paired t tests, Holm)`,
    };
  }
  return of.every((c) => c.high !== null && c.high < MARGIN)
    ? {
      ours: text,
      verdict: "does not hold",
      why: "no rate beats none, and every interval excludes a gain of a point",
    }
    : cannotTell(
      `no rate is told apart from none upwards; ${repeatsWords(of)}`,
      text,
    );
}

/** Holds if 0.4 beats every other rate, fails if one of them beats it. */
export function judgeBest(results: Results): Judgement {
  const rows = ofPatches(results, both[0]);
  const of = againstValue(rows, DROP, 0.4);
  if (of.length === 0) {
    return cannotTell("drop 0.4, or every other, has no finished run");
  }
  const text = againstText(of);
  const fewest = fewestOf(of);
  if (fewest < FEWEST) return cannotTell(tooFew(fewest), text);
  const told = of.filter((c) => c.verdict === "differs");
  const better = told.filter((c) => c.difference! > 0);
  if (better.length > 0) {
    return {
      ours: text,
      verdict: "does not hold",
      why: `drop ${
        better.map((c) => c.a[DROP]).join(", ")
      } beats 0.4 (paired t tests, Holm)`,
    };
  }
  return told.length === of.length
    ? {
      ours: text,
      verdict: "holds",
      why: "0.4 beats every other rate tried (paired t tests, Holm)",
    }
    : cannotTell(
      `0.4 is not told apart from every other rate; ${repeatsWords(of)}`,
      text,
    );
}

/** No drop unless a rate beats it, in each of the two models. */
function decide(results: Results): string {
  const rule =
    "The rule: no attention drop, unless a rate beats it (paired t " +
    "tests, Holm, at least three seeds); of several that do, the one with the " +
    "largest gain. Each of the two models has its own decision.";
  const decisions = ours(results).map(({ group, of }) => {
    if (fewestOf(of) < FEWEST) {
      return `${group}: none, as fewer than three paired seeds ran.`;
    }
    const best = leaderOf(of);
    return `${group}: ${
      best ? `drop ${best.a[DROP]}` : "no drop; no rate beats it"
    }.`;
  });
  return `${decisions.join(" ")} ${rule}`;
}

const SINGLE = "single runs with noise 0.48";

export const report: Report = {
  notebook: "13-attention-drop",
  title: "Attention drop",
  published: ["attn-drop"],
  trainings: (profile) => [
    trainingPlan(profile, {
      name: "attention-drop",
      parameters: {
        [DROP]: drops[profile],
        patches: profile === "smoke" ? both.slice(0, 1) : both,
      },
      recipe: { model: "cls", lr: rates[profile] },
      paper: {
        // The study's "stage 3": one unit left in the last stage.
        layers: [3, 4, 14, 1],
        epochs: 60,
        ...pretrained,
      },
    }),
  ],
  claims: [
    {
      claim: "Some attention drop helps (patches dropped, as published)",
      published: "0.4 less 0: +0.62 points, 0.1 less 0: −0.55, in " +
        `${SINGLE}; the same setting without drop has 85.92 % elsewhere, ` +
        "0.81 points lower",
      judge: (results) => judgeHelps(results, both[0]),
    },
    {
      claim: "The best attention drop is 0.4",
      published: `87.353 %, the highest of six ${SINGLE}, which span 1.17 ` +
        "points; six repeats of one setting would span about as much",
      judge: judgeBest,
    },
    {
      claim: "Some attention drop helps where the patches are kept " +
        "(catAfterMlp), so that every block has a softmax to drop from",
      published: "not tried",
      judge: (results) => judgeHelps(results, both[1]),
    },
  ],
  decide,
};
