/** The notes' claims with our verdicts, and the decision of a written rule. */
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import { wordsOf } from "../charts/mod.ts";
import { StudyError } from "../study/mod.ts";
import { fromRoot } from "./live.ts";
import { Profile } from "./profiles.ts";
import { paramsOf, type Row } from "./rows.ts";
import { markdown, paramsText, type Shown, table } from "./show.ts";
import { Study } from "./study.ts";
import { cannotTell, type Judgement, notRun, VERDICTS } from "./verdicts.ts";

/** A claim of the notes in its cell: what they say, and our verdict on it. */
export interface Claim extends Judgement {
  claim: string;
  /** Published rows, which are printed, or what there is instead of them. */
  published: string | readonly Row[];
  /**
   * Whether faces matter: synthetic ones then settle nothing. Default: where
   * the study trains.
   */
  aboutFaces?: boolean;
}

/** `NOTEBOOK.claims.json`: what the page of all claims is made of. */
export const ClaimsFile = z.object({
  notebook: z.string(),
  profile: Profile,
  data: z.string(),
  trials: z.int().min(0),
  /** Time of all trials, in s. */
  seconds: z.number().min(0),
  /** What its studies were planned to see, a line each. */
  sees: z.array(z.string()).default([]),
  claims: z.array(z.object({
    claim: z.string(),
    published: z.string(),
    ours: z.string(),
    verdict: z.enum(VERDICTS),
    why: z.string(),
  })),
});
export type ClaimsFile = z.infer<typeof ClaimsFile>;

/** What a cell claims, before its published rows are text. */
const Claims = z.array(
  ClaimsFile.shape.claims.element.extend({
    claim: z.string().min(1),
    published: z.union([z.string(), z.array(z.looseObject({}))], {
      error: "give text or published rows",
    }),
    aboutFaces: z.boolean().optional(),
    onlyAt: z.object({ profile: Profile, because: z.string() }).optional(),
  }),
);

/** @throws StudyError, one line that names claim and field */
function checkClaims(of: readonly unknown[], list: unknown): void {
  const wrong = (why: string) => new StudyError(`claims: ${why}`);
  if (of.length === 0 || !of.every((s) => s instanceof Study)) {
    throw wrong("give a study, or a list of them, before the claims");
  }
  const { error } = Claims.safeParse(list);
  if (error) {
    const [{ path: [i, ...fields], message }] = error.issues;
    if (i === undefined) throw wrong("give a list of claims");
    const text = (list as Claim[])[i as number]?.claim;
    const name = typeof text === "string" && text
      ? `"${text}"`
      : `number ${Number(i) + 1}`;
    throw wrong([name, fields.join("."), message].filter(Boolean).join(": "));
  }
  const texts = (list as Claim[]).map((c) => c.claim);
  const twice = texts.find((text, i) => texts.indexOf(text) < i);
  if (twice) throw wrong(`"${twice}" stands there twice`);
}

/** More published rows than these are cut. */
const MOST_ROWS = 8;

/** "62.39 % at depth 2, learning rate 4e-4; …"; a model's name comes first. */
export function publishedText(rows: readonly Row[]): string {
  const shown = rows.slice(0, MOST_ROWS).map((row) => {
    const share = row.accuracy ?? row.mean, rate = row.imagesPerSecond;
    const number = typeof share === "number"
      ? `${Number((100 * share).toFixed(3))} %`
      : typeof rate === "number"
      ? `${rate} images/s`
      : "no number";
    const { model, arch = model, ...others } = paramsOf(row);
    const at = paramsText(others, wordsOf);
    return (arch ? `${arch}: ` : "") + number + (at && ` at ${at}`);
  });
  const more = rows.length - shown.length;
  return shown.join("; ") + (more > 0 ? `; and ${more} more` : "") ||
    "no published run";
}

/** What a claim is worth where it was judged. */
function settled(c: Claim, { profile, dataName, job }: Study): Judgement {
  const { ours, verdict, why, onlyAt, aboutFaces = "recipe" in job } = c;
  const isOpen = verdict === "not yet run" || ours === "–";
  if (onlyAt && onlyAt.profile !== profile && !isOpen) {
    return cannotTell(onlyAt.because, ours);
  }
  const word = verdict === "holds" ? "would hold" : "would not";
  return isOpen || verdict === "cannot tell" || !aboutFaces ||
      dataName !== "synthetic"
    ? { ours, verdict, why }
    : cannotTell(
      `on synthetic faces it ${word}, which real ones have to confirm; ${why}`,
      ours,
    );
}

function keep(file: ClaimsFile, folder: string): void {
  const dir = fromRoot(folder);
  const path = join(dir, `${file.notebook}.claims.json`);
  try {
    mkdirSync(dir, { recursive: true });
    // Whoever reads it while it is written sees the old file or the new one.
    const partial = `${path}.${Deno.pid}.tmp`;
    writeFileSync(partial, JSON.stringify(file, null, 2) + "\n");
    renameSync(partial, path);
  } catch (error) {
    throw new StudyError(
      `${path}: the claims cannot be kept: ${(error as Error).message}; ` +
        `give outDir a folder that can be written`,
    );
  }
}

/**
 * Shows claims beside the notes' numbers, and keeps them as
 * `NOTEBOOK.claims.json` beside the records, by the notebook that runs. Without a trial on record none is
 * judged.
 *
 * @param of The study, or all that the notebook has.
 * @throws StudyError, one line, for a claim that is none, for two of one text,
 * and for a folder that cannot be written
 */
export async function claims(
  of: Study | readonly Study[],
  list: readonly Claim[],
): Promise<Shown> {
  const studies = [of].flat() as Study[], [first] = studies;
  checkClaims(studies, list);
  const trials = (await Promise.all(studies.map((s) => s.trials()))).flat();
  const judged = list.map(({ claim, published, ...judgement }) => {
    const { ours, verdict, why } = trials.length > 0
      ? settled({ claim, published, ...judgement }, first)
      : notRun("no trial is on record");
    const theirs = typeof published === "string"
      ? published
      : publishedText(published);
    return { claim, published: theirs, ours, verdict, why };
  });
  // The runner and Jupyter's server tell a kernel its notebook.
  const notebook = basename(Deno.env.get("JPY_SESSION_NAME") || first.name)
    .replace(/(\.executed)?\.ipynb$/, "");
  const kept: ClaimsFile = {
    notebook,
    profile: first.profile,
    data: first.dataName,
    trials: trials.length,
    seconds: trials.reduce((sum, t) => sum + (t.seconds ?? 0), 0),
    sees: [...new Set(studies.flatMap((s) => s.sees ?? []))],
    claims: judged,
  };
  if (!Deno.env.get("FERLAB_DRY_RUN")) keep(kept, first.dir);
  return table(
    judged.map(({ claim, ...rest }) => ({
      "the notes' claim": claim,
      ...rest,
    })),
  );
}

/**
 * Shows what the rule above it decides.
 *
 * @param name Before the choice: `depth` for "Depth 4."
 * @param unless Why nothing is decided, where that is so.
 * @param note A sentence behind the decision.
 */
export function decide(
  choice: string | number | boolean | undefined | null,
  { name = "", unless, note }: {
    name?: string;
    unless?: string | false;
    note?: string;
  } = {},
): Shown {
  if (typeof choice === "object" && choice !== null) {
    const what = (choice as unknown) instanceof Promise
      ? "a promise: put await before what gives it"
      : "an object: give its text or number";
    throw new StudyError(`decide: the choice is ${what}`);
  }
  const words = unless
    ? `None: ${unless}.`
    : choice === undefined || choice === null
    ? "None: no trial is on record."
    : `${name} ${choice}.`.trim().replace(
      // A recipe's own name, such as loss.labelSmoothing, stays as it is.
      /^[a-z]+(?= )/,
      (word) => word[0].toUpperCase() + word.slice(1),
    );
  return markdown(`**Decision.** ${words}${note ? ` ${note}` : ""}`);
}
