/** Claims judged, as they are shown and kept. */
import type { Profile } from "./profile.ts";
import type { Claim, Judgement, Results } from "./report.ts";

/** A claim with its judgement, as it is kept beside the records. */
export interface JudgedClaim extends Judgement {
  claim: string;
  published: string;
}

/** What `claims()` leaves beside the records, for the table of all claims. */
export interface JudgedReport {
  notebook: string;
  title: string;
  profile: Profile;
  data: string;
  trials: number;
  /** Time of all trials, in s. */
  seconds: number;
  claims: JudgedClaim[];
}

/** Of a claim whose studies have no trial. */
export const NOT_RUN: Judgement = {
  ours: "–",
  verdict: "not yet run",
  why: "no trial is on record",
};

/** Synthetic faces show how a question is asked, not its answer. */
export async function judged(
  claim: Claim,
  results: Results,
): Promise<JudgedClaim> {
  const { claim: text, published, aboutFaces = true } = claim;
  const judgement = await claim.judge(results);
  const isSettled = ["holds", "does not hold"].includes(judgement.verdict);
  return {
    claim: text,
    published,
    ...judgement,
    ...aboutFaces && results.data === "synthetic" && isSettled
      ? {
        verdict: "cannot tell" as const,
        why: `on synthetic faces it ${
          judgement.verdict === "holds" ? "would hold" : "would not"
        }, which real ones have to confirm; ${judgement.why}`,
      }
      : {},
  };
}
