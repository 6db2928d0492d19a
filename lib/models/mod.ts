/** The notes' models, and what their attention looks at. */
import type { Forward } from "../nn/mod.ts";
import { type ClsOptions, clsVit } from "./cls.ts";
import { meanPool } from "./pool.ts";
import { baseline } from "./vit.ts";

export {
  attentionMaps,
  type AttentionStatistics,
  attentionStatistics,
  clsAttention,
  readStatistics,
  rollout,
  type StateTensors,
} from "./attention_maps.ts";
export { type ClsOptions, clsVit, type Patches } from "./cls.ts";
export { dropRates, type TokenOptions } from "./token_model.ts";
export { ir50, type Ir50Options } from "./ir50.ts";
export { meanPool } from "./pool.ts";
export { baseline } from "./vit.ts";

export type ModelName = "baseline" | "cls" | "meanPool";

/** The model that `options.model` names. */
export function modelOf(options: ClsOptions & { model: ModelName }): Forward {
  switch (options.model) {
    case "baseline":
      return baseline(options);
    case "cls":
      return clsVit(options);
    case "meanPool":
      return meanPool(options);
  }
}
