/** Notebooks on the Deno kernel: reading, running, exporting to HTML. */
export {
  type Cell,
  type Notebook,
  type Output,
  readNotebook,
  writeNotebook,
} from "./types.ts";
export { replaceText } from "./json_text.ts";
export { cellCode } from "./code.ts";
export { cellGraph } from "./graph.ts";
export { stripTypes } from "./strip_types.ts";
export type { RunEvent } from "./cell_run.ts";
export { runNotebook, type RunOptions, type RunResult } from "./run.ts";
export { rerunCells, type RerunOptions } from "./rerun.ts";
export type { RerunPlan } from "./rerun_plan.ts";
export { startSession, stopSession } from "./session.ts";
export { runNotebookTest } from "./testing.ts";
export { changesOf, notebookStatus } from "./stale.ts";
export { checkNotebooks } from "./check.ts";
export { findingText } from "./findings.ts";
export { cleanNotebook } from "./clean.ts";
export { formatNotebook } from "./format.ts";
export { compareOutputs } from "./compare_outputs.ts";
export { diffNotebooks } from "./diff.ts";
export { diffHtml } from "./diff_html.ts";
export { exportHtml } from "./export.ts";
export { collectProvenance } from "./provenance.ts";
export { indexHtml, readReport, type Report } from "./index_page.ts";
export { withLinks } from "./page_links.ts";
