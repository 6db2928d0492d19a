/** Efficiency. */
import type { Report } from "./report.ts";

export const report: Report = {
  notebook: "09-efficiency",
  title: "Efficiency",
  published: [],
  claims: [],
};
