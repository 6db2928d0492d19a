/** CLS against ViT: is the CLS block better, and which part of it? */
import { claims, decide } from "./cls_claims.ts";
import { trainings } from "./cls_plans.ts";
import type { Report } from "./report.ts";

export {
  controlForest,
  controlTable,
  effectsForest,
  effectsTable,
  interaction,
  simpleForest,
} from "./cls_ablation.ts";
export { comparisons, confusions, mcnemar, pairs } from "./cls_comparison.ts";
export { attentionChart, blockTable, lookInside } from "./cls_look.ts";
export {
  publishedForest,
  publishedLong,
  publishedPairs,
  publishedRuns,
  publishedTests,
} from "./cls_published.ts";

export const report: Report = {
  notebook: "08-cls-vs-vit",
  title: "CLS against ViT",
  published: [
    "cls-vs-baseline",
    "nonmulti-depth",
    "stage3",
    "raf-200epoch-reduce",
    "cls-variants",
    "ferplus-lr-arch",
    "ferplus-200epoch",
  ],
  trainings,
  claims,
  decide,
};
