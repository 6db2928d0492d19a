/** Start here: the models, one record traced, an index of all notebooks. */
import { readFileSync } from "node:fs";
import { type Chart, percent } from "../charts/mod.ts";
import { loadDataset } from "../data/mod.ts";
import { modelOf } from "../models/mod.ts";
import { type Convention, count, flops, parameters } from "../profile/mod.ts";
import { bestRow, trialRows } from "../study/mod.ts";
import { parseRecipe, type Recipe } from "../train/mod.ts";
import { facesChart } from "./faces.ts";
import { fromRoot, placeOf } from "./live.ts";
import type { OpenReport } from "./open.ts";
import { baseOf, type Profile, trainingPlan } from "./profile.ts";
import type { Report } from "./report.ts";
import { markdown, type Shown, table } from "./show.ts";
import { confusionChart } from "./training_charts.ts";

/** A rate at which each profile's net learns something. */
const RATES: Record<Profile, number> = {
  smoke: 1e-3,
  quick: 1e-3,
  cpu: 1e-3,
  paper: 1e-5,
};

const STUDY = "start-here";

export const report: Report = {
  notebook: "00-start-here",
  title: "Start here",
  published: [],
  trainings: (profile) => [
    trainingPlan(profile, {
      name: STUDY,
      parameters: { lr: [RATES[profile]] },
      repeats: 1,
    }),
  ],
  claims: [],
};

/** Drawn faces, at every profile: those of real people are never shown. */
export async function drawnFaces(): Promise<Chart> {
  const data = await loadDataset({
    name: "synthetic",
    size: 48,
    train: 210,
    validation: 7,
    test: 7,
  });
  return facesChart(data, { perClass: 8 });
}

const MODELS: [string, Partial<Recipe>][] = [
  ["Baseline", { model: "baseline" }],
  ["CLS (patches dropped)", { model: "cls", patches: "dropped" }],
  ["CLS, catAfterMlp", { model: "cls", patches: "catAfterMlp" }],
  ["CLS, catBeforeMlp", { model: "cls", patches: "catBeforeMlp" }],
];

/** FLOPs in G, as the notes print them. */
const PUBLISHED: Record<string, string> = {
  "Baseline": "7.594",
  "CLS (patches dropped)": "6.385",
};

/**
 * The published models at 224×224 with stem stride 2: parameters in M and the
 * operations of one image in G, as each counting tool has them.
 */
export function modelsTable(): Shown {
  const base = { ...baseOf("paper").recipe, batchSize: 1 };
  return table(MODELS.map(([model, fields]) => {
    const recipe = parseRecipe({ ...base, ...fields });
    const counted = count(modelOf(recipe), [recipe.size, recipe.size, 3]);
    const mega = (n: number) => (n / 1e6).toFixed(3);
    const giga = (convention: Convention) =>
      (flops(counted, convention).total / 1e9).toFixed(3);
    return {
      model,
      "params, M": mega(parameters(counted).total),
      "seen by thop": mega(parameters(counted, "thop").total),
      "thop, G": giga("thop"),
      "published, G": PUBLISHED[model] ?? "–",
      "fvcore, G": giga("fvcore"),
      "torch, G": giga("torch"),
    };
  }));
}

/** True classes against predictions of the training, on the test split. */
export async function confusion(study: OpenReport): Promise<Chart> {
  const { classes } = await study.data();
  return confusionChart(bestRow(await study.rows()), { classes });
}

const plain = (value: unknown): string =>
  value === undefined
    ? "–"
    : typeof value === "string"
    ? value
    : JSON.stringify(value).replaceAll(",", ", ");

/**
 * Where the training's number comes from: all that its record keeps to make
 * it again. `deno task study show start-here --trial 0` prints the same.
 */
export async function traceTable(study: OpenReport): Promise<Shown> {
  const { rows } = await trialRows(placeOf(study.dir), STUDY);
  const trial = rows.findLast((t) => t.state === "COMPLETE");
  if (!trial) return table([{ fact: "no trial is complete", value: "–" }]);
  const { attrs } = trial;
  const group = (name: string) =>
    (attrs[name] ?? {}) as Record<string, unknown>;
  const { code, lock, deno, cpu, threads, memoryGiB, os } = group("provenance");
  const facts: [string, unknown][] = [
    ["trial", `${trial.number} of ${STUDY}`],
    ["test accuracy", percent(Number(attrs.testAccuracy))],
    ["right, of all test images", `${attrs.correct} of ${attrs.total}`],
    ["epoch that validation chose", attrs.chosenEpoch],
    ["seed", attrs.seed],
    ["recipe", attrs.recipe],
    ["data", attrs.data],
    ["hash of the data", attrs.dataHash],
    ["hash of the splits", attrs.splitHash],
    ["hash of the predictions", attrs.predictionsHash],
    ["hash of the code that trains", code],
    ["hash of the lock file", lock],
    ["engine", attrs.engine],
    ["Deno", deno],
    ["machine", `${cpu}, ${threads} threads, ${memoryGiB} GiB, ${os}`],
    ["ended (UTC)", trial.complete?.toISOString().slice(0, 19)],
  ];
  return table(facts.map(([fact, value]) => ({ fact, value: plain(value) })));
}

/** The paragraph that a notebook begins with **Question.**; "–" without one. */
export function questionOf(notebook: string): string {
  const { cells } = JSON.parse(notebook) as {
    cells: { cell_type: string; source: string | string[] }[];
  };
  const text = cells.filter((c) => c.cell_type === "markdown")
    .map((c) => [c.source].flat().join("")).join("\n\n");
  return /\*\*Question\.\*\*\s+([\s\S]*?)(?:\n\s*\n|$)/.exec(text)?.[1]
    .replace(/\s+/g, " ").trim() ?? "–";
}

function questionIn(notebook: string): string {
  try {
    const file = fromRoot(`notebooks/${notebook}.ipynb`);
    return questionOf(readFileSync(file, "utf8"));
  } catch {
    return "–";
  }
}

/** Every notebook with its question and what the notes claim there. */
export async function indexOfNotebooks(): Promise<Shown> {
  // The catalogue imports this file, so it is read when it is needed.
  const { reports } = await import("./catalogue.ts");
  const modules: { report: Report }[] = Object.values(reports);
  return markdown(
    modules.map(({ report: { notebook, title, claims } }) =>
      [
        `- **${notebook}** ${title}. ${questionIn(notebook)}`,
        ...claims.map(({ claim, published }) =>
          `  - ${claim} _Published: ${published}._`
        ),
      ].join("\n")
    ).join("\n"),
  );
}
