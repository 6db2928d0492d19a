/** What a study is and how far it is, as lines of text. */
import {
  identityOf,
  type ParamValue,
  parseStudy,
  pointsOf,
  type Progress,
  progressOf,
  type ResultRow,
  sampledKeys,
  sampledSettings,
  type Study,
  type StudyRow,
} from "../../lib/study/commands.ts";
import { cutHash, describeParams, shownParam } from "./values.ts";
import { factLines, minute } from "../text.ts";
import type { FoundStudy } from "./records.ts";
import { type SettingResult, settingResultText } from "./settings.ts";

/** A recorded definition; undefined where there is none that we know. */
export function definitionOf({ attrs }: StudyRow): Study | undefined {
  try {
    return parseStudy(attrs.definition);
  } catch {
    return undefined; // of another tool, or of an earlier version of this one
  }
}

/** How far a study is; undefined where its points are not known. */
export function progressIn(
  row: StudyRow,
  results: readonly ResultRow[],
): Progress | undefined {
  const study = definitionOf(row);
  const key = identityOf(row)?.key;
  if (!study || key === undefined) return;
  const sampled = sampledSettings(study);
  if (sampled !== undefined) {
    const total = sampled * study.repeats;
    return progressOf(results, sampledKeys(results, study), total);
  }
  const keys = new Set(pointsOf(study, key).map((p) => p.key));
  return progressOf(results, keys, keys.size);
}

/** What is tried of a parameter: `1e-3, 1e-2 (nuisance)`. */
export function parameterText(
  name: string,
  parameter: Study["parameters"][string],
): string {
  const { role } = parameter;
  const text = (value: ParamValue) => shownParam(value, name, 17);
  if ("values" in parameter) {
    return `${parameter.values.map(text).join(", ")} (${role})`;
  }
  const { low, high, log, int, step } = parameter;
  const kind = [
    int && "whole numbers",
    log && "log scale",
    step !== undefined && `step ${step}`,
  ].filter(Boolean).join(", ");
  return `${text(low)} to ${text(high)}${kind && `, ${kind}`} (${role})`;
}

function searchText({ search, pruner }: Study): string {
  const { kind, ...rest } = search;
  const points = "points" in rest
    ? `, ${
      Array.isArray(rest.points) ? rest.points.length : rest.points
    } settings`
    : "";
  const { kind: pruned, ...settings } = pruner;
  const how = Object.entries(settings).map(([n, v]) => `${n} ${v}`).join(", ");
  return kind + points +
    (pruned === "none" ? "" : `; pruner ${pruned}${how && ` (${how})`}`);
}

/** Settings that all trials share: hashes cut, groups counted. */
function fixedText(fixed: Record<string, unknown>): string {
  return Object.entries(fixed).map(([name, value]) => {
    if (typeof value !== "object" || value === null) {
      return `${name} ${cutHash(String(value))}`;
    }
    return `${name} (${Object.keys(value).length} settings)`;
  }).join(", ");
}

/** How far a study is; without its points, its trials by state. */
export function progressText(
  { trials }: StudyRow,
  progress?: Progress,
): string {
  const counts = progress
    ? [
      [progress.complete, "complete"],
      [progress.pruned, "pruned"],
      [progress.failed, "failed"],
      [Math.max(0, progress.remaining - progress.running), "to run"],
      [progress.running, "running"],
    ]
    : [
      [trials.COMPLETE, "complete"],
      [trials.PRUNED, "pruned"],
      [trials.FAIL, "failed"],
      [trials.WAITING, "waiting"],
      [trials.RUNNING, "running"],
    ];
  const told = counts.filter(([n]) => n).map(([n, word]) => `${n} ${word}`);
  return progress
    ? `${progress.total} points: ${told.join(", ")}`
    : `trials: ${told.join(", ") || "none"}`;
}

/** The head of `show`: one fact a line, of at most `room` columns. */
export function studyText(
  { row, name, record }: FoundStudy,
  progress: Progress | undefined,
  best: SettingResult | undefined,
  leftOut: readonly SettingResult[],
  room: number,
): string {
  const study = definitionOf(row);
  const fixed = fixedText(identityOf(row)?.fixed ?? {});
  const budget = Object.entries(study?.budget ?? {})
    .map(([what, n]) => `${n} ${what}`).join(", ");
  const facts: [string, string][] = [
    ["study", name],
    ["record", record],
    ["metric", `${row.metric}, ${row.direction}`],
    ...Object.entries(study?.parameters ?? {}).map(
      ([name, p], i): [string, string] => [
        i ? "" : "parameters",
        `${name}: ${parameterText(name, p)}`,
      ],
    ),
    ["search", study ? searchText(study) : ""],
    ["repeats", study && study.repeats > 1 ? String(study.repeats) : ""],
    ["budget", budget],
    ["fixed", fixed],
    ["progress", progressText(row, progress)],
    ["best", best ? settingResultText(best, row.metric) : ""],
    ["", leftOutText(leftOut, best)],
    [
      "time",
      row.start ? `${minute(row.start)} to ${minute(row.end) || "now"}` : "",
    ],
  ];
  return factLines(facts, room);
}

/** Which settings "best" does not judge, as they lack repeats. */
function leftOutText(
  leftOut: readonly SettingResult[],
  best: SettingResult | undefined,
): string {
  if (!best || leftOut.length === 0) return "";
  const named = leftOut.slice(0, 4).map(({ params, values }) =>
    `${describeParams(params)} (${values.length} of ${best.values.length})`
  );
  const more = leftOut.length > 4 ? `, and ${leftOut.length - 4} more` : "";
  return `left out, with fewer repeats complete: ${named.join(", ")}${more}`;
}
