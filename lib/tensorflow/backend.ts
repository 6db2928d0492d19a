/** tfjs with its "tensorflow" backend on our binding. */
import { createRequire } from "node:module";
import util from "node:util";
import * as tf from "@tensorflow/tfjs";
import { type Attr, binding, type TensorMetadata } from "./binding.ts";
import { checkCount, refuseHugeSizes } from "./value_checks.ts";
import { mendGradients } from "./gradients.ts";
import { divertSingleImages } from "./one_image.ts";

// Removed from Node; tfjs-node-gpu 4.22 still calls them.
const legacy = util as unknown as Record<string, unknown>;
legacy.isNullOrUndefined ??= (v: unknown) => v === null || v === undefined;
legacy.isArray ??= Array.isArray;

/** What we use of tfjs-node-gpu's backend class. */
export interface Backend {
  getInputTensorIds(tensors: tf.Tensor[]): number[];
  createOutputTensor(metadata: TensorMetadata): tf.Tensor;
  executeSingleOutput(name: string, attrs: Attr[], x: tf.Tensor[]): tf.Tensor;
  executeMultipleOutputs(
    name: string,
    attrs: Attr[],
    inputs: tf.Tensor[],
    outputs: number,
  ): tf.Tensor[];
}

const require = createRequire(import.meta.url);
require("@tensorflow/tfjs-node-gpu/dist/register_all_kernels.js");
const { NodeJSKernelBackend } = require(
  "@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js",
);

/** Values reach the binding with the first op: a wrong number of them is told where they came in. */
function newBackend() {
  const made = new NodeJSKernelBackend(binding, "@tensorflow/tfjs-node-gpu");
  const move = made.move.bind(made);
  made.move = (
    ...args: [object, ArrayLike<unknown>, number[], ...unknown[]]
  ) => {
    checkCount(args[2], args[1]);
    move(...args);
  };
  return made;
}

// Rows of different lengths whose values happen to be as many as they should.
tf.env().set("TENSORLIKE_CHECK_SHAPE_CONSISTENCY", true);
tf.registerBackend("tensorflow", newBackend, 3);
await tf.setBackend("tensorflow");
await tf.ready();
refuseHugeSizes(tf);
divertSingleImages(tf);
mendGradients(tf);

export { tf };
export const backend = tf.backend() as unknown as Backend;

/** The binding's id of a tensor. */
export function tensorId(tensor: tf.Tensor): number {
  return backend.getInputTensorIds([tensor])[0];
}
