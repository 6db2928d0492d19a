/** Numbers and captions of a page's figures and tables. */
import { escapeHtml, unescapeHtml } from "../ansi.ts";
import { lastHeading, tagsOf } from "../file/cells.ts";
import type { Links, Numbered } from "./links.ts";
import type { Cell } from "../file/types.ts";

/** What an output is, by what it begins with; undefined for mere text. */
function kindOf(html: string): Numbered | undefined {
  const [, first] = /<(svg|img|table)[\s>]/.exec(html) ?? [];
  return first === undefined ? first : first === "table" ? "Table" : "Figure";
}

/** The last paragraph of a Markdown cell, when it is a caption. */
const CAPTION =
  /(?:^|\n[ \t]*\n)\*\*(Figure|Table)\.\*\*[ \t\n]+(\S(?:(?!\n[ \t]*\n)[\s\S])*)$/;

/** Captions of a code cell: Markdown, by what it stands at. */
export type Captions = Partial<Record<Numbered, string>> & {
  /** of the section that it stands in: what a table without a caption shows */
  heading?: string;
};

/**
 * The cells without the captions that stand before code cells with outputs, and
 * the captions: a cell's last paragraphs that begin with "**Figure.**" or
 * "**Table.**".
 */
export function withoutCaptions(
  cells: readonly Cell[],
): { cells: Cell[]; captions: Map<Cell, Captions> } {
  const captions = new Map<Cell, Captions>();
  let heading = "";
  const rest = cells.map((cell, i) => {
    const next = cells[i + 1];
    if (cell.cell_type === "markdown") {
      heading = lastHeading(cell.source) || heading;
    } else captions.set(cell, { ...captions.get(cell), heading });
    if (cell.cell_type !== "markdown" || !next?.outputs?.length) return cell;
    const own: Captions = {};
    let source = cell.source.trimEnd();
    for (let m; (m = CAPTION.exec(source)); source = source.slice(0, m.index)) {
      const kind = m[1] as Numbered;
      if (own[kind] !== undefined) break;
      own[kind] = m[2];
    }
    if (!Object.keys(own).length) return cell;
    captions.set(next, own);
    return { ...cell, source };
  });
  return { cells: rest, captions };
}

/** A caption with more characters than this names no series. */
const MOST_WORDS = 90;

/** What a chart or table says of itself to those who hear the page, shortened. */
function labelOf(html: string): string {
  const [, label = ""] =
    /<(?:svg|table)[^>]*? aria-label="([^"]*)"/.exec(html) ?? [];
  const [first, ...more] = unescapeHtml(label).split("; ");
  // The series that a long one lists stand in the legend.
  const [head] = first.length > MOST_WORDS ? first.split(": ") : [first];
  const short = [head, ...more.filter((part) => /^best .*\d/.test(part))]
    .slice(0, 2).join("; ");
  if (!short || /^(Chart|Figure) of cell \d+$/.test(short)) return "";
  return short[0].toUpperCase() + short.slice(1) + ".";
}

/** An output's place in its notebook. */
interface Place {
  cell: Cell;
  number: number;
  place: number;
  /** what a long table is folded under */
  fold: string;
}

/** Counts a page's figures and tables, and puts their captions to them. */
export class Figures {
  readonly #counts = { Figure: 0, Table: 0 };
  /** what was drawn before, at the top of the page */
  readonly #drawn = new Map<string, { id: string; text: string }>();

  constructor(
    readonly captions: ReadonlyMap<Cell, Captions>,
    readonly links: Links,
    /** a caption's Markdown as HTML */
    readonly render: (markdown: string) => string,
  ) {}

  /** An output with its number and caption. */
  caption(html: string, at: Place): string {
    const kind = kindOf(html);
    const body = at.fold
      ? `<details class="fold"><summary>${at.fold}</summary>${html}</details>`
      : html;
    if (!kind) return body;
    const key = `${at.number} ${at.place}`;
    const before = this.#drawn.get(key);
    const { id, text } = before ?? this.#new(kind, html, at);
    this.#drawn.set(key, { id, text });
    const again = before ? ` <a href="#${id}">(as at the top)</a>` : "";
    const words = `<figcaption>${text}${again}</figcaption>`;
    return `<figure class="numbered"${before ? "" : ` id="${id}"`}>` +
      `${kind === "Table" ? words + body : body + words}</figure>`;
  }

  #new(kind: Numbered, html: string, { cell }: Place) {
    const n = ++this.#counts[kind];
    const id = `${kind.toLowerCase()}-${n}--`;
    const names = [cell.id, ...tagsOf(cell)]
      .filter((name) => typeof name === "string");
    this.links.numbered(kind, names, n, id);
    // Of a cell's figures the first has the caption.
    const { [kind]: own, heading = "" } = this.captions.get(cell) ?? {};
    const used = own === undefined || this.#captioned.has(own);
    if (!used) this.#captioned.add(own);
    const isClaims = kind === "Table" && names.includes("claims");
    const words = !used
      ? this.#inline(own)
      : isClaims
      ? "Claims and verdicts."
      : escapeHtml(labelOf(html)) ||
        this.#inline(heading.replace(/([^.!?])$/, "$1."));
    return { id, text: `<b>${kind} ${n}.</b> ${words}`.trim() };
  }
  readonly #captioned = new Set<string>();

  #inline(markdown: string): string {
    return this.render(markdown).replace(/^<p>|<\/p>\s*$/g, "");
  }
}
