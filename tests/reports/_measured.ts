/** Hand-made records of measurements. */
import type {
  Claim,
  Judgement,
  MeasuredRow,
  Results,
} from "../../lib/reports/report.ts";
import type { Profile } from "../../lib/reports/profile.ts";

/** Results of one study with these rows. */
export const resultsWith = (
  measured: MeasuredRow[],
  profile: Profile = "cpu",
): Results => ({
  profile,
  data: "synthetic",
  rows: () => [],
  analysed: () => [],
  measured: () => measured,
});

/** A row a value, each a repeat; null is one that failed. */
export const repeated = (
  params: MeasuredRow["params"],
  values: (number | null)[],
): MeasuredRow[] =>
  values.map((value, repeat) => ({
    params,
    repeat,
    value,
    ...value === null ? { reason: "out of memory" } : {},
    attrs: {},
  }));

/** The judgement of the one claim with these words. */
export async function judge(
  claims: readonly Claim[],
  words: string,
  results: Results,
): Promise<Judgement> {
  const found = claims.filter((c) => c.claim.includes(words));
  if (found.length !== 1) throw new Error(`${found.length} claims: ${words}`);
  return await found[0].judge(results);
}
