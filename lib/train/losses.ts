/** Losses. */
import { tf } from "../tensorflow/mod.ts";

/** Mean cross-entropy of integer labels. Logits [B, C], labels [B] int32. */
export function crossEntropy(
  logits: tf.Tensor2D,
  labels: tf.Tensor1D,
): tf.Scalar {
  const oneHot = tf.oneHot(labels, logits.shape[1]);
  const perSample = tf.sum(tf.mul(tf.logSoftmax(logits), oneHot), -1);
  return tf.neg(tf.mean(perSample));
}
