/**
 * The library's functions as a notebook has them: those of `reports` and
 * `charts`, with results that keep their call.
 */
import * as charts from "../charts/mod.ts";
import * as reports from "../reports/mod.ts";
import * as rows from "../rows/mod.ts";
import { effectWords, KEYS, keyText } from "./item_keys.ts";
import {
  askingAnswer,
  askingCall,
  askingClaims,
  askingDecision,
  askingTrials,
  inFrame,
} from "./pack.ts";
import {
  choiceOf,
  recorded,
  recordedChoice,
  recordedText,
  remember,
} from "./record.ts";

type Rows = Iterable<rows.Row>;

/** `f`, what it shows with the call beside it. */
// deno-lint-ignore no-explicit-any
function shownWith<F extends (...args: any[]) => reports.Shown>(
  name: string,
  f: F,
): F {
  const call = recorded(name, f);
  return ((...args: Parameters<F>) => askingCall(call(...args))) as F;
}

export const effects = recorded("effects", reports.effects, {
  keyOf: KEYS.effects,
  // Words of each value in place of a function of it.
  prepare: ([rows, given], result) => {
    const { text, ...o } = given as reports.EffectOptions;
    const words = text && Object.fromEntries(
      (result as reports.Effect[])
        .map((e) => [keyText(KEYS.effects(e)), effectWords(e)]),
    );
    return [rows, { ...o, ...words && { words } }];
  },
});
export const asFamily = recorded("asFamily", reports.asFamily, {
  keyOf: KEYS.asFamily,
});
export const bestPer = recorded("bestPer", rows.bestPer, {
  keyOf: KEYS.bestPer,
});
export const settings = recorded("settings", rows.settings, {
  keyOf: KEYS.settings,
});
export const runsAtBest = recorded("runsAtBest", rows.runsAtBest);
export const where = recorded("where", rows.where);
export const epochRows = recorded("epochRows", rows.epochRows);
export const noiseOf = recorded("noiseOf", rows.noiseOf);

export const noGain = recorded("noGain", reports.noGain);
export const gains = recorded("gains", reports.gains);
export const better = recorded("better", reports.better);
export const worse = recorded("worse", reports.worse);
export const equal = recorded("equal", reports.equal);
export const peakWithin = recorded("peakWithin", reports.peakWithin);

export const gainText = recordedText("gainText", reports.gainText);
export const effectsText = recordedText("effectsText", reports.effectsText);
export const differenceText = recordedText(
  "differenceText",
  reports.differenceText,
);
export const keepUnlessBeaten = recordedChoice(
  "keepUnlessBeaten",
  reports.keepUnlessBeaten,
);

export const effectTable = shownWith("effectTable", reports.effectTable);
export const trialTable = shownWith("trialTable", reports.trialTable);
export const forestChart = shownWith("forestChart", charts.forestChart);
export const isolationChart = shownWith(
  "isolationChart",
  charts.isolationChart,
);
export const heatMapChart = shownWith("heatMapChart", charts.heatMapChart);
export const pairedChart = shownWith("pairedChart", charts.pairedChart);
export const parallelChart = shownWith("parallelChart", charts.parallelChart);
export const lineChart = shownWith("lineChart", charts.lineChart);
export const costAccuracyChart = shownWith(
  "costAccuracyChart",
  charts.costAccuracyChart,
);
export const confusionChart = shownWith(
  "confusionChart",
  charts.confusionChart,
);
export const confusionDifferenceChart = shownWith(
  "confusionDifferenceChart",
  charts.confusionDifferenceChart,
);
export const repeatsChart = shownWith("repeatsChart", charts.repeatsChart);
export const lrSensitivityChart = shownWith(
  "lrSensitivityChart",
  charts.lrSensitivityChart,
);

/**
 * Trials as lines over their parameters, with all that a reader can ask of them:
 * in an exported page, also where there are no claims, and in a front end that
 * runs scripts, such as JupyterLab, in a frame in the place of the picture.
 */
export function explore(
  trials: Iterable<rows.Trial>,
  o: Partial<Parameters<typeof charts.parallelChart>[1]> = {},
): ReturnType<typeof parallelChart> {
  const list = [...trials];
  remember(list);
  const axes = rows.parametersOf(list);
  const names = [...new Set(list.map((trial) => trial.study))].join(", ");
  return inFrame(
    askingTrials(parallelChart(list, { axes, ...o }), list),
    `Trials of ${names || "no study"}`,
  );
}

/** @see reports.openStudy; its trials are known by what is made of them */
export const openStudy: typeof reports.openStudy = (where, cell) => {
  const study = reports.openStudy(where, cell), read = study.trials;
  study.trials = async () => {
    const trials = await read.call(study);
    remember(trials, "recipe" in study.job ? study.job : undefined);
    return trials;
  };
  return study;
};

/** @see reports.claims */
export const claims: typeof reports.claims = async (of, list) => {
  const shown = await reports.claims(of, list);
  return Object.assign(askingClaims(shown, of, list, shown.claims), {
    claims: shown.claims,
  });
};

/** @see reports.answer */
export const answer: typeof reports.answer = async (of, words) => {
  const shown = await reports.answer(of, words);
  return askingAnswer(shown, of, words);
};

/** @see reports.decide */
export const decide: typeof reports.decide = (choice, o) =>
  askingDecision(reports.decide(choice, o), choiceOf(choice), choice, o);
