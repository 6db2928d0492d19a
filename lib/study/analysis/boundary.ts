/** Warnings for a search whose best point lies where it stopped looking. */
import { type ParamValue, sameValue } from "../definition.ts";
import { type AnalysisRow, bestOf, type Direction, settings } from "./rows.ts";
import { showValue } from "./text.ts";

/** Where a parameter was searched; a study's parameters fit. */
export type SearchedParameter =
  & ({ values: readonly ParamValue[] } | {
    low: number;
    high: number;
    log?: boolean;
  })
  & {
    /** Ends that need no warning, such as probability 0. */
    natural?: readonly number[];
  };

/** Low and high end, and how near to one counts as on it. */
function endsOf(
  parameter: SearchedParameter,
  tried: ReadonlySet<ParamValue>,
): { low: number; high: number; isNear: (a: number, b: number) => boolean } {
  if ("values" in parameter) {
    const numbers = parameter.values.filter((v) => typeof v === "number");
    return {
      low: Math.min(...numbers),
      high: Math.max(...numbers),
      isNear: sameValue,
    };
  }
  const { low, high, log } = parameter;
  const scale = log ? Math.log : (x: number) => x;
  const step = (scale(high) - scale(low)) / tried.size;
  return {
    low,
    high,
    isNear: (a, b) => Math.abs(scale(a) - scale(b)) <= step,
  };
}

/**
 * A line for each numeric parameter at whose end the best setting lies: on the
 * first or last of listed values; in a range within one step of an end, a step
 * being the range (its logarithm for a log one) over the number of values
 * tried. None for parameters with fewer than three values tried, as each of
 * two is an end, or with values that are no numbers.
 */
export function boundaryWarnings(
  rows: readonly AnalysisRow[],
  parameters: Readonly<Record<string, SearchedParameter>>,
  direction: Direction,
): string[] {
  const found = settings(rows);
  const best = bestOf(found, direction);
  if (best === undefined) return [];
  return Object.entries(parameters).flatMap(([name, parameter]) => {
    const value = best.params[name];
    const tried = new Set(found.map((s) => s.params[name]));
    if (typeof value !== "number" || tried.size < 3) return [];
    const { low, high, isNear } = endsOf(parameter, tried);
    const natural = parameter.natural ?? [];
    const isOn = (end: number) => isNear(value, end) && !natural.includes(end);
    const end = isOn(low) ? "low" : isOn(high) ? "high" : null;
    const [at, from, to] = [value, low, high].map((v) => showValue(v, name));
    return end === null ? [] : [
      `the best point lies at the ${end} end of ${name} (${at} of ${from} to ` +
      `${to}): search ${end}er values before trusting it`,
    ];
  });
}
