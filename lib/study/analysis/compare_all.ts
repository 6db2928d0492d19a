/** All settings against one, corrected for their number, and by their ranks. */
import {
  type FriedmanTest,
  friedmanTest,
  holm,
  type NemenyiTest,
  nemenyiTest,
  tied,
} from "../../statistics/mod.ts";
import { canonical, type Params, StudyError } from "../definition.ts";
import {
  type CompareOptions,
  compareSettings,
  type Comparison,
  comparisonText,
  runsByBlock,
  type Verdict,
} from "./compare_settings.ts";
import {
  type AnalysisRow,
  bestOf,
  checkParameterNames,
  type Direction,
  isBetter,
  meanOrNull,
  pickParams,
  signOf,
} from "./rows.ts";
import { counted, describe, showP } from "./text.ts";

/** Ranks of three settings or more; rank 1 is the best. */
export interface RankComparison {
  settings: Params[];
  /** What all those settings share: seeds or repeats, and other parameters. */
  blocks: string[];
  friedman: FriedmanTest;
  nemenyi: NemenyiTest;
}

/** Of p for the number of tests. */
export type Correction = "holm" | "none";

export interface AllComparisons {
  /** Best mean of its own runs first; those without a complete run last. */
  settings: { params: Params; mean: number | null; n: number }[];
  baseline: Params;
  /** The others against the baseline, in the order of `settings`. */
  comparisons: (Comparison & {
    /** Before the correction, which `p` and `verdict` have. */
    rawP: number | null;
  })[];
  /** null unless asked for, of 3 to 50 settings, with 2 blocks that all have. */
  ranks: RankComparison | null;
  lines: string[];
}

/** Of more, Nemenyi's test tells next to none apart, and takes long. */
const MOST_RANKED = 50;

function ranksOf(
  rows: readonly AnalysisRow[],
  settings: readonly Params[],
  direction: Direction,
  alpha: number,
): RankComparison | null {
  if (settings.length < 3 || settings.length > MOST_RANKED) return null;
  const columns = settings.map((params) => runsByBlock(rows, params));
  const blocks = [...columns[0].keys()]
    .filter((block) => columns.every((column) => column.has(block)));
  if (blocks.length < 2) return null;
  const sign = signOf(direction);
  const friedman = friedmanTest(
    blocks.map((block) => {
      const values = columns.map((c) => sign * c.get(block)!.value);
      return tied(values, values);
    }),
  );
  return {
    settings: [...settings],
    blocks,
    friedman,
    nemenyi: nemenyiTest(friedman.averageRanks, blocks.length, alpha),
  };
}

function rankLine(
  { settings, blocks, friedman, nemenyi }: RankComparison,
): string {
  if (friedman.fP === null) {
    return "ranks: all settings have the same values in every block";
  }
  const ranked = settings.map((params, i) => ({
    params,
    rank: friedman.averageRanks[i],
  })).sort((a, b) => a.rank - b.rank);
  const named = ranked.map(({ params, rank }) =>
    `${rank.toFixed(2)} (${describe(params)})`
  );
  return `Friedman over ${counted(blocks.length, "block")} ` +
    `(Iman–Davenport): ${showP(friedman.fP)}; mean ranks ` +
    `${named.join(", ")}; ranks ${nemenyi.criticalDifference.toFixed(2)} ` +
    "apart or more differ (Nemenyi)";
}

/**
 * Compares every setting with the baseline (see `compareSettings`), with
 * Holm's correction in p and verdict, and ranks all of them over the blocks
 * that they share (Demšar 2006). Without a baseline that is the best by its
 * mean, whose lead is then in part luck: it was picked by the same runs.
 *
 * @param by Parameters whose values are compared; the others are, with the
 * seed, what pairs and blocks share. All parameters without it.
 * @param baseline The values of `by` that the others are held against.
 * @param correction Default Holm's; none takes each test alone.
 * @param ranked Whether settings are ranked (default): 10 ms for ten.
 * @throws StudyError for an unknown parameter or baseline, and where no trial
 * is complete.
 */
export function compareAll(
  rows: readonly AnalysisRow[],
  { direction, by, baseline, correction = "holm", ranked = true, ...options }:
    & CompareOptions
    & {
      direction: Direction;
      by?: readonly string[];
      baseline?: Params;
      correction?: Correction;
      ranked?: boolean;
    },
): AllComparisons {
  const { alpha = 0.05 } = options;
  const names = by ?? [...new Set(rows.flatMap((r) => Object.keys(r.params)))];
  checkParameterNames("comparison", names, rows);
  const byValue = Map.groupBy(
    rows,
    (row) => canonical(pickParams(row.params, names)),
  );
  const groups = [...byValue.values()]
    .map((own) => {
      const params = pickParams(own[0].params, names);
      const runs = [...runsByBlock(own, params).values()];
      const { mean, n } = meanOrNull(runs.map((run) => run.value));
      return { params, mean, n, own };
    }).sort((a, b) =>
      a.mean !== null && b.mean !== null
        ? isBetter(b.mean, a.mean, direction)
          ? 1
          : isBetter(a.mean, b.mean, direction)
          ? -1
          : 0
        : Number(a.mean === null) - Number(b.mean === null)
    );
  const best = bestOf(groups, direction);
  if (best === undefined) {
    throw new StudyError(
      "comparison: no trial is complete: run the study first",
    );
  }
  const held = baseline ?? best.params;
  const heldKey = canonical(held);
  const others = groups.filter((g) => canonical(g.params) !== heldKey);
  const base = groups.find((g) => canonical(g.params) === heldKey);
  if (!base) {
    throw new StudyError(
      `comparison: no trial has the baseline ${describe(held)}: name ` +
        `${names.join(", ")} as in a trial`,
    );
  }
  const raw = others.map(({ params, own }) =>
    compareSettings([...own, ...base.own], params, held, options)
  );
  const tested = raw.filter((c) => c.verdict !== "too few repeats");
  const alone = tested.map((c) => c.p!);
  const adjusted = correction === "holm" ? holm(alone) : alone;
  const comparisons = raw.map((c) => {
    const p = adjusted[tested.indexOf(c)];
    if (p === undefined) return { ...c, rawP: c.p };
    const verdict: Verdict = p < alpha ? "differs" : "indistinguishable";
    const corrected = { ...c, p, rawP: c.p, verdict };
    return {
      ...corrected,
      text: comparisonText(corrected, options, correction === "holm"),
    };
  });
  const complete = groups.filter((g) => g.n > 0).map((g) => g.params);
  const ranks = ranked ? ranksOf(rows, complete, direction, alpha) : null;
  const lines = comparisons.map((c) => c.text);
  if (baseline === undefined && comparisons.length > 0) {
    lines.push(
      `${describe(held)} was picked as the best by these runs: part of its ` +
        "lead is luck",
    );
  }
  if (ranks) lines.push(rankLine(ranks));
  const settings = groups.map(({ own: _, ...setting }) => setting);
  return { settings, baseline: held, comparisons, ranks, lines };
}
