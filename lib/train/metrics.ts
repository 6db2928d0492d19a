/** Classification metrics as scikit-learn 1.9 defines them, in float64. */

export interface ClassMetrics {
  recall: number;
  precision: number;
  f1: number;
  /** Samples whose truth is this class. */
  support: number;
}

export interface ClassificationMetrics {
  accuracy: number;
  /** Mean recall of the classes that occur in the truth. */
  balancedAccuracy: number;
  /** Mean F1 of all classes. */
  macroF1: number;
  perClass: ClassMetrics[];
  /** `[truth][prediction]`, counts. */
  confusion: number[][];
  correct: number;
  total: number;
}

const ratio = (a: number, b: number) => b === 0 ? 0 : a / b;
const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);

/** All metrics of a confusion matrix `[truth][prediction]`; 0/0 counts as 0. */
export function metricsFromConfusion(
  confusion: number[][],
): ClassificationMetrics {
  const perClass = confusion.map((row, k) => {
    const hits = row[k];
    const support = sum(row);
    const predicted = sum(confusion.map((r) => r[k]));
    return {
      recall: ratio(hits, support),
      precision: ratio(hits, predicted),
      f1: ratio(2 * hits, support + predicted),
      support,
    };
  });
  const correct = sum(confusion.map((row, k) => row[k]));
  const total = sum(confusion.map(sum));
  const occurring = perClass.filter((c) => c.support > 0);
  return {
    accuracy: ratio(correct, total),
    balancedAccuracy: ratio(
      sum(occurring.map((c) => c.recall)),
      occurring.length,
    ),
    macroF1: ratio(sum(perClass.map((c) => c.f1)), perClass.length),
    perClass,
    confusion,
    correct,
    total,
  };
}

function zeros(classes: number): number[][] {
  return Array.from({ length: classes }, () => new Array(classes).fill(0));
}

function checkClass(what: string, value: number, classes: number): void {
  if (!Number.isInteger(value) || value < 0 || value >= classes) {
    throw new RangeError(
      `${what} ${value} is no class; give a whole number from 0 to ${
        classes - 1
      }`,
    );
  }
}

/**
 * Metrics of predicted classes against the truth.
 *
 * @throws RangeError for lists of two lengths or a value that is no class.
 */
export function classificationMetrics(
  labels: ArrayLike<number>,
  predictions: ArrayLike<number>,
  classes: number,
): ClassificationMetrics {
  if (labels.length !== predictions.length) {
    throw new RangeError(
      `${labels.length} labels for ${predictions.length} predictions; give as many`,
    );
  }
  const confusion = zeros(classes);
  for (let i = 0; i < labels.length; i++) {
    checkClass("label", labels[i], classes);
    checkClass("prediction", predictions[i], classes);
    confusion[labels[i]][predictions[i]]++;
  }
  return metricsFromConfusion(confusion);
}

/** log Σ exp of `classes` logits from `at`, without overflow. */
function logSumExp(
  logits: ArrayLike<number>,
  at: number,
  classes: number,
): number {
  let max = -Infinity;
  for (let k = 0; k < classes; k++) max = Math.max(max, logits[at + k]);
  let total = 0;
  for (let k = 0; k < classes; k++) total += Math.exp(logits[at + k] - max);
  return max + Math.log(total);
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
  let total = 0;
  for (let i = 0; i < labels.length; i++) {
    const at = i * classes;
    total += logSumExp(logits, at, classes) - logits[at + labels[i]];
  }
  return total / labels.length;
}

/** Gathers a split's batches; every sample counts once, whatever its batch. */
export class Evaluation {
  readonly #classes: number;
  readonly #confusion: number[][];
  readonly #predictions: number[] = [];
  #loss = 0;

  constructor(classes: number) {
    this.#classes = classes;
    this.#confusion = zeros(classes);
  }

  /**
   * Adds a batch: `logits` `[n·classes]`, `labels` `[n]`. The first of equal
   * logits is the prediction.
   *
   * @throws RangeError for lengths that do not fit or a label that is no class.
   */
  add(logits: ArrayLike<number>, labels: ArrayLike<number>): void {
    const classes = this.#classes;
    const n = labels.length;
    if (n === 0 && logits.length === 0) return;
    if (logits.length !== n * classes) {
      throw new RangeError(
        `${logits.length} logits for ${n} labels of ${classes} classes; give ${
          n * classes
        }`,
      );
    }
    for (let i = 0; i < n; i++) checkClass("label", labels[i], classes);
    for (let i = 0; i < n; i++) {
      let best = 0;
      for (let k = 1; k < classes; k++) {
        if (logits[i * classes + k] > logits[i * classes + best]) best = k;
      }
      this.#confusion[labels[i]][best]++;
      this.#predictions.push(best);
    }
    this.#loss += logLoss(logits, labels, classes) * n;
  }

  /** Metrics of all that was added; `loss` is NaN where nothing was. */
  result(): ClassificationMetrics & {
    /** Mean cross-entropy, nats. */
    loss: number;
    /** In the order of adding. */
    predictions: number[];
  } {
    return {
      ...metricsFromConfusion(this.#confusion.map((row) => [...row])),
      loss: this.#loss / this.#predictions.length,
      predictions: [...this.#predictions],
    };
  }
}
