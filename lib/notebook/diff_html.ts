/** Two notebooks' differences as one HTML page that needs no network. */
import { ansiToHtml, escapeHtml } from "./ansi.ts";
import type { CellDiff, DiffLine, NotebookDiff } from "./diff.ts";
import { htmlPage } from "./page_script.ts";
import { loadSanitiser, sanitise } from "./sanitise.ts";
import { STYLE } from "./style.ts";
import type { Output } from "./types.ts";

await loadSanitiser();

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

const pre = (text: string) =>
  `<pre>${ansiToHtml(text.replace(/\n$/, ""))}</pre>`;

/** An output as a page shows it; `prefix` keeps its ids apart from others. */
function outputHtml(output: Output | undefined, prefix: string): string {
  if (!output) return `<p class="none">no output here</p>`;
  if (output.output_type === "stream") return pre(output.text);
  if (output.output_type === "error") {
    return `<div class="out error">${
      pre(`${output.ename}: ${output.evalue}`)
    }</div>`;
  }
  const { data } = output;
  const markup = data["text/html"] ?? data["image/svg+xml"];
  if (typeof markup === "string") {
    const { html, problem } = sanitise(markup, prefix);
    return `<div class="out"><div class="${prefix}">${html}</div></div>` +
      (problem ? `<p class="note">Not drawn: ${problem}.</p>` : "");
  }
  for (const mime of ["image/png", "image/jpeg", "image/gif", "image/webp"]) {
    if (typeof data[mime] !== "string") continue;
    const base64 = data[mime].replace(/[^A-Za-z0-9+/=]/g, "");
    return `<div class="out"><img alt="Image" src="data:${mime};base64,${base64}"></div>`;
  }
  const [mime, value] =
    Object.entries(data).find(([m]) => m === "text/plain") ??
      Object.entries(data)[0] ?? ["", ""];
  return pre(
    typeof value === "string" && mime.startsWith("text/")
      ? value
      : JSON.stringify(value, null, 2),
  );
}

function linesHtml(lines: DiffLine[]): string {
  const names = { " ": "", "-": "minus", "+": "plus" };
  return `<pre class="lines">${
    lines.map(({ sign, text }) =>
      `<span class="${names[sign]}">${sign} ${escapeHtml(text)}</span>`
    ).join("")
  }</pre>`;
}

/** What happened to a cell: `cell 2 → cell 3, moved` */
export function cellHeading({ kind, before, after, moved }: CellDiff): string {
  if (kind === "added") return `${after} added`;
  if (kind === "removed") return `${before} removed`;
  const name = before === after ? after! : `${before} → ${after}`;
  return moved ? `${name}, moved` : name;
}

function cellHtml(cell: CellDiff, index: number): string {
  const outputs = cell.outputs.map((o, n) => {
    const side = (which: "before" | "after", heading: string) =>
      `<div><h4>${heading}</h4>${
        outputHtml(o[which], `${which}${index}-${n}--`)
      }</div>`;
    return `<p class="why">Output ${o.index + 1} (${escapeHtml(o.kind)}): ` +
      `${escapeHtml(o.why)}</p><div class="pair">` +
      side("before", "First") + side("after", "Second") + "</div>";
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
export function diffHtml(
  diff: NotebookDiff,
  names: { before: string; after: string },
): string {
  const changed = diff.cells.filter(({ kind }) => kind !== "same");
  const same = diff.cells.length - changed.length;
  const title = `${names.before} and ${names.after}`;
  const told = diff.equal
    ? "The notebooks say the same."
    : `${changed.length} cells differ, ${same} are the same.`;
  return htmlPage({
    title,
    style: STYLE + OWN_STYLE,
    body: `<div class="page">
<main>
<h1>${escapeHtml(title)}</h1>
<p>${told}</p>
${changed.map(cellHtml).join("\n")}
</main>
</div>`,
  });
}
