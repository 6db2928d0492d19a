/** Many settings over the same blocks: ranks, Friedman, Nemenyi (Demšar 2006). */

import { chiSquareSf, fSf } from "./distributions.ts";
import { checkValues, mean, ranks, tieTerm } from "./sample.ts";
import { rangeQuantile, rangeSf } from "./studentized_range.ts";

/** All null when every block gives all settings the same value. */
export interface FriedmanTest {
  /** Mean rank per setting; 1 is the largest value. */
  averageRanks: number[];
  blocks: number;
  /** Corrected for ties; k - 1 degrees of freedom. */
  chi2: number | null;
  chi2P: number | null;
  /** Iman and Davenport's F; Infinity when all blocks rank alike. */
  f: number | null;
  /** Degrees of freedom of F: k - 1 and (N - 1)(k - 1). */
  fDf: [number, number];
  fP: number | null;
}

export interface NemenyiTest {
  /** Average ranks further apart than this differ at `alpha`. */
  criticalDifference: number;
  /** Two-sided p of each pair, corrected for all of them; 1 on the diagonal. */
  p: number[][];
}

function checkTable(name: string, table: readonly (readonly number[])[]) {
  const width = table[0]?.length ?? 0;
  if (width < 2 || table.some((row) => row.length !== width)) {
    throw new RangeError(
      `${name}: give rows (blocks) of one length, two or more settings each`,
    );
  }
  for (const row of table) checkValues(name, row);
}

/**
 * Mean rank of each column over the rows; rank 1 is the largest value (negate
 * what is better small, such as a loss), ties share their mean rank.
 *
 * @param table Rows are blocks (data sets, seeds), columns settings.
 * @throws RangeError for rows of unequal length or under two settings.
 */
export function averageRanks(
  table: readonly (readonly number[])[],
): number[] {
  checkTable("averageRanks", table);
  const ranked = table.map((row) => ranks(row.map((v) => -v)));
  return ranked[0].map((_, j) => mean(ranked.map((row) => row[j])));
}

/**
 * Friedman's test that all settings do equally well, with Iman and
 * Davenport's F of it (1980), which Demšar prefers. When all blocks rank
 * alike F is infinite and its p is (1/k!)^(N-1) (Conover 1999).
 *
 * @param table Rows are blocks (data sets, seeds), columns settings.
 * @throws RangeError for under two blocks or two settings.
 */
export function friedmanTest(
  table: readonly (readonly number[])[],
): FriedmanTest {
  checkTable("friedmanTest", table);
  const blocks = table.length;
  if (blocks < 2) {
    throw new RangeError("friedmanTest: one block: give two rows or more");
  }
  const average = averageRanks(table);
  const k = average.length;
  const fDf: [number, number] = [k - 1, (blocks - 1) * (k - 1)];
  const ties = table.reduce((sum, row) => sum + tieTerm(row), 0);
  const untied = blocks * k * (k * k - 1) - ties;
  const base = { averageRanks: average, blocks, fDf };
  if (untied === 0) {
    return { ...base, chi2: null, chi2P: null, f: null, fP: null };
  }
  // Σ (rank - middle)² over settings and over all cells.
  const between = average.reduce((s, r) => s + (r - (k + 1) / 2) ** 2, 0);
  const cells = untied / 12;
  const chi2 = blocks * blocks * (k - 1) * between / cells;
  const left = cells - blocks * between;
  const alike = left <= cells * 1e-12;
  const f = alike ? Infinity : (blocks - 1) * blocks * between / left;
  return {
    ...base,
    chi2,
    chi2P: chiSquareSf(chi2, k - 1),
    f,
    fP: alike ? factorial(k) ** (1 - blocks) : fSf(f, ...fDf),
  };
}

function factorial(k: number): number {
  return k < 2 ? 1 : k * factorial(k - 1);
}

/**
 * Nemenyi's test of all pairs after Friedman's: the critical difference
 * q_α √(k (k + 1) / 6N), where q_α is the studentized range (df = ∞) over √2.
 *
 * @param averageRanks Mean rank per setting, as `averageRanks` gives them.
 * @param blocks The number N of blocks that they were taken over.
 * @throws RangeError for under two settings, no blocks or a bad alpha.
 */
export function nemenyiTest(
  averageRanks: readonly number[],
  blocks: number,
  alpha = 0.05,
): NemenyiTest {
  const k = averageRanks.length;
  if (!(k >= 2 && blocks >= 1 && alpha > 0 && alpha < 1)) {
    throw new RangeError(
      `nemenyiTest: ${k} settings, ${blocks} blocks, alpha ${alpha}: give ` +
        "two settings, one block and an alpha in (0, 1) at least",
    );
  }
  checkValues("nemenyiTest", averageRanks);
  const scale = Math.sqrt(k * (k + 1) / (12 * blocks));
  return {
    criticalDifference: rangeQuantile(1 - alpha, k) * scale,
    p: averageRanks.map((a) =>
      averageRanks.map((b) => rangeSf(Math.abs(a - b) / scale, k))
    ),
  };
}
