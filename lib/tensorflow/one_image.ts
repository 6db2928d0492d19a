/** Convolutions of one image, which oneDNN does badly on CPUs without AVX512. */
import type * as tfjs from "@tensorflow/tfjs";
import { type Attr, AttrType, binding } from "./binding.ts";
import { cpuFlags } from "./cpu.ts";

/** What an executing kernel is given of tfjs's backend. */
interface Runner {
  executeSingleOutput(
    name: string,
    attrs: Attr[],
    x: tfjs.TensorInfo[],
  ): tfjs.TensorInfo;
}

/**
 * Sends convolutions of a batch of one by the op `Conv`, which no rewriting
 * takes to oneDNN. TensorFlow hands oneDNN the weights as they are when the
 * batch is one, and its only kernel for those takes six times as long as two
 * images with weights in blocks (oneDNN 3.7 on AVX2: 1.2 s against 0.2 s for
 * the full Baseline). Gradients go on as before.
 */
export function divertSingleImages(tf: typeof tfjs): void {
  if (binding.isUsingGpuDevice() || cpuFlags()?.has("avx512f")) return;
  const kernel = tf.getKernel("Conv2D", "tensorflow");
  tf.unregisterKernel("Conv2D", "tensorflow");
  tf.registerKernel({
    ...kernel,
    kernelFunc: (args) => {
      const { x, filter } = args.inputs as Record<string, tfjs.TensorInfo>;
      const { strides, pad, dataFormat, dilations } = args
        .attrs as unknown as tfjs.Conv2DAttrs;
      const isPlain = x.shape[0] === 1 && x.dtype === "float32" &&
        dataFormat === "NHWC" && typeof pad === "string" &&
        [dilations].flat().every((d) => d === 1);
      if (!isPlain) return kernel.kernelFunc(args);
      const [down, right] = [strides].flat();
      return (args.backend as Runner).executeSingleOutput("Conv", [
        { name: "T", type: AttrType.TYPE, value: binding.TF_FLOAT },
        {
          name: "strides",
          type: AttrType.INT,
          value: [1, down, right ?? down, 1],
        },
        { name: "padding", type: AttrType.STRING, value: pad.toUpperCase() },
      ], [x, filter]);
    },
  });
}
