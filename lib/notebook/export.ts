/** A notebook as one HTML file that needs no network and runs no script of it. */
import { escapeHtml } from "./ansi.ts";
import { CellHtml, errorText } from "./cell_html.ts";
import { Highlight } from "./highlight.ts";
import type { Heading } from "./markdown.ts";
import { loadMath, mathCss } from "./math.ts";
import { PAGE_SCRIPT, policy } from "./page_script.ts";
import {
  duration,
  failureOf,
  type Provenance,
  type RunState,
  runState,
  secondsOf,
} from "./provenance.ts";
import { loadSanitiser } from "./sanitise.ts";
import { STYLE } from "./style.ts";
import type { Cell, Notebook } from "./types.ts";

/** Options of {@link exportHtml}. */
export interface ExportOptions {
  /** default: the text of the first h1 */
  title?: string;
  /** names and values shown at the end of the page */
  provenance?: Provenance;
  /** when the notebook was run, as the index of reports shows it */
  date?: string;
  /** keeps outputs' HTML and SVG as they are and lets their scripts run */
  trust?: boolean;
}

/** Whether a page of these cells has a heading of its own at its top. */
const hasTitle = (cells: Cell[]) =>
  cells.some((c) =>
    c.cell_type === "markdown" && /^(#\s|.*\S.*\n=+\s*$)/m.test(c.source)
  );

function contents(headings: Heading[]): string {
  const items = headings.filter((h) => h.level === 2 || h.level === 3);
  if (items.length < 2) return "";
  const list = items.map((h) =>
    `<li class="l${h.level}"><a href="#${h.id}">${escapeHtml(h.text)}</a></li>`
  );
  return `<nav aria-label="Contents"><details open><summary>Contents</summary>` +
    `<ol>${list.join("")}</ol></details></nav>`;
}

/** Folding and theme; the theme works without the script. */
function tools(hasCode: boolean): string {
  const theme = (value: string, label: string) =>
    `<label><input type="radio" name="ui--theme" id="ui--${value}" ` +
    `value="${value}"${value === "system" ? " checked" : ""}>` +
    `<span>${label}</span></label>`;
  return `<header class="tools">` +
    (hasCode
      ? `<label class="all"><input type="checkbox" id="ui--code"> Show all code</label>`
      : "") +
    `<fieldset><legend>Theme</legend>${theme("system", "Auto")}${
      theme("light", "Light")
    }${theme("dark", "Dark")}</fieldset></header>`;
}

function banners(code: Cell[], state: RunState, trust: boolean): string {
  const all: string[] = [];
  if (trust) {
    all.push(
      `<div class="banner trusted" role="note"><b>Trusted page.</b> ` +
        `Scripts in this notebook’s outputs run here; open it only if you ` +
        `trust who made it.</div>`,
    );
  }
  if (state.failed !== undefined) {
    const { failed } = state;
    const text = escapeHtml(
      errorText(failureOf(code[failed - 1])!).split("\n")[0],
    );
    const rest = state.missing ? `<br>${cells(state.missing)} not run.` : "";
    all.push(
      `<div class="banner" role="note"><b>The run failed</b> in ` +
        `<a href="#cell--${failed}">cell ${failed}</a>: ${text}${rest}</div>`,
    );
  } else if (state.status === "partly run") {
    all.push(
      `<div class="banner partly" role="note"><b>Not complete:</b> ` +
        `${cells(state.missing)} not run.</div>`,
    );
  }
  return all.join("\n");
}

const cells = (n: number) => n === 1 ? "1 cell was" : `${n} cells were`;

function runTimes(code: Cell[], state: RunState): string {
  const rows = code.flatMap((cell, i) => {
    const seconds = secondsOf(cell);
    if (seconds === undefined) return [];
    const first = cell.source.split("\n").find((l) => l.trim())?.trim() ?? "";
    const share = 100 * seconds / (state.seconds || 1);
    return [
      `<tr><td><a href="#cell--${i + 1}">${i + 1}</a></td>` +
      `<td><code>${escapeHtml(first)}</code></td>` +
      `<td>${duration(seconds)}</td>` +
      `<td aria-hidden="true"><span class="bar" style="width:${
        share.toFixed(1)
      }%"></span></td></tr>`,
    ];
  });
  if (!rows.length) return "";
  return `<details class="times"><summary>Run time of each cell</summary>` +
    `<div class="wide" role="region" aria-label="Run time of each cell" tabindex="0">` +
    `<table><thead><tr><th scope="col">Cell</th><th scope="col">Code</th>` +
    `<th scope="col">Time</th><td></td></tr></thead><tbody>${
      rows.join("\n")
    }</tbody></table></div></details>`;
}

function provenance(code: Cell[], state: RunState, given: Provenance): string {
  const rows = Object.entries(given);
  if (state.seconds !== undefined) {
    const count = code.filter((c) => secondsOf(c) !== undefined).length;
    const of = count === 1 ? "1 cell" : `${count} cells`;
    rows.push(["Run time", `${duration(state.seconds)} in ${of}`]);
  }
  if (!rows.length) return "";
  const list = rows.map(([k, v]) =>
    `<dt>${escapeHtml(k)}</dt><dd>${escapeHtml(v)}</dd>`
  );
  return `<footer class="provenance"><h2>How this page was made</h2>` +
    `<dl>${list.join("")}</dl>${runTimes(code, state)}</footer>`;
}

/** Loads what this notebook's page needs, and no more: each takes a while. */
async function loadFor(nb: Notebook): Promise<Highlight> {
  const languages = new Set(["typescript"]);
  const texts: string[] = []; // of markdown
  let markup = false, formulas = false;
  for (const { cell_type, source, outputs } of nb.cells) {
    if (cell_type === "markdown") texts.push(source);
    for (const o of outputs ?? []) {
      if (!("data" in o)) continue;
      if ("text/html" in o.data || "image/svg+xml" in o.data) markup = true;
      if ("text/latex" in o.data) formulas = true;
      if ("application/json" in o.data) languages.add("json");
      texts.push(String(o.data["text/markdown"] ?? o.data["text/latex"] ?? ""));
    }
  }
  const text = texts.join("\n");
  for (const [, name] of text.matchAll(/[`~]{3}[ \t]*([^\s`~]+)/g)) {
    languages.add(name);
  }
  if (markup || text.includes("<")) await loadSanitiser();
  if (formulas || text.includes("$")) await loadMath();
  return await Highlight.load(languages);
}

/** What the index of reports reads from a page. */
function facts(state: RunState, date: string | undefined): string {
  const meta = (name: string, content: string) =>
    `<meta name="nb:${name}" content="${escapeHtml(content)}">`;
  return [
    `<meta name="generator" content="nb export">`,
    meta("status", state.status),
    ...(state.seconds === undefined
      ? []
      : [meta("seconds", state.seconds.toFixed(3))]),
    ...(date ? [meta("date", date)] : []),
  ].join("\n");
}

/**
 * The notebook, as it is saved, as one HTML page; never runs anything.
 * Outputs' HTML and SVG are sanitised unless `trust` is set. The same notebook
 * and options give the same bytes.
 */
export async function exportHtml(
  nb: Notebook,
  o: ExportOptions = {},
): Promise<string> {
  const trust = o.trust ?? false;
  const highlight = await loadFor(nb);
  const titled = hasTitle(nb.cells);
  const page = new CellHtml(highlight, trust, titled ? 0 : 1);
  const code = nb.cells.filter((c) => c.cell_type === "code");
  const state = runState(code);
  const executed = state.status !== "not run";
  const body = nb.cells.map((cell) => page.cell(cell, executed)).join("\n");
  const { headings } = page.markdown;
  const title = o.title ?? headings.find((h) => h.level === 1)?.text ??
    "Notebook";
  const toc = contents(headings);
  const heading = titled ? "" : `<h1>${escapeHtml(title)}</h1>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy(trust)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
${facts(state, o.date)}
<title>${escapeHtml(title)}</title>
<style>${STYLE}
${highlight.css()}
${await mathCss(body)}</style>
</head>
<body>
<a class="skip" href="#main--">Skip to the content</a>
${tools(code.length > 0)}
<div class="page${toc ? " has-toc" : ""}">
${toc}
<main id="main--" tabindex="-1">
${heading}
${banners(code, state, trust)}
${body}
</main>
${provenance(code, state, o.provenance ?? {})}
</div>
<script>${PAGE_SCRIPT}</script>
</body>
</html>
`;
}
