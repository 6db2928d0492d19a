/** A study as a notebook has it: a plan in its cell, run and read in others. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { escapeMarkup } from "../charts/mod.ts";
import { type Dataset, describeDataset, loadDataset } from "../data/mod.ts";
import {
  epochsFrame,
  estimateCost,
  findings,
  openStore,
  type ParamValue,
  parsePlan,
  parseStudy,
  recordsOf,
  recordsPath,
  settingsOf,
  StudyError,
  type StudyInput,
  type TrainingPlan,
  type TrainingRow,
  trainingRows,
  trialRows,
  trialsFrame,
} from "../study/mod.ts";
import type { Recipe } from "../train/mod.ts";
import { tellCost } from "./cost.ts";
import { fromRoot, type Measurement, placeOf, runJob } from "./live.ts";
import { parseProfile, type Profile, startOf } from "./profiles.ts";
import { paramsOf, type Trial, trialsOf } from "./rows.ts";
import { duration, list, type Shown, tableHtml, valueText } from "./show.ts";

const Where = z.strictObject({
  profile: z.string(),
  /** A data set by name; empty for the profile's. */
  data: z.string().default(""),
  /** Its folder; empty for FERLAB_DATA_DIR. */
  dataDir: z.string().default(""),
  /** Records and checkpoints; empty for runs/PROFILE. */
  outDir: z.string().default(""),
  /** Of the synthetic faces. */
  seed: z.int().min(0).default(0),
});

/** A notebook's parameters. */
export type Where = z.input<typeof Where>;

/** What a notebook's cell says of a study of trainings. */
export interface StudyCell {
  /** Of its record; studies of one name and one recipe share a record. */
  name: string;
  /** The notebook whose claims it answers, such as "03-depth". */
  notebook?: string;
  /**
   * By the recipe's dotted path: a list, `{ values, role: "nuisance" }` for
   * what is only tuned, or a range for a search.
   */
  parameters?: StudyInput["parameters"];
  /** How settings are drawn; every combination without it. */
  search?: StudyInput["search"];
  /** Runs of each setting; the profile's without it. */
  repeats?: number;
  /** Fields of the recipe that differ from the profile's start. */
  recipe?: Partial<Recipe>;
  /** Images a split; the profile's without it. */
  limits?: TrainingPlan["limits"];
  objective?: TrainingPlan["objective"];
  /** What a trial's value is, in words. */
  metric?: string;
  /** From which the repeats' seeds come; 0 without it. */
  seed?: number;
  budget?: StudyInput["budget"];
  pruner?: StudyInput["pruner"];
}

const METRIC = "test accuracy at the validation-chosen epoch";

/** Whether a trial is of one of the study's settings, not of a wider grid. */
function isPlanned(
  { parameters = {}, search }: StudyInput,
  params: TrainingRow["params"],
): boolean {
  if (search?.kind === "list") {
    return search.points.some((point) =>
      Object.entries(point).every(([name, value]) => params[name] === value)
    );
  }
  return Object.entries(parameters).every(([name, p]) => {
    const values = Array.isArray(p) ? p : "values" in p ? p.values : undefined;
    return !values || values.includes(params[name]);
  });
}

/** A study of a notebook: what it plans, what is on record, what that says. */
export class Study {
  #data?: Dataset;

  constructor(
    readonly profile: Profile,
    readonly where: z.output<typeof Where>,
    readonly job: TrainingPlan | Measurement,
    readonly notebook: string | undefined,
    /** The cell's own words, for its display; none for measurements. */
    readonly cell?: StudyCell,
  ) {}

  get name(): string {
    return this.job.study.name;
  }

  /** Its records, checkpoints and tables, from the project's root. */
  get dir(): string {
    return this.where.outDir || join("runs", this.profile);
  }

  /** The trainings' plan. @throws StudyError for a study that trains nothing */
  get plan(): TrainingPlan {
    if ("recipe" in this.job) return this.job;
    throw new StudyError(`study "${this.name}" trains nothing: it has no plan`);
  }

  /** The data set's name; of measurements the profile's. */
  get dataName(): string {
    return "recipe" in this.job
      ? this.job.data!.name
      : startOf(this.profile).data.name;
  }

  /** The data set, read once. */
  async data(): Promise<Dataset> {
    const { data, recipe, limits } = this.plan;
    this.#data ??= await loadDataset({
      ...data!,
      dir: this.where.dataDir || Deno.env.get("FERLAB_DATA_DIR"),
      size: recipe.size,
      ...limits,
    });
    return this.#data;
  }

  /** What was found of the data set, a line each. */
  async describe(): Promise<Shown> {
    return list(describeDataset(await this.data()));
  }

  /**
   * Trains what is missing and returns the study's trials. A line a trial; in
   * a front end a bar and the curves. Ctrl-C and the stop button keep every
   * finished epoch; the cell goes on from there when it is run again. With
   * FERLAB_DRY_RUN set it says what that would cost, and trains nothing.
   */
  async run(): Promise<Trial[]> {
    if (Deno.env.get("FERLAB_DRY_RUN")) await this.#tellCost();
    else await runJob(this.job, () => this.data(), this.dir);
    return await this.trials();
  }

  async #tellCost(): Promise<void> {
    const study = this.name;
    if (!("recipe" in this.job)) {
      const total = this.#planned;
      const missing = Math.max(0, total - (await this.trials()).length);
      return await tellCost({ study, missing, total });
    }
    const plan = this.job;
    const estimate = await estimateCost(plan, await this.data(), {
      dir: fromRoot(this.dir),
      store: Deno.env.get("FERLAB_STORE"),
    });
    const { missing, total } = estimate;
    await tellCost({ study, missing, total, plan, estimate });
  }

  /** How many trials it plans. */
  get #planned(): number {
    const { repeats = 1, search } = this.job.study;
    return repeats * (
      settingsOf(parseStudy(this.job.study))?.length ??
        (search as { points: number }).points
    );
  }

  /** What is on record of the settings that the study plans. */
  async trials(): Promise<Trial[]> {
    const field = "recipe" in this.job ? undefined : this.job.field;
    return trialsOf(this.name, await this.#recorded(), field);
  }

  async #recorded(): Promise<TrainingRow[]> {
    if (!await this.#isRecorded()) return [];
    const rows = await trainingRows(placeOf(this.dir), this.name);
    return rows.filter((r) => isPlanned(this.job.study, r.params));
  }

  /** Whether a study has a record where this one's lies. */
  async #isRecorded(): Promise<boolean> {
    const place = placeOf(this.dir);
    const url = "store" in place ? place.store : recordsPath(place.dir);
    if ("dir" in place && !existsSync(url)) return false;
    const store = await openStore(url, { readOnly: true });
    try {
      return (await recordsOf(store, this.name)).length > 0;
    } finally {
      await store.close();
    }
  }

  /** Its record as polars frames: a row a trial, and a row an epoch of each. */
  async frames() {
    const { rows } = await trialRows(placeOf(this.dir), this.name);
    return { trials: trialsFrame(rows), epochs: epochsFrame(rows) };
  }

  /** Noise, luck, boundary, failures: what to know before concluding. */
  findings(trials: readonly Trial[]): Shown {
    return list(trials.length === 0 ? [] : findings(this.plan, rowsOf(trials)));
  }

  /** The study in its cell: grid, what differs, what is missing. */
  async [Symbol.for("Jupyter.display")](): Promise<Record<string, string>> {
    const trials = await this.trials();
    const { repeats = 1, search } = this.job.study;
    const planned = this.#planned;
    const seconds = trials.flatMap((t) => t.seconds ?? []);
    const mean = seconds.reduce((a, b) => a + b, 0) / (seconds.length || 1);
    const missing = Math.max(0, planned - trials.length);
    const rows = [
      ...Object.entries(this.job.study.parameters ?? {}).map(([name, p]) => ({
        "": Array.isArray(p) || p.role !== "nuisance"
          ? name
          : `${name} (nuisance)`,
        [this.name]: Array.isArray(p)
          ? listed(name, p)
          : "values" in p
          ? listed(name, p.values)
          : `${p.low} to ${p.high}${p.log ? ", log" : ""}`,
      })),
      ...search && search.kind !== "grid"
        ? [
          search.kind === "list"
            ? { "": "settings", [this.name]: `${search.points.length}, listed` }
            : { "": "search", [this.name]: search.kind },
        ]
        : [],
      ...Object.entries(this.cell?.recipe ?? {}).map(([name, value]) => ({
        "": name,
        [this.name]: typeof value === "object"
          ? JSON.stringify(value)
          : valueText(name, value),
      })),
      { "": "repeats", [this.name]: String(repeats) },
      {
        "": "trials",
        [this.name]: missing === 0
          ? `${planned}, all on record`
          : `${planned}, ${missing} missing${
            seconds.length > 0
              ? `: about ${duration(missing * mean)} by those on record`
              : ""
          }`,
      },
    ];
    const about = [
      `profile ${this.profile}`,
      ..."recipe" in this.job ? [this.dataName] : [],
      this.dir,
    ].join(", ");
    return {
      "text/html": `${tableHtml(rows)}<p>${escapeMarkup(about)}</p>`,
      "text/plain": rows.map((r) => `${r[""]}: ${r[this.name]}`)
        .concat(about).join("\n"),
    };
  }
}

const listed = (name: string, values: readonly ParamValue[]) =>
  values.map((v) => valueText(name, v)).join(", ");

/** Trials as the study's own analyses take them. */
const rowsOf = (trials: readonly Trial[]): TrainingRow[] =>
  trials.map((t) => ({
    ...t as unknown as TrainingRow,
    fail_kind: t.failKind as TrainingRow["fail_kind"],
    fail_reason: t.reason,
    epochs: t.history,
    params: paramsOf(t),
  }));

/** @throws StudyError for a parameter that is not one, in one line */
export function parseWhere(where: Where): z.output<typeof Where> {
  const parsed = Where.safeParse(where);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  throw new StudyError(`parameter ${path.join(".")}: ${message}`);
}

/**
 * Opens a study of trainings: the profile's start, with what its cell says.
 * Nothing is read or run yet.
 *
 * @throws StudyError, one line, for a parameter or a plan that is not one
 */
export function openStudy(where: Where, cell: StudyCell): Study {
  const at = parseWhere(where);
  const profile = parseProfile(at.profile);
  const start = startOf(profile);
  const { name, notebook, recipe, limits = start.limits, objective } = cell;
  const { parameters = {}, search, budget, pruner, seed } = cell;
  const ofSeed = at.seed ? { seed: at.seed } : {};
  const plan: TrainingPlan = {
    study: {
      name,
      direction: "maximize",
      metric: cell.metric ?? METRIC,
      parameters,
      repeats: cell.repeats ?? start.repeats,
      ...search ? { search } : {},
      ...budget ? { budget } : {},
      ...pruner ? { pruner } : {},
      ...seed === undefined ? {} : { seed },
    },
    recipe: { ...start.recipe, ...recipe },
    ...limits ? { limits } : {},
    ...objective ? { objective } : {},
    data: at.data && at.data !== start.data.name
      ? { name: at.data as "auto", ...ofSeed }
      : { ...start.data, ...ofSeed },
  };
  parsePlan(plan);
  return new Study(profile, at, plan, notebook, cell);
}
