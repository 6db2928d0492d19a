/** `deno task nb diff`: compares two notebooks. */
import type { Command } from "commander";
import {
  type CellDiff,
  cellHeading,
  type DiffLine,
  diffNotebooks,
  type NotebookDiff,
} from "../check/diff.ts";
import { readNotebook } from "../file/types.ts";
import { clean } from "../terminal_text.ts";
import {
  BOLD,
  checkFolder,
  DIM,
  GREEN,
  numberOption,
  paintOut as paint,
  path,
  plainLine,
  RED,
  shownPath,
  writeWhole,
  YELLOW,
} from "./shared.ts";

const CONTEXT = 2; // equal lines shown around a change

/** Changed lines with some around them, and "…" for a gap. */
function hunks(lines: DiffLine[]): DiffLine[] {
  const gap: DiffLine = { sign: " ", text: "…" };
  const shownLines: DiffLine[] = [];
  lines.forEach((line, i) => {
    const around = lines.slice(Math.max(0, i - CONTEXT), i + CONTEXT + 1);
    if (around.some(({ sign }) => sign !== " ")) shownLines.push(line);
    else if (shownLines.length && shownLines.at(-1) !== gap) {
      shownLines.push(gap);
    }
  });
  return shownLines;
}

function print(cell: CellDiff) {
  console.log(
    paint(BOLD, cellHeading(cell)) + paint(DIM, `  ${plainLine(cell.title)}`),
  );
  const colours = { " ": DIM, "-": RED, "+": GREEN };
  for (const { sign, text } of hunks(cell.source)) {
    const shown = text.split("\t").map(clean).join("\t");
    console.log(paint(colours[sign], `  ${sign} ${shown}`));
  }
  for (const { index, kind, why } of cell.outputs) {
    console.log(
      paint(YELLOW, `  output ${index + 1} (${kind}): `) + plainLine(why),
    );
  }
}

/** The same without the outputs themselves. */
const summary = ({ equal, cells }: NotebookDiff) => ({
  equal,
  cells: cells.map((cell) => ({
    ...cell,
    outputs: cell.outputs.map(({ index, kind, why }) => ({ index, kind, why })),
  })),
});

async function diff(
  first: string,
  second: string,
  o: { tolerance?: number; outputs?: boolean; html?: string; json?: boolean },
): Promise<number> {
  const [a, b] = [path(first), path(second)];
  const html = o.html === undefined ? undefined : path(o.html);
  if (html) await checkFolder(html);
  const found = await diffNotebooks(
    await readNotebook(a),
    await readNotebook(b),
    o,
  );
  if (html) {
    // Only here: what draws outputs is slow to load.
    const { diffHtml } = await import("../page/diff_html.ts");
    const page = await diffHtml(found, {
      before: shownPath(a),
      after: shownPath(b),
    });
    await writeWhole(html, page);
    console.error(shownPath(html));
  }
  if (o.json) console.log(JSON.stringify(summary(found), null, 2));
  else found.cells.filter(({ kind }) => kind !== "same").forEach(print);
  return found.equal ? 0 : 1;
}

const tolerance = numberOption(
  "a number from 0 to below 1",
  (n) => n >= 0 && n < 1,
);

export const addTolerance = (command: Command): Command =>
  command.option(
    "--tolerance <number>",
    "relative difference up to which numbers in outputs are equal",
    tolerance,
    0,
  );

export function addDiff(program: Command): void {
  const command = program.command("diff")
    .summary("compare two notebooks: sources and outputs")
    .description(
      "Compare two notebooks cell by cell: sources by line; outputs by what " +
        "they say, charts by their markup, images by their pixels. Metadata " +
        "and execution counts do not count. Exits with 0 when they are equal, " +
        "with 1 when they differ or cannot be read.",
    )
    .argument("<first>", "a .ipynb file")
    .argument("<second>", "a .ipynb file")
    .option("--no-outputs", "compare the sources only")
    .option("--html <file>", "also write a page with outputs side by side")
    .option("--json", "print the differences as JSON");
  addTolerance(command)
    .action(async (a, b, options) => Deno.exit(await diff(a, b, options)));
}
