/** Two notebooks' differences as one HTML page that needs no network. */
import { escapeHtml } from "../ansi.ts";
import { CellHtml } from "./cell_html.ts";
import {
  type CellDiff,
  cellHeading,
  type DiffLine,
  type NotebookDiff,
} from "../check/diff.ts";
import { highlightOf } from "./export.ts";
import { mathCss } from "./math.ts";
import { htmlPage } from "./script.ts";
import { STYLE } from "./style.ts";
import type { Cell, Output } from "../file/types.ts";

const OWN_STYLE = `
.page { grid-template-columns: minmax(0, 1400px); }
:root { --plus: #e6f6ea; --minus: #fdeceb; }
@media (prefers-color-scheme: dark) { :root { --plus: #12301c; --minus: #3a1a1a; } }
.lines { background: var(--faint); border: 1px solid var(--line); border-radius: 8px; padding: .5rem 0; }
.lines span { display: block; padding: 0 1rem; min-height: 1.55em; }
.lines .plus { background: var(--plus); }
.lines .minus { background: var(--minus); }
.why { color: var(--soft); margin: 1rem 0 .25rem; }
.pair { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 1rem; }
.pair > div { border: 1px solid var(--line); border-radius: 8px; padding: .5rem .75rem; min-width: 0; }
.pair h4 { margin: 0; font-size: .8125rem; color: var(--soft); }
.none { color: var(--soft); }
`;

const cellOf = (...outputs: Output[]): Cell => ({
  cell_type: "code",
  ...{ source: "", metadata: {}, outputs },
});

function linesHtml(lines: DiffLine[]): string {
  const names = { " ": "", "-": "minus", "+": "plus" };
  return `<pre class="lines">${
    lines.map(({ sign, text }) =>
      `<span class="${names[sign]}">${sign} ${escapeHtml(text)}</span>`
    ).join("")
  }</pre>`;
}

function cellHtml(cell: CellDiff, page: CellHtml): string {
  const number = Number(/\d+/.exec(cell.after ?? cell.before!));
  const outputs = cell.outputs.map((o) => {
    const shown = (output: Output | undefined) =>
      output
        ? page.output(output, cellOf(output), number)
        : `<p class="none">no output here</p>`;
    return `<p class="why">Output ${o.index + 1} (${escapeHtml(o.kind)}): ` +
      `${escapeHtml(o.why)}</p><div class="pair">` +
      `<div><h4>First</h4>${shown(o.before)}</div>` +
      `<div><h4>Second</h4>${shown(o.after)}</div></div>`;
  });
  return `<section><h2>${escapeHtml(cellHeading(cell))}</h2>` +
    `<p>${escapeHtml(cell.title)}</p>` +
    (cell.source.length ? linesHtml(cell.source) : "") +
    `${outputs.join("\n")}</section>`;
}

/**
 * The differences as one page: sources line by line, outputs and charts side
 * by side. Outputs' HTML and SVG are sanitised; no script runs.
 * @param names of the two notebooks, as shown
 */
export async function diffHtml(
  diff: NotebookDiff,
  names: { before: string; after: string },
): Promise<string> {
  const changed = diff.cells.filter(({ kind }) => kind !== "same");
  const same = diff.cells.length - changed.length;
  const title = `${names.before} and ${names.after}`;
  const told = diff.equal
    ? "The notebooks say the same."
    : `${changed.length} cells differ, ${same} are the same.`;
  const outputs = changed.flatMap((c) => c.outputs)
    .flatMap(({ before, after }) => [before ?? [], after ?? []].flat());
  const highlight = await highlightOf([cellOf(...outputs)]);
  const page = new CellHtml(highlight, {
    ...{ level: 1, trust: false, changed: new Map(), captions: new Map() },
    warn() {},
  });
  const drawn = changed.map((cell) => cellHtml(cell, page)).join("\n");
  const cells = page.links.resolve(drawn, escapeHtml);
  return htmlPage({
    title,
    style: STYLE + OWN_STYLE + highlight.css() + await mathCss(cells),
    body: `<div class="page">
<main>
<h1>${escapeHtml(title)}</h1>
<p>${told}</p>
${cells}
</main>
</div>`,
  });
}
