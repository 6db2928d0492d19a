/** What a model costs: parameters, operations, throughput, memory. */
export {
  count,
  type Counted,
  type CountedLayer,
  type CountRow,
  countTable,
  flops,
  flopsOf,
  parameters,
  type Sums,
} from "./count.ts";
export { type Convention, CONVENTIONS } from "./conventions.ts";
export { type Cost, costOf } from "./cost.ts";
export {
  assertFits,
  inferenceMemory,
  isOutOfMemory,
  OutOfMemoryError,
  trainingMemory,
} from "./memory_fit.ts";
export {
  availableMemory,
  deviceMemory,
  measureMemory,
  peakMemory,
  residentMemory,
} from "./memory.ts";
export {
  inference,
  type Prepared,
  type Run,
  throughput,
  type ThroughputOptions,
  type ThroughputRow,
} from "./throughput.ts";
