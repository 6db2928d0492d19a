/** `deno task study claims`: answers and claims, as one Markdown page. */
import { existsSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { titleOf } from "../../lib/data/mod.ts";
import { type ClaimsFile, readClaims } from "../../lib/reports/commands.ts";
import {
  brief,
  countsText,
  evidenceText,
  type Profile,
  verdictText,
} from "../../lib/reports/mod.ts";
import { duration } from "../../lib/rows/mod.ts";
import {
  claimsIn,
  markdownTable,
  NOTEBOOKS,
  notebooksIn,
  readHead,
  root,
} from "./notebook_files.ts";
import {
  checkFolder,
  path,
  writeWhole,
} from "../../lib/notebook/commands/mod.ts";
import { asUsage, command, say, UsageError } from "../cli.ts";

/** The strongest first: its judgement is the one that counts. */
const PROFILES: Profile[] = ["paper", "cpu", "quick"];

interface Section {
  name: string;
  title: string;
  question?: string;
  /** The strongest profile that has trials, else the strongest one. */
  profile?: Profile;
  judged?: ClaimsFile;
  /** Files that cannot be read, and why. */
  damaged: string[];
}

/** Text as Markdown shows it, whatever marks are in it. */
const plain = (text: string) =>
  text.replace(/[\\`*[<&~$]|(?<!\w)_|_(?!\w)/g, "\\$&");

/** What there is of a notebook; undefined where it ran and claims nothing. */
function sectionOf(folder: string, name: string): Section | undefined {
  const file = (profile: Profile, ending: string) =>
    join(folder, profile, name + ending);
  const damaged: string[] = [];
  const found = PROFILES.flatMap((profile) => {
    const { data: judged, error } = readClaims(join(folder, profile), name);
    if (error) damaged.push(`${profile}/${error}`);
    return judged ? [{ profile, judged }] : [];
  });
  const best = found.find((f) => f.judged.trials > 0) ?? found[0];
  const ran = PROFILES.find((p) => existsSync(file(p, ".ipynb")));
  if (!best && ran && damaged.length === 0) return undefined;
  const heads = [
    ...best ? [file(best.profile, ".ipynb")] : [],
    join(NOTEBOOKS, `${name}.ipynb`),
  ].filter((head) => existsSync(head));
  const { title = name, question } = heads.length > 0 ? readHead(heads[0]) : {};
  return { name, title, question, damaged, ...best };
}

/** "08 CLS against ViT" */
const headingOf = ({ name, title }: Section): string =>
  `${/^\d\d(?=-)/.exec(name)?.[0] ?? ""} ${title}`.trim();

/** Where a heading's link leads, as GitHub makes it. */
const anchorOf = (heading: string): string =>
  "#" + heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replace(/\s/g, "-");

/** A line for each question: its answer, or how its claims were judged. */
function answersText(folder: string, sections: readonly Section[]): string {
  const rows = sections.flatMap((section) => {
    const { name, question = "–", profile, judged } = section;
    if (!judged || judged.trials === 0) return [];
    const file = `${profile}/${name}.html`, heading = plain(headingOf(section));
    return [[
      existsSync(join(folder, file)) ? `[${heading}](${file})` : heading,
      question,
      judged.answer
        ? `**${plain(judged.answer.text)}** ` +
          plain(evidenceText(judged.answer))
        : `[its claims](${anchorOf(headingOf(section))}): ` +
          countsText(judged.claims),
    ]];
  });
  return rows.length > 0
    ? markdownTable(["report", "question", "answer"], rows)
    : "None yet.";
}

/** A line for each claim, which leads to its reason. */
const claimsText = (sections: readonly Section[]): string =>
  markdownTable(
    ["claim", "published", "ours", "verdict"],
    sections.flatMap((section) => {
      const heading = headingOf(section);
      return (section.judged?.claims ?? []).map((c) => [
        `[${section.name.slice(0, 2)}](${anchorOf(heading)}) ${plain(c.claim)}`,
        plain(brief(c.published)),
        plain(brief(c.ours)),
        verdictText(c.verdict).replaceAll(" ", "&nbsp;"),
      ]);
    }),
  );

function sectionText(folder: string, section: Section): string {
  const { name, profile, judged, damaged } = section;
  const links = [["Report", "html"], ["notebook", "ipynb"]]
    .map(([word, ending]) => [word, `${profile}/${name}.${ending}`])
    .filter(([, file]) => existsSync(join(folder, file)))
    .map(([word, file]) => `[${word}](${file})`).join(", ");
  const about = judged && judged.trials > 0
    ? `Profile ${judged.profile} on ${
      titleOf(judged.data)
    }: ${judged.trials} trials, ` +
      `${duration(judged.seconds)}.${links && ` ${links}.`}` +
      (judged.sees.length > 0
        ? ` It can detect ${judged.sees.join(", and ")}.`
        : "")
    : "Not yet run.";
  const rows = (judged?.claims ?? []).map((c) => {
    const [claim, published, ours, why] = [c.claim, c.published, c.ours, c.why]
      .map(plain);
    return [claim, published, ours, `**${verdictText(c.verdict)}**`, why];
  });
  return [
    `### ${headingOf(section)}`,
    ...damaged.map((line) => `**Left out:** ${plain(line)}.`),
    about,
    ...rows.length > 0
      ? [markdownTable(["claim", "published", "ours", "verdict", "why"], rows)]
      : [],
  ].join("\n\n") + "\n";
}

interface ClaimsPage {
  text: string;
  /** Files that it leaves out, and why, a line each. */
  damaged: string[];
}

/** The page of all claims, from what the notebooks left in `folder`. */
export function claimsPage(folder: string): ClaimsPage {
  const names = new Set([
    ...PROFILES.flatMap((p) => claimsIn(join(folder, p))),
    ...notebooksIn(NOTEBOOKS),
  ]);
  const sections = [...names].sort()
    .flatMap((name) => sectionOf(folder, name) ?? []);
  const all = sections.flatMap((s) => s.judged?.claims ?? []);
  const seconds = sections.reduce((s, x) => s + (x.judged?.seconds ?? 0), 0);
  const text = `# The notes' questions, answered

Written by \`deno task study claims\` from what the executed notebooks left
beside their records. ${all.length} claims: ${countsText(all)}. The trials took
${duration(seconds)} in all, with those twice that two notebooks share.

${answersText(folder, sections)}

## The claims, a line each

The number before a claim leads to its reason.

${claimsText(sections)}

## How to read them

- A difference **holds** or **does not hold** only with at least three paired
  seeds and an interval or test that says so, corrected by Holm where several
  settings are compared. All else is **cannot tell**, with the reason.
- Profile \`cpu\` is a net of the same family with 1.1 to 2.3 million parameters
  (depth 2 to 8) on two CPU cores. It trains on half of the real FER2013's
  training images, without copies of held-out ones: 8 epochs from random
  weights, or 2 and more from a backbone that was trained on the other half.
  That says little about 60 epochs of the full net on RAF-DB.
- Profile \`quick\` trains on synthetic faces for seconds. It shows how each
  question is asked and answered, so no claim about faces is settled by it.

## Each claim with its reason

${
    sections.filter((s) =>
      s.damaged.length > 0 || s.judged?.claims.length !== 0
    )
      .map((s) => sectionText(folder, s)).join("\n")
  }`;
  return { text, damaged: sections.flatMap((s) => s.damaged) };
}

export const claimsCommand = command("claims", {
  summary: "print all claims of the notes with our verdicts, as Markdown",
  about: "Print every claim of the notes with its published number, our " +
    "number and\nthe verdict, from the executed notebooks in " +
    "FOLDER/PROFILE. When several\nprofiles judged a claim, the " +
    "strongest one counts.",
  examples: ["study claims -o results/README.md"],
  takes: (c) =>
    c.argument("[folder]", "where the profiles' results lie", "results"),
  options: { "-o, --out <file>": "write it to a file" },
}, async (folder: string, o: { out?: string }) => {
  const from = folder === "results" ? join(root, folder) : path(folder);
  if (!statSync(from, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UsageError(`${folder}: no such folder`);
  }
  const out = o.out && path(o.out);
  if (out) await asUsage("--out", () => checkFolder(out));
  const { text, damaged } = claimsPage(from);
  damaged.forEach((line) => say(`study: ${folder}/${line}`));
  if (out) await writeWhole(out, text);
  console.log(out ? relative(Deno.cwd(), out) : text);
  return damaged.length > 0 ? 1 : 0;
});
