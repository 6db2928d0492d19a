/** Repeats. */
import type { Report } from "./report.ts";

export const report: Report = {
  notebook: "10-repeats",
  title: "Repeats",
  published: [],
  claims: [],
};
