/** What the learning-rate search claims, judged by paired repeats. */
import { percent } from "../charts/mod.ts";
import type { TrainingRow } from "../study/mod.ts";
import { FEWEST, fewestOf, repeatsWords } from "./comparisons.ts";
import { againstDepth, peaks } from "./depth_effects.ts";
import {
  atDepth,
  isDone,
  type NearBest,
  nearBest,
  rateText,
  type Row,
  valuesOf,
} from "./depth_lr.ts";
import { cannotTell, type Judgement, type Results } from "./report.ts";

/** "best at 1e-3 (36.0 %); not told apart: 3.16e-3" */
function nearText({ lr, mean, near }: NearBest) {
  const others = near.filter((rate) => rate !== lr);
  return `best at ${rateText(lr)} (${percent(mean)}); not told apart from it: ${
    others.map(rateText).join(", ") || "none"
  }`;
}

/**
 * Whether the best rate of a depth lies in [low, high]: holds if it does with
 * all rates that are not told apart from it, does not if none of them does.
 * Other nets have other rates, so only the published protocol can settle it.
 */
export function judgeRate(
  results: Results,
  depth: number,
  [low, high]: [number, number],
): Judgement {
  const rows = atDepth(results.analysed(), depth);
  const found = nearBest(rows);
  if (!found) return cannotTell(`depth ${depth} has no finished run`);
  const ours = nearText(found);
  const inside = found.near.filter((lr) => lr >= low && lr <= high).length;
  const where = inside === found.near.length
    ? "inside"
    : inside === 0
    ? "outside"
    : "partly outside";
  const range = `${rateText(low)} to ${rateText(high)}`;
  const why = `the best rate and those not told apart from it lie ${where} ` +
    `${range} (paired t tests, Holm; tried ${
      found.tried.map(rateText).join(" to ")
    })`;
  if (results.profile !== "paper") {
    return cannotTell(
      `a rate belongs to its net, batch and epochs, and ours are not the ` +
        `study's; on ours ${why}`,
      ours,
    );
  }
  if (found.n < FEWEST) {
    return cannotTell(`${found.n} repeats are too few`, ours);
  }
  return where === "partly outside"
    ? cannotTell(`${why}; ${repeatsWords(found.others)}`, ours)
    : { ours, verdict: where === "inside" ? "holds" : "does not hold", why };
}

/** The widest gap between neighbouring rates, in decades. */
function stepOf(rows: readonly Row[]): number {
  const logs = valuesOf(rows, "lr").map(Math.log10);
  return Math.max(0, ...logs.slice(1).map((v, i) => v - logs[i]));
}

/**
 * Whether the best rate moves with depth: the shift of each repeat's best rate
 * against the shallowest depth, in decades, paired by seed.
 */
export function judgeShift(results: Results): Judgement {
  const rows = results.analysed();
  const [base, ...deeper] = valuesOf(rows, "depth");
  if (deeper.length === 0) {
    return cannotTell("fewer than two depths have a finished run");
  }
  const shifts = againstDepth(peaks(rows), base, "plain");
  const ours = shifts.map(({ a, difference, low, high, n }) =>
    `depth ${a.depth} against ${base}: ${
      difference === null ? "no pair" : `${difference.toFixed(2)} decades`
    }${
      low === null || high === null
        ? ""
        : ` (${low.toFixed(2)} to ${high.toFixed(2)})`
    }, n ${n}`
  ).join("; ");
  if (shifts.length < deeper.length || fewestOf(shifts) < FEWEST) {
    return cannotTell("under three repeats have every rate", ours || "–");
  }
  if (shifts.some((s) => s.verdict === "differs")) {
    return {
      ours,
      verdict: "does not hold",
      why: "the best rate of a repeat moves with depth (paired t test, Holm)",
    };
  }
  const step = stepOf(rows);
  const isSmall = shifts.every(({ low, high }) =>
    low !== null && high !== null && Math.max(-low, high) < step
  );
  return isSmall
    ? {
      ours,
      verdict: "holds",
      why: `every interval is narrower than one step of the grid (${
        step.toFixed(2)
      } decades)`,
    }
    : cannotTell(
      `no shift is shown, but the intervals reach over a step of the grid (${
        step.toFixed(2)
      } decades)`,
      ours,
    );
}

/** From this share of one predicted class on, a net has collapsed. */
const COLLAPSED = 0.99;

/** The class that a trial predicts for nearly every image, if it does. */
function onlyClass({ confusion }: TrainingRow): number | undefined {
  if (!confusion?.length) return undefined;
  const predicted = confusion[0].map((_, c) =>
    confusion.reduce((sum, row) => sum + row[c], 0)
  );
  const total = predicted.reduce((a, b) => a + b, 0);
  const found = predicted.findIndex((n) => n >= COLLAPSED * total);
  return found < 0 ? undefined : found;
}

/** The most common class of the test split. */
function majority({ confusion }: TrainingRow): number | undefined {
  const counts = confusion?.map((row) => row.reduce((a, b) => a + b, 0)) ?? [];
  return counts.length ? counts.indexOf(Math.max(...counts)) : undefined;
}

/** Whether the runs at LR 1e-1 predict the most common class alone. */
export function judgeCollapse(results: Results): Judgement {
  const rows = results.rows();
  if (rows.length === 0) return cannotTell("no trial has ended");
  const highest = Math.max(...rows.map((r) => Number(r.params.lr)));
  const ended = rows.filter((r) => r.params.lr === highest);
  const collapsed = ended.filter((r) =>
    r.accuracy !== null && onlyClass(r) !== undefined
  );
  const common = collapsed.filter((r) => onlyClass(r) === majority(r)).length;
  const failed = ended.filter((r) => r.accuracy === null).length;
  const ours = `at ${rateText(highest)}: ${collapsed.length} of ` +
    `${ended.length} runs predict one class alone, ${common} of them the ` +
    `most common one; ${failed} failed`;
  if (highest < 0.1) {
    return {
      ours,
      verdict: "not yet run",
      why: `this profile's rates end at ${rateText(highest)}`,
    };
  }
  if (ended.length < 3) return cannotTell("under three runs", ours);
  const why = `a run counts as collapsed when ${
    percent(COLLAPSED)
  } of its predictions are one class`;
  if (common === ended.length) return { ours, verdict: "holds", why };
  return common === 0
    ? { ours, verdict: "does not hold", why }
    : cannotTell(`the runs disagree; ${why}`, ours);
}

/** One rate for all depths unless it is shown to move. */
export function decide(results: Results): string {
  const rule =
    "The rule: one rate for all depths, the one with the best mean " +
    "over them, unless the best rate is shown to move with depth; then each " +
    "depth its own. A rate at an end of the grid is provisional.";
  const rows = results.analysed();
  if (!rows.some(isDone)) return `None: no run is finished. ${rule}`;
  const [low, high] = [Math.min, Math.max].map((f) =>
    f(...rows.map((r) => Number(r.params.lr)))
  );
  const named = (lr: number) =>
    `LR ${rateText(lr)}${
      lr === low || lr === high ? " (provisional: an end of the grid)" : ""
    }`;
  const own = valuesOf(rows, "depth").map((depth) => {
    const { lr, mean } = nearBest(atDepth(rows, depth))!;
    return {
      depth,
      lr,
      text: `depth ${depth}: ${named(lr)}, ${percent(mean)}`,
    };
  });
  if (judgeShift(results).verdict === "does not hold") {
    return `Each depth its own rate: ${
      own.map((o) => o.text).join("; ")
    }. ${rule}`;
  }
  return `${named(nearBest(rows)!.lr)} for all depths. By themselves they ` +
    `chose ${own.map((o) => o.text).join("; ")}. ${rule}`;
}
