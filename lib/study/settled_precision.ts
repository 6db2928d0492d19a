/** In which arithmetic a study with `precision: "auto"` trains: all its trials in one. */
import type { Dataset } from "../data/mod.ts";
import {
  type PrecisionOptions,
  type Recipe,
  settlePrecision,
} from "../train/mod.ts";
import { identityOf, recordsOf, sameRecord } from "./identity.ts";
import {
  type CheckedPlan,
  completeFixed,
  firstSetting,
  fixedOf,
  recipeOf,
} from "./plan.ts";
import { provenance } from "./provenance.ts";
import { openStore, type Store, type StudyRow } from "./store/mod.ts";

/** How a precision of "auto" is settled. */
export type Settle = (
  recipe: Recipe,
  options: PrecisionOptions,
) => Promise<Recipe>;

/** What the record of a study with "auto" keeps of the machine that chose. */
function chooser() {
  const { cpu, threads } = provenance();
  return { cpu, threads };
}

/** The attribute under which it is kept. */
const CHOSEN_BY = "precisionChosenBy";

/**
 * The store at a file or URL, to be read; null where no file is yet, or an
 * empty one, which a process that was killed at once leaves.
 */
export async function recordedStore(url: string): Promise<Store | null> {
  if (!url.includes("://")) {
    try {
      if ((await Deno.stat(url)).size === 0) return null;
    } catch {
      return null;
    }
  }
  return await openStore(url, { readOnly: true });
}

/** The plan with its recipe in an arithmetic. */
const inPrecision = (
  plan: CheckedPlan,
  precision: Recipe["precision"],
): CheckedPlan => ({ ...plan, recipe: { ...plan.recipe, precision } });

/** Whether "auto" was asked of a record, and answered by a machine like this one. */
function isOwn(row: StudyRow): boolean {
  const by = row.attrs[CHOSEN_BY] as ReturnType<typeof chooser> | undefined;
  const { cpu, threads } = chooser();
  if (by) return by.cpu === cpu && by.threads === threads;
  // Older records have "auto" itself.
  const { recipe } = identityOf(row)!.fixed as { recipe?: Recipe };
  return recipe?.precision === "auto";
}

/** The record of a plan on its data among those of its name. */
export const recordOfPlan = (
  plan: CheckedPlan,
  data: Dataset,
  records: readonly StudyRow[],
): StudyRow | undefined =>
  sameRecord(
    records,
    { ...plan.study, fixed: fixedOf(plan, data) },
    completeFixed(Object.keys(firstSetting(plan.study))),
  );

/** The plan as this machine began it earlier, so that its records are found. */
async function begunPlan(
  plan: CheckedPlan,
  data: Dataset,
  url: string,
): Promise<CheckedPlan | undefined> {
  await using store = await recordedStore(url);
  if (!store) return;
  const records = await recordsOf(store, plan.study.name);
  const begun = (["float32", "bfloat16"] as const).flatMap((precision) => {
    const own = inPrecision(plan, precision);
    const record = recordOfPlan(own, data, records);
    return record && isOwn(record)
      ? [{ own, at: records.indexOf(record) }]
      : [];
  });
  return begun.sort((a, b) => b.at - a.at)[0]?.own;
}

/**
 * A plan whose precision is settled, so that its records and trials name it:
 * as this machine began the study earlier, else in what is faster for the net
 * of its first setting. All trials of a study share one arithmetic: what
 * differs between them is what the study varies. `attributes` are kept with
 * the record.
 */
export async function settlePlan(
  plan: CheckedPlan,
  data: Dataset,
  { url, settle = settlePrecision, signal, onWarning }: {
    /** Of the records. */
    url: string;
    settle?: Settle;
    signal?: AbortSignal;
    onWarning?: (message: string) => void;
  },
): Promise<{ plan: CheckedPlan; attributes: Record<string, unknown> }> {
  const params = firstSetting(plan.study);
  const recipe = recipeOf(plan, { params, seed: 0 });
  if (recipe.precision !== "auto" || "precision" in params) {
    return { plan, attributes: {} };
  }
  const attributes = { [CHOSEN_BY]: chooser() };
  const begun = await begunPlan(plan, data, url);
  if (begun) return { plan: begun, attributes };
  const { size, channels } = data;
  const { precision } = await settle(
    { ...recipe, size },
    { channels, signal, onWarning },
  );
  return { plan: inPrecision(plan, precision), attributes };
}
