/** What a classifier's probabilities are worth, from its logits, in float64. */

/** One sample's softmax in short. */
export interface Reading {
  /** The first of the largest logits that are numbers; 0 where none is. */
  prediction: number;
  /** log Σ exp of the logits, without overflow. */
  logSumExp: number;
  /** The largest softmax probability. */
  confidence: number;
}

/** Reads the `classes` logits from `at`. */
export function readLogits(
  logits: ArrayLike<number>,
  at: number,
  classes: number,
): Reading {
  let prediction = 0, most = -Infinity, max = -Infinity, total = 0;
  for (let k = 0; k < classes; k++) {
    const logit = logits[at + k];
    if (logit > most) [prediction, most] = [k, logit];
    max = Math.max(max, logit);
  }
  for (let k = 0; k < classes; k++) total += Math.exp(logits[at + k] - max);
  return {
    prediction,
    logSumExp: max + Math.log(total),
    confidence: 1 / total,
  };
}

/** The mean of `value(reading, i)` over `n` samples; NaN for none. */
function mean(
  logits: ArrayLike<number>,
  n: number,
  classes: number,
  value: (reading: Reading, i: number) => number,
): number {
  let total = 0;
  for (let i = 0; i < n; i++) {
    total += value(readLogits(logits, i * classes, classes), i);
  }
  return total / n;
}

/**
 * Mean cross-entropy (nats) of `logits` `[n·classes]` against `labels` `[n]`;
 * NaN for no samples.
 */
export function logLoss(
  logits: ArrayLike<number>,
  labels: ArrayLike<number>,
  classes: number,
): number {
  return mean(
    logits,
    labels.length,
    classes,
    ({ logSumExp }, i) => logSumExp - logits[i * classes + labels[i]],
  );
}

/**
 * Multi-class Brier score: mean over the samples of Σ_k (p_k - y_k)², 0 to 2;
 * NaN for no samples. `logits` `[n·classes]`, `labels` `[n]`.
 */
export function brierScore(
  logits: ArrayLike<number>,
  labels: ArrayLike<number>,
  classes: number,
): number {
  return mean(logits, labels.length, classes, ({ logSumExp }, i) => {
    let total = 0;
    for (let k = 0; k < classes; k++) {
      const p = Math.exp(logits[i * classes + k] - logSumExp);
      total += (p - (k === labels[i] ? 1 : 0)) ** 2;
    }
    return total;
  });
}

/**
 * Share of the samples whose label is among the `k` largest logits, the lower
 * class first among equals; NaN for no samples.
 */
export function topKAccuracy(
  logits: ArrayLike<number>,
  labels: ArrayLike<number>,
  classes: number,
  k: number,
): number {
  let hits = 0;
  for (let i = 0; i < labels.length; i++) {
    const at = i * classes, own = logits[at + labels[i]];
    let ahead = 0;
    for (let c = 0; c < classes; c++) {
      const other = logits[at + c];
      if (other > own || (other === own && c < labels[i])) ahead++;
    }
    if (ahead < k) hits++;
  }
  return hits / labels.length;
}

/**
 * Area under the ROC curve of `scores` for the samples marked `positive`:
 * the Mann-Whitney statistic, ties counting half; null where one side is
 * empty, NaN where a score is.
 */
export function rocAuc(
  scores: ArrayLike<number>,
  positive: ArrayLike<boolean>,
): number | null {
  const n = scores.length;
  const order = Array.from({ length: n }, (_, i) => i);
  if (order.some((i) => Number.isNaN(scores[i]))) return NaN;
  // By order, not by difference: that of two infinities is NaN.
  order.sort((a, b) =>
    scores[a] < scores[b] ? -1 : scores[a] > scores[b] ? 1 : 0
  );
  let ranks = 0, positives = 0;
  for (let from = 0, to; from < n; from = to) {
    let tied = 0;
    for (to = from; to < n && scores[order[to]] === scores[order[from]]; to++) {
      if (positive[order[to]]) tied++;
    }
    ranks += tied * (from + 1 + to) / 2;
    positives += tied;
  }
  const negatives = n - positives;
  if (positives === 0 || negatives === 0) return null;
  return (ranks - positives * (positives + 1) / 2) / (positives * negatives);
}

/**
 * Each class's AUC of its softmax probability against the rest, and their
 * mean. A class that no sample or every sample has is null and left out.
 */
export function rocAucOneVsRest(
  logits: ArrayLike<number>,
  labels: ArrayLike<number>,
  classes: number,
): { perClass: (number | null)[]; macro: number | null } {
  const samples = Array.from(labels, (label, i) => ({
    label,
    at: i * classes,
    logSumExp: readLogits(logits, i * classes, classes).logSumExp,
  }));
  const perClass = Array.from({ length: classes }, (_, k) =>
    rocAuc(
      samples.map((s) => Math.exp(logits[s.at + k] - s.logSumExp)),
      samples.map((s) => s.label === k),
    ));
  const known = perClass.filter((auc) => auc !== null);
  return {
    perClass,
    macro: known.length === 0
      ? null
      : known.reduce((a, b) => a + b, 0) / known.length,
  };
}

export interface CalibrationBin {
  /** Confidences above `low` and up to `high`. */
  low: number;
  high: number;
  count: number;
  /** Null for an empty bin, as is `confidence`. */
  accuracy: number | null;
  /** The mean of the bin's. */
  confidence: number | null;
}

/**
 * Confidences against accuracy in bins of equal width ((b)/n, (b+1)/n], the
 * samples themselves forgotten (arXiv 1706.04599, section 2).
 */
export class Calibration {
  readonly #bins: { count: number; right: number; confidence: number }[];
  #total = 0;

  constructor(bins = 15) {
    this.#bins = Array.from(
      { length: bins },
      () => ({ count: 0, right: 0, confidence: 0 }),
    );
  }

  /** Adds a sample, `confidence` from 0 to 1; NaN spoils the errors. */
  add(confidence: number, right: boolean): void {
    if (Number.isNaN(confidence)) {
      this.#total = NaN;
      return;
    }
    this.#total++;
    const n = this.#bins.length;
    let b = Math.ceil(confidence * n) - 1;
    // The product may round over a bound of the bins.
    if (confidence <= b / n) b--;
    else if (confidence > (b + 1) / n) b++;
    const bin = this.#bins[Math.max(b, 0)];
    bin.count++;
    bin.right += right ? 1 : 0;
    bin.confidence += confidence;
  }

  /** The bins, for a reliability diagram. */
  bins(): CalibrationBin[] {
    const n = this.#bins.length;
    return this.#bins.map(({ count, right, confidence }, b) => ({
      low: b / n,
      high: (b + 1) / n,
      count,
      accuracy: count === 0 ? null : right / count,
      confidence: count === 0 ? null : confidence / count,
    }));
  }

  /**
   * Expected and maximum calibration error: the mean gap between accuracy and
   * mean confidence, bins weighted by their counts, and the largest gap; NaN
   * where nothing was added.
   */
  errors(): { ece: number; mce: number } {
    const filled = this.#bins.filter((b) => b.count > 0);
    const gap = (b: { count: number; right: number; confidence: number }) =>
      Math.abs(b.right - b.confidence);
    const sum = filled.reduce((total, b) => total + gap(b), 0);
    const ece = sum / this.#total;
    return {
      ece,
      mce: Number.isNaN(ece)
        ? NaN
        : Math.max(...filled.map((b) => gap(b) / b.count)),
    };
  }
}

/**
 * ECE over `bins` groups of equal size: samples by confidence, the first
 * `n mod bins` groups one larger; NaN for no samples.
 */
export function adaptiveEce(
  confidences: ArrayLike<number>,
  right: ArrayLike<boolean>,
  bins = 10,
): number {
  const n = confidences.length;
  const order = Array.from({ length: n }, (_, i) => i)
    .sort((a, b) => confidences[a] - confidences[b]);
  let total = 0;
  for (let b = 0, from = 0; b < bins; b++) {
    const to = from + Math.floor(n / bins) + (b < n % bins ? 1 : 0);
    let gap = 0;
    for (const i of order.slice(from, to)) {
      gap += (right[i] ? 1 : 0) - confidences[i];
    }
    total += Math.abs(gap);
    from = to;
  }
  return total / n;
}
