/** Weight decay and learning-rate decay. */
import type { Report } from "./report.ts";

export const report: Report = {
  notebook: "07-weight-decay",
  title: "Weight decay and learning-rate decay",
  published: [],
  claims: [],
};
