/** A notebook as one HTML file that needs no network and runs no script of it. */
import { basename, dirname } from "node:path";
import { escapeHtml } from "../ansi.ts";
import { CellHtml, errorText, firstLineOf } from "./cell_html.ts";
import { exploreParts } from "./explore_page.ts";
import { Highlight } from "./highlight.ts";
import type { Heading } from "./markdown.ts";
import { type Lead, leadOf, leadTexts, questionOf } from "./report_lead.ts";
import { mathCss } from "./math.ts";
import { withoutCaptions } from "./figures.ts";
import { LINKS } from "./neighbours.ts";
import { htmlPage, PAGE_SCRIPT, policy } from "./script.ts";
import {
  cellSeconds,
  failureOf,
  type Provenance,
  type RunState,
  runState,
  runTime,
} from "../run/page_provenance.ts";
import { STYLE } from "./style.ts";
import type { Cell, Notebook } from "../file/types.ts";

export interface ExportOptions {
  /** default: the text of the first h1 */
  title?: string;
  /** names and values shown at the end of the page */
  provenance?: Provenance;
  /** when the notebook was run, as the index of reports shows it */
  date?: string;
  /** leaves out what a reader can ask the report with */
  static?: boolean;
  /** keeps outputs' HTML and SVG as they are and lets their scripts run */
  trust?: boolean;
  /** the notebook's file: pictures with relative paths lie beside it */
  file?: string;
  /** why code cells, by number, are no longer what was run (stale.ts) */
  changed?: ReadonlyMap<number, string>;
  /** hears of what is missing in the page, in one line with its cell */
  warn?(message: string): void;
}

const hasTitle = (cells: Cell[]) =>
  cells.some((cell) =>
    cell.cell_type === "markdown" &&
    cell.source.split("\n").some((line, i, lines) =>
      /^#\s/.test(line) || (/^=+\s*$/.test(line) && /\S/.test(lines[i - 1]))
    )
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
  return `<header class="tools">${LINKS}` +
    (hasCode
      ? `<label class="all"><input type="checkbox" id="ui--code"> Show all code</label>`
      : "") +
    `<fieldset><legend>Theme</legend>${theme("system", "Auto")}${
      theme("light", "Light")
    }${theme("dark", "Dark")}</fieldset></header>`;
}

function banners(
  code: Cell[],
  state: RunState,
  trust: boolean,
  changed: ReadonlyMap<number, string>,
): string {
  const link = (n: number) => `<a href="#cell--${n}">cell ${n}</a>`;
  const all: string[] = [];
  const add = (kind: string, html: string) =>
    all.push(`<div class="banner${kind}" role="note">${html}</div>`);
  if (trust) {
    add(
      " trusted",
      `<b>Trusted page.</b> Scripts in this notebook’s outputs run here; ` +
        `open it only if you trust who made it.`,
    );
  }
  const { failed, status, missing } = state;
  if (failed !== undefined) {
    const [why] = errorText(failureOf(code[failed - 1])!).split("\n");
    const rest = missing ? `<br>${cells(missing)} not run.` : "";
    const text = escapeHtml(why.slice(0, 300));
    add("", `<b>The run failed</b> in ${link(failed)}: ${text}${rest}`);
  } else if (status === "partly run") {
    add(" partly", `<b>Not complete:</b> ${cells(missing)} not run.`);
  }
  if (changed.size) {
    add(
      " partly",
      `<b>Not what was run:</b> ${
        Array.from(changed.keys(), link).join(", ")
      } changed since; the outputs are those of before.`,
    );
  }
  return all.join("\n");
}

const cells = (n: number) => n === 1 ? "1 cell was" : `${n} cells were`;

function runTimes(code: Cell[], state: RunState): string {
  const rows = code.flatMap((cell, i) => {
    const seconds = cellSeconds(cell);
    if (seconds === undefined) return [];
    const first = firstLineOf(cell.source);
    const share = 100 * seconds / (state.seconds || 1);
    return [
      `<tr><td><a href="#cell--${i + 1}">${i + 1}</a></td>` +
      `<td><code>${escapeHtml(first)}</code></td>` +
      `<td>${runTime(seconds)}</td>` +
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
    const count = code.filter((c) => cellSeconds(c) !== undefined).length;
    const of = count === 1 ? "1 cell" : `${count} cells`;
    rows.push(["Run time", `${runTime(state.seconds)} in ${of}`]);
  }
  if (!rows.length) return "";
  const list = rows.map(([k, v]) =>
    `<dt>${escapeHtml(k)}</dt><dd>${escapeHtml(v)}</dd>`
  );
  return `<footer class="provenance"><h2>How this page was made</h2>` +
    `<dl>${list.join("")}</dl>${runTimes(code, state)}</footer>`;
}

/** The colours of code in the languages that these cells have. */
export function highlightOf(cells: Cell[]): Promise<Highlight> {
  const texts = cells.flatMap(({ cell_type, source, outputs = [] }) => [
    ...cell_type === "markdown" ? [source] : [],
    ...outputs.map((o) => "data" in o ? o.data["text/markdown"] : undefined),
  ]);
  const fences = texts.join("\n").matchAll(/[`~]{3}[ \t]*([^\s`~]+)/g);
  const named = Array.from(fences, ([, language]) => language);
  return Highlight.load(["typescript", "json", ...named]);
}

/** What the notebook leads with, between its question and all else. */
function leadHtml(page: CellHtml, { cells }: Lead): string {
  // A trusted page has ids and scripts as they are, which stand once.
  const once = cells.filter((c) =>
    c.tag !== "main-chart" || !page.options.trust
  );
  const parts = once.map(({ cell, number, tag }) =>
    page.outputs(cell, number) +
    (tag === "main-chart"
      ? `<p class="note">From <a href="#cell--${number}">cell ${number}</a>, ` +
        `where its text stands.</p>`
      : "")
  );
  return `<section class="lead" id="answer--" aria-label="Answer">${
    parts.join("\n")
  }</section>`;
}

/** What the index of reports reads from a page. */
function facts(
  state: RunState,
  date: string | undefined,
  changed: boolean,
  texts: { question?: string; answer?: string },
): string {
  const meta = (name: string, content: string) =>
    `<meta name="nb:${name}" content="${escapeHtml(content)}">`;
  return [
    `<meta name="generator" content="nb export">`,
    meta("status", changed && state.status === "ok" ? "changed" : state.status),
    ...(state.seconds === undefined
      ? []
      : [meta("seconds", state.seconds.toFixed(3))]),
    ...(date ? [meta("date", date)] : []),
    ...Object.entries(texts)
      .map(([name, text]) => meta(name, text)),
  ].join("\n");
}

/**
 * The notebook, as it is saved, as one HTML page; never runs anything.
 * Outputs' HTML and SVG are sanitised unless `trust` is set. The same notebook
 * and options give the same bytes. From which sizes on content is shown plain
 * or cut, and that the page says so: page_limits.ts.
 */
export async function exportHtml(
  nb: Notebook,
  o: ExportOptions = {},
): Promise<string> {
  const trust = o.trust ?? false;
  const changed = o.changed ?? new Map<number, string>();
  const { cells, captions } = withoutCaptions(nb.cells);
  const highlight = await highlightOf(cells);
  const titled = hasTitle(cells);
  const lead = leadOf(cells);
  const question = questionOf(cells);
  const texts = lead ? leadTexts(lead) : question ? { question } : {};
  const page = new CellHtml(highlight, {
    level: titled ? 0 : 1,
    trust,
    changed,
    captions,
    ...(lead
      ? {
        lifted: new Set(
          lead.cells.filter((c) => c.tag !== "main-chart").map((c) => c.cell),
        ),
      }
      : {}),
    ...(o.file ? { file: basename(o.file), folder: dirname(o.file) } : {}),
    warn: o.warn ?? (() => {}),
  });
  const code = cells.filter((c) => c.cell_type === "code");
  const state = runState(code);
  const executed = state.status !== "not run";
  const parts = cells.map((cell) => {
    if (!lead?.title || cell !== lead.title.cell) {
      return page.cell(cell, executed);
    }
    const { head, rest } = lead.title;
    return page.cell({ ...cell, source: head }, executed) +
      leadHtml(page, lead) +
      (rest.trim() ? page.text({ ...cell, source: rest }) : "");
  });
  if (lead && !lead.title) parts.unshift(leadHtml(page, lead));
  const body = page.links.resolve(parts.join("\n"), escapeHtml);
  const { headings } = page.markdown;
  const title = o.title ?? headings.find((h) => h.level === 1)?.text ??
    "Notebook";
  const toc = contents(headings);
  const asked = o.static || trust || page.explored.isEmpty
    ? undefined
    : await exploreParts(page.explored).catch((error: Error) => {
      const [why] = error.message.split("\n");
      o.warn?.(`the page cannot be questioned: ${why}`);
    });
  return htmlPage({
    title,
    policy: policy(trust, [PAGE_SCRIPT, ...asked?.scripts ?? []]),
    head: `<meta name="referrer" content="no-referrer">
${facts(state, o.date, changed.size > 0, texts)}
`,
    style: `${STYLE}
${highlight.css()}
${await mathCss(body)}`,
    body: `<a class="skip" href="#main--">Skip to the content</a>
${tools(code.length > 0)}
<div class="page${toc ? " has-toc" : ""}">
${toc}
<main id="main--" tabindex="-1">
${titled ? "" : `<h1>${escapeHtml(title)}</h1>`}
${banners(code, state, trust, changed)}
${body}
</main>
${provenance(code, state, o.provenance ?? {})}
</div>
${LINKS}
<script>${PAGE_SCRIPT}</script>${asked ? `\n${asked.html}` : ""}`,
  });
}
