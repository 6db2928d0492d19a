/** Batch size. */
import type { Report } from "./report.ts";

export const report: Report = {
  notebook: "01-batch-size",
  title: "Batch size",
  published: [],
  claims: [],
};
