/** Weight files: PyTorch's and safetensors, their names, and what fits a model. */
export { type About, aboutNet, aboutOf, SeenData } from "./about_net.ts";
export {
  cleanTemporary,
  readSafetensors,
  type Safetensors,
  SafetensorsError,
  writeSafetensors,
} from "./safetensors.ts";
export {
  type Dtype,
  elements,
  escaped,
  firstTen,
  printable,
  type StoredTensor,
  type TensorData,
  WeightsError,
} from "./tensor.ts";
export { OnnxGraph } from "./onnx_file.ts";
export { readWeights, type Weights } from "./read.ts";
export { modelTensors, renameKnown, type Renaming } from "./names.ts";
export {
  type Allowed,
  match,
  type Matched,
  type MatchOptions,
  type Wanted,
} from "./match.ts";
