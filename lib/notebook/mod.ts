/** Notebooks on the Deno kernel: reading, running, exporting to HTML. */
export {
  type Cell,
  type Notebook,
  type Output,
  readNotebook,
  writeNotebook,
} from "./file/types.ts";
export { replaceText } from "./file/json_text.ts";
export { nodesOf, parseCode } from "./code/ast.ts";
export { cellCode } from "./code/code.ts";
export { cellGraph } from "./code/graph.ts";
export { stripTypes } from "./code/strip_types.ts";
export type { RunEvent } from "./run/cell_run.ts";
export { runNotebook, type RunOptions, type RunResult } from "./run/run.ts";
export { rerunCells, type RerunOptions } from "./run/rerun.ts";
export type { RerunPlan } from "./run/rerun_plan.ts";
export { startSession, stopSession } from "./run/session.ts";
export { runNotebookTest } from "./check/testing.ts";
export { changesOf, notebookStatus } from "./run/stale.ts";
export { checkNotebooks } from "./check/check.ts";
export { findingText } from "./check/findings.ts";
export { cleanNotebook } from "./check/clean.ts";
export { formatNotebook } from "./check/format.ts";
export { compareOutputs } from "./check/compare_outputs.ts";
export { diffNotebooks } from "./check/diff.ts";
export { diffHtml } from "./page/diff_html.ts";
export { exportHtml } from "./page/export.ts";
export { collectProvenance } from "./run/page_provenance.ts";
export { indexHtml, readReport, writeIndex } from "./page/index_page.ts";
export { withLinks } from "./page/neighbours.ts";
