/** The sentence that a report leads with, and what it rests on. */
import { channels, escapeMarkup } from "../charts/mod.ts";
import { titleOf } from "../data/mod.ts";
import { costOf } from "../profile/mod.ts";
import { analysis, StudyError } from "../study/mod.ts";
import type { Recipe } from "../train/mod.ts";
import { capitalised, settled } from "./claims.ts";
import { keepClaims } from "./claims_file.ts";
import {
  andText,
  duration,
  rangeText,
  type Row,
  trainedSeconds,
  type Trial,
} from "../rows/mod.ts";
import { displayed, type Shown } from "./markdown_and_tables.ts";
import { type Study, trialsOfAll } from "./study.ts";
import type { Judgement } from "./verdicts.ts";

/** What a notebook answers, each part a sentence without its full stop. */
export interface Answer {
  /** The verdict that chooses between the sentences; `holds` without it. */
  by?: Judgement & { aboutFaces?: boolean };
  holds: string;
  fails?: string;
  /** What cannot be told: "whether two blocks are enough". */
  open: string;
  /** The number behind it, with its interval. */
  number: string;
  /** What the published protocol on a GPU would still have to settle. */
  left?: string;
}

/** Parameters of a net in millions, to two digits; counted once a net. */
function millions(recipes: readonly Recipe[]): number[] {
  const nets = recipes.map((recipe) =>
    JSON.stringify({ ...recipe, seed: 0, lr: 0, epochs: 0 })
  );
  return [...new Set(nets)].map((net) =>
    Number((costOf(JSON.parse(net)).parameters / 1e6).toPrecision(2))
  );
}

/** Data, net, images and epochs, seeds, and how long its trials took. */
async function restsOn(
  studies: readonly Study[],
  trials: readonly Trial[],
): Promise<string> {
  if (trials.length === 0) return "no trial";
  const { counted } = analysis;
  const seeds = rangeText(
    [...Map.groupBy(trials, (t) => t.study).values()]
      .map((own) => new Set(own.map((t) => t.repeat)).size),
  );
  const time = `${counted(trials.length, "trial")} in ` +
    duration(trainedSeconds(trials));
  const trained = studies.filter((s) =>
    "recipe" in s.job && trials.some((t) => t.study === s.name)
  );
  if (trained.length === 0) {
    const nets = andText([...new Set(trials.map((t) => t.net))]);
    const { cpu = "a machine without a name", threads }: Row =
      trials[0].provenance ?? {};
    return `the ${nets} net on ${cpu}, ${threads} threads; ` +
      `${counted(seeds, "repeat")}; ${time}`;
  }
  const recipes = trials.flatMap((t) => t.recipe ? [t.recipe] : []);
  const starts = recipes.map((r) =>
    r.weights?.file ? "a pretrained backbone" : "random weights"
  );
  const images = [];
  for (const study of trained) images.push((await study.data()).train.n);
  const epochs = counted(rangeText(recipes.map((r) => r.epochs), 3), "epoch");
  const { dataName } = trained[0];
  return [
    titleOf(dataName),
    `IR50 and ViT of ${rangeText(millions(recipes))} M parameters from ` +
    [...new Set(starts)].join(" and from "),
    `${rangeText(images, 3)} images × ${epochs}`,
    counted(seeds, "seed"),
    time,
  ].join("; ");
}

/** The sentence by the verdict, as far as it counts where it was made. */
export function answerText(
  { by, open, number, ...words }: Answer,
  study: Pick<Study, "profile" | "dataName" | "job">,
): string {
  const holds = capitalised(words.holds);
  const fails = capitalised(words.fails ?? holds);
  if (!by) {
    const said = `${holds}: ${number}.`;
    const isMadeUp = study.dataName === "synthetic" && "recipe" in study.job;
    return isMadeUp
      ? "On synthetic faces " +
        said.replace(/^[A-Z](?=[a-z ])/, (c) => c.toLowerCase())
      : said;
  }
  const { verdict, under } = settled(by, study);
  if (verdict === "holds") return `${holds}: ${number}.`;
  if (verdict === "does not hold") return `${fails}: ${number}.`;
  const why = ["cannot tell", "not yet run"].includes(by.verdict)
    ? ""
    : by.onlyAt
    ? " with another net and data than the notes'"
    : " from synthetic faces";
  const small = under ? `, but any difference is under ${under}` : "";
  return `Cannot tell${why} ${open}${small}: ${number}.`;
}

/** What an answer rests on and leaves open: "It rests on 5 seeds." */
export const evidenceText = (
  { restsOn, left }: { restsOn: string; left?: string },
): string =>
  `It rests on ${restsOn}.` +
  (left ? ` Left to the published protocol on a GPU: ${left}.` : "");

/**
 * Shows the answer to the notebook's question and what it rests on, and keeps
 * both beside the claims. A page leads with it where its cell has the tag
 * `answer`.
 *
 * @param of The study, or all that the notebook has.
 */
export async function answer(
  of: Study | readonly Study[],
  words: Answer,
): Promise<Shown & { text: string }> {
  const { studies, trials } = await trialsOfAll("answer", of);
  channels.checkOptions("answer", words, "{ holds, open, number }", "words");
  const { holds, open, number, left = "" } = words;
  const texts = { holds, open, number, left };
  for (const [name, given] of Object.entries(texts)) {
    if (typeof given === "string") continue;
    const what = channels.whatIs(given);
    throw new StudyError(`answer: ${name} is ${what}: give a text`);
  }
  const text = trials.length > 0
    ? answerText(words, studies[0])
    : `Cannot tell ${words.open}: no trial is on record.`;
  const kept = {
    text,
    restsOn: await restsOn(studies, trials),
    left: words.left,
  };
  keepClaims(studies, trials, { answer: kept });
  const evidence = evidenceText(kept);
  const both = displayed(() => ({
    "text/html":
      `<p class="answer"><strong>${escapeMarkup(text)}</strong></p>` +
      `<p class="note">${escapeMarkup(evidence)}</p>`,
    "text/plain": `${text}\n${evidence}`,
  }));
  return Object.assign(both, { text });
}
