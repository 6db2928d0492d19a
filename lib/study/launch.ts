/** Runs a study file, or joins a study that is on record as a worker. */
import {
  type Dataset,
  type DataSource,
  describeDataset,
  loadDataset,
} from "../data/mod.ts";
import { StudyError } from "./errors.ts";
import { readStudyFile, type StudyFile } from "./study_file.ts";
import { lastRecord } from "./identity.ts";
import { isolatedTrial, type Job } from "./isolated_trial.ts";
import type { CheckedPlan, TrainingPlan } from "./plan.ts";
import { type RunOptions, runStudy, type StudySummary } from "./runner.ts";
import { openStore } from "./store/mod.ts";
import { runTrainingStudy, type TrainingEvent } from "./training.ts";

export interface LaunchOptions
  extends Omit<RunOptions, "onEvent" | "completeFixed" | "attributes"> {
  /** Each trial in a process of its own; always with several jobs. */
  isolate?: boolean;
  /** Folder of the data set, for those that are on disk. */
  dataDir?: string;
  /** Bytes that one trial may take; what is free without it. */
  memory?: number;
  onEvent?: (event: TrainingEvent) => void;
}

/**
 * Runs what is missing of a plan on data that is loaded; with `isolate` or
 * several jobs each trial loads it again in its own process.
 */
export async function runPlanned(
  plan: TrainingPlan,
  data: Dataset,
  { isolate, dataDir, ...options }: LaunchOptions,
): Promise<StudySummary> {
  const { jobs = 1, memory, onEvent } = options;
  if (!isolate && jobs === 1) {
    return await runTrainingStudy(plan, data, options);
  }
  if (!data.source) {
    throw new StudyError(
      `study "${plan.study.name}": data "${data.name}" was not loaded by ` +
        `name, so another process cannot load it: run with one job and ` +
        `without isolation`,
    );
  }
  const { source } = data;
  const trialOf = (plan: CheckedPlan) => {
    const job: Job = {
      kind: "plan",
      plan: { ...plan, source },
      dataDir,
      memory,
    };
    return isolatedTrial(job, onEvent);
  };
  return await runTrainingStudy(plan, data, { ...options, trialOf });
}

/** The data set of a plan. @throws DataError, StudyError when none is named */
export async function loadPlanData(
  plan: Pick<TrainingPlan, "data" | "limits" | "recipe" | "study">,
  dataDir?: string,
): Promise<Dataset> {
  if (!plan.data) {
    throw new StudyError(
      `study "${plan.study.name}": the plan names no data: ` +
        `add "data": { "name": "synthetic" }`,
    );
  }
  const { size } = plan.recipe;
  return await loadDataset({
    ...plan.data,
    size,
    dir: dataDir,
    ...plan.limits,
  });
}

/** Runs what is missing of a study file. */
export async function runStudyFile(
  file: StudyFile,
  options: LaunchOptions,
): Promise<StudySummary> {
  if (file.kind === "plan") {
    const data = await loadPlanData(file.plan, options.dataDir);
    options.onEvent?.({ type: "data", lines: describeDataset(data) });
    return await runPlanned(file.plan, data, options);
  }
  const { isolate, onEvent } = options;
  const job: Job = { kind: "module", path: file.path };
  const train = isolate ? isolatedTrial(job, onEvent) : file.train;
  return await runStudy(file.study, train, options);
}

/** What a training study keeps for its workers. */
interface RecordedPlan
  extends Pick<CheckedPlan, "recipe" | "limits" | "objective"> {
  source?: DataSource;
}

/**
 * Joins a study as a worker: runs its trials until all have ended, those of
 * workers that die included.
 *
 * @param objective the module of a study whose trials are no trainings
 * @throws StudyError when there is no such study, or its data differ here.
 */
export async function joinStudy(
  name: string,
  { objective, ...options }: LaunchOptions & {
    store: string;
    objective?: string;
  },
): Promise<StudySummary> {
  const running = { ...options, wait: true };
  if (objective !== undefined) {
    const file = await readStudyFile(objective);
    if (file.kind !== "module") {
      throw new StudyError(`${objective}: a worker's objective is a module`);
    }
    const study = { ...file.study, name };
    return await runStudyFile({ ...file, study }, running);
  }
  const store = await openStore(options.store, { readOnly: true });
  const { attrs } = await lastRecord(store, name)
    .finally(() => store.close());
  const definition = attrs.definition as TrainingPlan["study"];
  const plan = attrs.plan as RecordedPlan | undefined;
  if (!plan?.source) {
    throw new StudyError(
      `study "${name}" is not a training that can be loaded ` +
        "by name: give its module with --objective FILE",
    );
  }
  const { source, ...rest } = plan;
  const data = await loadDataset({ ...source, dir: options.dataDir });
  options.onEvent?.({ type: "data", lines: describeDataset(data) });
  const { dataHash } = definition.fixed ?? {};
  if (dataHash !== data.hash) {
    throw new StudyError(
      `study "${name}" was begun on data ${dataHash}, here ` +
        `${data.name} is ${data.hash}: give the same data`,
    );
  }
  return await runPlanned({ ...rest, study: definition }, data, running);
}
