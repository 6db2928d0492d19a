/** Adam's eps. */
import type { Report } from "./report.ts";

export const report: Report = {
  notebook: "04-eps",
  title: "Adam's eps",
  published: [],
  claims: [],
};
