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
