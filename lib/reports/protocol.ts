/** The protocol, published and ours, side by side. */
import { firstSetting, recipeOf } from "../study/mod.ts";
import type { Recipe } from "../train/mod.ts";
import { type Published, triedText, valueText } from "../rows/mod.ts";
import { type Shown, table } from "./markdown_and_tables.ts";
import { Study } from "./study.ts";

const modelText = (r: Recipe) =>
  `IR50 family, stages ${r.widths.join("/")} with ${r.layers.join("/")} ` +
  `units, ${r.model}` +
  (r.model === "cls" ? ` (patches ${r.patches}, scale ${r.scale})` : "");

const inputText = ({ size, stemStride }: Recipe) =>
  `${size}×${size}, stem stride ${stemStride}`;

const optimizerText = ({ optimizer, betas }: Recipe) =>
  `${optimizer} (${betas.join(", ")})`;

const augmentationText = ({ flip, erasing: e }: Recipe) =>
  [
    flip > 0 && "horizontal flip",
    e.probability > 0 && `RandomErasing ${e.areaMin}–${e.areaMax}`,
  ].filter(Boolean).join(", ") || "none";

const scheduleText = ({ schedule: s }: Recipe) =>
  s.kind !== "exponential"
    ? s.kind
    : s.gamma === 1
    ? "constant"
    : `exponential, gamma ${s.gamma} per ${s.per}`;

const decayText = ({ weightDecay, optimizer, weightDecayOn }: Recipe) => {
  const how = optimizer === "adamw" ? "decoupled" : "coupled";
  return weightDecay && `${weightDecay}, ${how}, on ${weightDecayOn}` || "none";
};

const mixingText = ({ mixing: { kind, alpha } }: Recipe) =>
  kind === "none" || alpha === 0 ? "none" : `${kind}, alpha ${alpha}`;

/** What it is; what the notes call it; the recipe's fields; ours. */
type Line = [what: string, notes: string, fields: string, ours: unknown];

const protocolLines = (r: Recipe): Line[] => [
  ["model", "model", "model patches scale", modelText(r)],
  ["depth", "depth model", "depth", r.depth],
  ["start", "pretrained", "weights.file", r.weights.file || "random weights"],
  ["input", "input", "size", inputText(r)],
  ["batch size", "batch", "batchSize", r.batchSize],
  ["epochs", "epochs", "epochs", r.epochs],
  ["optimizer", "optimizer", "optimizer betas.0 betas.1", optimizerText(r)],
  ["eps", "optimizer_eps", "eps", valueText("eps", r.eps)],
  ["learning rate", "lr", "lr", valueText("lr", r.lr)],
  ["schedule", "schedule", "schedule.gamma schedule.kind", scheduleText(r)],
  ["weight decay", "weight_decay", "weightDecay optimizer", decayText(r)],
  ["sampler", "sampler", "sampler", r.sampler],
  ["augmentation", "augmentation", "", augmentationText(r)],
  ["mixing", "mixup_alpha", "mixing.alpha", mixingText(r)],
];

/** Of more values than these only the ends are named. */
const MOST_LISTED = 8;

/** "varied: 2, 4" where a published table has several values of a field. */
function variedThere(of: Published | undefined, field: string) {
  const values = [...new Set(of?.rows.map((r) => r[field]))]
    .filter((v) => typeof v === "number").sort((a, b) => a - b);
  const texts = values.map((value) => valueText(field, value));
  return values.length > MOST_LISTED
    ? `varied: ${values.length} values, ${texts[0]} to ${texts.at(-1)}`
    : values.length > 1 && `varied: ${texts.join(", ")}`;
}

/**
 * The protocol of the notes beside a study's own, a row a setting: the notes'
 * values are those of their code at the date of the figure, and "not stated"
 * is what it did not print. Without published numbers ours stand alone.
 */
export function protocol(of: Published | undefined, study: Study): Shown {
  if (!(study instanceof Study) || of && !Array.isArray(of.rows)) {
    throw new TypeError("protocol: give the published table, then the study");
  }
  const theirs: Record<string, unknown> = { ...of?.protocol };
  const none = of ? "not stated" : "–";
  const said = (...names: string[]) => {
    const value = names.map((n) => theirs[n]).find((v) => v !== undefined);
    return value === undefined || typeof value === "string"
      ? value ?? none
      : JSON.stringify(value);
  };
  const row = (what: string, published: unknown, ours: unknown) => ({
    ...{ "": what, published, ours },
  });
  if (!("recipe" in study.job)) {
    const { facts } = study.job;
    const names = new Set([...Object.keys(theirs), ...Object.keys(facts)]);
    return table([...names].map((n) => row(n, said(n), facts[n])));
  }
  const { plan, definition: { parameters, repeats, metric } } = study;
  if (theirs.optimizer) theirs.weight_decay ??= "see optimizer";
  const params = firstSetting(study.definition);
  const lines = protocolLines(recipeOf(plan, { params, seed: 0 }));
  const known = lines.flatMap(([, , fields]) => fields.split(" "));
  const others = Object.keys(parameters).filter((n) => !known.includes(n));
  const line = ([what, notes, fields, ours]: Line) => {
    const names = fields.split(" ");
    const tried = names.filter((name) => parameters[name]).map((name) =>
      (names.length > 1 ? `${name} ` : "") + triedText(name, parameters[name])
    ).join("; ");
    return row(
      what,
      variedThere(of, names[0]) || said(...notes.split(" ")),
      tried ? `varied: ${tried}` : ours,
    );
  };
  const limits = Object.entries(plan.limits ?? {})
    .map(([split, n]) => `${split} ${n.toLocaleString("en")}`).join(", ");
  const data = plan.data?.name + (limits && `: ${limits}`);
  return table([
    row("data", said("dataset"), data),
    ...lines.map(line),
    ...others.map((name) => line([name, "", name, null])),
    row(
      "runs per setting",
      of ? "one, no seed set" : none,
      `${repeats}, seeds paired across settings`,
    ),
    row("number reported", said("metric"), metric),
  ]);
}
