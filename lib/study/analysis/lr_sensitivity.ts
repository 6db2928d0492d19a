/** How much the result depends on the learning rate (arXiv 2309.14322). */
import { type Params, StudyError } from "../definition.ts";
import {
  type AnalysisRow,
  bestOf,
  checkNames,
  type Direction,
  groupBy,
  isBetter,
  keyOf,
  pick,
  type Setting,
  settings,
  signOf,
} from "./rows.ts";
import { showValue } from "./text.ts";

export interface LrSensitivity {
  /** The values of the parameters in `by`; {} without. */
  group: Params;
  /** Rising; values are no worse than `initial`, that of failed runs. */
  curve: { lr: number; value: number }[];
  bestLr: number;
  best: number;
  /** Rates whose value is within `within` of the best, around the best. */
  width: {
    low: number;
    high: number;
    decades: number;
    /** Whether that end is the last rate tried: the width may be larger. */
    lowIsOpen: boolean;
    highIsOpen: boolean;
  };
  /** 0 where every rate does as well as the best; null for a single rate. */
  sensitivity: number | null;
}

type Point = LrSensitivity["curve"][number];

/** A setting's mean, where each run is worth `initial` at least. */
function clippedMean(
  { runs, infeasible }: Setting,
  initial: number,
  sign: number,
): number | null {
  const values = runs.map((run) =>
    sign * Math.max(sign * run.value, sign * initial)
  );
  for (let i = 0; i < infeasible; i++) values.push(initial);
  return values.length === 0
    ? null
    : values.reduce((a, b) => a + b, 0) / values.length;
}

/** How far from `from` in direction `step` the curve stays above `floor`. */
function reach(
  curve: readonly Point[],
  from: number,
  step: 1 | -1,
  isGood: (value: number) => boolean,
  floor: number,
): { lr: number; isOpen: boolean } {
  let i = from;
  while (curve[i + step] && isGood(curve[i + step].value)) i += step;
  const last = curve[i], next = curve[i + step];
  if (!next) return { lr: last.lr, isOpen: true };
  const share = (last.value - floor) / (last.value - next.value);
  return {
    lr: Math.exp(
      Math.log(last.lr) + share * (Math.log(next.lr) - Math.log(last.lr)),
    ),
    isOpen: false,
  };
}

/** The mean of the curve less `best` over log LR, by the trapezium rule. */
function meanLoss(curve: readonly Point[], best: number): number | null {
  if (curve.length < 2) return null;
  const at = (i: number) => Math.log(curve[i].lr);
  let area = 0;
  for (let i = 1; i < curve.length; i++) {
    const gap = best - (curve[i].value + curve[i - 1].value) / 2;
    area += gap * (at(i) - at(i - 1));
  }
  return Math.abs(area) / (at(curve.length - 1) - at(0));
}

/**
 * Best LR, width and sensitivity for each value of other parameters, such as
 * depth. Wortsman et al. 2023 define the sensitivity as the expectation of
 * min(ℓ(η), ℓ₀) - ℓ* over the learning rates η tried, ℓ₀ being the loss at
 * initialisation. Here, for an accuracy a, that is a* - max(a(η), a₀): the
 * points lost on average by not knowing the best rate, log-uniform between the
 * lowest and the highest rate tried. A diverged run counts as a₀; repeats are
 * averaged; of further parameters the best is taken at each rate. Sensitivities
 * compare only over the same range of rates.
 *
 * @param initial The value of an untrained model, such as 1 / classes.
 * @throws StudyError for an unknown parameter or a rate that is not positive.
 */
export function lrSensitivity(
  rows: readonly AnalysisRow[],
  { lr = "lr", by = [], direction, initial, within = 0.005 }: {
    /** The learning rate's name among the parameters. */
    lr?: string;
    by?: readonly string[];
    direction: Direction;
    initial: number;
    /** In the values' unit; 0.005 is half a point of accuracy. */
    within?: number;
  },
): LrSensitivity[] {
  checkNames("lrSensitivity", [lr, ...by], rows);
  const sign = signOf(direction);
  const rateOf = (s: Setting): number => {
    const rate = s.params[lr];
    if (typeof rate === "number" && rate > 0) return rate;
    throw new StudyError(
      `lrSensitivity: ${lr} is ${
        rate === undefined ? "missing in a trial" : showValue(rate)
      }: give positive learning rates`,
    );
  };
  const found = settings(rows);
  return groupBy(found, (s) => keyOf(pick(s.params, by))).flatMap((group) => {
    const curve = groupBy(group, (s) => keyOf({ lr: rateOf(s) }))
      .flatMap((same): Point[] => {
        const best = bestOf(
          same.map((s) => ({ mean: clippedMean(s, initial, sign) })),
          direction,
        );
        return best ? [{ lr: rateOf(same[0]), value: best.mean }] : [];
      }).sort((a, b) => a.lr - b.lr);
    if (!group.some((s) => s.n > 0)) return [];
    const peak = curve.reduce(
      (top, point, i) =>
        isBetter(point.value, curve[top].value, direction) ? i : top,
      0,
    );
    const best = curve[peak].value;
    const floor = best - sign * within;
    const isGood = (value: number) => !isBetter(floor, value, direction);
    const low = reach(curve, peak, -1, isGood, floor);
    const high = reach(curve, peak, 1, isGood, floor);
    return [{
      group: pick(group[0].params, by),
      curve,
      bestLr: curve[peak].lr,
      best,
      width: {
        low: low.lr,
        high: high.lr,
        decades: Math.log10(high.lr / low.lr),
        lowIsOpen: low.isOpen,
        highIsOpen: high.isOpen,
      },
      sensitivity: meanLoss(curve, best),
    }];
  });
}
