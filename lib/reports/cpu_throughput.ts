/** CPU throughput. */
import type { Report } from "./report.ts";

export const report: Report = {
  notebook: "11-cpu-throughput",
  title: "CPU throughput",
  published: [],
  claims: [],
};
