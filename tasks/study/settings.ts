/** The results of a study's settings over their repeats. */
import {
  canonical,
  type Params,
  type ResultRow,
} from "../../lib/study/commands.ts";
import { bestOf } from "../../lib/study/analysis/mod.ts";
import { describeParams, shownValue, valueTexts, withUnit } from "./values.ts";

export interface SettingResult {
  params: Params;
  /** Of the complete trials: their numbers and values. */
  trials: number[];
  values: number[];
  mean: number;
}

type Row = Pick<ResultRow, "number" | "state" | "params" | "value">;

/** Each setting that has a complete trial, in the order of their numbers. */
export function settingResults(rows: readonly Row[]): SettingResult[] {
  const done = rows.filter((row): row is Row & { value: number } =>
    row.state === "COMPLETE" && row.value !== null
  );
  return [...Map.groupBy(done, (row) => canonical(row.params)).values()]
    .map((same) => {
      const values = same.map((row) => row.value);
      return {
        params: same[0].params,
        trials: same.map((row) => row.number),
        values,
        mean: values.reduce((a, b) => a + b, 0) / values.length,
      };
    });
}

/**
 * The setting with the best mean, among those with the most complete repeats:
 * one lucky repeat does not win over several.
 */
export function bestSetting(
  settings: readonly SettingResult[],
  direction: "maximize" | "minimize",
): SettingResult | undefined {
  // The mean of both infinities is no number.
  const known = settings.filter((s) => !Number.isNaN(s.mean));
  const most = Math.max(...known.map((s) => s.values.length));
  return bestOf(known.filter((s) => s.values.length === most), direction);
}

/** The settings that `bestSetting` does not judge: they lack repeats. */
export function lackingRepeats(
  settings: readonly SettingResult[],
  best: SettingResult | undefined,
): SettingResult[] {
  return settings.filter((s) => s.values.length < (best?.values.length ?? 0));
}

/**
 * `depth 2: 53.2 % (mean of 2: 52.1 %, 54.3 %)`, or `(trial 5)` of one; its
 * numbers are told apart from those of `beside`, too.
 */
export function settingResultText(
  setting: SettingResult,
  metric: string,
  beside: readonly SettingResult[] = [],
): string {
  const { params, trials, values, mean } = setting;
  const all = [setting, ...beside].flatMap((s) => [s.mean, ...s.values]);
  const text = valueTexts(all, metric);
  const list = values.map(text).join(", ");
  const source = values.length > 1
    ? `mean of ${values.length}: ${list}`
    : `trial ${trials[0]}`;
  const unit = withUnit(mean, metric).slice(shownValue(mean, metric).length);
  const result = `${text(mean)}${unit} (${source})`;
  return [describeParams(params), result].filter(Boolean).join(": ");
}
