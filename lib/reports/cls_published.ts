/** CLS against ViT as published: the figures, their tests, all differences. */
import {
  type Chart,
  type Effect,
  forestChart,
  type Pair,
  pairedChart,
} from "../charts/mod.ts";
import { meanInterval, oneSampleTTest, signTest } from "../statistics/mod.ts";
import { readPublished } from "../study/mod.ts";
import { rateText } from "./depth_lr.ts";
import { halfOf, publishedNoise } from "./published_noise.ts";
import { publishedFigure } from "./published.ts";
import { type Shown, table } from "./show.ts";

/** The ten published runs, as the study drew them. */
export const publishedRuns = (): Promise<Chart> =>
  publishedFigure("cls-vs-baseline", [
    { name: "model", label: "architecture", scale: "category" },
    { name: "lr", label: "learning rate", scale: "log" },
  ], {
    value: "acc_table",
    title: "Published: CLS block and Baseline, depth 8, 60 epochs",
  });

/** Four models in runs of 200 epochs, as the study drew them. */
export const publishedLong = (): Promise<Chart> =>
  publishedFigure("raf-200epoch-reduce", [
    { name: "model", label: "architecture", scale: "category" },
  ], { value: "acc_table" });

/** One rate's accuracies of both models, in percent. */
interface PublishedPair {
  lr: number;
  baseline: number;
  cls: number;
}

/** Pairs by rate; of two runs of one setting their mean. */
function paired(
  baseline: readonly (readonly [lr: number, accuracy: number])[],
  cls: readonly (readonly [lr: number, accuracy: number])[],
): PublishedPair[] {
  const at = (runs: typeof cls, lr: number) => {
    const same = runs.filter(([own]) => own === lr).map(([, value]) => value);
    return same.length > 0 ? meanInterval(same).mean : null;
  };
  return [...new Set(baseline.map(([lr]) => lr))].flatMap((lr) => {
    const a = at(baseline, lr), b = at(cls, lr);
    return a === null || b === null ? [] : [{ lr, baseline: a, cls: b }];
  });
}

/** Pairs of the two models of a published table. */
async function pairsOf(
  id: string,
  { baseline, cls, value }: { baseline: string; cls: string; value: string },
): Promise<PublishedPair[]> {
  const { records } = await readPublished(id);
  const of = (model: string) =>
    records.filter((r) => r.model === model)
      .map((r) => [Number(r.lr), Number(r[value])] as const);
  return paired(of(baseline), of(cls));
}

/** A sweep over the rates: the pairs, and where they come from. */
interface Sweep {
  name: string;
  pairs: PublishedPair[];
}

/**
 * The three published sweeps with both models: the notes' own; the later
 * runs of the same CLS model against the same Baseline runs; FERPlus.
 */
export async function publishedSweeps(): Promise<Sweep[]> {
  const first = await pairsOf("cls-vs-baseline", {
    baseline: "Baseline",
    cls: "CLSFER",
    value: "acc_table",
  });
  const again = (await readPublished("nonmulti-depth")).records
    .filter((r) => r.depth === 8)
    .map((r) => [Number(r.lr), Number(r.acc)] as const);
  return [
    { name: "RAF-DB, first sweep", pairs: first },
    {
      name: "RAF-DB, second CLS sweep",
      pairs: paired(first.map((p) => [p.lr, p.baseline] as const), again),
    },
    {
      name: "FERPlus, stage 3",
      pairs: await pairsOf("ferplus-lr-arch", {
        baseline: "CLSFERBaseline_stage3",
        cls: "NonMultiCLSFER_stage3",
        value: "acc",
      }),
    },
  ];
}

const differencesOf = ({ pairs }: Sweep) =>
  pairs.map((p) => p.cls - p.baseline);

/** CLS less Baseline of each published sweep, by our statistics; in points. */
export const sweepTests = async () =>
  (await publishedSweeps()).map((sweep) => {
    const differences = differencesOf(sweep);
    return {
      sweep: sweep.name,
      ...oneSampleTTest(differences),
      signP: signTest(differences).p,
    };
  });

/** The same as a table. */
export const publishedTests = async (): Promise<Shown> =>
  table(
    (await sweepTests()).map((t) => ({
      "CLS less Baseline": t.sweep,
      rates: t.n,
      "mean (points)": t.mean.toFixed(3),
      sd: t.sd!.toFixed(3),
      "95 % interval": `${t.low!.toFixed(2)} to ${t.high!.toFixed(2)}`,
      t: t.t!.toFixed(2),
      "p (t test)": t.p!.toFixed(4),
      "p (sign test)": t.signP.toFixed(4),
    })),
  );

/** Both models at the five rates of RAF-DB, in the noise of such runs. */
export async function publishedPairs(
  which: "first" | "second" = "first",
): Promise<Chart> {
  const sweeps = await publishedSweeps();
  const sweep = sweeps[which === "first" ? 0 : 1];
  const pairs: Pair[] = sweep.pairs.map((p) => ({
    block: `LR ${rateText(p.lr)}`,
    a: p.baseline / 100,
    b: p.cls / 100,
    whose: "published",
  }));
  const { mean, low, high } = meanInterval(differencesOf(sweep));
  return pairedChart(pairs, {
    title: `Published: ${sweep.name}, 60 epochs, one run a point`,
    aLabel: "Baseline",
    bLabel: "CLS",
    mean: {
      published: {
        estimate: mean / 100,
        low: low! / 100,
        high: high! / 100,
      },
    },
    noise: publishedNoise.pretrained,
  });
}

/** Differences of the runs of 200 epochs, in points. */
async function longDifferences(): Promise<
  { label: string; group: string; difference: number }[]
> {
  const long = await readPublished("raf-200epoch-reduce");
  const variants = await readPublished("cls-variants");
  const of = (model: string) =>
    Number(long.records.find((r) => r.model === model)!.acc_table);
  const variant = (arch: string, set = "RAF-DB") =>
    Number(variants.records.find((r) => r.arch === arch)![set]);
  return [
    {
      label: "stage 4",
      group: "RAF-DB, 200 epochs",
      difference: of("NonMultiCLSFER") - of("CLSFERBaseline"),
    },
    {
      label: "stage 3",
      group: "RAF-DB, 200 epochs",
      difference: of("NonMultiCLSFER_stage3") - of("CLSFERBaseline_stage3"),
    },
    ...["CLS_only", "catBeforeMlp", "catAfterMlp"].map((arch) => ({
      label: arch,
      group: "RAF-DB, 200 epochs, table of variants (mixed protocols)",
      difference: variant(arch) - variant("Baseline"),
    })),
    ...["CLS_only", "catAfterMlp"].map((arch) => ({
      label: arch,
      group: "FERPlus, 200 epochs, table of variants (mixed protocols)",
      difference: variant(arch, "FERPlus") - variant("Baseline", "FERPlus"),
    })),
  ];
}

/**
 * Every published difference of a CLS model and the Baseline, in points. A
 * mean of a sweep has its t interval; a difference of two single runs has that
 * of the published noise.
 */
export async function publishedForest(): Promise<Chart> {
  const half = 100 * halfOf(publishedNoise.pretrained);
  const single = (
    label: string,
    group: string,
    difference: number,
  ): Effect => ({
    label,
    group,
    estimate: difference,
    low: difference - half,
    high: difference + half,
    whose: "published",
  });
  const sweeps = (await publishedSweeps()).flatMap((sweep) => {
    const { mean, low, high, n } = meanInterval(differencesOf(sweep));
    const group = `${sweep.name}, 60 epochs`;
    return [
      ...sweep.pairs.map((p) =>
        single(`LR ${rateText(p.lr)}`, group, p.cls - p.baseline)
      ),
      {
        label: "mean of the sweep",
        group,
        estimate: mean,
        low,
        high,
        whose: "published" as const,
        note: `n ${n}, t interval`,
      },
    ];
  });
  const long = (await longDifferences())
    .map(({ label, group, difference }) => single(label, group, difference));
  return forestChart([...sweeps, ...long], {
    title: "Published: CLS less Baseline",
    xLabel: "test accuracy of CLS less that of the Baseline",
    unit: "points",
  });
}
