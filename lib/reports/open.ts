/** A report at work: what a notebook calls, cell by cell. */
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { type Chart, timelineChart } from "../charts/mod.ts";
import { type Dataset, describeDataset, loadDataset } from "../data/mod.ts";
import {
  epochsFrame,
  findings,
  openStore,
  recordsOf,
  recordsPath,
  StudyError,
  type TrainingPlan,
  type TrainingRow,
  trainingRows,
  trialRows,
  trialsFrame,
} from "../study/mod.ts";
import {
  judged,
  type JudgedClaim,
  type JudgedReport,
  NOT_RUN,
} from "./claims.ts";
import { fromRoot, placeOf, runMeasurement, runPlan } from "./live.ts";
import { baseOf, Profile } from "./profile.ts";
import { protocolRows } from "./protocol.ts";
import {
  isOfPlan,
  type Measurement,
  type Report,
  type Results,
  resultsOf,
} from "./report.ts";
import { duration, markdown, type Shown, table } from "./show.ts";
import { trialTable } from "./trial_table.ts";

const Parameters = z.strictObject({
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

/** As a notebook has them: the profile is any text until it is checked. */
export type ReportParameters = Omit<z.input<typeof Parameters>, "profile"> & {
  profile: string;
};

/** Optuna's names of states as a chart's words. */
const STATES: Record<string, string> = { FAIL: "failed" };

export class OpenReport {
  #data?: Dataset;

  constructor(
    readonly report: Report,
    readonly parameters: z.output<typeof Parameters>,
    /** Records, checkpoints and tables, from the project's root. */
    readonly dir: string,
    readonly plans: TrainingPlan[],
    readonly measurements: Measurement[],
  ) {}

  get profile(): Profile {
    return this.parameters.profile;
  }

  /** The data set's name; the trainings' own, or the profile's. */
  get dataName(): string {
    return this.plans[0]?.data?.name ?? baseOf(this.profile).data.name;
  }

  /** The data set of the report's trainings, read once. */
  async data(): Promise<Dataset> {
    const [plan] = this.plans;
    if (!plan) {
      throw new StudyError(
        `report "${this.report.notebook}" trains nothing: it has no data`,
      );
    }
    this.#data ??= await loadDataset({
      ...plan.data!,
      dir: this.parameters.dataDir || Deno.env.get("FERLAB_DATA_DIR"),
      size: plan.recipe.size,
      ...plan.limits,
    });
    return this.#data;
  }

  /** What was found of the data set, a line each. */
  async describe(): Promise<Shown> {
    return markdown(
      describeDataset(await this.data()).map((line) => `- ${line}`).join("\n"),
    );
  }

  /** The protocol, published and ours. */
  async protocol(): Promise<Shown> {
    const { protocol, published } = this.report;
    const rows = protocol
      ? await protocol(this.profile)
      : await protocolRows(published[0], this.plans[0], this.#data);
    return table(
      rows.map(({ what, published, ours }) => ({ "": what, published, ours })),
    );
  }

  /** Runs what is missing of all its studies; see `runPlan`. */
  async run(): Promise<void> {
    for (const plan of this.plans) {
      await runPlan(plan, await this.data(), { dir: this.dir });
    }
    for (const measurement of this.measurements) {
      await runMeasurement(measurement, { dir: this.dir });
    }
  }

  /** What is on record, of the settings that the report names. */
  async results(): Promise<Results> {
    const studies = new Map<string, TrainingRow[]>();
    const all = [
      ...this.plans.map((p) => p.study),
      ...this.measurements.map((m) => m.study),
    ];
    for (const study of all) {
      const rows = await this.#recorded(study.name);
      studies.set(study.name, rows.filter((r) => isOfPlan(study, r.params)));
    }
    return resultsOf(
      {
        profile: this.profile,
        data: this.dataName,
        truth: this.#data && Uint8Array.from(this.#data.test.labels),
      },
      studies,
    );
  }

  /** Whether a study has a record where the report's lie. */
  async #isRecorded(study: string): Promise<boolean> {
    const place = placeOf(this.dir);
    const url = "store" in place ? place.store : recordsPath(place.dir);
    if ("dir" in place && !existsSync(url)) return false;
    const store = await openStore(url, { readOnly: true });
    try {
      return (await recordsOf(store, study)).length > 0;
    } finally {
      await store.close();
    }
  }

  /** A study's trials; none where it, or any record, is not there. */
  async #recorded(study: string): Promise<TrainingRow[]> {
    return await this.#isRecorded(study)
      ? await trainingRows(placeOf(this.dir), study)
      : [];
  }

  /** Trials of one of its studies, the first without a name. */
  async rows(study?: string): Promise<TrainingRow[]> {
    return (await this.results()).rows(study);
  }

  /**
   * The notes' claims with our numbers and verdicts; they are also written to
   * `NOTEBOOK.claims.json` beside the records.
   */
  async claims(): Promise<Shown> {
    const results = await this.results();
    const rows = this.#allRows(results);
    const claims: JudgedClaim[] = [];
    for (const claim of this.report.claims) {
      claims.push(
        rows.length > 0
          ? await judged(claim, results)
          : { claim: claim.claim, published: claim.published, ...NOT_RUN },
      );
    }
    const { notebook, title } = this.report;
    const kept: JudgedReport = {
      notebook,
      title,
      profile: this.profile,
      data: this.dataName,
      trials: rows.length,
      seconds: secondsOf(rows),
      claims,
    };
    const dir = fromRoot(this.dir);
    mkdirSync(dir, { recursive: true });
    // Whoever reads it while it is written sees the old file or the new one.
    const path = join(dir, `${notebook}.claims.json`);
    const partial = `${path}.${Deno.pid}.tmp`;
    writeFileSync(partial, JSON.stringify(kept, null, 2) + "\n");
    renameSync(partial, path);
    return table(claims.map((c) => ({
      "the notes' claim": c.claim,
      published: c.published,
      ours: c.ours,
      verdict: c.verdict,
      why: c.why,
    })));
  }

  #allRows(results: Results): TrainingRow[] {
    return [...this.plans, ...this.measurements]
      .flatMap(({ study }) => results.rows(study.name));
  }

  /** A study's record as frames: a row a trial, and a row an epoch of each. */
  async frames(study?: string) {
    const name = study ?? this.plans[0].study.name;
    const { rows } = await trialRows(placeOf(this.dir), name);
    return { trials: trialsFrame(rows), epochs: epochsFrame(rows) };
  }

  /** When the trials of its studies ran, side by side where several ran at once. */
  async timeline(): Promise<Chart> {
    const names = [...this.plans, ...this.measurements].map((p) =>
      p.study.name
    );
    const trials = [];
    for (const name of names) {
      if (!await this.#isRecorded(name)) continue;
      const { rows } = await trialRows(placeOf(this.dir), name);
      for (const { number, state, start, complete } of rows) {
        if (!start) continue;
        trials.push({
          number,
          state: STATES[state] ?? state.toLowerCase(),
          start: start.getTime(),
          end: complete?.getTime() ?? null,
        });
      }
    }
    return timelineChart(trials);
  }

  /** The decision that the report's written rule makes of the results. */
  async decision(): Promise<Shown> {
    const results = await this.results();
    if (this.#allRows(results).length === 0) {
      return markdown("**Decision.** None yet: no trial is on record.");
    }
    return markdown(
      `**Decision.** ${await this.report.decide?.(results) ?? "None."}`,
    );
  }

  /** Noise, luck, boundary, failures: what to know before concluding. */
  async findings(): Promise<Shown> {
    const results = await this.results();
    const lines = this.plans.flatMap((plan) => {
      const rows = results.rows(plan.study.name);
      if (rows.length === 0) return [];
      return findings(plan, rows).map((line) =>
        this.plans.length > 1 ? `${plan.study.name}: ${line}` : line
      );
    });
    return markdown(lines.map((line) => `- ${line}`).join("\n") || "Nothing.");
  }

  /** What the report's trials cost. */
  async cost(): Promise<Shown> {
    const results = await this.results();
    const all = [...this.plans, ...this.measurements];
    const isTraining = this.plans.length > 0;
    return table(all.map(({ study }) => {
      const rows = results.rows(study.name);
      const speeds = rows
        .flatMap((r) => r.epochs.flatMap((e) => e.imagesPerSecond ?? []))
        .sort((a, b) => a - b);
      const speed = speeds[Math.floor(speeds.length / 2)];
      return {
        study: study.name,
        trials: rows.length,
        failed: rows.filter((r) => r.state === "FAIL").length,
        "time of its trials": duration(secondsOf(rows)),
        ...isTraining
          ? { "images/s (median epoch)": speed ? speed.toFixed(0) : "–" }
          : {},
      };
    }));
  }

  /**
   * Every trial with its accuracies: at the epoch that validation chose, over
   * all images and as the mean of the classes, and the maximum over the epochs
   * on the test split.
   */
  async trials(study?: string): Promise<Shown> {
    return trialTable(await this.rows(study));
  }
}

const secondsOf = (rows: readonly TrainingRow[]) =>
  rows.reduce((sum, r) => sum + (r.seconds ?? 0), 0);

/**
 * Opens a report at a profile. Its data set is the profile's unless `data`
 * names another; nothing is read or run yet.
 *
 * @throws StudyError for a parameter that is not one, in one line
 */
export function openReport(
  report: Report,
  parameters: ReportParameters,
): OpenReport {
  const parsed = Parameters.safeParse(parameters);
  if (!parsed.success) {
    const [{ path, message }] = parsed.error.issues;
    throw new StudyError(`parameter ${path.join(".")}: ${message}`);
  }
  const { profile, data, outDir, seed } = parsed.data;
  const plans = (report.trainings?.(profile) ?? []).map((plan) => ({
    ...plan,
    data: data && data !== plan.data?.name
      ? { name: data as "auto", ...seed ? { seed } : {} }
      : { ...plan.data!, ...seed ? { seed } : {} },
  }));
  return new OpenReport(
    report,
    parsed.data,
    outDir || join("runs", profile),
    plans,
    report.measurements?.(profile) ?? [],
  );
}
