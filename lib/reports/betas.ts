/** Adam's betas. */
import type { Report } from "./report.ts";

export const report: Report = {
  notebook: "05-betas",
  title: "Adam's betas",
  published: [],
  claims: [],
};
