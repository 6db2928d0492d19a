/** The report of CLS against ViT: published tests, verdicts both ways, plans. */
import assert from "node:assert/strict";
import { joined, mainEffects } from "../../lib/reports/cls_ablation.ts";
import {
  judgeAlpha,
  judgeCls,
  judgeDecay,
  judgeKept,
  judgeMeanPool,
  judgePatches,
  judgeScale,
  judgeSweeps,
} from "../../lib/reports/cls_claims.ts";
import { sweepTests } from "../../lib/reports/cls_published.ts";
import * as clsVsVit from "../../lib/reports/cls_vs_vit.ts";
import {
  analysisRows,
  parsePlan,
  recipeOf,
  type TrainingRow,
} from "../../lib/study/mod.ts";
import { results, row } from "./_rows.ts";

const { report } = clsVsVit;

/** Small steps that no two runs share, so that differences have a spread. */
const wobble = (i: number) => ((i * 7919) % 13 - 6) / 4000;

/** Two models at two rates and three seeds, CLS `gain` above. */
const comparison = (gain: number, seeds = 3): TrainingRow[] =>
  ["baseline", "cls"].flatMap((model, m) =>
    [1e-3, 3e-4].flatMap((lr, l) =>
      Array.from({ length: seeds }, (_, repeat) =>
        row(
          { model, lr },
          repeat,
          0.4 + m * gain + 0.01 * repeat + wobble(6 * m + 3 * l + repeat),
        ))
    )
  );

interface Gains {
  kept?: number;
  right?: number;
  alpha?: number;
  decay?: number;
}

/** The whole ablation with these gains over its base, three seeds. */
const ablation = ({ kept = 0, right = 0, alpha = 0, decay = 0 }: Gains) => {
  const rows: TrainingRow[] = [];
  for (const patches of ["dropped", "catAfterMlp", "catBeforeMlp"]) {
    for (const scale of ["right", "inverse"]) {
      for (const a of [0.2, 1]) {
        for (const gamma of [1, 0.5]) {
          for (const repeat of [0, 1, 2]) {
            const value = 0.4 + (patches === "dropped" ? 0 : kept) +
              (scale === "right" ? right : 0) + (a === 1 ? alpha : 0) +
              (gamma === 1 ? 0 : decay) + wobble(rows.length);
            rows.push(row(
              {
                patches,
                scale,
                "mixing.alpha": a,
                "schedule.gamma": gamma,
              },
              repeat,
              value,
            ));
          }
        }
      }
    }
  }
  return rows;
};

/** The controls, the mean pool `gain` above the Baseline's 0.4. */
const controls = (gain: number) => {
  const rows: TrainingRow[] = [];
  for (const model of ["baseline", "meanPool"]) {
    for (const a of [0.2, 1]) {
      for (const gamma of [1, 0.5]) {
        for (const repeat of [0, 1, 2]) {
          rows.push(row(
            { model, "mixing.alpha": a, "schedule.gamma": gamma },
            repeat,
            0.4 + (model === "meanPool" ? gain : 0) + wobble(rows.length + 5),
          ));
        }
      }
    }
  }
  return rows;
};

const of = (gain: number, gains: Gains = {}, pool = 0) =>
  results({
    "cls-vs-vit": comparison(gain),
    "cls-ablation": ablation(gains),
    "cls-controls": controls(pool),
  });

Deno.test("our statistics give the published five pairs t 2.83, p .0475 and sign test .0625", async () => {
  const [first, second, ferplus] = await sweepTests();
  assert.equal(first.mean.toFixed(3), "0.763");
  assert.equal(first.sd!.toFixed(3), "0.604");
  assert.equal(first.t!.toFixed(2), "2.83");
  assert.equal(first.p!.toFixed(4), "0.0475");
  assert.equal(first.signP.toFixed(4), "0.0625");
  assert.equal(second.mean.toFixed(2), "0.44");
  assert.equal(second.sd!.toFixed(2), "0.33");
  assert.equal(ferplus.mean.toFixed(2), "-0.26");
});

Deno.test("a gain of three points in every seed makes the CLS block better", async () => {
  const better = of(0.03);
  assert.equal(judgeCls(better).verdict, "holds");
  assert.equal(judgeSweeps(better).verdict, "holds");
  assert.match(await report.decide!(better), /published: CLS, as it is better/);
});

Deno.test("a loss of three points makes the Baseline better", async () => {
  const worse = of(-0.03);
  assert.equal(judgeCls(worse).verdict, "does not hold");
  assert.equal(judgeSweeps(worse).verdict, "does not hold");
  assert.match(await report.decide!(worse), /published: the Baseline, as it/);
});

Deno.test("an equal CLS block is taken as the cheaper one", async () => {
  const equal = of(0);
  assert.equal(judgeCls(equal).verdict, "cannot tell");
  assert.match(judgeCls(equal).why, /the seeds say .* paired repeats see/);
  assert.match(
    await report.decide!(equal),
    /published: CLS, as it is cheaper .* mended CLS, as it is cheaper/,
  );
});

Deno.test("the ablation's parts are judged by their main effects", () => {
  const gains = of(0, { kept: 0.03, right: 0.04, alpha: 0.02, decay: 0.02 });
  assert.equal(judgeKept(gains).verdict, "holds");
  assert.equal(judgeScale(gains).verdict, "holds");
  assert.equal(judgeAlpha(gains).verdict, "holds");
  assert.equal(judgeDecay(gains).verdict, "does not hold");
  // Both ways to keep them are equal here, so none is best.
  assert.equal(judgePatches(gains).verdict, "cannot tell");
  const losses = of(0, { kept: -0.03, right: -0.04, alpha: -0.02 });
  assert.equal(judgeKept(losses).verdict, "does not hold");
  assert.equal(judgePatches(losses).verdict, "does not hold");
  assert.equal(judgeScale(losses).verdict, "does not hold");
  assert.equal(judgeAlpha(losses).verdict, "does not hold");
  assert.equal(judgeDecay(losses).verdict, "holds");
});

Deno.test("a main effect counts seeds, by their mean over all other settings", () => {
  const [kept] = mainEffects(of(0, { kept: 0.03 }));
  assert.equal(kept.label, "catAfterMlp less dropped");
  assert.equal(kept.c!.n, 3);
  assert(Math.abs(kept.c!.difference! - 0.03) < 0.002);
});

Deno.test("a mean pool within a point of CLS is about the same, one five points off is not", () => {
  assert.equal(judgeMeanPool(of(0)).verdict, "holds");
  assert.equal(judgeMeanPool(of(0, {}, 0.05)).verdict, "does not hold");
});

Deno.test("joined studies pair the published CLS with the controls by seed", () => {
  const rows = joined(
    analysisRows(ablation({})),
    analysisRows(controls(0)),
  );
  const count = (model: string) =>
    rows.filter((r) => r.params.model === model).length;
  assert.deepEqual(
    ["CLS", "CLS, right scale", "Baseline", "mean pool"].map(count),
    [12, 12, 12, 12],
  );
});

Deno.test("missing models, failed runs and two seeds tell nothing", async () => {
  const failed = comparison(0.05).map((r) =>
    r.params.model === "cls"
      ? { ...r, state: "FAIL" as const, accuracy: null }
      : r
  );
  for (
    const few of [
      results({}),
      results({ "cls-vs-vit": comparison(0.05, 2) }),
      results({ "cls-vs-vit": failed }),
    ]
  ) {
    for (const { judge } of report.claims) {
      const { verdict } = await judge(few);
      assert(["cannot tell", "not yet run"].includes(verdict), verdict);
    }
    assert.match(await report.decide!(few), /^The block as published: none/);
    clsVsVit.pairs(few);
    clsVsVit.effectsForest(few);
    clsVsVit.controlForest(few);
    clsVsVit.simpleForest(few);
    clsVsVit.interaction(few);
    clsVsVit.confusions(few, { classes: [] });
    clsVsVit.comparisons(few);
    clsVsVit.mcnemar(few);
  }
});

Deno.test("all profiles have three studies that parse, smoke with 6 trials and quick with 14", () => {
  const trials = (["smoke", "quick", "cpu", "paper"] as const).map((profile) =>
    report.trainings!(profile).map(parsePlan).map(({ study }) =>
      Object.values(study.parameters).reduce(
        (n, p) => n * ("values" in p ? p.values.length : 0),
        study.repeats,
      )
    )
  );
  assert.deepEqual(trials, [
    [2, 2, 2],
    [6, 6, 2],
    [30, 120, 40],
    [50, 120, 40],
  ]);
});

Deno.test("at cpu the recipes are those of the runs on record", () => {
  const [first, ablation, controls] = report.trainings!("cpu");
  const shared = { depth: 4, epochs: 3, batchSize: 128, size: 48, dim: 64 };
  const mixing = { kind: "mixup-or-cutmix", alpha: 1, pairing: "roll" };
  const recipe = (plan: typeof first) =>
    recipeOf(plan, { params: {}, seed: 0 });
  assert.deepEqual(
    first.study.parameters,
    { model: ["baseline", "cls"], lr: [3.16e-4, 1e-3, 3.16e-3] },
  );
  assert.deepEqual(ablation.study.parameters, {
    patches: ["dropped", "catAfterMlp", "catBeforeMlp"],
    scale: ["right", "inverse"],
    "mixing.alpha": [0.2, 1],
    "schedule.gamma": [1, 0.5],
  });
  assert.deepEqual(controls.study.parameters, {
    model: ["baseline", "meanPool"],
    "mixing.alpha": [0.2, 1],
    "schedule.gamma": [1, 0.5],
  });
  for (const plan of [first, ablation, controls]) {
    const whole = recipe(plan);
    assert.deepEqual({ ...whole, ...shared, mixing }, whole);
  }
  const decay = { kind: "exponential", per: "epoch", gamma: 1 };
  for (const plan of [ablation, controls]) {
    assert.equal(recipe(plan).lr, 1e-3);
    assert.deepEqual(recipe(plan).schedule, decay);
  }
  assert.equal(recipe(ablation).model, "cls");
});
