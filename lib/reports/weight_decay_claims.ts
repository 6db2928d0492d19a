/** How the notes' claims on both decays are judged. */
import type { analysis } from "../study/mod.ts";
import {
  differenceText,
  FEWEST,
  fewestOf,
  isBetter,
  isWorse,
  repeatsWords,
  tooFew,
} from "./comparisons.ts";
import { rateText } from "./depth_lr.ts";
import { cannotTell, type Judgement, type Results } from "./report.ts";
import {
  againstBestConstant,
  againstNone,
  atRate,
  bestConstant,
  DECAY,
  decayedRates,
  GAMMA,
  LR_DECAY,
  optimizers,
} from "./weight_decay_effects.ts";

type Comparison = analysis.Comparison;

/** A gain that would be worth another parameter. */
const MARGIN = 0.01;

/** "gamma 0.98 from 1e-4". */
export const lrDecayName = ({ a }: Comparison) =>
  `gamma ${a[GAMMA]}${
    a.lr === undefined ? "" : ` from ${rateText(Number(a.lr))}`
  }`;

/** "decoupled 0.05". */
export const decayName = ({ a }: Comparison) =>
  `${optimizers[a.optimizer as keyof typeof optimizers]} ${a[DECAY]}`;

const listed = (
  of: readonly Comparison[],
  nameOf: (c: Comparison) => string,
) => of.map(nameOf).join(", ");

const textOf = (
  of: readonly Comparison[],
  nameOf: (c: Comparison) => string,
  base: string,
) =>
  of.map((c) => `${nameOf(c)} less ${base}: ${differenceText(c)}`).join("; ");

/** "Leave it off": holds if nothing gains a point, fails if one is better. */
function leaveOff(
  of: readonly Comparison[],
  { nameOf, base, beaten }: {
    nameOf: (c: Comparison) => string;
    base: string;
    /** What a failing claim has to say besides. */
    beaten: string;
  },
): Judgement {
  const ours = textOf(of, nameOf, base);
  const better = of.filter(isBetter);
  if (better.length > 0) {
    return {
      ours,
      verdict: "does not hold",
      why: `${
        listed(better, nameOf)
      } beats ${base} (paired t tests, Holm)${beaten}`,
    };
  }
  return of.every((c) => c.high !== null && c.high < MARGIN)
    ? {
      ours,
      verdict: "holds",
      why: `nothing tried beats ${base}, and every interval excludes a gain ` +
        "of a point",
    }
    : cannotTell(
      `nothing tried is shown to beat ${base}, but a gain of a point is not ` +
        `excluded; ${repeatsWords(of)}`,
      ours,
    );
}

/** Holds if no decaying run gains on the best constant rate. */
export function judgeNotIdeal(results: Results): Judgement {
  const rows = results.analysed(LR_DECAY);
  const lr = bestConstant(rows);
  if (lr === undefined) {
    return cannotTell("no constant rate has a finished run");
  }
  const of = againstBestConstant(results);
  const base = `constant ${rateText(lr)}`;
  if (of.length === 0) {
    return cannotTell(`no decaying run has a partner at ${base}`);
  }
  const fewest = fewestOf(of);
  if (fewest < FEWEST) {
    return cannotTell(tooFew(fewest), textOf(of, lrDecayName, base));
  }
  return leaveOff(of, {
    nameOf: lrDecayName,
    base,
    beaten: ", the best constant rate; the study held decay from one rate " +
      "against lower constant ones",
  });
}

/** Holds if every gamma loses at the highest rate, fails if one gains. */
export function judgeSameRate(results: Results): Judgement {
  const lr = decayedRates(results).at(-1);
  if (lr === undefined) return cannotTell("no run of LR decay is finished");
  const of = atRate(results, lr);
  const base = `constant ${rateText(lr)}`;
  if (of.length === 0) {
    return cannotTell(
      `at rate ${rateText(lr)} gamma 1, or every other, has ` +
        "no finished run",
    );
  }
  const ours = textOf(of, lrDecayName, base);
  const fewest = fewestOf(of);
  if (fewest < FEWEST) return cannotTell(tooFew(fewest), ours);
  const better = of.filter(isBetter);
  if (better.length > 0) {
    return {
      ours,
      verdict: "does not hold",
      why:
        `from the highest rate tried ${
          listed(better, lrDecayName)
        } beats the constant rate (paired t tests, Holm), as in the figure: ` +
        "decay mends a rate that is too high",
    };
  }
  return of.every(isWorse)
    ? {
      ours,
      verdict: "holds",
      why: "every gamma loses at the highest rate tried (paired t tests, Holm)",
    }
    : cannotTell(
      `not every gamma is told apart from ${base}; ${repeatsWords(of)}`,
      ours,
    );
}

/** Holds if no decay, coupled or decoupled, gains on none. */
export function judgeWeightDecay(results: Results): Judgement {
  const of = againstNone(results);
  if (of.length === 0) {
    return cannotTell("decay 0, or every other, has no finished run");
  }
  const fewest = fewestOf(of);
  if (fewest < FEWEST) {
    return cannotTell(tooFew(fewest), textOf(of, decayName, "none"));
  }
  return leaveOff(of, {
    nameOf: decayName,
    base: "none",
    beaten: "",
  });
}

/** The study's code settles it; ours shows what the decay it had does. */
export function judgeNoneUsed(results: Results): Judgement {
  const used = againstNone(results).filter(({ a }) =>
    a[DECAY] === 0.05 && a.optimizer === "adam"
  );
  return {
    ours: used.length === 0 ? "–" : textOf(used, decayName, "none"),
    verdict: "does not hold",
    why: "by the study's code, not by our runs: the configuration's default " +
      "of 0.05 goes to Adam as coupled decay, on all parameters of more than " +
      "one dimension, in every run",
  };
}
