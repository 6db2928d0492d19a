/** Trained nets in use: read from files, asked about photos, looked into, as ONNX. */
export { type Confused, confusedWith } from "./confused.ts";
export {
  type GradCam,
  gradCam,
  type GradCamOptions,
  overMaximum,
  upsample,
} from "./gradcam.ts";
export { type Looked, lookInside } from "./look_inside.ts";
export { type TrainedNet, trainedNet, type TrainedOptions } from "./net.ts";
export { onnxOf } from "./onnx.ts";
export {
  type Photo,
  photosOf,
  predict,
  type Predicted,
  type Prediction,
  predictions,
  type PredictOptions,
  type Unreadable,
} from "./predict.ts";
