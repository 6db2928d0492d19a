/** Layers, initialisers and named parameters. */
export { gelu } from "./kernels.ts";
export {
  batchNorm,
  conv2d,
  layerNorm,
  linear,
  mlp,
  prelu,
  selfAttention,
} from "./layers.ts";
export { fromTorch, toTorch } from "./layout.ts";
export {
  applyScope,
  constant,
  type Forward,
  initialise,
  type Initialiser,
  type Layout,
  type ModelState,
  normal,
  type ParameterInfo,
  type Scope,
  type ScopeValues,
  uniform,
} from "./scope.ts";
