/** Layers, initialisers and named parameters. */
export { gelu } from "./kernels.ts";
export {
  addShortcut,
  batchNorm,
  conv2d,
  dropout,
  dropPath,
  type FeatureMap,
  layerNorm,
  layerScale,
  linear,
  mlp,
  prelu,
  squeezeExcite,
} from "./layers.ts";
export {
  type AttentionOptions,
  classAttention,
  selfAttention,
} from "./attention.ts";
export { fromTorch, toTorch } from "./torch_layout.ts";
export {
  applyScope,
  constant,
  type Dropping,
  type Forward,
  initialise,
  type Initialiser,
  inspect,
  type Inspection,
  type Layout,
  type ModelState,
  normal,
  type Operation,
  type ParameterInfo,
  releaseState,
  type Scope,
  type ScopeValues,
  uniform,
} from "./scope.ts";
