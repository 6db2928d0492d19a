/** The protocol, published and ours, side by side. */
import { firstSetting, recipeOf } from "../study/mod.ts";
import type { Recipe } from "../train/mod.ts";
import type { Published } from "./published.ts";
import type { Row } from "./rows.ts";
import { type Shown, table, valueText } from "./show.ts";
import { type Study, triedText } from "./study.ts";

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
    ({ weights }) => weights.file || "random weights",
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
  ["eps", ["optimizer_eps"], ["eps"], (r) => valueText("eps", r.eps)],
  ["learning rate", ["lr"], ["lr"], (r) => valueText("lr", r.lr)],
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
  const texts = values.map((value) => valueText(field, value));
  return values.length > MOST_LISTED
    ? `varied: ${values.length} values, ${texts[0]} to ${texts.at(-1)}`
    : `varied: ${texts.join(", ")}`;
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
  const { plan, definition: { parameters, repeats, metric } } = study;
  const params = firstSetting(study.definition);
  const recipe = recipeOf(plan, { params, seed: 0 });
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
      if (!parameters[field]) return [];
      const values = triedText(field, parameters[field]);
      return [fields.length > 1 ? `${field} ${values}` : values];
    });
    return {
      "": what,
      published: variedThere(of?.rows ?? [], fields[0]) ?? said(...names),
      ours: tried.length > 0 ? `varied: ${tried.join("; ")}` : text(recipe),
    };
  };
  const known = new Set(LINES.flatMap(([, , fields]) => fields));
  const others = Object.keys(parameters)
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
      ours: `${repeats}, seeds paired across settings`,
    },
    {
      "": "number reported",
      published: said("metric"),
      ours: metric,
    },
  ]);
}
