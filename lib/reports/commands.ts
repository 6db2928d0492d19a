/** What commands use of reports beside what notebooks have. */
export { type ClaimsFile, readClaims } from "./claims_file.ts";
export {
  COST_TYPE,
  costText,
  PROGRESS_TYPE,
  type StudyCost,
  type StudyProgress,
} from "./run_in_cell.ts";
