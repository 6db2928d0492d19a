/** `deno task nb index`: lists a folder's exported reports on one page. */
import type { Command } from "commander";
import { basename, join } from "node:path";
import { readClaimsIn, sideBySide } from "../page/claims_board.ts";
import { writeIndex } from "../page/index_page.ts";
import { isFolder, path, shownPath, warn } from "./shared.ts";

async function* pages(folder: string): AsyncGenerator<string> {
  let entries: Deno.DirEntry[] = [];
  try {
    entries = await Array.fromAsync(Deno.readDir(folder));
  } catch (e) {
    warn(`${shownPath(folder)}: left out: ${(e as Error).message}`);
  }
  for (const entry of entries) {
    const file = join(folder, entry.name);
    if (entry.isDirectory && !/^(\.|node_modules$)/.test(entry.name)) {
      yield* pages(file);
    } else if (entry.isFile && /\.html?$/.test(entry.name)) yield file;
  }
}

/** What the claims of another folder say beside those of this one. */
async function compared(against: string, folder: string): Promise<string> {
  const other = path(against);
  if (!await isFolder(other)) {
    throw new Error(
      `${shownPath(other)}: no such folder; give one with claims`,
    );
  }
  const [before, now] = [
    await readClaimsIn(other, warn),
    await readClaimsIn(folder, warn),
  ];
  if (before.length === 0) {
    throw new Error(
      `${shownPath(other)}: holds no claims; give a folder of reports`,
    );
  }
  return sideBySide([shownPath(other), shownPath(folder)], before, now);
}

async function index(
  given: string,
  o: { out?: string; title?: string; against?: string; json?: boolean },
): Promise<number> {
  const folder = path(given);
  if (!await isFolder(folder)) {
    throw new Error(
      `${shownPath(folder)}: no such folder; give one with reports`,
    );
  }
  const out = o.out ? path(o.out) : join(folder, "index.html");
  const files: string[] = [];
  for await (const file of pages(folder)) if (file !== out) files.push(file);
  const reports = await writeIndex(out, files.sort(), {
    title: o.title ?? `Reports in ${basename(folder)}`,
    beside: o.against && await compared(o.against, folder),
    isNewestFirst: true, // the same folder always gives the same page
    unread: (file, why) => warn(`${shownPath(file)}: left out: ${why}`),
  });
  if (!reports.length) {
    throw new Error(
      `${given}: holds no page that \`nb export\` wrote; export notebooks first`,
    );
  }
  const about = reports.map(({ chart, ...r }) => ({ ...r, chart: !!chart }));
  console.log(
    o.json
      ? JSON.stringify({ index: shownPath(out), reports: about }, null, 2)
      : shownPath(out),
  );
  return 0;
}

export function addIndex(program: Command): void {
  program.command("index")
    .summary("list a folder's exported reports on one page")
    .description(
      "Write index.html into a folder: every page below it that `nb export` " +
        "wrote, with its question, answer and main chart where it leads with " +
        "them, else with title, date, status, run time and its first chart. The " +
        "pages get links to the index and to each other.",
    )
    .argument("<folder>", "where the reports lie")
    .option(
      "-o, --out <file>",
      "where the index goes (default: FOLDER/index.html)",
    )
    .option("--title <text>", "the index's title")
    .option(
      "--against <folder>",
      "another profile, or results of before: its claims side by side with these",
    )
    .option("--json", "print one JSON document about the reports")
    .addHelpText("after", "\nExample:\n  deno task nb index results")
    .action(async (folder, options) => Deno.exit(await index(folder, options)));
}
