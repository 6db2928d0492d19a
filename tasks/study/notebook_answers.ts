/** What notebooks answer, and what is expected of them before they run. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readClaims } from "../../lib/reports/commands.ts";
import {
  countsText,
  type Profile,
  type Verdict,
  VERDICTS,
  verdictText,
} from "../../lib/reports/mod.ts";
import { readHead, root } from "./notebook_files.ts";
import { clean } from "../text.ts";
import type { Expected } from "./notebooks_display.ts";

/** Seconds of a notebook beside its trials: its kernel, its charts. */
const BESIDE = 6;

/** "03 Depth" */
export function notebookTitle(name: string, file: string): string {
  const number = /^\d\d(?=-)/.exec(name)?.[0] ?? "";
  return clean(`${number} ${readHead(file).title ?? name}`.trim());
}

/** Whether a folder holds a notebook's complete run. */
function isComplete(file: string): boolean {
  try {
    const { metadata } = JSON.parse(readFileSync(file, "utf8"));
    return metadata.ferlab.status === "complete";
  } catch {
    return false;
  }
}

/** What the committed run of a profile says of a notebook's trials. */
export function expectedOf(
  name: string,
  file: string,
  o: { profile: Profile; dir: string },
): Expected {
  const { data } = readClaims(join(root, "results", o.profile), name);
  const isDone = isComplete(join(o.dir, `${name}.ipynb`));
  return {
    ...{ name, title: notebookTitle(name, file) },
    ...data
      ? {
        trials: { total: data.trials, missing: isDone ? 0 : data.trials },
        seconds: BESIDE + (isDone ? 0 : data.seconds),
      }
      : isDone
      ? { seconds: BESIDE }
      : {},
  };
}

/** "03 Depth. How many …? Cannot tell whether … (1 holds, 2 cannot tell)" */
export function notebookAnswer(
  name: string,
  file: string,
  o: { profile: Profile; dir: string },
): string {
  const { data: read, error } = readClaims(o.dir, name);
  const data = read?.profile === o.profile ? read : undefined;
  const answer = data?.answer;
  const verdicts = data && countsText(data.claims);
  const { question } = readHead(file);
  const all = [
    `${notebookTitle(name, file)}.`,
    question,
    answer?.text,
    verdicts && (answer ? `(${verdicts})` : `${verdicts}.`),
    error,
    !verdicts && !answer && !error && existsSync(join(o.dir, `${name}.html`)) &&
    "It makes no claim.",
  ];
  return clean(all.filter(Boolean).join(" ").replace(/[*`]/g, ""));
}

/** Verdicts in green, red, yellow and grey, beside their signs and words. */
const COLOURS: Record<Verdict, number> = {
  "holds": 32,
  "does not hold": 31,
  "cannot tell": 33,
  "not yet run": 90,
};

/** A text whose counts of verdicts ("✗ 2 does not hold") have a colour. */
export const coloured = (text: string): string =>
  VERDICTS.reduce((rest, verdict) => {
    const [sign] = verdictText(verdict);
    const words = verdict.replaceAll(" ", "\\s+");
    return rest.replace(
      new RegExp(`[${sign}]\\s+\\d+\\s+${words}`, "g"),
      (part) => `\x1b[${COLOURS[verdict]}m${part}\x1b[39m`,
    );
  }, text);
