/** What other commands share with those of notebooks. */
export { escapeHtml } from "../ansi.ts";
export { clean, fit } from "../terminal_text.ts";
export { inJobs } from "../concurrency.ts";
export { QUESTION } from "../page/report_lead.ts";
export { htmlPage } from "../page/script.ts";
export { STYLE } from "../page/style.ts";
export {
  BOLD,
  checkFolder,
  DIM,
  EXIT,
  inOneLine,
  loadWanted,
  numberOption,
  paintOut,
  path,
  RED,
  shownPath,
  stopSignal,
  writeAll,
  writeWhole,
  YELLOW,
} from "./shared.ts";
