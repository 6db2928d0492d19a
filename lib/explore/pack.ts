/** What a cell shows beside its HTML: calls and trials, compressed. */
import { gzipSync } from "node:zlib";
import type {
  Answer,
  Claim,
  Decision,
  Judgement,
  Shown,
  Study,
} from "../reports/mod.ts";
import type { Trial } from "../rows/mod.ts";
import {
  type Call,
  type CallJson,
  callOf,
  type Json,
  planOf,
  Recorder,
  trialsOnRecord,
} from "./record.ts";
import { packTrials } from "./packed_trials.ts";

/** The media type of calls and trials beside a cell's HTML. */
export const EXPLORE_TYPE = "application/vnd.ferlab.explore+json";

/** Of which kind an output is, and the calls behind it. */
export interface Asked {
  calls: CallJson[];
  /** Of what one call shows: a chart, a table of effects. */
  root?: number;
  /** Of claims: each as it is written, and the call that judged it. */
  claims?: AskedClaim[];
  /** Why it stays as it is written, though it rests on trials. */
  stays?: string;
  /** Of the answer: the call behind its verdict. */
  by?: { call?: number; verdict: Judgement["verdict"] };
  /** Of the answer, as it is written; its words where calls give its numbers. */
  answer?: { text: string; words?: AskedWords };
  /** Of a decision: the call that chose, where a rule of the library did. */
  decision?: { call?: number; choice: string; name?: string };
  /** What a verdict is worth here. */
  study?: { profile: string; dataName: string; trains: boolean };
}

/** An answer's sentences, with the calls that its number is made of. */
export interface AskedWords extends Omit<Answer, "by" | "number"> {
  number: Json;
  aboutFaces?: boolean;
}

export interface AskedClaim
  extends Pick<Claim, "claim" | "aboutFaces" | "onlyAt">, Judgement {
  published: string;
  call?: number;
}

const packed = (value: unknown) =>
  gzipSync(JSON.stringify(value), { level: 9 }).toString("base64");

const DISPLAY = Symbol.for("Jupyter.display");

/** `shown` with what `ask` gives beside it; as it is where that is nothing. */
export function asking<S extends Shown>(
  shown: S,
  ask: () => Asked | undefined,
  trials: () => readonly Trial[] = () => [],
): S {
  const display = shown[DISPLAY];
  const beside = (data: Record<string, unknown>) => {
    const asked = ask(), own = trials();
    if (!asked) return data;
    const table = own.length > 0
      ? { trials: packed(packTrials(own, planOf)) }
      : {};
    return {
      ...data,
      [EXPLORE_TYPE]: { version: 1, asked: packed(asked), ...table },
    };
  };
  return Object.assign(shown, {
    [DISPLAY]: () => {
      const data = display.call(shown);
      return data instanceof Promise ? data.then(beside) : beside(data);
    },
  });
}

/** A shown result with the call behind it. */
export const askingCall = <S extends Shown>(shown: S): S =>
  asking(shown, () => {
    const recorder = new Recorder(), root = recorder.root(shown);
    const { calls, why } = recorder;
    if (root !== undefined) return { calls, root };
    return why === undefined ? undefined : { calls: [], stays: why };
  });

/** A shown call with all its trials. */
export const askingTrials = <S extends Shown>(
  shown: S,
  trials: readonly Trial[],
): S => {
  const recorder = new Recorder(), root = recorder.root(shown);
  return root === undefined
    ? shown
    : asking(shown, () => ({ calls: recorder.calls, root }), () => trials);
};

const factsOf = ({ profile, dataName, job }: Study) => ({
  ...{ profile, dataName, trains: "recipe" in job },
});
const studiesOf = (of: Study | readonly Study[]) => [of].flat() as Study[];
const trialsBehind = (of: Study | readonly Study[]) =>
  trialsOnRecord(studiesOf(of).map((s) => s.name));

/** Claims as they stand in the table, and the call behind each. */
export function askingClaims(
  shown: Shown,
  of: Study | readonly Study[],
  list: readonly Claim[],
  written: readonly (Judgement & { claim: string; published: string })[],
): Shown {
  return asking(shown, () => {
    const recorder = new Recorder();
    const claims = written.map((claim, i) => {
      const { aboutFaces, onlyAt } = list[i];
      return { ...claim, aboutFaces, onlyAt, call: recorder.root(list[i]) };
    });
    const study = factsOf(studiesOf(of)[0]);
    return { calls: recorder.calls, claims, study };
  }, () => trialsBehind(of));
}

/** The answer's words, and the calls behind its verdict and its number. */
export function askingAnswer<S extends Shown & { text: string }>(
  shown: S,
  of: Study | readonly Study[],
  { by, number, ...sentences }: Answer,
): S {
  return asking(shown, () => {
    const recorder = new Recorder();
    const call = callOf(by) && recorder.root(by);
    const words = call === undefined ? undefined : recorder.words(number);
    const { holds, fails, open } = sentences, aboutFaces = by?.aboutFaces;
    return {
      ...{ calls: recorder.calls, study: factsOf(studiesOf(of)[0]) },
      ...by ? { by: { call, verdict: by.verdict } } : {},
      answer: {
        text: shown.text,
        ...words &&
          { words: { holds, fails, open, number: words, aboutFaces } },
      },
    };
  }, () => trialsBehind(of));
}

/** What a decision chooses, and the call of the rule that chose it. */
export const askingDecision = (
  shown: Shown,
  chosen: Call | undefined,
  choice: unknown,
  o: Decision = {},
): Shown =>
  asking(shown, () => {
    const recorder = new Recorder(), call = recorder.root(choice, chosen);
    const decision = { call, choice: String(choice), name: o.name };
    return { calls: recorder.calls, decision };
  });

/** How high a frame is at first, in pixels; its reader can draw it higher. */
const FRAME = 620;

/**
 * The output as a page of its own, which a script puts into a frame in the place
 * of the picture. The frame's scripts reach nothing of the front end; without
 * script, or where no page can be made, the picture stays.
 */
export function inFrame<S extends Shown>(shown: S, title: string): S {
  const display = shown[DISPLAY];
  const withFrame = async () => {
    const data: Record<string, unknown> = await display.call(shown);
    const html = data["text/html"];
    if (typeof html !== "string" || !(EXPLORE_TYPE in data)) return data;
    try {
      const { exportHtml } = await import("../notebook/mod.ts");
      const page = await exportHtml({
        ...{ nbformat: 4, nbformat_minor: 4, metadata: {} },
        cells: [{
          ...{ cell_type: "markdown", source: `# ${title}`, metadata: {} },
        }, {
          ...{ cell_type: "code", source: "explore(trials)", metadata: {} },
          outputs: [{ output_type: "display_data", data, metadata: {} }],
          execution_count: null,
        }],
      });
      return {
        ...data,
        "text/html": html + frameScript(page),
        [EXPLORE_TYPE]: { ...data[EXPLORE_TYPE] as object, picture: html },
      };
    } catch {
      return data; // such as a notebook that may start no process
    }
  };
  return Object.assign(shown, { [DISPLAY]: withFrame });
}

/** Puts a page into a frame that follows the element before the script. */
const frameScript = (page: string) =>
  `<script>(() => {
  const picture = document.currentScript?.previousElementSibling;
  if (!picture) return;
  const frame = document.createElement("iframe");
  frame.title = "Trials that can be questioned";
  frame.setAttribute("sandbox", "allow-scripts allow-downloads");
  frame.style.cssText = "width: 100%; height: ${FRAME}px; border: 0; resize: vertical";
  frame.srcdoc = ${JSON.stringify(page).replaceAll("<", "\\u003c")};
  picture.replaceWith(frame);
})();</script>`;
