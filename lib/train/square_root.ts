/** Adam at another batch size. */

/** What the rule changes, and so what it starts from. */
interface AdamSettings {
  lr: number;
  betas: readonly number[];
  eps: number;
}

/**
 * Adam's settings where the batch grows by a factor κ, by the square-root rule
 * (Malladi et al. 2022, arXiv 2205.10287): the rate grows by √κ, 1 − β of both
 * betas by κ, and eps falls by √κ. A beta below 0 means that the rule no longer
 * reaches so far.
 */
export const squareRootRule = (
  { lr, betas, eps }: AdamSettings,
  factor: number,
): { lr: number; betas: number[]; eps: number } => ({
  lr: lr * Math.sqrt(factor),
  betas: betas.map((beta) => 1 - factor * (1 - beta)),
  eps: eps / Math.sqrt(factor),
});
