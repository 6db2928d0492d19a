/** What the notes say of the CLS block, judged by paired runs; the decision. */
import { differenceText, FEWEST, repeatsWords, tooFew } from "./comparisons.ts";
import {
  controlEffects,
  mainEffects,
  mendedLessBaseline,
  type TestedEffect,
} from "./cls_ablation.ts";
import { clsLessBaseline, type Comparison } from "./cls_comparison.ts";
import {
  cannotTell,
  type Claim,
  type Judgement,
  type Results,
} from "./report.ts";
import { points } from "./show.ts";

/** A difference that counts: one point of accuracy, as a share. */
export const MARGIN = 0.01;

const seedsText = ({ differences }: Comparison) =>
  `the seeds say ${differences.map((d) => points(d.difference)).join(", ")}`;

/** The reason why a comparison can have no verdict, with its number. */
function unfit(c: Comparison | null, what: string): Judgement | null {
  if (c === null) return cannotTell(`${what} have no pair of finished runs`);
  return c.n < FEWEST ? cannotTell(tooFew(c.n), differenceText(c)) : null;
}

/** Whether the first is better, by a test; `p` is after Holm. */
function judgeBetter(
  c: Comparison | null,
  p: number | null | undefined,
  what: string,
  how: string,
): Judgement {
  const not = unfit(c, what);
  if (not || c === null) return not!;
  const ours = differenceText(c);
  return p != null && p < 0.05
    ? {
      ours,
      verdict: c.difference! > 0 ? "holds" : "does not hold",
      why: `${how}; ${seedsText(c)}`,
    }
    : cannotTell(
      `not told apart (${how}); ${seedsText(c)}; ${repeatsWords([c])}`,
      ours,
    );
}

/** +0.763 points over five rates. */
export function judgeCls(results: Results): Judgement {
  const c = clsLessBaseline(results);
  return judgeBetter(
    c,
    c?.p,
    "both models",
    "t test paired by seed, the mean over the rates",
  );
}

/** Each seed is a sweep of its own: do they say the same? */
export function judgeSweeps(results: Results): Judgement {
  const c = clsLessBaseline(results);
  const not = unfit(c, "both models");
  if (not || c === null) return not!;
  const gains = c.differences.filter((d) => d.difference > 0).length;
  const why = `each seed is a sweep with Baseline runs of its own (the two ` +
    `published sweeps share theirs): ${seedsText(c)}`;
  const ours = `${gains} of ${c.n} sweeps have CLS ahead; ${differenceText(c)}`;
  if (c.verdict === "differs" && gains === c.n) {
    return { ours, verdict: "holds", why };
  }
  return c.verdict === "differs" && gains === 0
    ? { ours, verdict: "does not hold", why }
    : cannotTell(why, ours);
}

const find = (effects: TestedEffect[], label: string, group?: string) =>
  effects.find((e) =>
    e.label === label && (group === undefined || e.group === group)
  );

const HOLM =
  "paired by seed, the mean over all other settings; Holm over the " +
  "ablation";

/** Whether the first is better in all of these effects. */
function judgeAll(results: Results, labels: readonly string[]): Judgement {
  const effects = mainEffects(results);
  const judged = labels.map((label) => {
    const { c, p } = find(effects, label)!;
    return {
      label,
      ...judgeBetter(c, p, label.replace(" less ", " and "), HOLM),
    };
  });
  const ours = judged.map((j) => `${j.label}: ${j.ours}`).join("; ");
  const lost = judged.find((j) => j.verdict === "does not hold");
  if (lost) {
    return {
      ours,
      verdict: "does not hold",
      why: `${lost.label}: ${lost.why}`,
    };
  }
  const open = judged.find((j) => j.verdict === "cannot tell");
  return open
    ? cannotTell(`${open.label}: ${open.why}`, ours)
    : { ours, verdict: "holds", why: HOLM };
}

/** Both ways to keep the patches against dropping them. */
export const judgeKept = (results: Results): Judgement =>
  judgeAll(results, ["catAfterMlp less dropped", "catBeforeMlp less dropped"]);

/** catAfterMlp against both other ways. */
export const judgePatches = (results: Results): Judgement =>
  judgeAll(results, [
    "catAfterMlp less dropped",
    "catAfterMlp less catBeforeMlp",
  ]);

/** Whether the scale by mistake costs accuracy. */
export function judgeScale(results: Results): Judgement {
  const e = find(mainEffects(results), "right less inverse")!;
  return judgeBetter(e.c, e.p, "both scales", HOLM);
}

/** Whether alpha 1 is better than 0.2. */
export function judgeAlpha(results: Results): Judgement {
  const e = find(mainEffects(results), "1 less 0.2")!;
  return judgeBetter(e.c, e.p, "both alphas", HOLM);
}

/** "Not convincing" is no gain of a point by any decay. */
export function judgeDecay(results: Results): Judgement {
  const e = mainEffects(results).find((e) => e.group === "decay an epoch");
  const not = unfit(e?.c ?? null, "a decay and none");
  if (not || !e?.c) return not!;
  const { c, p } = e;
  const ours = `gamma ${c.a["schedule.gamma"]} less constant: ${
    differenceText(c)
  }`;
  if (p !== null && p < 0.05 && c.difference! > 0) {
    return { ours, verdict: "does not hold", why: `a decay gains; ${HOLM}` };
  }
  return c.high! < MARGIN
    ? {
      ours,
      verdict: "holds",
      why: `the interval excludes a gain of one point at this rate; ${
        seedsText(c)
      }`,
    }
    : cannotTell(
      `the interval holds both no gain and one of a point; ${
        repeatsWords([c])
      }`,
      ours,
    );
}

/** Equal within a point, by the whole 95 % interval. */
export function judgeMeanPool(results: Results): Judgement {
  const effects = controlEffects(results);
  const { c, p } = find(effects, "mean pool less CLS")!;
  const not = unfit(c, "mean pool and CLS");
  if (not || c === null) return not!;
  const right = find(effects, "mean pool less CLS, right scale")!.c;
  const ours = `mean pool less CLS as published: ${differenceText(c)}${
    right ? `; with the right scale: ${differenceText(right)}` : ""
  }`;
  if (c.low! > -MARGIN && c.high! < MARGIN) {
    return {
      ours,
      verdict: "holds",
      why: "the interval lies within one point of 0",
    };
  }
  return p !== null && p < 0.05
    ? {
      ours,
      verdict: "does not hold",
      why: `they differ, Holm over the controls; ${seedsText(c)}`,
    }
    : cannotTell(
      `the interval reaches beyond one point; ${repeatsWords([c])}`,
      ours,
    );
}

const notRun = (why: string) => (): Judgement => ({
  ours: "–",
  verdict: "not yet run",
  why,
});

export const claims: Claim[] = [
  {
    claim: "The CLS block seems better",
    published: "+0.763 points over 5 rates (t 2.83, p .0475; sign test .0625)",
    judge: judgeCls,
  },
  {
    claim: "A second sweep of the CLS model says the same",
    published: "+0.443 points over the same Baseline runs",
    judge: judgeSweeps,
  },
  {
    claim: "The advantage vanishes in long runs",
    published: "−0.065 (stage 3) and −0.230 points (stage 4) at 200 epochs",
    judge: notRun(
      "no study here has 200 epochs; the published differences are 2 and 7 " +
        "images of single runs, with schedule, mixing, input and rate changed too",
    ),
  },
  {
    claim: "On FERPlus the Baseline is ahead",
    published:
      "CLS less Baseline −0.26 points over 7 rates (60 epochs); −0.84 and " +
      "−0.82 (200 epochs, the Baseline alone with qk_norm)",
    judge: notRun("no study here has FERPlus' labels"),
  },
  {
    claim: "Keeping the patches is better than dropping them",
    published: "87.744 (catAfterMlp) and 87.549 % (catBeforeMlp) against " +
      "87.256: 9 to 15 images of single runs with noise 0.48",
    judge: judgeKept,
  },
  {
    claim: "Keeping the patches behind the MLP (catAfterMlp) is best",
    published: "87.744 against 87.256 (dropped) and 87.549 % (catBeforeMlp)",
    judge: judgePatches,
  },
  {
    claim: "The inverse scale of the logits is a mistake that costs accuracy",
    published: "no run with the right scale",
    judge: judgeScale,
  },
  {
    claim: "Alpha 1 mixes better than alpha 0.2",
    published: "85.301 against 83.964 % (LR 5.6e-6), 84.192 against 83.736",
    judge: judgeAlpha,
  },
  {
    claim: "Decay of the learning rate is not convincing: leave it off",
    published: "at LR 1e-4 77.18 % constant, 81.84 (.98), 83.15 (.955)",
    judge: judgeDecay,
  },
  {
    claim: "A CLS block without patches is about a mean pool with an MLP head",
    published: "no such control",
    judge: judgeMeanPool,
  },
];

/** The same rule for any CLS block that is cheaper than the Baseline. */
function chosen(c: Comparison | null, name: string): string {
  const not = unfit(c, `${name} and the Baseline`);
  if (not || c === null) return `none, ${not!.why}.`;
  const text = `(${name} less Baseline: ${differenceText(c)})`;
  if (c.low! > 0) return `${name}, as it is better ${text}.`;
  if (c.low! > -MARGIN) {
    return `${name}, as it is cheaper and a loss of more than one point is ` +
      `excluded ${text}.`;
  }
  return c.high! < 0
    ? `the Baseline, as it is better ${text}.`
    : `none: the two cannot be told apart ${text}; ${repeatsWords([c])}.`;
}

/** The published block against the Baseline, then the mended one. */
export function decide(results: Results): string {
  const rule = "The rule: the CLS block if the 95 % interval of CLS less " +
    "Baseline, paired by seed, lies above 0; else the CLS block " +
    "still, as the cheaper one (6.385 as published and 6.566 mended, against " +
    "7.594 G FLOPs), if the interval excludes a loss of more than one point; " +
    "else the Baseline if the interval lies below 0; else none. Three seeds " +
    "at least.";
  const published = chosen(clsLessBaseline(results), "CLS");
  const mended = chosen(mendedLessBaseline(results), "mended CLS");
  const on = results.data === "synthetic"
    ? " Synthetic faces show the rule at work and settle nothing."
    : "";
  return `The block as published: ${published} With the right scale and the ` +
    `patches kept (catAfterMlp): ${mended} ${rule}${on}`;
}
