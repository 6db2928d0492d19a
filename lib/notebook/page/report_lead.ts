/** What a report leads with: its question, and the cells with these tags. */
import { hasTag } from "../file/cells.ts";
import type { Cell } from "../file/types.ts";

/** In this order; the first one makes a page lead with them. */
const TAGS = ["answer", "claims", "main-chart"] as const;
type Tag = typeof TAGS[number];

export interface Lead {
  /** The Markdown cell that it stands in: up to the question, and the rest. */
  title?: { cell: Cell; head: string; rest: string };
  /** Code cells with a tag and an output; the first of each tag. */
  cells: { cell: Cell; number: number; tag: Tag }[];
}

/** Where a notebook asks its question. */
export const QUESTION = /\*\*Question\.\*\*\s+([\s\S]*?)(?=\n\s*\n|$)/;

/** What a notebook leads with; undefined where no cell is its answer. */
export function leadOf(cells: readonly Cell[]): Lead | undefined {
  const code = cells.filter((c) => c.cell_type === "code");
  const found = TAGS.flatMap((tag) => {
    const i = code.findIndex((c) => hasTag(c, tag));
    const cell = code[i];
    const isShown = cell?.outputs?.length &&
      cell.outputs.every((o) => o.output_type !== "error");
    return isShown ? [{ cell, number: i + 1, tag }] : [];
  });
  if (found[0]?.tag !== "answer") return;
  const cell = cells.find((c) =>
    c.cell_type === "markdown" && /^# /m.test(c.source)
  );
  if (!cell) return { cells: found };
  const question = QUESTION.exec(cell.source);
  const end = question
    ? question.index + question[0].length
    : cell.source.length;
  const head = cell.source.slice(0, end), rest = cell.source.slice(end);
  return { title: { cell, head, rest }, cells: found };
}

/** The question of a notebook that has no answer yet. */
export function questionOf(cells: readonly Cell[]): string | undefined {
  for (const { cell_type, source } of cells) {
    const [, question] = cell_type === "markdown" && QUESTION.exec(source) ||
      [];
    if (question) return plain(question);
  }
}

const plain = (markdown: string) =>
  markdown.replace(/[*_`]/g, "").replace(/\s+/g, " ");

/** The question as text, and the answer's first line, for the index. */
export function leadTexts(
  { title, cells: [{ cell }] }: Lead,
): { question?: string; answer?: string } {
  const question = title && QUESTION.exec(title.head)?.[1];
  const [answer] = cell.outputs!.flatMap((o) => {
    const text = "data" in o && o.data["text/plain"];
    return typeof text === "string" ? [text.split("\n")[0]] : [];
  });
  return {
    ...question ? { question: plain(question) } : {},
    ...answer ? { answer } : {},
  };
}

/** Tables with more rows are folded in a page that leads with its answer. */
export const MOST_ROWS = 12;

/** Of the lead, of folded tables, and of claims, which are cards on a phone. */
export const LEAD_STYLE = `
.lead { border-left: 4px solid var(--accent); padding-left: 1.1rem; margin: 1.5rem 0 2rem; }
.lead .out { margin-top: .5rem; }
.answer { font-size: 1.2rem; line-height: 1.45; text-wrap: pretty; margin: 0; }
.counts { margin: .75rem 0 .5rem; }
.out table.claims { width: 100%; }
.claims td:last-child { min-width: 8.5rem; }
.fold > summary { cursor: pointer; color: var(--soft); }
.out .claims .fold > summary { list-style-position: outside; margin-left: 1em; }
.claims .fold > p { margin: .5em 0 0; min-width: 14rem; }
.fold > summary:hover { color: var(--fg); }
details.fold:has(> .out) { margin-top: .75rem; font-size: .875rem; }
@media (max-width: 34rem) {
  .lead { padding-left: .7rem; }
  .claims thead { display: none; }
  .claims tr { display: flex; flex-direction: column; border: 1px solid var(--line); border-radius: 8px; padding: .4rem .7rem; margin-bottom: .7rem; }
  .out .claims td { border: 0; padding: .2rem 0; max-width: none; overflow-wrap: anywhere; }
  .claims td:last-child { order: -1; }
  .claims td:not(:first-child, :last-child)::before { content: attr(data-column) ": "; color: var(--soft); }
}
@media print {
  .fold::details-content { content-visibility: visible; block-size: auto; }
  .out .claims .fold > summary { list-style: none; margin-left: 0; }
}
`;
