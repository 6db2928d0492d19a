/** What a dry run tells of a study: a line, and the same as data. */
import type { CostEstimate, TrainingPlan } from "../study/mod.ts";
import { broadcast } from "./live.ts";
import { duration } from "./show.ts";

/** The media type under which a cell shows a study's cost. */
export const COST_TYPE = "application/vnd.ferlab.cost+json";

/** What is missing of a study; of trainings also how long they take. */
export interface StudyCost {
  study: string;
  /** Trials without a result. */
  missing: number;
  /** Of all trials. */
  total: number;
  plan?: TrainingPlan;
  estimate?: CostEstimate;
}

/** "lr-search: 4 of 60 trials to run, about 20 s one after the other, …" */
export function costText({ study, missing, total, estimate }: StudyCost) {
  if (missing === 0) return `${study}: all ${total} trials are on record`;
  const what = `${study}: ${missing} of ${total} trials to run`;
  if (!estimate) return `${what}: measurements, whose time is what they find`;
  const { seconds, measured } = estimate;
  const by = measured
    ? `${measured.imagesPerSecond.toFixed(0)} images/s timed now`
    : "the trials on record";
  return `${what}, about ${duration(seconds)} one after the other, by ${by}`;
}

/** Shows a cost in the cell that runs; outside a kernel it is printed. */
export async function tellCost(cost: StudyCost): Promise<void> {
  const text = costText(cost);
  const data = { "text/plain": text, [COST_TYPE]: cost };
  if (!await broadcast("display_data", { data, metadata: {} })) {
    console.log(text);
  }
}
