/** Type check and lint of notebooks' code cells, told by cell and line. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";

/** A line of the extracted file: the cell (from 1) and line it came from. */
export interface Origin {
  cell: number;
  line: number;
}

/** All code cells of a notebook as one module. */
export interface Extracted {
  code: string;
  /** For each line of `code`, from its first. */
  origins: Origin[];
}

/** The notebooks in a folder, by name. */
export function notebookFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter((name) => name.endsWith(".ipynb")).sort()
    .map((name) => join(folder, name));
}

/** Relative import specifiers as they read from another folder. */
function rebase(line: string, from: string, to: string): string {
  return line.replace(
    /(\bfrom\s*|\bimport\s*\(?\s*)(["'])(\.{1,2}\/[^"']*)\2/g,
    (_, before, quote, path) => {
      const moved = relative(to, resolve(from, path)).replaceAll("\\", "/");
      return before + quote + (moved[0] === "." ? moved : `./${moved}`) + quote;
    },
  );
}

/**
 * Puts all code cells of a notebook one after another; cells are numbered as
 * they stand, words included.
 * @param from the notebook's folder
 * @param to the folder that the module will lie in
 * @throws Error when the text is not a notebook
 */
export function extractCells(
  text: string,
  from: string,
  to: string,
): Extracted {
  const { cells } = JSON.parse(text) as {
    cells: { cell_type: string; source: string | string[] }[];
  };
  const lines: string[] = [];
  const origins: Origin[] = [];
  cells.forEach(({ cell_type, source }, index) => {
    if (cell_type !== "code") return;
    const code = Array.isArray(source) ? source.join("") : source;
    code.split("\n").forEach((line, at) => {
      lines.push(rebase(line, from, to));
      origins.push({ cell: index + 1, line: at + 1 });
    });
  });
  // Without an import or export it would be a script, sharing its names.
  lines.push("export {};", "");
  return { code: lines.join("\n"), origins };
}

/** Rewrites `…/name.ipynb.ts:7:3` as `name.ipynb cell 2 line 3`. */
export function mapPlaces(
  output: string,
  file: string,
  origins: Origin[],
): string {
  const name = basename(file).replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const place = new RegExp(
    `(?:file://)?[^\\s()]*${name}\\.ts:(\\d+)(?::\\d+)?`,
    "g",
  );
  return output.replace(place, (whole, line) => {
    const origin = origins[Number(line) - 1];
    if (!origin) return whole;
    return `${file} cell ${origin.cell} line ${origin.line}`;
  });
}

// deno-lint-ignore no-control-regex
const ANSI = /\x1b\[[0-9;]*m/g;

/** Extracts every notebook, runs Deno over them, prints what it says. */
async function overNotebooks(
  files: string[],
  args: string[],
): Promise<boolean> {
  if (!files.length) return true;
  // Git-ignored by its name; in .ferlab/, which deno.json excludes, Deno would
  // check nothing and call that good.
  const folder = await Deno.makeTempDir({
    dir: Deno.cwd(),
    prefix: "notebooks-",
    suffix: ".tmp",
  });
  try {
    const extracted = new Map<string, Origin[]>();
    const modules: string[] = [];
    for (const file of files) {
      let one: Extracted;
      try {
        const text = readFileSync(file, "utf8");
        one = extractCells(text, dirname(file), folder);
      } catch (error) {
        throw new Error(
          `${file} cannot be read as a notebook: ${(error as Error).message}`,
        );
      }
      const module = join(folder, `${basename(file)}.ts`);
      await Deno.writeTextFile(module, one.code);
      extracted.set(file, one.origins);
      modules.push(module);
    }
    const { success, stdout, stderr } = await new Deno.Command(
      Deno.execPath(),
      { args: [...args, ...modules], env: { NO_COLOR: "1" } },
    ).output();
    const decoder = new TextDecoder();
    let said = (decoder.decode(stdout) + decoder.decode(stderr))
      .replace(ANSI, "");
    for (const [file, origins] of extracted) {
      said = mapPlaces(said, file, origins);
    }
    const unread = /No (?:matching|target) files found/.test(said);
    if (!success || unread) console.log(said.trim());
    return success && !unread;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Type-checks the code cells of notebooks. */
export function checkNotebooks(files: string[]): Promise<boolean> {
  return overNotebooks(files, ["check"]);
}

/**
 * Lints the code cells; a cell may end in a value that is only shown, and
 * `let` marks what the reader may set anew.
 */
export function lintNotebooks(files: string[]): Promise<boolean> {
  return overNotebooks(files, [
    "lint",
    "--rules-exclude=no-unused-vars,prefer-const,no-unversioned-import,no-import-prefix",
  ]);
}

/**
 * Checks the format of the code cells (Deno 2.9.6's own check of a notebook
 * fails whatever is in it).
 */
export function formatNotebooks(files: string[]): Promise<boolean> {
  return overNotebooks(files, ["fmt", "--check"]);
}
