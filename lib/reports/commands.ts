/** What commands use of reports beside what notebooks have. */
export { type ClaimsFile, readAs, readClaims } from "./claims_file.ts";
export { COST_TYPE, costText, type StudyCost } from "./cost.ts";
export { PROGRESS_TYPE, type StudyProgress } from "./live.ts";
