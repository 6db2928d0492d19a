/** IR50, the improved ResNet of face recognition (arXiv 1801.07698), without its last layers. */
import { batchNorm, conv2d, prelu, type Scope } from "../nn/mod.ts";
import { tf } from "../tensorflow/mod.ts";

export interface Ir50Options {
  /** Channels of the four stages. */
  widths: readonly number[];
  /** Units a stage; 3, 4, 14, 3 is IR50. */
  layers: readonly number[];
  stemWidth: number;
  /** 1, or 2 for inputs of twice the size. */
  stemStride: 1 | 2;
}

/** BN, conv, BN, PReLU, conv, BN, plus the shortcut; nothing after the sum. */
function unit(
  scope: Scope,
  x: tf.Tensor4D,
  filters: number,
  first: boolean,
): tf.Tensor4D {
  const stride = first ? 2 : 1;
  const at = scope.within;
  let y = batchNorm(at("bn1"), x);
  y = conv2d(at("conv1"), y, { filters, kernel: 3 });
  y = prelu(at("prelu"), batchNorm(at("bn2"), y));
  y = conv2d(at("conv2"), y, { filters, kernel: 3, stride });
  y = batchNorm(at("bn3"), y);
  if (!first) return tf.add(y, x);
  const down = at("downsample");
  const shortcut = conv2d(down.within("0"), x, { filters, kernel: 1, stride });
  return tf.add(y, batchNorm(down.within("1"), shortcut));
}

/** Images [B, H, W, 3] to a map [B, h, w, widths[3]], each stage halving the side. */
export function ir50(
  scope: Scope,
  images: tf.Tensor4D,
  { widths, layers, stemWidth, stemStride }: Ir50Options,
): tf.Tensor4D {
  let x = conv2d(scope.within("conv1"), images, {
    filters: stemWidth,
    kernel: 3,
    stride: stemStride,
  });
  x = prelu(scope.within("prelu"), batchNorm(scope.within("bn1"), x));
  x = scope.record("prelu", x);
  widths.forEach((filters, i) => {
    const stage = scope.within(`layer${i + 1}`);
    for (let j = 0; j < layers[i]; j++) {
      x = unit(stage.within(String(j)), x, filters, j === 0);
    }
    x = scope.record(`layer${i + 1}`, x);
  });
  return x;
}
