/** What is decided of both decays, by a written rule. */
import { FEWEST, fewestOf, leaderOf } from "./comparisons.ts";
import type { Results } from "./report.ts";
import { decayName, lrDecayName } from "./weight_decay_claims.ts";
import { againstBestConstant, againstNone } from "./weight_decay_effects.ts";

const RULE = "The rule, for each of both: none, unless a decay beats none " +
  "(t tests paired by seed, Holm, at least three seeds); of several that do, " +
  "the one with the largest gain. LR decay is held against the best constant rate, " +
  "weight decay against none at the same rates.";

/** One sentence on each decay, then the rule. */
export function decide(results: Results): string {
  const lr = againstBestConstant(results), weight = againstNone(results);
  const sentences = [
    { what: "LR decay", of: lr, nameOf: lrDecayName },
    { what: "Weight decay", of: weight, nameOf: decayName },
  ].map(({ what, of, nameOf }) => {
    if (fewestOf(of) < FEWEST) {
      return `${what}: none, as fewer than three paired seeds ran.`;
    }
    const best = leaderOf(of);
    return `${what}: ${best ? nameOf(best) : "none; nothing beats it"}.`;
  });
  return `${sentences.join(" ")} ${RULE}`;
}
