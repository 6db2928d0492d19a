/** What a folder has of notebooks: their names, titles, questions, claims. */
import { existsSync, readdirSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { z } from "zod";
import { QUESTION } from "../../lib/notebook/commands/mod.ts";
import { readAs } from "../../lib/faults/mod.ts";

/** The project's folder, and that of its notebooks. */
export const root = resolve(import.meta.dirname!, "../..");
export const NOTEBOOKS = join(root, "notebooks");

const Page = z.object({
  cells: z.array(z.object({
    cell_type: z.string(),
    source: z.union([z.string(), z.array(z.string())]),
  })),
});

/** The head of a notebook. */
export interface NotebookHead {
  /** Its first heading; undefined without one. */
  title?: string;
  /** The paragraph that begins with **Question.** */
  question?: string;
}

/** A head, or that there is none: a draft spoils no index. */
export function readHead(file: string): NotebookHead {
  const { data } = readAs(file, Page, "a notebook");
  if (!data) return { question: "cannot be read as a notebook" };
  const text = data.cells
    .filter((c) => c.cell_type === "markdown")
    .map((c) => [c.source].flat().join(""))
    .join("\n\n").replace(/^```[\s\S]*?^```/gm, "");
  return {
    title: /^# +(.*\S)/m.exec(text)?.[1],
    question: QUESTION.exec(text)?.[1].replace(/\s+/g, " ").trim(),
  };
}

const namesIn = (folder: string, ending: string) =>
  readdirSync(folder).filter((file) => file.endsWith(ending))
    .map((file) => basename(file, ending)).sort();

/** The notebooks of a folder by name; those that a run wrote are none. */
export const notebooksIn = (folder: string): string[] =>
  namesIn(folder, ".ipynb").filter((name) => !name.endsWith(".executed"));

/** The notebooks whose claims lie in a folder, by name. */
export const claimsIn = (folder: string): string[] =>
  existsSync(folder) ? namesIn(folder, ".claims.json") : [];

/** Rows as a Markdown table, whose texts may hold Markdown. */
export function markdownTable(
  columns: readonly string[],
  rows: readonly string[][],
): string {
  const cell = (text: string) =>
    text.replace(/\s+/g, " ").replaceAll("|", "\\|");
  const line = (cells: readonly string[]) =>
    `| ${cells.map(cell).join(" | ")} |`;
  return [columns, columns.map(() => "---"), ...rows].map(line).join("\n");
}
