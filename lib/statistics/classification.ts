/** Classification metrics as scikit-learn 1.9 defines them, in float64. */

import { Calibration, readLogits } from "./calibration.ts";

/** Null is "not applicable": there is nothing to be right or wrong about. */
export interface ClassMetrics {
  /** Null for a class that no sample has. */
  recall: number | null;
  /** 0 for a class never predicted; null where no sample has it either. */
  precision: number | null;
  /** Null for a class that no sample has and none is taken for. */
  f1: number | null;
  /** Samples whose truth is this class. */
  support: number;
}

export interface ClassificationMetrics {
  accuracy: number;
  /** Mean recall of the classes that occur in the truth. */
  balancedAccuracy: number;
  /** Mean F1 of the classes that occur in truth or predictions. */
  macroF1: number;
  /** Mean F1 weighted by the classes' support. */
  weightedF1: number;
  /** Cohen's kappa; null where truth and predictions are one same class. */
  kappa: number | null;
  perClass: ClassMetrics[];
  /** `[truth][prediction]`, counts. */
  confusion: number[][];
  correct: number;
  total: number;
}

const ratio = (a: number, b: number) => b === 0 ? 0 : a / b;
const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);

/** The mean of the values that are not null; NaN for none. */
function meanKnown(values: (number | null)[]): number {
  const known = values.filter((v) => v !== null);
  return sum(known) / known.length;
}

/** Samples of each class, and samples taken for it. */
const marginals = (confusion: number[][]) => ({
  truth: confusion.map(sum),
  predicted: confusion.map((_, k) => sum(confusion.map((row) => row[k]))),
});

/**
 * Cohen's kappa of a confusion matrix: 1 - observed over expected
 * disagreement, each pair of classes weighing 1, or their distance where
 * `weights` is linear. Null where no disagreement is expected.
 */
export function cohenKappa(
  confusion: number[][],
  weights: "none" | "linear" = "none",
): number | null {
  const { truth, predicted } = marginals(confusion);
  const total = sum(truth);
  let observed = 0, expected = 0;
  confusion.forEach((row, i) =>
    row.forEach((count, j) => {
      const weight = weights === "linear" ? Math.abs(i - j) : Number(i !== j);
      observed += weight * count;
      expected += weight * truth[i] * predicted[j];
    })
  );
  return expected === 0 ? null : 1 - observed * total / expected;
}

/**
 * Matthews' correlation of truth and prediction for any number of classes;
 * 0 where one of them is constant.
 */
export function matthews(confusion: number[][]): number {
  const { truth, predicted } = marginals(confusion);
  const total = sum(truth);
  const covariance = (a: number[], b: number[]) =>
    total ** 2 - sum(a.map((x, k) => x * b[k]));
  const hits = sum(confusion.map((row, k) => row[k]));
  const both = hits * total - sum(truth.map((x, k) => x * predicted[k]));
  return ratio(
    both,
    Math.sqrt(covariance(truth, truth) * covariance(predicted, predicted)),
  );
}

/** All metrics of a confusion matrix `[truth][prediction]`; NaN without samples. */
export function metricsFromConfusion(
  confusion: number[][],
): ClassificationMetrics {
  const { truth, predicted } = marginals(confusion);
  const perClass = truth.map((support, k): ClassMetrics => {
    const hits = confusion[k][k];
    const occurs = support + predicted[k] > 0;
    return {
      recall: support > 0 ? hits / support : null,
      precision: occurs ? ratio(hits, predicted[k]) : null,
      f1: occurs ? 2 * hits / (support + predicted[k]) : null,
      support,
    };
  });
  const correct = sum(confusion.map((row, k) => row[k]));
  const total = sum(truth);
  return {
    accuracy: correct / total,
    balancedAccuracy: meanKnown(perClass.map((c) => c.recall)),
    macroF1: meanKnown(perClass.map((c) => c.f1)),
    weightedF1: sum(perClass.map((c) => c.support * (c.f1 ?? 0))) / total,
    kappa: cohenKappa(confusion),
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

/** Gathers a split's batches; every sample counts once, whatever its batch. */
export class Evaluation {
  readonly #classes: number;
  readonly #confusion: number[][];
  readonly #predictions: number[] = [];
  readonly #calibration = new Calibration();
  #loss = 0;

  constructor(classes: number) {
    this.#classes = classes;
    this.#confusion = zeros(classes);
  }

  /**
   * Adds a batch: `logits` `[n·classes]`, `labels` `[n]`. The first of the
   * largest logits is the prediction.
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
      const at = i * classes, label = labels[i];
      const { prediction, logSumExp, confidence } = readLogits(
        logits,
        at,
        classes,
      );
      this.#confusion[label][prediction]++;
      this.#predictions.push(prediction);
      this.#calibration.add(confidence, prediction === label);
      this.#loss += logSumExp - logits[at + label];
    }
  }

  /** Metrics of all that was added; NaN where nothing was. */
  result(): ClassificationMetrics & {
    /** Mean cross-entropy, nats. */
    loss: number;
    /** Expected calibration error over 15 bins. */
    ece: number;
    /** In the order of adding. */
    predictions: number[];
  } {
    return {
      ...metricsFromConfusion(this.#confusion.map((row) => [...row])),
      loss: this.#loss / this.#predictions.length,
      ece: this.#calibration.errors().ece,
      predictions: [...this.#predictions],
    };
  }
}
