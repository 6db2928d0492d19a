/** What a report is: its studies, its protocol, its claims, its decision. */
import {
  type analysis,
  analysisRows,
  type StudyInput,
  type TrainingPlan,
  type TrainingRow,
  type TrainTrial,
} from "../study/mod.ts";
import type { Profile } from "./profile.ts";

/** A study whose trials are no trainings, such as one of throughput. */
export interface Measurement {
  study: StudyInput;
  measure: TrainTrial;
}

/** One line of the protocol: published beside ours. */
export interface ProtocolRow {
  what: string;
  published: string;
  ours: string;
}

export type Verdict = "holds" | "does not hold" | "cannot tell" | "not yet run";

export interface Judgement {
  /** Our number, with its interval where it has one. */
  ours: string;
  verdict: Verdict;
  /** Confounds, noise, what is missing. */
  why: string;
}

/** Of a claim that the record neither bears out nor refutes. */
export const cannotTell = (why: string, ours = "–"): Judgement => ({
  ours,
  verdict: "cannot tell",
  why,
});

/** What the notes claim, and how our results judge it. */
export interface Claim {
  claim: string;
  /** The published number, with its unit. */
  published: string;
  /** Whether faces matter: synthetic ones then cannot settle it (default). */
  aboutFaces?: boolean;
  /** Called with results that have trials; throws nothing. */
  judge(results: Results): Judgement | Promise<Judgement>;
}

/** A measured trial; further attributes are what its objective recorded. */
export interface MeasuredRow {
  params: TrainingRow["params"];
  repeat: number;
  value: number | null;
  /** Of a failed one. */
  reason?: string;
  attrs: Record<string, unknown>;
}

/** What is on record for a report, read once. */
export interface Results {
  profile: Profile;
  /** The data set that the trainings ran on, such as "synthetic". */
  data: string;
  /** The test split's true classes, where the data were loaded. */
  truth?: Uint8Array;
  /** Trials of one of the report's studies; none where it did not run. */
  rows(study?: string): TrainingRow[];
  /** The same as the analyses take them. */
  analysed(study?: string): analysis.AnalysisRow[];
  measured(study?: string): MeasuredRow[];
}

export interface Report {
  /** Of its notebook, such as "03-depth". */
  notebook: string;
  title: string;
  /** Files of data/published that it stands beside. */
  published: string[];
  trainings?(profile: Profile): TrainingPlan[];
  measurements?(profile: Profile): Measurement[];
  /** In place of the one that follows from the plan. */
  protocol?(profile: Profile): ProtocolRow[] | Promise<ProtocolRow[]>;
  claims: Claim[];
  /** What is decided by a written rule, as Markdown. */
  decide?(results: Results): string | Promise<string>;
}

/** Whether a trial is of one of the plan's settings, not of a wider grid. */
export function isOfPlan(
  { parameters = {} }: StudyInput,
  params: TrainingRow["params"],
): boolean {
  return Object.entries(parameters).every(([name, p]) => {
    const values = Array.isArray(p) ? p : "values" in p ? p.values : undefined;
    return !values || values.includes(params[name]);
  });
}

/** Results of the rows of each study, the first study being the default. */
export function resultsOf(
  about: Pick<Results, "profile" | "data" | "truth">,
  studies: ReadonlyMap<string, TrainingRow[]>,
): Results {
  const [first] = studies.keys();
  const rows = (study = first) => studies.get(study) ?? [];
  return {
    ...about,
    rows,
    analysed: (study) => analysisRows(rows(study)),
    measured: (study) =>
      rows(study).map((
        { params, repeat, accuracy, fail_reason, ...attrs },
      ) => ({
        params,
        repeat,
        value: accuracy,
        reason: fail_reason,
        attrs: attrs as unknown as Record<string, unknown>,
      })),
  };
}
