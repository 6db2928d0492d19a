/** What the long runs claim, judged by paired repeats. */
import { percent } from "../charts/mod.ts";
import { meanInterval, wilsonInterval } from "../statistics/mod.ts";
import { analysis, readPublished } from "../study/mod.ts";
import { highest } from "../train/mod.ts";
import {
  differenceText,
  FEWEST,
  fewestOf,
  repeatsWords,
  tooFew,
} from "./comparisons.ts";
import { againstText, againstValue } from "./against.ts";
import { againstDepth, atBestRate } from "./depth_effects.ts";
import {
  atDepth,
  bestRate,
  isDone,
  rateText,
  type Row,
  valuesOf,
} from "./depth_lr.ts";
import { cannotTell, type Judgement, type Results } from "./report.ts";
import { points } from "./show.ts";

/** eps at the deepest net, over learning rates. */
export const EPS_STUDY = "long-runs-eps";

/** The deepest against the shallowest depth; undefined without a pair. */
function deepest(rows: readonly Row[]) {
  const depths = valuesOf(rows, "depth");
  return againstDepth(rows, depths[0]).find((c) => c.a.depth === depths.at(-1));
}

const text = (c: analysis.Comparison) =>
  `depth ${c.a.depth} less ${c.b.depth}: ${differenceText(c)}`;

/** Whether the deepest net beats the shallowest, each at its best rate. */
export function judgeDeeper(results: Results): Judgement {
  const rows = results.analysed();
  const c = deepest(atBestRate(rows));
  if (!c) return cannotTell("fewer than two depths have a finished run");
  const ours = text(c);
  if (c.n < FEWEST) return cannotTell(tooFew(c.n), ours);
  return c.verdict === "differs"
    ? {
      ours,
      verdict: c.difference! > 0 ? "holds" : "does not hold",
      why: "paired t test, Holm over the depths, each at its best rate",
    }
    : cannotTell(
      `the depths are not told apart; ${repeatsWords([c])}`,
      ours,
    );
}

/**
 * Whether depth gains by length: the same long runs, at their end and where a
 * third of their epochs is over, as the rate is constant. The difference of
 * both is compared between the deepest and the shallowest net.
 */
export function judgeDepthNeedsLength(results: Results): Judgement {
  const analysed = results.analysed(), rows = results.rows();
  const gains = atBestRate(analysed).flatMap((run): Row[] => {
    const { depth } = run.params;
    const lr = bestRate(atDepth(analysed, Number(depth)));
    const row = rows.find(({ params, repeat, accuracy }) =>
      params.depth === depth && params.lr === lr && repeat === run.repeat &&
      accuracy !== null
    );
    const third = Math.floor((row?.epochs.length ?? 0) / 3);
    if (third < 1) return [];
    const early = highest(
      row!.epochs.slice(0, third),
      (epoch) => epoch.validationAccuracy,
    );
    return early ? [{ ...run, value: run.value! - early.testAccuracy }] : [];
  });
  const c = deepest(gains);
  if (!c) return cannotTell("fewer than two depths have a long enough run");
  const ours = `gain from a third of the epochs to all, ${text(c)}`;
  if (c.n < FEWEST) return cannotTell(tooFew(c.n), ours);
  return c.verdict === "differs"
    ? {
      ours,
      verdict: c.difference! > 0 ? "holds" : "does not hold",
      why:
        "paired t test, Holm over the depths; pretraining is the same in both",
    }
    : cannotTell("the gains of the depths are not told apart", ours);
}

/** Whether the worst rate is shown to be worse than the best at each depth. */
export function judgeSensitivity(results: Results): Judgement {
  const rows = results.analysed();
  const spans = valuesOf(rows, "depth").flatMap((depth) => {
    const own = atDepth(rows, depth);
    if (valuesOf(own, "lr").length < 2) return [];
    const { comparisons } = analysis.compareAll(own, {
      direction: "maximize",
      by: ["lr"],
    });
    const worst = comparisons.findLast((c) => c.difference !== null)!;
    return [{ depth, worst }];
  });
  if (spans.length === 0) return cannotTell("no depth has runs at two rates");
  const ours = spans.map(({ depth, worst }) =>
    `depth ${depth}, ${rateText(Number(worst.a.lr))} less ${
      rateText(Number(worst.b.lr))
    }: ${differenceText(worst)}`
  ).join("; ");
  const fewest = fewestOf(spans.map((s) => s.worst));
  if (fewest < FEWEST) return cannotTell(tooFew(fewest), ours);
  const told = spans.filter((s) => s.worst.verdict === "differs").length;
  if (told < spans.length) {
    return cannotTell(
      `the worst rate is told apart from the best at ${told} of ${spans.length} depths`,
      ours,
    );
  }
  const depth = deepest(atBestRate(rows));
  const isMore = depth !== undefined &&
    spans.every((s) =>
      Math.abs(s.worst.difference!) > Math.abs(depth.difference!)
    );
  return isMore
    ? {
      ours,
      verdict: "holds",
      why:
        `the worst rate costs more than depth moves (${text(depth)}); both ` +
        `ends were picked by the same runs, which flatters the span`,
    }
    : cannotTell("the rate matters, but no more than depth does", ours);
}

/** "Often" is at least one run in five. */
const OFTEN = 0.2;

/** How many runs at the highest rate diverged. */
export function judgeNaN(results: Results): Judgement {
  const rows = results.analysed();
  if (rows.length === 0) return cannotTell("no run has ended");
  const highest = Math.max(...rows.map((r) => Number(r.params.lr)));
  const { count, ended, share } = analysis.infeasible(
    rows.filter((r) => r.params.lr === highest),
    "maximize",
  );
  if (share === null) return cannotTell("no run at the highest rate has ended");
  const all = analysis.infeasible(rows, "maximize");
  const { low, high } = wilsonInterval(count, ended);
  const ours = `${count} of ${ended} runs at ${rateText(highest)} (95 % ` +
    `interval ${percent(low)} to ${percent(high)}), ${all.count} of ` +
    `${all.ended} at all rates`;
  const why = `"often" is taken as one run in five`;
  if (ended < 3) return cannotTell(`${ended} runs are too few`, ours);
  if (low >= OFTEN) return { ours, verdict: "holds", why };
  return high < OFTEN
    ? { ours, verdict: "does not hold", why: `${why}, at our highest rate` }
    : cannotTell(`${why}; ${ended} runs leave both open`, ours);
}

interface EpsPair {
  block: string;
  /** eps 1e-8. */
  a: number;
  /** eps 1e-7. */
  b: number;
  whose: "published" | "ours";
}

/** Runs of eps 1e-8 and 1e-7 that share the rest; accuracies are shares. */
export const epsPairs = {
  async published(): Promise<EpsPair[]> {
    const { records } = await readPublished("eps-depth8");
    const of = (eps: number) => records.filter((r) => r.eps === eps);
    return of(1e-8).flatMap((a) => {
      const b = of(1e-7).find((r) => r.lr === a.lr);
      return b
        ? [{
          block: `lr ${rateText(Number(a.lr))}`,
          a: Number(a.acc) / 100,
          b: Number(b.acc) / 100,
          whose: "published" as const,
        }]
        : [];
    });
  },
  ours(rows: readonly Row[]): EpsPair[] {
    const done = rows.filter(isDone);
    const of = (eps: number) => done.filter((r) => r.params.eps === eps);
    return of(1e-8).flatMap((a) => {
      const b = of(1e-7).find((r) =>
        r.params.lr === a.params.lr && r.repeat === a.repeat
      );
      return b
        ? [{
          block: `lr ${rateText(Number(a.params.lr))}, repeat ${a.repeat + 1}`,
          a: a.value!,
          b: b.value!,
          whose: "ours" as const,
        }]
        : [];
    });
  },
};

/** Mean of b less a with its t interval; undefined for under two pairs. */
export function pairedMean(pairs: readonly { a: number; b: number }[]) {
  if (pairs.length < 2) return undefined;
  const { mean, low, high } = meanInterval(pairs.map((p) => p.b - p.a));
  return { estimate: mean, low: low!, high: high! };
}

/** eps 1e-7 less 1e-8, each seed's mean over the rates. */
export const epsDifference = (rows: readonly Row[]) =>
  againstValue(rows, "eps", 1e-8).find((c) => c.a.eps === 1e-7);

/** A relation with eps that is not strong stays within a point. */
const STRONG = 0.01;

/** Whether eps 1e-7 and 1e-8 stay within a point of each other. */
export function judgeEps(results: Results): Judgement {
  const c = epsDifference(results.analysed(EPS_STUDY));
  if (!c) return cannotTell("eps 1e-8 or 1e-7 has no finished run");
  const ours = againstText([c]);
  if (c.n < FEWEST) return cannotTell(tooFew(c.n), ours);
  const low = c.low!, high = c.high!;
  const why = "a strong relation is taken as more than a point";
  if (low > -STRONG && high < STRONG) return { ours, verdict: "holds", why };
  return low > STRONG || high < -STRONG
    ? { ours, verdict: "does not hold", why }
    : cannotTell(`${why}; ${repeatsWords([c])}`, ours);
}

/** No CLS model is trained here; what the published numbers say themselves. */
export async function judgeClsDepth(): Promise<Judgement> {
  const { records } = await readPublished("nonmulti-depth");
  const of = (depth: number) => records.filter((r) => r.depth === depth);
  const { estimate, low, high } = pairedMean(
    of(2).flatMap((a) => {
      const b = of(8).find((r) => r.lr === a.lr);
      return b ? [{ a: Number(a.acc) / 100, b: Number(b.acc) / 100 }] : [];
    }),
  )!;
  return {
    ours: "–",
    verdict: "not yet run",
    why: `this notebook trains no CLS model; of the published runs depth 8 ` +
      `less 2 is ${points(estimate)} points (${points(low)} to ${
        points(high)
      }) over five rates. Behind its first block the published model sees one ` +
      `token, so depth adds MLPs, not attention`,
  };
}

/** Depth by the paired test, the rate by its mean, eps as the notes fix it. */
export function decide(results: Results): string {
  const rule =
    "The rule: the deepest net only if it beats the shallowest, each " +
    "at its best rate (paired t test, Holm, at least three seeds), else the " +
    "shallowest; the rate is tuned for the chosen depth; eps stays 1e-8, the " +
    "default, unless 1e-7 is shown to be more than a point better.";
  const rows = results.analysed();
  const depths = valuesOf(rows, "depth");
  if (depths.length < 2) return `None: fewer than two depths ran. ${rule}`;
  const { verdict } = judgeDeeper(results);
  const depth = verdict === "holds" ? depths.at(-1)! : depths[0];
  const isEps7 = judgeEps(results).verdict === "does not hold" &&
    epsDifference(results.analysed(EPS_STUDY))!.difference! > 0;
  return `Depth ${depth} at LR ${
    rateText(bestRate(atDepth(rows, depth))!)
  }, eps ${isEps7 ? "1e-7" : "1e-8"}.${
    verdict === "cannot tell" ? " The runs do not tell the depths apart." : ""
  } ${rule}`;
}
