/** libtensorflow under tfjs: what others may import of the engine. */
export {
  ensureLibrary,
  findLibrary,
  installLibrary,
  LibraryError,
  TENSORFLOW_VERSION,
} from "./install.ts";
export { backend, tensorId, tf } from "./backend.ts";
export { DeviceError } from "./device.ts";
export {
  type Attr,
  AttrType,
  DataType,
  handleCount,
  observe,
  type Observer,
  type OpTimer,
  timeOps,
  usesNativeOps,
} from "./binding.ts";
export { type Choice, Choices } from "./choices.ts";
export {
  type Arithmetic,
  compile,
  type Compiled,
  type CompileOptions,
  hasBfloat16,
} from "./compile.ts";
export { noteParameter } from "./gradients.ts";
export { allFinite, largestOf } from "./finite.ts";
export { graphNodes } from "./graph_size.ts";
export { nativeOps, returnMemory, useLargePages } from "./c_api.ts";
export {
  type AdamStep,
  applyAdam,
  applyGradientDescent,
  applyMomentum,
  bytesToFloat,
  fromBytes,
  histogram,
  preparedImages,
  squareSum,
  statelessNormal,
  statelessUniform,
} from "./ops.ts";
export { withoutValues } from "./shapes.ts";
export { Variable } from "./variable.ts";

import { binding, type Device, devices } from "./binding.ts";

/** Version and devices of the loaded library. */
export function engineInfo(): { version: string; devices: Device[] } {
  return { version: binding.TF_Version, devices };
}
