/** Notebooks on the Deno kernel: reading, running, exporting to HTML. */
export { exportHtml, type ExportOptions } from "./export.ts";
export { type CellFailure, runCell, type RunEvent } from "./cell_run.ts";
export { runNotebook, type RunOptions, type RunResult } from "./run.ts";
export {
  type Cell,
  type MimeBundle,
  type Notebook,
  type Output,
  readNotebook,
  writeNotebook,
} from "./types.ts";
export { type Changes, changesOf } from "./stale.ts";
export { checkNotebooks } from "./check.ts";
export { type Finding, findingText } from "./check_findings.ts";
export { cleanNotebook, type CleanResult } from "./clean.ts";
export { compareOutputs, type OutputDifference } from "./compare.ts";
export { type CellDiff, diffNotebooks, type NotebookDiff } from "./diff.ts";
export { diffHtml } from "./diff_html.ts";
export { formatNotebook, type FormatResult } from "./format.ts";
export {
  type CellTest,
  type NotebookTest,
  type NotebookTestOptions,
  runNotebookTest,
  testNotebook,
} from "./testing.ts";
export { collectProvenance, type Provenance } from "./provenance.ts";
export { replaceText } from "./json_text.ts";
export { indexHtml, readReport, type Report } from "./index_page.ts";
export { withLinks } from "./page_links.ts";
export { type CellCode, cellCode } from "./code.ts";
export { cellGraph, type GraphCell } from "./graph.ts";
export { type CellKey } from "./keys.ts";
export {
  type CellState,
  notebookStatus,
  runKeys,
  staleCells,
} from "./stale.ts";
export { rerunCells, type RerunResult } from "./rerun.ts";
export { type RerunOptions } from "./rerun.ts";
export { NoSuchCell, replayText, type RerunPlan } from "./rerun_plan.ts";
export {
  findSession,
  listSessions,
  type Session,
  startSession,
  stopSession,
} from "./session.ts";
export { stripTypes } from "./strip_types.ts";
