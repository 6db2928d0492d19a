/** What a trial store throws. */
import { StudyError } from "../errors.ts";

/** The database could not be reached, or stayed locked, for the whole wait. */
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
