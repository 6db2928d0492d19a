/** Study files: a training plan as JSON, or a module with an objective. */
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { readText } from "../data/mod.ts";
import { RecipeError } from "../train/mod.ts";
import { parseStudy, type Study } from "./definition.ts";
import { oneLine, StudyError } from "./errors.ts";
import { type CheckedPlan, parsePlan } from "./plan.ts";
import { parseJson } from "./store/encoding.ts";
import type { TrainTrial } from "./trial.ts";

export type StudyFile =
  | { kind: "plan"; plan: CheckedPlan }
  | { kind: "module"; path: string; study: Study; train: TrainTrial };

/** The study and objective of a module: exports `study` and a default function. */
async function readModule(path: string): Promise<StudyFile> {
  let module: { study?: unknown; default?: unknown };
  try {
    module = await import(pathToFileURL(path).href);
  } catch (error) {
    throw new StudyError(`${path}: cannot be loaded: ${oneLine(error)}`);
  }
  const { study, default: train } = module;
  if (typeof train !== "function") {
    throw new StudyError(
      `${path}: has no default function: export default ` +
        `async (point, context) => ({ value })`,
    );
  }
  if (study === undefined) {
    throw new StudyError(
      `${path}: has no study: export const study = { name, parameters, … }`,
    );
  }
  let checked: Study;
  try {
    checked = parseStudy(study);
  } catch (error) {
    throw of(path, error);
  }
  return { kind: "module", path, study: checked, train: train as TrainTrial };
}

/** What is wrong with a file, its name before each fault. */
function of(file: string, error: unknown): StudyError {
  const isFault = error instanceof StudyError || error instanceof RecipeError;
  const lines = isFault
    ? error.message.split("\n")
    : [`cannot be read: ${oneLine(error)}`];
  return new StudyError(lines.map((line) => `${file}: ${line}`).join("\n"));
}

/**
 * Reads a study file: `.json` holds a training plan (`study`, `recipe`,
 * `data`, `limits`, `objective`), `.ts` or `.js` exports `study` and, as its
 * default, the objective of one trial.
 *
 * @throws StudyError, a line a fault, each with the file's name
 */
export async function readStudyFile(file: string): Promise<StudyFile> {
  const path = resolve(file);
  if (/\.[cm]?[jt]s$/.test(path)) return await readModule(path);
  let text: string;
  try {
    text = readText(file);
  } catch (error) {
    throw new StudyError(oneLine(error));
  }
  let json: unknown;
  try {
    json = parseJson(text);
  } catch (error) {
    throw new StudyError(`${file}: is no JSON: ${oneLine(error)}`);
  }
  try {
    return { kind: "plan", plan: parsePlan(json) };
  } catch (error) {
    throw of(file, error);
  }
}

/**
 * The folder below `runs` of a study of which none is given. A name may come
 * from anybody's store, so it leads to no other place.
 */
export function studyFolder(name: string): string {
  const parts = name.split(/[/\\]/);
  return join(
    "runs",
    "studies",
    ...parts.map((part) => /^\.*$/.test(part) ? "-" : part),
  );
}
