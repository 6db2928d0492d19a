/** Errors of studies, each one line that says what, where and what to do. */

/** An error for the user, who asked for what there is not, or cannot be. */
export class StudyError extends Error {
  override name = "StudyError";
}

/** A run ended before its trials did, though nothing was asked wrongly. */
export class RunEndedError extends StudyError {
  override name = "RunEndedError";
}

/** The study's pruner ended the trial. */
export class PrunedError extends Error {
  override name = "PrunedError";
}

/** The trial's process ended before it did. */
export class CrashedError extends Error {
  override name = "CrashedError";
}

/** The store could not be reached, or stayed locked, for the whole wait. */
export class StoreUnavailableError extends StudyError {
  override name = "StoreUnavailableError";
}

/** The trial is no longer this process's to write. */
export class LostTrialError extends StudyError {
  override name = "LostTrialError";
}

/** A value of a record is none: written by hand, or spoilt. */
export class DamagedValueError extends StudyError {
  override name = "DamagedValueError";
}

/** What was thrown, as one line. */
export function oneLine(error: unknown): string {
  const text = error instanceof Error
    ? error.message || error.name
    : typeof error === "string"
    ? error
    : Deno.inspect(error);
  return String(text).replace(/\s*\n\s*/g, " ").trim();
}
