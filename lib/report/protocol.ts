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

const number = (n: number) => n.toLocaleString("en");

const listed = (values: readonly ParamValue[]) =>
  values.map(analysis.showValue).join(", ");

/** "varied: 2, 4, 6" where the study varies the field, else its value. */
function asSet(
  plan: TrainingPlan,
  names: string[],
  value: (recipe: Recipe) => string,
): string {
  const varied = names.flatMap((name) => {
    const p = plan.study.parameters?.[name];
    if (!p) return [];
    const values = Array.isArray(p)
      ? listed(p)
      : "values" in p
      ? listed(p.values)
      : `${p.low} to ${p.high}`;
    return [names.length > 1 ? `${name} ${values}` : values];
  });
  if (varied.length > 0) return `varied: ${varied.join("; ")}`;
  const [setting] = firstSettings(plan);
  return value(recipeOf(plan, { params: setting, seed: 0 }));
}

function firstSettings({ study }: TrainingPlan) {
  if (study.search?.kind === "list") return study.search.points;
  return [Object.fromEntries(
    Object.entries(study.parameters ?? {}).map(([name, p]) => [
      name,
      Array.isArray(p) ? p[0] : "values" in p ? p.values[0] : p.low,
    ]),
  )];
}

const modelText = (r: Recipe) =>
  `IR50 family, stages ${r.widths.join("/")} with ${
    r.layers.join("/")
  } units, ${r.model}${
    r.model === "cls" ? ` (patches ${r.patches}, scale ${r.scale})` : ""
  }`;

const augmentationText = (r: Recipe) =>
  [
    r.flip > 0 ? "horizontal flip" : "",
    r.erasing.probability > 0
      ? `RandomErasing ${r.erasing.areaMin}–${r.erasing.areaMax}`
      : "",
  ].filter(Boolean).join(", ") || "none";

const scheduleText = ({ schedule }: Recipe) =>
  schedule.kind === "exponential"
    ? schedule.gamma === 1
      ? "constant"
      : `exponential, gamma ${schedule.gamma} per ${schedule.per}`
    : schedule.kind;

const decayText = (r: Recipe) =>
  r.weightDecay === 0
    ? "none"
    : `${r.weightDecay}, ${
      r.optimizer === "adamw" ? "decoupled" : "coupled"
    }, on ${r.weightDecayOn}`;

/** More values than these are told by their ends. */
const MOST_LISTED = 8;

/** "varied: 2, 4" where a published table has several values of a field. */
function variedThere(
  rows: readonly Row[],
  field: string,
): string | undefined {
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
  const { plan } = study;
  const theirs = of?.protocol ?? {};
  const records = of?.rows ?? [];
  const said = (...names: string[]) => {
    const name = names.find((n) => theirs[n] !== undefined);
    const value = name && theirs[name];
    return value === undefined
      ? of ? "not stated" : "–"
      : typeof value === "string"
      ? value
      : JSON.stringify(value);
  };
  const shown = new Set<string>();
  const set = (names: string[], value: (r: Recipe) => string) => {
    for (const name of names) shown.add(name);
    return asSet(plan, names, value);
  };
  const splits = plan.limits
    ? ": " +
      Object.entries(plan.limits).map(([split, n]) => `${split} ${number(n)}`)
        .join(", ")
    : "";
  const rows: [string, string, string][] = [
    [
      "data",
      said("dataset"),
      `${plan.data?.name}${splits}`,
    ],
    [
      "model",
      said("model"),
      set(["model", "patches", "scale"], modelText),
    ],
    [
      "depth",
      variedThere(records, "depth") ?? said("depth", "model"),
      set(["depth"], (r) => `${r.depth}`),
    ],
    [
      "start",
      said("pretrained"),
      set(["weights.file"], (r) => r.weights.file || "random weights"),
    ],
    [
      "input",
      said("input"),
      set(["size"], (r) => `${r.size}×${r.size}, stem stride ${r.stemStride}`),
    ],
    ["batch size", said("batch"), set(["batchSize"], (r) => `${r.batchSize}`)],
    ["epochs", said("epochs"), set(["epochs"], (r) => `${r.epochs}`)],
    [
      "optimizer",
      said("optimizer"),
      set(
        ["optimizer", "betas.0", "betas.1"],
        (r) => `${r.optimizer} (${r.betas.join(", ")})`,
      ),
    ],
    [
      "eps",
      variedThere(records, "eps") ?? said("optimizer_eps"),
      set(["eps"], (r) => analysis.showValue(r.eps)),
    ],
    [
      "learning rate",
      variedThere(records, "lr") ?? said("lr"),
      set(["lr"], (r) => analysis.showValue(r.lr)),
    ],
    [
      "schedule",
      said("schedule"),
      set(["schedule.gamma", "schedule.kind"], scheduleText),
    ],
    [
      "weight decay",
      theirs.optimizer ? "see optimizer" : said(),
      set(["weightDecay", "optimizer"], decayText),
    ],
    ["sampler", said("sampler"), set(["sampler"], (r) => r.sampler)],
    ["augmentation", said("augmentation"), set([], augmentationText)],
    [
      "mixing",
      said("mixup_alpha"),
      set(
        ["mixing.alpha"],
        (r) =>
          r.mixing.kind === "none" || r.mixing.alpha === 0
            ? "none"
            : `${r.mixing.kind}, alpha ${r.mixing.alpha}`,
      ),
    ],
    [
      "runs a setting",
      of ? "one, no seed set" : said(),
      `${plan.study.repeats ?? 1}, seeds paired across settings`,
    ],
    ["number reported", said("metric"), plan.study.metric ?? "value"],
  ];
  const others = Object.keys(plan.study.parameters ?? {})
    .filter((name) => !shown.has(name))
    .map((name): typeof rows[number] => [
      name,
      variedThere(records, name) ?? "–",
      asSet(plan, [name], () => "–"),
    ]);
  rows.splice(-2, 0, ...others);
  return table(
    rows.map(([what, published, ours]) => ({ "": what, published, ours })),
  );
}
