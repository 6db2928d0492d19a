/** Pruners: whether a trial should stop early, from its curve and the others'. */
import { z } from "zod";
import { takes } from "../faults/mod.ts";

/** A trial's values by epoch. */
export interface Curve {
  /** From epoch (from 1) to value; NaN where it was none. */
  values: ReadonlyMap<number, number>;
  /** Whether the trial ran to its end: neither pruned, failed nor under way. */
  finished: boolean;
}

/** A whole number from `low`. */
function whole(low: number) {
  const error = takes(`a whole number from ${low}`);
  return z.int(error).min(low, error);
}

/** A pruner of this kind. */
function pruner<const K extends string, S extends z.ZodRawShape>(
  kind: K,
  shape: S,
) {
  return z.strictObject({ kind: z.literal(kind), ...shape });
}

const kinds = [
  pruner("none", {}),
  pruner("median", {
    startup: whole(0).default(5)
      .describe("Finished trials before the first is pruned; from 0."),
    warmup: whole(0).default(0)
      .describe("The first epoch after which a trial may stop; from 0."),
    interval: whole(1).default(1)
      .describe("Epochs between two checks, counted from warmup; from 1."),
    minTrials: whole(1).default(1).describe(
      "Finished trials with a value at the epoch that a median " +
        "needs; from 1.",
    ),
  }),
  pruner("asha", {
    reduction: whole(2).default(4)
      .describe("At each rung one in so many trials continues; from 2."),
    minEpochs: whole(1).default(1)
      .describe("The epoch of the first rung; from 1."),
    earlyStoppingRate: whole(0).default(0)
      .describe("How many rungs are left out at the start; from 0."),
  }),
  pruner("patience", {
    epochs: whole(0).describe(
      "The best of the last values, this many and one, is compared " +
        "with the best before; from 0.",
    ),
    minDelta: z.number(takes("a number from 0"))
      .min(0, takes("a number from 0")).default(0)
      .describe("How much worse the best of the last values may be; from 0."),
  }),
] as const;

/** The schema of a pruner: kinds, fields, defaults and ranges. */
export const PrunerSchema = z.discriminatedUnion("kind", kinds, {
  error: ({ input }) =>
    `got ${JSON.stringify((input as { kind?: unknown })?.kind ?? input)}; ` +
    `give a pruner of kind none, median, asha or patience`,
});
export type Pruner = z.input<typeof PrunerSchema>;

type Rules<K extends Pruner["kind"]> = Extract<
  z.output<typeof PrunerSchema>,
  { kind: K }
>;
/** Whether the first value is better than the second; never with NaN. */
type Better = (a: number, b: number) => boolean;

const fourDigits = (value: number) => String(Number(value.toPrecision(4)));

/** The best of some values, NaN left out; NaN when there is none. */
function bestValue(values: number[], better: Better): number {
  return values.reduce(
    (best, v) => Number.isNaN(best) || better(v, best) ? v : best,
    NaN,
  );
}

/** The median without NaN; NaN when there is none. */
function medianOf(values: number[]): number {
  const sorted = values.filter((v) => !Number.isNaN(v)).sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle];
  // As NumPy rounds it, so that a value on the median compares the same.
  return sorted[middle] - (sorted[middle] - sorted[middle - 1]) / 2;
}

function atEpoch(curves: readonly Curve[], epoch: number): number[] {
  return curves.map(({ values }) => values.get(epoch))
    .filter((value) => value !== undefined);
}

/** Optuna's MedianPruner: the best so far against the others' median now. */
function medianPruner(
  { startup, warmup, interval, minTrials }: Rules<"median">,
  own: [number, number][],
  others: readonly Curve[],
  better: Better,
): string | null {
  const epoch = own[own.length - 1][0];
  const finished = others.filter((curve) => curve.finished);
  if (finished.length < Math.max(1, startup) || epoch < warmup) return null;
  const due = epoch - (epoch - warmup) % interval;
  if (own.length > 1 && own[own.length - 2][0] >= due) return null;
  const best = bestValue(own.map(([, value]) => value), better);
  if (Number.isNaN(best)) return "no value but NaN so far";
  const rivals = atEpoch(finished, epoch);
  const middle = rivals.length < minTrials ? NaN : medianOf(rivals);
  return better(middle, best)
    ? `its best, ${fourDigits(best)}, is worse than the median ` +
      `${fourDigits(middle)} of ${rivals.length} finished trials`
    : null;
}

/** Optuna's SuccessiveHalvingPruner: the best share of each rung goes on. */
function asha(
  { reduction, minEpochs, earlyStoppingRate }: Rules<"asha">,
  [epoch, value]: [number, number],
  others: readonly Curve[],
  better: Better,
): string | null {
  let rung = minEpochs * reduction ** earlyStoppingRate;
  while (rung < epoch) rung *= reduction;
  if (rung !== epoch) return null;
  if (Number.isNaN(value)) return "its value is NaN";
  const rivals = [value, ...atEpoch(others, epoch)]
    .filter((v) => !Number.isNaN(v))
    .sort((a, b) => better(a, b) ? -1 : better(b, a) ? 1 : 0);
  const places = Math.max(1, Math.floor(rivals.length / reduction));
  return better(rivals[places - 1], value)
    ? `its value ${fourDigits(value)} is not among the best ${places} of ` +
      `${rivals.length} trials at this rung`
    : null;
}

/** Optuna's PatientPruner around none: worse for some epochs than before. */
function patience(
  { epochs, minDelta }: Rules<"patience">,
  own: [number, number][],
  better: Better,
): string | null {
  const before = bestValue(own.slice(0, -epochs - 1).map(([, v]) => v), better);
  const since = bestValue(own.slice(-epochs - 1).map(([, v]) => v), better);
  const bar = better(1, 0) ? before - minDelta : before + minDelta;
  return better(bar, since)
    ? `its best of the last ${epochs + 1} values, ${
      fourDigits(since)
    }, is worse ` +
      `than its best before, ${fourDigits(before)}`
    : null;
}

/**
 * Why the trial should stop after `epoch`, or null to go on. It decides as
 * Optuna 5.0.0's pruners do where each epoch is reported as the step of the
 * same number (from 1) and asked about once. `others` are all other trials:
 * the median looks at finished ones only, ASHA at pruned and running ones too.
 *
 * - Without a value at `epoch` it is null; later values of the trial's own
 *   do not count, nor do NaNs, except that a trial with nothing else stops.
 * - ASHA's rungs are the epochs minEpochs · reduction^(earlyStoppingRate + k),
 *   and a trial's value at a rung is its value at that very epoch. Optuna
 *   notes it in the trial's attributes (`completed_rung_k`); here the curves
 *   tell it, so a trial without that epoch does not compete there.
 * - Infinite values have their place in the median, where Optuna's is NaN.
 */
export function pruneReason(
  pruner: Pruner,
  trial: Curve,
  others: readonly Curve[],
  epoch: number,
  direction: "maximize" | "minimize",
): string | null {
  const rules = PrunerSchema.parse(pruner);
  const own = [...trial.values].filter(([e]) => e <= epoch)
    .sort(([a], [b]) => a - b);
  const last = own.at(-1);
  if (last === undefined || last[0] !== epoch) return null;
  const better: Better = direction === "maximize"
    ? (a, b) => a > b
    : (a, b) => a < b;
  switch (rules.kind) {
    case "none":
      return null;
    case "median":
      return medianPruner(rules, own, others, better);
    case "asha":
      return asha(rules, last, others, better);
    case "patience":
      return patience(rules, own, better);
  }
}
