/** What the notes say of the CLS block's cost, and how it is judged. */
import { readPublishedTables } from "../study/mod.ts";
import {
  BATCH,
  countsOf,
  type VariantName,
  variants,
} from "./efficiency_counts.ts";
import {
  cannotTell,
  type Claim,
  type Judgement,
  type MeasuredRow,
  type Results,
} from "./report.ts";
import {
  largestNet,
  type Ratio,
  ratioOf,
  ratioText,
  withParams,
} from "./speed_rows.ts";

/** A model's speed over the Baseline's, paired by repeat. */
export const againstBaseline = (
  rows: readonly MeasuredRow[],
  model: VariantName,
): Ratio | null =>
  ratioOf(withParams(rows, { model }), withParams(rows, { model: "Baseline" }));

/** The net that speaks for the claim on speed. */
const speaking = (results: Results, model: VariantName) => {
  const found = largestNet(
    results,
    (rows) => againstBaseline(rows, model) !== null,
  );
  return { ...found, ratio: againstBaseline(found.rows, model) };
};

function judgeSpeed(results: Results): Judgement {
  const { net, isFull, ratio } = speaking(results, "CLS");
  if (!ratio) {
    return cannotTell("no repeat has both the Baseline and CLS finished");
  }
  const ours = `${net} net: ×${ratioText(ratio)}`;
  if (!isFull) {
    return cannotTell(
      `the ${net} net is not the published one, where the blocks weigh less ` +
        "or more beside IR50",
      ours,
    );
  }
  if (ratio.n < 3) return cannotTell("fewer than 3 repeats", ours);
  const { low, high } = ratio as { low: number; high: number };
  const published = 1790 / 1381;
  const same = low <= published && published <= high ? "holds" : "has not";
  const why = `paired by repeat, 95 %; the interval ${same} the published ` +
    "×1.296, which is of another device and batch 256";
  if (low > 1) return { ours, verdict: "holds", why };
  return high < 1
    ? { ours, verdict: "does not hold", why }
    : cannotTell(`the interval holds ×1: ${why}`, ours);
}

function judgeOperations(): Judgement {
  const [base, cls] = [variants.Baseline, variants.CLS].map(countsOf);
  const text = ({ thopG }: { thopG: number }) => thopG.toFixed(6);
  return {
    ours: `${text(base)} → ${text(cls)} G (thop); MACs ${
      base.macsG.toFixed(3)
    } → ${cls.macsG.toFixed(3)} G`,
    verdict: cls.thopG < base.thopG ? "holds" : "does not hold",
    why: `exact: −${
      (100 * (1 - cls.thopG / base.thopG)).toFixed(1)
    } %; thop counts multiply-adds, so FLOPs are about twice these`,
  };
}

function judgeParameters(): Judgement {
  const [base, cls] = [variants.Baseline, variants.CLS].map(countsOf);
  const number = (n: number) => n.toLocaleString("en");
  return {
    ours: `${number(base.parameters)} and ${number(cls.parameters)}`,
    verdict: base.parameters === cls.parameters ? "holds" : "does not hold",
    why: `exact; thop's ${base.thopM.toFixed(3)} and ${
      cls.thopM.toFixed(3)
    } M leave out cls token, positions and, in the Baseline, the last LayerNorm`,
  };
}

function judgeMemory(): Judgement {
  const [base, cls] = [variants.Baseline, variants.CLS].map(countsOf);
  const mib = (value: number) => Math.round(value).toLocaleString("en");
  const share = (100 * (1 - cls.trainingMiB / base.trainingMiB)).toFixed(1);
  return cannotTell(
    "an estimate, not measured on a GPU; it says the same: the saved outputs " +
      "of the blocks are fewer. A forward pass in evaluation keeps nothing " +
      `and needs ${mib(base.forwardMiB)} MiB with either, so the published ` +
      "numbers are of a pass that keeps its outputs for a backward pass",
    `training step at ${BATCH}: about ${mib(base.trainingMiB)} → ${
      mib(cls.trainingMiB)
    } MiB, −${share} %`,
  );
}

/** Published throughput of stage 3: Baseline, CLSFER, Repeat. */
async function judgeRepeat(results: Results): Promise<Judgement> {
  const { tables } = await readPublishedTables("efficiency");
  const [base, cls, repeat] = tables[1].records
    .map((r) => Number(r.throughput));
  const lost = (cls - repeat) / (cls - base);
  const kept = "CLS, patches kept, MLP on all";
  const { net, ratio } = speaking(results, kept);
  const { ratio: dropped } = speaking(results, "CLS");
  return {
    ours: `published throughputs: ${(100 * lost).toFixed(0)} %${
      ratio && dropped
        ? `; ${net} net: CLS ×${dropped.ratio.toFixed(3)}, keeping its ` +
          `patches ×${ratio.ratio.toFixed(3)} of the Baseline`
        : ""
    }`,
    verdict: "does not hold",
    why: "arithmetic on the published row: (1882 − 1496) / (1882 − 1410) is " +
      "more than two thirds, and repeats within 1 % leave about 76 to 88 %; the " +
      "operations say 83 %",
  };
}

/** By cost alone. */
export function decide(results: Results): string {
  const rule = "Rule: by cost alone CLS is preferred if its throughput is " +
    "above the Baseline's on the largest net on record, for the whole 95 % " +
    "interval of at least 3 paired repeats";
  const { net, ratio } = speaking(results, "CLS");
  const words = !ratio
    ? "no pair is on record, so undecided"
    : ratio.n >= 3 && ratio.low! > 1
    ? `CLS is preferred (${net} net, ×${ratioText(ratio)})`
    : ratio.n >= 3 && ratio.high! < 1
    ? `the Baseline is preferred (${net} net, ×${ratioText(ratio)})`
    : `undecided (${net} net, ×${ratioText(ratio)})`;
  return `${rule}: ${words}. Operations are named with their convention. ` +
    "Whether the accuracy is as good is the question of 08.";
}

export const claims: Claim[] = [
  {
    claim: "the CLS block is faster",
    published: "1381 → 1790 images/s: ×1.296",
    aboutFaces: false,
    judge: judgeSpeed,
  },
  {
    claim: "the CLS block needs fewer FLOPs",
    published: "7.594 → 6.385 G",
    aboutFaces: false,
    judge: judgeOperations,
  },
  {
    claim: "it has the same parameters",
    published: "55.954 and 55.955 M",
    aboutFaces: false,
    judge: judgeParameters,
  },
  {
    claim: "it needs less memory",
    published: "21,580 → 18,479 MiB: −14.4 %",
    aboutFaces: false,
    judge: judgeMemory,
  },
  {
    claim: "keeping the patches (Repeat) loses two thirds of the speed gained",
    published: "1882, 1496 and 1410 images/s (CLSFER, Repeat, Baseline)",
    aboutFaces: false,
    judge: judgeRepeat,
  },
];
