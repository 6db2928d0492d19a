/** The notes' claims with our verdicts, and the decision of a written rule. */
import { z } from "zod";
import { channels, escapeMarkup } from "../charts/mod.ts";
import { StudyError } from "../study/mod.ts";
import { ClaimsFile, keepClaims } from "./claims_file.ts";
import { Profile } from "./profiles.ts";
import { publishedText, type Row, valueOf } from "../rows/mod.ts";
import { displayed, markdown, type Shown } from "./markdown_and_tables.ts";
import { type Study, trialsOfAll } from "./study.ts";
import {
  cannotTell,
  countsText,
  type Judgement,
  notRun,
  verdictHtml,
  verdictText,
} from "./verdicts.ts";

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

/** A claim: its text, what was published about it, and our verdict on it. */
export const claim = (
  text: string,
  published: Claim["published"],
  verdict: Judgement,
): Claim => ({ claim: text, published, ...verdict });

// Made when it is asked for: a page, which has all of this file, checks nothing.
/** What a cell claims, before its published rows are text. */
const claimsSchema = () =>
  z.array(
    ClaimsFile.shape.claims.element.extend({
      claim: z.string().min(1),
      published: z.union([z.string(), z.array(z.looseObject({}))], {
        error: 'give a text, such as "not tried", or published rows',
      }),
      ours: z.string(
        "give a rule's verdict: claim(text, published, gains(effects))",
      ),
      aboutFaces: z.boolean().optional(),
      onlyAt: z.object({ profile: Profile, because: z.string() }).optional(),
    }),
  );

/** @throws StudyError, one line that names claim and field */
function checkClaims(list: unknown): void {
  const wrong = (...why: string[]) =>
    new StudyError(["claims", ...why].filter(Boolean).join(": "));
  const { data, error } = claimsSchema().safeParse(list);
  if (error) {
    const [{ path: [i, ...fields], message }] = error.issues;
    if (i === undefined) throw wrong("give a list of claims");
    const { claim } = Object((list as unknown[])[i as number]);
    const isNamed = typeof claim === "string" && claim;
    const name = isNamed ? `"${claim}"` : `number ${Number(i) + 1}`;
    throw wrong(name, fields.join("."), message);
  }
  const texts = data.map((c) => c.claim);
  const twice = texts.find((text, i) => texts.indexOf(text) < i);
  if (twice) throw wrong(`"${twice}" stands there twice`);
}

/** What a verdict is worth where it was judged. */
export function settled(
  c: Judgement & { aboutFaces?: boolean },
  { profile, dataName, job }: Pick<Study, "profile" | "dataName" | "job">,
): Judgement {
  const { ours, verdict, why, under, onlyAt, aboutFaces = "recipe" in job } = c;
  const isOpen = verdict === "not yet run" || ours === "–";
  if (onlyAt && onlyAt.profile !== profile && !isOpen) {
    return cannotTell(onlyAt.because, ours);
  }
  const word = verdict === "holds" ? "holds" : "does not hold";
  const isReal = !aboutFaces || dataName !== "synthetic";
  if (isReal && under) return { ours, verdict, why, under };
  return isReal || isOpen || verdict === "cannot tell"
    ? { ours, verdict, why }
    : cannotTell(
      `on synthetic faces it ${word}, which real faces have to confirm; ${why}`,
      ours,
    );
}

/** More characters of a number are cut in a table of one line a claim. */
const MOST = 72;

/** A claim's number; of a long text the first of several, cut: "+1.2 …". */
export function brief(text: string): string {
  if (text.length <= MOST) return text;
  const [first] = text.split("; ");
  return `${`${first} `.slice(0, MOST + 1).replace(/\s+\S*$/, "")} …`;
}

/** Claims as a table's HTML; a verdict opens to its reason and to what was cut. */
export function claimsHtml(list: ClaimsFile["claims"]): string {
  const columns = ["the notes' claim", "published", "ours", "verdict"];
  const rows = list.map(({ claim, published, ours, verdict, why }) => {
    const whole = Object.entries({ Published: published, Ours: ours })
      .filter(([, text]) => brief(text) !== text)
      .map(([name, text]) => `<p>${name}: ${escapeMarkup(text)}</p>`);
    const reason = `<details class="fold"><summary>${verdictHtml(verdict)}` +
      `</summary><p>${escapeMarkup(why)}</p>${whole.join("")}</details>`;
    const cells = [claim, brief(published), brief(ours)].map(escapeMarkup);
    const row = [...cells, reason]
      .map((cell, i) => `<td data-column="${columns[i]}">${cell}</td>`);
    return `<tr>${row.join("")}</tr>`;
  });
  const counts = countsText(list, verdictHtml, " ");
  const head = columns.map((column) => `<th>${column}</th>`).join("");
  return `<p class="counts">${counts}</p><table class="claims"><thead><tr>` +
    `${head}</tr></thead><tbody>${rows.join("")}</tbody></table>`;
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
  keepClaims(studies, trials, { claims: judged });
  const lines = judged.map(({ claim, ours, verdict, why }) =>
    `${verdictText(verdict)}: ${claim}: ${ours}; ${why}`
  );
  const both = displayed(() => ({
    "text/html": claimsHtml(judged),
    "text/plain": lines.join("\n"),
  }));
  return Object.assign(both, { claims: judged });
}

/** What is said of a decision beside the choice. */
export interface Decision {
  name?: string;
  unless?: string | false;
  note?: string;
}

/** A recipe's own name, such as loss.labelSmoothing, stays as it is. */
export const capitalised = (sentence: string): string =>
  sentence.replace(
    /^[a-z]+(?= )/,
    (word) => word[0].toUpperCase() + word.slice(1),
  );

/** "Depth 4.", or why there is no choice. */
export function decisionText(
  choice: string | number | boolean | undefined | null,
  { name = "", unless, note }: Decision = {},
): string {
  const none = unless || choice == null && "too few trials are on record";
  const words = none ? `None: ${none}.` : `${name} ${choice}.`.trim();
  return `${capitalised(words)}${note ? ` ${note}` : ""}`;
}

/**
 * Shows what the rule above it decides: the choice behind its `name` ("Depth
 * 4."), or why there is none (`unless`), and a sentence behind it (`note`).
 */
export function decide(
  choice: string | number | boolean | undefined | null,
  o: Decision = {},
): Shown {
  channels.checkOptions("decide", o, '{ name: "Depth" }');
  const { unless } = o;
  const wrong = choice != null && valueOf(choice) === undefined
    ? `the choice is ${channels.whatIs(choice)}: give text or number`
    : unless && typeof unless !== "string" &&
      `unless is ${unless}: give the reason as text`;
  if (wrong) throw new StudyError(`decide: ${wrong}`);
  return markdown(`**Decision.** ${decisionText(choice, o)}`);
}
