/** The protocol, published and ours, side by side. */
import {
  analysis,
  type ParamValue,
  recipeOf,
  type TrainingPlan,
} from "../study/mod.ts";
import type { Recipe } from "../train/mod.ts";
import type { Published } from "./published.ts";
import type { Row } from "./rows.ts";
import { type Shown, table } from "./show.ts";
import type { Study } from "./study.ts";

const listed = (values: readonly ParamValue[]) =>
  values.map(analysis.showValue).join(", ");

/** What a study tries of a field: "2, 4, 6" or "1e-5 to 1e-2". */
function triedOf({ study }: TrainingPlan, field: string): string | undefined {
  const p = study.parameters?.[field];
  if (!p) return undefined;
  if (Array.isArray(p)) return listed(p);
  return "values" in p ? listed(p.values) : `${p.low} to ${p.high}`;
}

/** The recipe of a study's first setting. */
function firstRecipe(plan: TrainingPlan): Recipe {
  const { search, parameters = {} } = plan.study;
  const params = search?.kind === "list"
    ? search.points[0]
    : Object.fromEntries(
      Object.entries(parameters).map(([name, p]) => [
        name,
        Array.isArray(p) ? p[0] : "values" in p ? p.values[0] : p.low,
      ]),
    );
  return recipeOf(plan, { params, seed: 0 });
}

const modelText = (r: Recipe) =>
  `IR50 family, stages ${r.widths.join("/")} with ${
    r.layers.join("/")
  } units, ${r.model}${
    r.model === "cls" ? ` (patches ${r.patches}, scale ${r.scale})` : ""
  }`;

const augmentationText = ({ flip, erasing }: Recipe) =>
  [
    flip > 0 ? "horizontal flip" : "",
    erasing.probability > 0
      ? `RandomErasing ${erasing.areaMin}–${erasing.areaMax}`
      : "",
  ].filter(Boolean).join(", ") || "none";

const scheduleText = ({ schedule: s }: Recipe) =>
  s.kind !== "exponential"
    ? s.kind
    : s.gamma === 1
    ? "constant"
    : `exponential, gamma ${s.gamma} per ${s.per}`;

const decayText = ({ weightDecay, optimizer, weightDecayOn }: Recipe) =>
  weightDecay === 0
    ? "none"
    : `${weightDecay}, ${
      optimizer === "adamw" ? "decoupled" : "coupled"
    }, on ${weightDecayOn}`;

const mixingText = ({ mixing: { kind, alpha } }: Recipe) =>
  kind === "none" || alpha === 0 ? "none" : `${kind}, alpha ${alpha}`;

/** What it is; what the notes call it; the recipe's fields; ours as text. */
type Line = [string, string[], string[], (recipe: Recipe) => string];

const LINES: Line[] = [
  ["model", ["model"], ["model", "patches", "scale"], modelText],
  ["depth", ["depth", "model"], ["depth"], (r) => `${r.depth}`],
  [
    "start",
    ["pretrained"],
    ["weights.file"],
    (r) => r.weights.file || "random weights",
  ],
  [
    "input",
    ["input"],
    ["size"],
    (r) => `${r.size}×${r.size}, stem stride ${r.stemStride}`,
  ],
  ["batch size", ["batch"], ["batchSize"], (r) => `${r.batchSize}`],
  ["epochs", ["epochs"], ["epochs"], (r) => `${r.epochs}`],
  [
    "optimizer",
    ["optimizer"],
    ["optimizer", "betas.0", "betas.1"],
    (r) => `${r.optimizer} (${r.betas.join(", ")})`,
  ],
  ["eps", ["optimizer_eps"], ["eps"], (r) => analysis.showValue(r.eps)],
  ["learning rate", ["lr"], ["lr"], (r) => analysis.showValue(r.lr)],
  ["schedule", ["schedule"], ["schedule.gamma", "schedule.kind"], scheduleText],
  ["weight decay", ["weight_decay"], ["weightDecay", "optimizer"], decayText],
  ["sampler", ["sampler"], ["sampler"], (r) => r.sampler],
  ["augmentation", ["augmentation"], [], augmentationText],
  ["mixing", ["mixup_alpha"], ["mixing.alpha"], mixingText],
];

/** More values than these are told by their ends. */
const MOST_LISTED = 8;

/** "varied: 2, 4" where a published table has several values of a field. */
function variedThere(rows: readonly Row[], field: string): string | undefined {
  const values = [...new Set(rows.map((r) => r[field]))]
    .filter((v) => typeof v === "number").sort((a, b) => a - b);
  if (values.length < 2) return undefined;
  return values.length > MOST_LISTED
    ? `varied: ${values.length} values, ${
      [values[0], values.at(-1)!].map(analysis.showValue).join(" to ")
    }`
    : `varied: ${listed(values)}`;
}

/** What is measured, published and ours. */
const measured = (of: Published | undefined, facts: Record<string, string>) =>
  table(
    [...new Set([...Object.keys(of?.protocol ?? {}), ...Object.keys(facts)])]
      .map((name) => ({
        "": name,
        published: of?.protocol[name] ?? (of ? "not stated" : "–"),
        ours: facts[name] ?? "–",
      })),
  );

/**
 * The protocol of the notes beside a study's own, a row a setting: the notes'
 * values are those of their code at the date of the figure, and "not stated"
 * is what it did not print. Without published numbers ours stand alone.
 */
export function protocol(of: Published | undefined, study: Study): Shown {
  if (!("recipe" in study.job)) return measured(of, study.job.facts);
  const { plan } = study, recipe = firstRecipe(plan);
  const theirs: Record<string, unknown> = { ...of?.protocol };
  if (theirs.optimizer) theirs.weight_decay ??= "see optimizer";
  const none = of ? "not stated" : "–";
  const said = (...names: string[]) => {
    const value = names.map((n) => theirs[n]).find((v) => v !== undefined);
    if (value === undefined) return none;
    return typeof value === "string" ? value : JSON.stringify(value);
  };
  const line = ([what, names, fields, text]: Line) => {
    const tried = fields.flatMap((field) => {
      const values = triedOf(plan, field);
      if (!values) return [];
      return [fields.length > 1 ? `${field} ${values}` : values];
    });
    return {
      "": what,
      published: variedThere(of?.rows ?? [], fields[0]) ?? said(...names),
      ours: tried.length > 0 ? `varied: ${tried.join("; ")}` : text(recipe),
    };
  };
  const known = new Set(LINES.flatMap(([, , fields]) => fields));
  const others = Object.keys(plan.study.parameters ?? {})
    .filter((name) => !known.has(name))
    .map((name): Line => [name, [], [name], () => "–"]);
  const limits = Object.entries(plan.limits ?? {})
    .map(([split, n]) => `${split} ${n.toLocaleString("en")}`).join(", ");
  return table([
    {
      "": "data",
      published: said("dataset"),
      ours: `${plan.data?.name}${limits ? `: ${limits}` : ""}`,
    },
    ...[...LINES, ...others].map(line),
    {
      "": "runs a setting",
      published: of ? "one, no seed set" : none,
      ours: `${plan.study.repeats ?? 1}, seeds paired across settings`,
    },
    {
      "": "number reported",
      published: said("metric"),
      ours: plan.study.metric ?? "value",
    },
  ]);
}
