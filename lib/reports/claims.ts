/** The notes' claims with our verdicts, and the decision of a written rule. */
import { z } from "zod";
import { channels, wordsOf } from "../charts/mod.ts";
import { StudyError } from "../study/mod.ts";
import { ClaimsFile, keep } from "./claims_file.ts";
import { Profile } from "./profiles.ts";
import {
  paramsOf,
  paramsText,
  type Row,
  type Trial,
  valueOf,
} from "../rows/mod.ts";
import { markdown, type Shown, shown } from "./show.ts";
import { Study } from "./study.ts";
import { claimsHtml, settled } from "./claims_table.ts";
import { type Judgement, notRun, verdictText } from "./verdicts.ts";

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

/**
 * A notebook's studies, and all their trials.
 *
 * @throws StudyError for what is no study
 */
export async function trialsOfAll(
  where: string,
  of: Study | readonly Study[],
): Promise<{ studies: Study[]; trials: Trial[] }> {
  const studies = [of].flat() as Study[];
  if (studies.length === 0 || !studies.every((s) => s instanceof Study)) {
    throw new StudyError(`${where}: give a study, or a list of them, first`);
  }
  const trials = await Promise.all(studies.map((study) => study.trials()));
  return { studies, trials: trials.flat() };
}

/** @throws StudyError, one line that names claim and field */
function checkClaims(list: unknown): void {
  const wrong = (why: string) => new StudyError(`claims: ${why}`);
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
    if (share > 1) {
      throw new StudyError(
        `claims: a published accuracy is ${share}: give a share from 0 to 1`,
      );
    }
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

/**
 * Shows claims beside the notes' numbers, and keeps them as
 * `NOTEBOOK.claims.json` beside the records, by the notebook that runs. Without
 * a trial on record none is judged.
 *
 * @param of The study, or all that the notebook has.
 * @throws StudyError, one line, for a claim that is none, for two of one text,
 * and for a folder that cannot be written
 */
export async function claims(
  of: Study | readonly Study[],
  list: readonly Claim[],
): Promise<Shown & { claims: ClaimsFile["claims"] }> {
  const { studies, trials } = await trialsOfAll("claims", of);
  checkClaims(list);
  const [first] = studies;
  const judged = list.map(({ claim, published, ...judgement }) => {
    const { ours, verdict, why } = trials.length > 0
      ? settled(judgement, first)
      : notRun("no trial is on record");
    const theirs = typeof published === "string"
      ? published
      : publishedText(published);
    return { claim, published: theirs, ours, verdict, why };
  });
  keep(studies, trials, { claims: judged });
  const both = shown(() => ({
    "text/html": claimsHtml(judged),
    "text/plain": judged.map(({ claim, ours, verdict, why }) =>
      `${verdictText(verdict)}: ${claim}: ${ours}; ${why}`
    ).join("\n"),
  }));
  return Object.assign(both, { claims: judged });
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
  o: { name?: string; unless?: string | false; note?: string } = {},
): Shown {
  channels.checkOptions("decide", o, '{ name: "Depth" }');
  const { name = "", unless, note } = o;
  const isNone = choice === undefined || choice === null;
  if (!isNone && valueOf(choice) === undefined) {
    const what = channels.whatIs(choice);
    throw new StudyError(`decide: the choice is ${what}: give text or number`);
  }
  if (unless && typeof unless !== "string") {
    throw new StudyError(
      `decide: unless is ${unless}: give the reason as text`,
    );
  }
  const words = unless
    ? `None: ${unless}.`
    : isNone
    ? "None: no trial is on record."
    : `${name} ${choice}.`.trim().replace(
      // A recipe's own name, such as loss.labelSmoothing, stays as it is.
      /^[a-z]+(?= )/,
      (word) => word[0].toUpperCase() + word.slice(1),
    );
  return markdown(`**Decision.** ${words}${note ? ` ${note}` : ""}`);
}
