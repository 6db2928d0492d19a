/** `deno task study claims`: every claim of the study, as one Markdown page. */
import { Command } from "commander";
import { existsSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import {
  duration,
  type JudgedReport,
  type Profile,
  reports,
  type Verdict,
} from "../../lib/reports/mod.ts";
import { path } from "../../lib/notebook/commands/shared.ts";
import { replaceText } from "../../lib/notebook/mod.ts";
import { UsageError } from "../cli.ts";

const root = resolve(import.meta.dirname!, "../..");

/** The strongest first: its judgement is the one that counts. */
const PROFILES: Profile[] = ["paper", "cpu", "quick"];
const VERDICTS: Verdict[] = [
  "holds",
  "does not hold",
  "cannot tell",
  "not yet run",
];

/** A cell of a Markdown table. */
const cell = (text: string) => text.replace(/\s+/g, " ").replaceAll("|", "\\|");

async function judgedAt(file: string): Promise<JudgedReport | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(file));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new Error(`${file}: not a notebook's claims; run the notebook again`);
  }
}

/** A notebook's judgement at the strongest profile that has trials. */
async function judgedBest(
  folder: string,
  notebook: string,
): Promise<JudgedReport | undefined> {
  for (const profile of PROFILES) {
    const file = join(folder, profile, `${notebook}.claims.json`);
    const judged = await judgedAt(file);
    if (judged && judged.trials > 0) return judged;
  }
}

interface Section {
  notebook: string;
  title: string;
  judged?: JudgedReport;
  claims: JudgedReport["claims"];
}

function sectionText({ notebook, title, judged, claims }: Section): string {
  const about = judged
    ? `Profile ${judged.profile} on ${judged.data}: ${judged.trials} trials, ` +
      `${
        duration(judged.seconds)
      }. [Report](${judged.profile}/${notebook}.html), ` +
      `[notebook](${judged.profile}/${notebook}.ipynb).`
    : "Not yet run.";
  const rows = claims.map((c) =>
    `| ${cell(c.claim)} | ${cell(c.published)} | ${cell(c.ours)} | ` +
    `**${c.verdict}** | ${cell(c.why)} |`
  );
  return `## ${notebook.slice(0, 2)} ${title}\n\n${about}\n\n` +
    "| claim | published | ours | verdict | why |\n" +
    "| --- | --- | --- | --- | --- |\n" + rows.join("\n") + "\n";
}

/** The page of all claims, from what the notebooks left in `folder`. */
export async function claimsPage(folder: string): Promise<string> {
  const sections: Section[] = [];
  for (const { report } of Object.values(reports)) {
    const { notebook, title } = report;
    if (report.claims.length === 0) continue;
    const judged = await judgedBest(folder, notebook);
    const claims = judged?.claims ??
      report.claims.map(({ claim, published }) => ({
        claim,
        published,
        ours: "–",
        verdict: "not yet run" as const,
        why: "no trial is on record",
      }));
    sections.push({ notebook, title, judged, claims });
  }
  const all = sections.flatMap((s) => s.claims);
  const count = (verdict: Verdict) =>
    `${all.filter((c) => c.verdict === verdict).length} ${verdict}`;
  const seconds = sections.reduce((s, x) => s + (x.judged?.seconds ?? 0), 0);
  return `# The study's claims

Written by \`deno task study claims\` from what the executed notebooks left
beside their records. ${all.length} claims: ${
    VERDICTS.map(count).join(", ")
  }. The trials took ${duration(seconds)} in all.

- A difference **holds** or **does not hold** only with at least three paired
  seeds and an interval or test that says so, corrected by Holm where several
  settings are compared. All else is **cannot tell**, with the reason.
- Profile \`cpu\` is a narrow net of the same family, trained from scratch on
  5,120 images of the real FER2013 for 3 epochs on two CPU cores. That can show
  what happens early in such trainings; it says little about 60 epochs of the
  full net with a pretrained backbone on RAF-DB.
- Profile \`quick\` trains on synthetic faces for seconds. It shows how each
  question is asked and answered, so no claim about faces is settled by it.

${sections.map(sectionText).join("\n")}`;
}

/** `deno task study claims`. */
export function claimsCommand(): Command {
  return new Command("claims")
    .summary("all claims of the study with our verdicts, as Markdown")
    .description(
      "Print every claim of the study, its published number, ours and the\n" +
        "verdict, from what executed notebooks left in FOLDER/PROFILE; of\n" +
        "several profiles the strongest counts.",
    )
    .argument("[folder]", "where the profiles' results lie", "results")
    .option("-o, --out <file>", "write it to a file")
    .addHelpText(
      "after",
      "\nExample:\n  deno task study claims -o results/README.md",
    )
    .showSuggestionAfterError(false) // errors are one line
    .exitOverride()
    .action(async (folder: string, o: { out?: string }) => {
      const from = folder === "results" ? join(root, folder) : path(folder);
      if (!existsSync(from)) {
        throw new UsageError(`${folder}: there is no such folder`);
      }
      const page = await claimsPage(from);
      if (!o.out) return console.log(page);
      await replaceText(path(o.out), page);
      console.log(relative(Deno.cwd(), path(o.out)));
    });
}
