/** IR50, the improved ResNet of face recognition (arXiv 1801.07698), without its last layers. */
import {
  addShortcut,
  batchNorm,
  conv2d,
  type FeatureMap,
  prelu,
  type Scope,
} from "../nn/mod.ts";
import type { tf } from "../tensorflow/mod.ts";

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
  x: FeatureMap,
  filters: number,
  first: boolean,
): FeatureMap {
  const stride = first ? 2 : 1;
  const at = scope.within;
  const normed = batchNorm(at("bn1"), x);
  const { shortcut = x, ...inner } = conv2d(at("conv1"), normed, {
    filters,
    kernel: 3,
  });
  const active = prelu(at("prelu"), batchNorm(at("bn2"), inner));
  const outer = conv2d(at("conv2"), active, { filters, kernel: 3, stride });
  const y = batchNorm(at("bn3"), outer);
  if (!first) return addShortcut(scope, y, shortcut);
  const down = at("downsample");
  const less = conv2d(down.within("0"), shortcut, {
    filters,
    kernel: 1,
    stride,
  });
  return addShortcut(scope, y, batchNorm(down.within("1"), less));
}

/** Offers a map to whoever watches; another that comes back has not been measured. */
function offeredMap(scope: Scope, name: string, map: FeatureMap): FeatureMap {
  const x = scope.record(name, map.x);
  return x === map.x ? map : { x };
}

/** Images [B, H, W, 3] to a map [B, h, w, widths[3]], each stage halving the side. */
export function ir50(
  scope: Scope,
  images: tf.Tensor4D,
  { widths, layers, stemWidth, stemStride }: Ir50Options,
): tf.Tensor4D {
  const stem = conv2d(scope.within("conv1"), { x: images }, {
    filters: stemWidth,
    kernel: 3,
    stride: stemStride,
  });
  const active = prelu(
    scope.within("prelu"),
    batchNorm(scope.within("bn1"), stem),
  );
  let x = offeredMap(scope, "prelu", addShortcut(scope, active));
  widths.forEach((filters, i) => {
    const stage = scope.within(`layer${i + 1}`);
    for (let j = 0; j < layers[i]; j++) {
      x = unit(stage.within(String(j)), x, filters, j === 0);
    }
    x = offeredMap(scope, `layer${i + 1}`, x);
  });
  return x.x;
}
