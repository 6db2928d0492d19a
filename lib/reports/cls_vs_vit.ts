/** CLS against ViT. */
import type { Report } from "./report.ts";

export const report: Report = {
  notebook: "08-cls-vs-vit",
  title: "CLS against ViT",
  published: [],
  claims: [],
};
