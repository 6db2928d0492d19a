/** All reports, in the order of their notebooks. */
import * as startHere from "./start_here.ts";
import * as batchSize from "./batch_size.ts";
import * as lrSearch from "./lr_search.ts";
import * as depth from "./depth.ts";
import * as eps from "./eps.ts";
import * as betas from "./betas.ts";
import * as longRuns from "./long_runs.ts";
import * as weightDecay from "./weight_decay.ts";
import * as clsVsVit from "./cls_vs_vit.ts";
import * as efficiency from "./efficiency.ts";
import * as repeats from "./repeats.ts";
import * as cpuThroughput from "./cpu_throughput.ts";
import * as mixupAlpha from "./mixup_alpha.ts";
import * as attentionDrop from "./attention_drop.ts";
import * as workflow from "./workflow.ts";
import * as ownStudy from "./own_study.ts";

/** Each report's module: its report and its charts. */
export const reports = {
  startHere,
  batchSize,
  lrSearch,
  depth,
  eps,
  betas,
  longRuns,
  weightDecay,
  clsVsVit,
  efficiency,
  repeats,
  cpuThroughput,
  mixupAlpha,
  attentionDrop,
  workflow,
  ownStudy,
};
