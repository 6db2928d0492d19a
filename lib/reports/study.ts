/** A study as a notebook has it: a plan in its cell, run and read in others. */
import { join } from "node:path";
import { z } from "zod";
import { channels, escapeMarkup } from "../charts/mod.ts";
import { detectableDifference } from "../statistics/mod.ts";
import {
  type Dataset,
  type DataSource,
  describeDataset,
  loadDataset,
} from "../data/mod.ts";
import {
  epochsFrame,
  estimateCost,
  findings,
  isPlanned,
  isRecordOf,
  parsePlan,
  parseStudy,
  plannedTrials,
  type Study as Definition,
  StudyError,
  type StudyInput,
  StudySchema,
  type TrainingPlan,
  trainingRows,
  trialRows,
  trialsFrame,
} from "../study/mod.ts";
import { atMost, meantText, parsedBy } from "../faults/mod.ts";
import { type Recipe, recipes } from "../train/mod.ts";
import {
  fromRoot,
  type Measurement,
  recordPlace,
  runJob,
  tellCost,
} from "./run_in_cell.ts";
import { pairSpread, Profile, startOf } from "./profiles.ts";
import {
  asRuns,
  duration,
  planText,
  rowsOf,
  trainedSeconds,
  type Trial,
  trialsOf,
  triedText,
  valueText,
} from "../rows/mod.ts";
import { list, type Shown, tableHtml } from "./markdown_and_tables.ts";

const Where = z.strictObject({
  profile: Profile,
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
export type Where = Omit<z.input<typeof Where>, "profile"> & {
  profile: string;
};

/**
 * What a notebook's cell says of a study of trainings: of its definition, where
 * parameters stand by the recipe's dotted path, and of its plan. Images and
 * repeats are the profile's without it. Studies of one name and one recipe
 * share a record.
 */
export interface StudyCell
  extends
    Omit<StudyInput, "direction" | "fixed">,
    Pick<TrainingPlan, "limits" | "objective"> {
  /** Fields of the recipe that differ from the profile's start. */
  recipe?: Partial<Recipe>;
  /** Which training images, where not those of the profile. */
  data?: Pick<DataSource, "copies" | "part">;
  /** The sd of two paired runs' difference, a share; the profile's without it. */
  pairSd?: number;
}

const METRIC = "test accuracy at the validation-chosen epoch";

/**
 * Data sets that were read, by what was asked for: studies share them, until
 * one is opened anew, as files may have changed since.
 */
const read = new Map<string, Dataset>();

/** A study of a notebook: what it plans, what is on record, what that says. */
export class Study {
  /** What is planned, with every default. */
  readonly definition: Definition;

  constructor(
    readonly where: z.output<typeof Where>,
    readonly job: TrainingPlan | Measurement,
    /** The cell's own words, for its display; none for measurements. */
    readonly cell?: StudyCell,
  ) {
    this.definition = parseStudy(job.study);
    read.clear();
  }

  get name(): string {
    return this.definition.name;
  }

  get profile(): Profile {
    return this.where.profile;
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

  /**
   * The smallest difference of two settings that its paired repeats are planned
   * to see, in words; none where the spread of such runs is not known.
   */
  get sees(): string | undefined {
    if (!("recipe" in this.job)) return undefined;
    const { repeats: n } = this.definition, { weights } = this.job.recipe;
    const from = weights?.file ? "pretrained" : "random";
    const isKnown = this.dataName === startOf(this.profile).data.name;
    const sd = this.cell?.pairSd ??
      (isKnown && pairSpread[this.profile]?.[from]);
    if (!sd || n < 2) return undefined;
    const size = 100 * detectableDifference({ sd, n });
    return `differences of ${size.toFixed(1)} points or more, from ${
      from === "random" ? "random weights" : "a pretrained backbone"
    } (${n} paired seeds, 80 % power)`;
  }

  /** The data set, read once for all studies that share it. */
  async data(): Promise<Dataset> {
    const { data, recipe, limits } = this.plan;
    const dir = this.where.dataDir || Deno.env.get("FERLAB_DATA_DIR");
    const source = { ...data!, dir, size: recipe.size, ...limits };
    const key = JSON.stringify(source), known = read.get(key);
    const found = known ?? await loadDataset(source);
    read.set(key, found);
    return found;
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
    const study = this.name, total = plannedTrials(this.definition);
    if (!("recipe" in this.job)) {
      const missing = Math.max(0, total - (await this.trials()).length);
      return await tellCost({ study, missing, total });
    }
    const plan = this.job;
    const estimate = await estimateCost(plan, await this.data(), {
      dir: fromRoot(this.dir),
      store: Deno.env.get("FERLAB_STORE"),
    });
    await tellCost({ study, plan, estimate, missing: estimate.missing, total });
  }

  /** What is on record of the settings that the study plans. */
  async trials(): Promise<Trial[]> {
    const rows = await trainingRows(...this.#record());
    return trialsOf(
      this.name,
      rows.filter((row) => isPlanned(this.definition, row)),
      "recipe" in this.job ? undefined : this.job.field,
    );
  }

  /** Where its record is, and which of its name is of its recipe and data. */
  #record(): Parameters<typeof trialRows> {
    const isOwn = "recipe" in this.job ? isRecordOf(this.job) : () => true;
    return [recordPlace(this.dir), this.name, isOwn];
  }

  /** Its record as polars frames: a row a trial, and a row an epoch of each. */
  async frames() {
    const { rows } = await trialRows(...this.#record());
    return { trials: trialsFrame(rows), epochs: epochsFrame(rows) };
  }

  /** Noise, luck, boundary, failures: what to know before concluding. */
  findings(trials: readonly Trial[]): Shown {
    const runs = asRuns("findings", rowsOf("findings", trials));
    return list(runs.length > 0 ? findings(this.plan, runs) : []);
  }

  /** The study in its cell: grid, what differs, what is missing. */
  async [Symbol.for("Jupyter.display")](): Promise<Record<string, string>> {
    const { parameters, search, repeats } = this.definition, { kind } = search;
    const trials = await this.trials();
    const planned = plannedTrials(this.definition);
    const missing = Math.max(0, planned - trials.length);
    const timed = trials.filter((t) => t.seconds !== undefined);
    const left = missing * trainedSeconds(timed) / timed.length;
    const time = timed.length > 0
      ? `: about ${duration(left)} by those on record`
      : "";
    const all: [fact: string, text?: string | false][] = [
      ...Object.entries(parameters).map(([name, p]): [string, string] => [
        p.role === "nuisance" ? `${name} (nuisance)` : name,
        triedText(name, p),
      ]),
      ["settings", kind === "list" && `${search.points.length}, listed`],
      ["search", kind !== "list" && kind !== "grid" && kind],
      ...Object.entries(this.cell?.recipe ?? {})
        .filter(([name]) => !Object.hasOwn(parameters, name))
        .map(([name, v]): [string, string] => [name, valueText(name, v)]),
      ["repeats", String(repeats)],
      ["can detect", this.sees],
      [
        "trials",
        `${planned}, ` +
        (missing === 0 ? "all on record" : `${missing} missing${time}`),
      ],
    ];
    const facts = all.filter(([, text]) => text);
    const data = "recipe" in this.job ? `, data ${this.dataName}` : "";
    const about = `Profile ${this.profile}${data}, records in ${this.dir}.`;
    const rows = facts.map(([fact, text]) => ({ "": fact, [this.name]: text }));
    return {
      "text/html": `${tableHtml(rows, planText(this.definition))}<p>${
        escapeMarkup(about)
      }</p>`,
      "text/plain": [...facts.map((f) => f.join(": ")), about].join("\n"),
    };
  }
}

/** @throws StudyError for a parameter that is not one, in one line */
export function parseWhere(name: string, where: Where): z.output<typeof Where> {
  channels.checkOptions(name, where, "{ profile, outDir }", "parameters");
  const { data, faults } = parsedBy(Where, where, {
    dotted: (path) => `parameter ${path.join(".")}`,
  });
  if (data) return data;
  throw new StudyError(faults.join("\n"));
}

/** A study's fields that a cell may say; the others are the profile's. */
const CELL_FIELDS = Object.keys(StudySchema.shape)
  .filter((name) => name !== "direction" && name !== "fixed");

/** @throws StudyError that says where fields belong which are no study's */
function checkFields(study: Record<string, unknown>): void {
  const odd = Object.keys(study).filter((name) => !CELL_FIELDS.includes(name));
  if (odd.length === 0) return;
  const names = [
    ...CELL_FIELDS,
    "recipe",
    "limits",
    "objective",
    "data",
    "pairSd",
  ];
  const faults = odd.map((name) => {
    const [field] = name.split(".");
    const more = Object.hasOwn(recipes.slim, field)
      ? ` belongs into recipe: { ${field}: … }, or into parameters where it is ` +
        "varied"
      : " is no field of a study" +
        (meantText(name, names) || `: these are ${names.join(", ")}`);
    return `openStudy: ${name}${more}`;
  });
  throw new StudyError(atMost(faults).join("\n"));
}

/**
 * Opens a study of trainings: the profile's start, with what its cell says.
 * Nothing is read or run yet.
 *
 * @throws StudyError, a line a fault, for parameters or a plan that are none
 */
export function openStudy(where: Where, cell: StudyCell): Study {
  const at = parseWhere("openStudy", where), start = startOf(at.profile);
  channels.checkOptions(
    "openStudy",
    cell,
    '{ name: "my-study", parameters: { depth: [2, 4] } }',
  );
  const { recipe, limits, objective, data, pairSd, ...study } = cell;
  checkFields(study);
  if (pairSd !== undefined && !(typeof pairSd === "number" && pairSd > 0)) {
    const what = channels.whatIs(pairSd);
    throw new StudyError(`openStudy: pairSd is ${what}: give a share, as 0.01`);
  }
  for (const [name, given] of Object.entries({ recipe, data })) {
    const what = `fields of ${name}`;
    if (given !== undefined) {
      channels.checkOptions("openStudy", given, "an object", what);
    }
  }
  if (/[\\/]|^\s*\.*\s*$/.test(`${study.name ?? ""}`)) {
    const name = JSON.stringify(study.name);
    throw new StudyError(
      `openStudy: name ${name}: its tables are named by it, so give words ` +
        "without a folder",
    );
  }
  const plan: TrainingPlan = {
    study: {
      ...study,
      direction: "maximize",
      metric: study.metric ?? METRIC,
      repeats: study.repeats ?? start.repeats,
    },
    recipe: { ...start.recipe, ...recipe },
    limits: limits ?? start.limits,
    objective,
    data: {
      ...!at.data || at.data === start.data.name
        ? start.data
        : { name: at.data as "auto" },
      ...at.seed ? { seed: at.seed } : {},
      ...data,
    },
  };
  parsePlan(plan);
  return new Study(at, plan, cell);
}

/** A notebook's studies, and all their trials. @throws StudyError for no study */
export async function trialsOfAll(
  where: string,
  of: Study | readonly Study[],
): Promise<{ studies: Study[]; trials: Trial[] }> {
  const studies = [of].flat() as Study[];
  if (studies.length === 0 || !studies.every((s) => s instanceof Study)) {
    throw new StudyError(`${where}: give a study, or a list of them, first`);
  }
  const all = await Promise.all(studies.map((study) => study.trials()));
  // Studies that share a record may plan the same trials.
  const trials = new Map(
    all.flat().map((trial) => [trial.key ?? trial, trial]),
  );
  return { studies, trials: [...trials.values()] };
}
