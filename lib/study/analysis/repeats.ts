/** How many repeats a difference needs, in words. */
import { detectableDifference, repeatsNeeded } from "../../statistics/mod.ts";
import { counted, showAmount, type Unit } from "./text.ts";

export interface RepeatsPlan {
  /** Paired repeats that detect `difference` with the power asked for. */
  needed: number;
  /** The smallest difference that `present` repeats detect; null below two. */
  detectable: number | null;
  text: string;
}

/**
 * What it takes to tell two settings apart by a paired t test.
 *
 * @param sd of the paired differences; where only the noise floor is known,
 * √2 times that (repeats whose pairing helps need fewer).
 * @param present repeats that there are now
 * @throws RangeError for a difference of 0, sd <= 0 or a power out of range.
 */
export function repeatsPlan(
  { difference, sd, present, power = 0.8, alpha = 0.05, unit = "points" }: {
    difference: number;
    sd: number;
    present?: number;
    power?: number;
    alpha?: number;
    unit?: Unit;
  },
): RepeatsPlan {
  const { n } = repeatsNeeded({ difference, sd, power, alpha });
  const detectable = present !== undefined && present >= 2
    ? detectableDifference({ n: present, sd, power, alpha })
    : null;
  const amount = (size: number) => showAmount(size, unit);
  const now = detectable !== null
    ? `; the present ${present} can detect ${amount(detectable)} or more`
    : present !== undefined
    ? "; one repeat can detect none, however large"
    : "";
  const text = `${counted(n, "paired repeat")} can detect a difference of ` +
    `${amount(Math.abs(difference))} (${Math.round(100 * power)} % power, ` +
    `alpha ${alpha}, sd of differences ${amount(sd)})${now}`;
  return { needed: n, detectable, text };
}
