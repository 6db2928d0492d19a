/** Attention drop. */
import type { Report } from "./report.ts";

export const report: Report = {
  notebook: "13-attention-drop",
  title: "Attention drop",
  published: [],
  claims: [],
};
