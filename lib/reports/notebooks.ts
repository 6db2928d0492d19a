/** Notebooks as an index of them has them: title, question, verdicts. */
import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import { readAs, readClaims } from "./claims_file.ts";
import { fromRoot } from "./live.ts";
import { Profile } from "./profiles.ts";
import { markdown, type Shown } from "./show.ts";
import { countsText } from "./verdicts.ts";

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
    question: /\*\*Question\.\*\*\s+([\s\S]*?)(?:\n\s*\n|$)/.exec(text)?.[1]
      .replace(/\s+/g, " ").trim(),
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

/**
 * Every notebook with its title, its question, and for each profile with
 * results in FOLDER/PROFILE the verdicts on its claims.
 *
 * @param folder From the project's root: "results", or "runs".
 */
export function notebookIndex(
  folder: string,
  { notebooks = "notebooks" }: { notebooks?: string } = {},
): Shown {
  const at = (profile: Profile) => join(fromRoot(folder), profile);
  const profiles = Profile.options.filter((p) => claimsIn(at(p)).length > 0);
  const rows = notebooksIn(fromRoot(notebooks)).map((name) => {
    const head = readHead(join(fromRoot(notebooks), `${name}.ipynb`));
    const verdicts = profiles.map((profile) => {
      const { data, error } = readClaims(at(profile), name);
      return data ? countsText(data.claims) : error ?? "–";
    });
    const number = /^\d\d(?=-)/.exec(name)?.[0] ?? "";
    const title = `${number} **${head.title ?? name}**`.trim();
    return [title, head.question ?? "–", ...verdicts];
  });
  return markdown(markdownTable(["notebook", "question", ...profiles], rows));
}
