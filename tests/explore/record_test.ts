/// <reference lib="dom" />
/** Calls that results keep, made again on other rows. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import * as lab from "../../lib/lab.ts";
import type { Row, Trial } from "../../lib/lab.ts";
import * as explore from "../../lib/explore/mod.ts";
import { trialsOfMarks } from "../../lib/explore/page/brush.ts";
import { trialId } from "../../lib/explore/item_keys.ts";
import { CallEvaluation } from "../../lib/explore/page/evaluate.ts";
import { FUNCTIONS } from "../../lib/explore/page/functions.ts";
import { asWritten, type State } from "../../lib/explore/page/state.ts";
import { commandOf } from "../../lib/explore/page/trial_view.ts";
import { planOf, Recorder, remember } from "../../lib/explore/record.ts";
import { packTrials, trialsIn } from "../../lib/explore/packed_trials.ts";
import * as charts from "../../lib/charts/mod.ts";
import * as reports from "../../lib/reports/mod.ts";
import * as rows from "../../lib/rows/mod.ts";
import { folderTest as test } from "../_folder.ts";
import { finished } from "../_run.ts";
import { trialsIn as trialsOnRecord } from "../study/_store.ts";
import { trialsOfStudy } from "./_trials.ts";

const root = new URL("../..", import.meta.url).pathname;
const trials = trialsOfStudy();
remember(trials);
const read = trialsIn(JSON.parse(JSON.stringify(packTrials(trials))));
const byId = new Map(read.map((t) => [trialId(t.study, t.number), t]));

/** What a recorded value is when its calls are made again under a state. */
function again(
  value: unknown,
  part: Partial<State> = {},
  margin?: number,
  // deno-lint-ignore no-explicit-any
): any {
  const recorder = new Recorder(), at = recorder.root(value);
  assert.ok(at !== undefined, "it keeps no call");
  const calls = JSON.parse(JSON.stringify(recorder.calls));
  const state = { ...asWritten(), ...part };
  return new CallEvaluation(calls, byId, state, margin).call(at);
}

/** Without what results keep under symbols. */
const plain = (value: unknown) => JSON.parse(JSON.stringify(value));
const of = { of: "depth", base: 2, at: "best", name: "depth" } as const;

Deno.test("what keeps its call is known to the page and to a notebook, charts of trials among it", () => {
  const { EXPLORE_TYPE: _, ...kept } = explore;
  for (const [name, f] of Object.entries(kept)) {
    assert.equal((lab as Record<string, unknown>)[name], f, name);
  }
  const own = ["answer", "claims", "decide", "explore", "openStudy"];
  assert.deepEqual(
    Object.keys(kept).filter((name) => !own.includes(name)).sort(),
    [...FUNCTIONS.keys()].sort(),
  );
  const others = ["faceGridChart", "heatOverlayChart", "throughputChart"];
  assert.deepEqual(
    Object.keys(charts)
      .filter((name) => name.endsWith("Chart") && !FUNCTIONS.has(name)),
    [...others, "timelineChart"],
  );
});

Deno.test("effects and verdicts come out the same, also of filtered and renamed ones", () => {
  const best = lab.effects(trials, of);
  assert.deepEqual(plain(again(best)), plain(reports.effects(trials, of)));
  const deeper = best.filter((e) => e.value > 2);
  const named = deeper.map((e) => ({ ...e, label: `net ${e.value}` }));
  for (const rule of ["noGain", "gains", "better", "worse", "equal"] as const) {
    const expected = reports[rule](named, { seeds: true });
    assert.deepEqual(plain(again(lab[rule](named, { seeds: true }))), expected);
  }
  const two = trials.filter((t) => t.depth === 2);
  const range: [number, number] = [2e-4, 8e-4];
  assert.deepEqual(
    plain(again(lab.peakWithin(two, "lr", range, { onlyAt: "paper" }))),
    plain(reports.peakWithin(two, "lr", range, { onlyAt: "paper" })),
  );
});

Deno.test("a family, rows with another name of the model, values and words by functions", () => {
  const rows: Row[] = trials.map((t) => ({ ...t, net: `net of ${t.depth}` }));
  const one = { of: "net", base: "net of 2", sharing: ["lr"] };
  const two = {
    ...{ of: "depth", base: 2, text: (p: Row) => `${p.depth} blocks` },
    value: (t: Row) => Math.log10(t.lr),
  };
  const family = lab.asFamily(lab.effects(rows, one), lab.effects(rows, two));
  const expected = reports.asFamily(
    reports.effects(rows, one),
    reports.effects(rows, two),
  );
  assert.deepEqual(plain(again(family)), plain(expected));
  assert.deepEqual(
    again(lab.equal(family[0].concat(family[1]))),
    reports.equal(expected.flat()),
  );
});

Deno.test("under a state they are what the library says of the rows that are left", () => {
  const left = trials.filter((t) => t.repeat !== 1 && t.lr <= 1e-3);
  const state = { seeds: [1], ranges: { lr: [0, 1e-3] } } as Partial<State>;
  const best = lab.effects(trials, of);
  assert.deepEqual(plain(again(best, state)), plain(reports.effects(left, of)));
  const options = { level: 0.8, correction: "none", paired: false } as const;
  assert.deepEqual(
    plain(again(best, { level: 0.8, correction: "none", unpaired: true })),
    plain(reports.effects(trials, { ...of, ...options })),
  );
  assert.deepEqual(
    again(lab.noGain(best, { points: 1 }), {}, 30),
    reports.noGain(reports.effects(trials, of), { points: 30 }),
  );
  const byLast = trials.map((t) => ({
    ...t,
    accuracy: t.accuracy === null ? null : t.history.at(-1)!.testAccuracy,
  })) as Trial[];
  assert.deepEqual(
    plain(again(best, { number: "last" })),
    plain(reports.effects(byLast, of)),
  );
  // What is no longer there is no part of a verdict.
  const deepest = best.filter((e) => e.value === 8);
  const gone = again(lab.noGain(deepest), { values: { depth: ["8"] } }) as Row;
  assert.match(gone.why, /no two values/);
});

Deno.test("a chart and a table are drawn again", async () => {
  const html = async (shown: unknown) =>
    // deno-lint-ignore no-explicit-any
    (await (shown as any)[Symbol.for("Jupyter.display")]())["text/html"];
  const best = lab.effects(trials, of);
  const forest = lab.forestChart({ best, published: [] });
  assert.equal(
    await html(again(forest)),
    await html(lab.charts.forestChart({ best, published: [] })),
  );
  const isolation = lab.isolationChart(lab.bestPer(trials, "depth"), {
    ...{ x: "depth", runs: trials, noise: lab.noiseOf(trials) },
  });
  assert.equal(await html(again(isolation)), isolation.html);
  const table = lab.effectTable({ best });
  assert.equal(await html(again(table)), await html(table));
});

Deno.test("a function in a chart is known by what it reads, also for what may become best", () => {
  const cost = (d: Row) => d.recipe.depth * 10 + Math.log10(d.recipe.lr);
  const label = (d: Row) => `depth ${d.depth}`;
  const cheapest = (from: Row[], bests = rows.bestPer) =>
    [...bests(from, "depth")].filter((d) => d.recipe);
  const chart = lab.costAccuracyChart(cheapest(trials, lab.bestPer), {
    ...{ cost, label },
  });
  assert.equal(again(chart).html, chart.html);
  // Without the rates that won the others are best, with recipes of their own.
  const left = trials.filter((t) => t.lr !== 1e-3);
  const expected = charts.costAccuracyChart(cheapest(left), { cost, label });
  const state = { values: { lr: ["0.001"] } };
  assert.equal(again(chart, state).html, expected.html);

  const y = (t: Row) => t.history.length + t.accuracy;
  const heat = lab.heatMapChart(trials.filter((t) => t.accuracy), {
    ...{ x: (t: Row) => `rate ${t.lr}`, y: "depth", value: y },
  });
  assert.equal(again(heat).html, heat.html);
  assert.throws(
    () => again(heat, { number: "max" }),
    /a function of the notebook reads the accuracy/,
  );
  const byEpoch = lab.lineChart(lab.epochRows(trials), {
    ...{ x: "epoch", y: "accuracy", series: lab.settingText },
  });
  assert.equal(again(byEpoch).html, byEpoch.html);
});

Deno.test("an answer's number is made of the calls that gave its sentences", () => {
  const best = lab.effects(trials, of),
    deeper = best.filter((e) => e.value > 2);
  const recorder = new Recorder();
  const text = `deeper ${lab.gainText(deeper)}; all ${lab.effectsText(best)}`;
  const words = JSON.parse(JSON.stringify(recorder.words(text)));
  const { calls } = JSON.parse(JSON.stringify(recorder));
  const under = (part: Partial<State>) =>
    new CallEvaluation(calls, byId, { ...asWritten(), ...part }).value(words);
  assert.equal(under({}), text);
  const left = reports.effects(trials.filter((t) => t.repeat !== 1), of);
  assert.equal(
    under({ seeds: [1] }),
    `deeper ${reports.gainText(left.filter((e) => e.value > 2))}; ` +
      `all ${reports.effectsText(left)}`,
  );
  assert.equal(
    recorder.words(`${lab.gainText(best)}; in all 3.1 points`),
    undefined,
  );
  assert.ok(recorder.words(`beta1 ${lab.gainText(best)}`));
});

Deno.test("what was changed since, rests on what no page has, or is of no trial keeps no call", () => {
  const best = lab.effects(trials, of);
  const root = (value: unknown) => {
    const recorder = new Recorder(), at = recorder.root(value);
    return at ?? recorder.why;
  };
  assert.equal(root({ ...lab.noGain(best), verdict: "holds" }), undefined);
  const why = /^it rests on (.*), which this page does not have$/;
  const isFirst = lab.heatMapChart(trials, {
    ...{ x: "lr", y: (_: Row, i: number) => i % 2 },
  });
  assert.match(String(root(isFirst)), why);
  const one = lab.confusionChart(trials[0], { labels: ["a", "b"] });
  assert.match(String(root(one)), why);
  const published = [{ depth: 2, accuracy: 0.5 }, { depth: 4, accuracy: 0.6 }];
  assert.equal(
    root(lab.effects(published, { of: "depth", base: 2 })),
    undefined,
  );
});

Deno.test("the table has no folder, no host and no picture, and all that is judged", async () => {
  const text = JSON.stringify(packTrials(trials));
  assert.doesNotMatch(text, /\/home|secret-host|predictions/);
  assert.match(text, /cannot open weights\.pth/);
  assert.deepEqual(
    read.map((t) => [t.accuracy, t.balanced, t.history.at(-1)?.testAccuracy]),
    trials.map((t) => [t.accuracy, t.balanced, t.history.at(-1)?.testAccuracy]),
  );
  const chart = lab.heatMapChart(trials, { x: "lr", y: "depth" });
  // deno-lint-ignore no-explicit-any
  const data = await (chart as any)[Symbol.for("Jupyter.display")]();
  const { version, asked } = data[explore.EXPLORE_TYPE];
  assert.equal(version, 1);
  const { calls, root } = JSON.parse(
    gunzipSync(Buffer.from(asked, "base64")).toString(),
  );
  assert.equal(calls[root][0], "heatMapChart");
});

Deno.test("calls that no report makes are refused in one line", () => {
  const make = (...calls: unknown[]) => () =>
    new CallEvaluation(calls as [], byId, asWritten()).call(0);
  assert.throws(make(["eval", "1"]), /eval is no function of a report/);
  assert.throws(make(["constructor"]), /no function of a report/);
  assert.throws(make(["where", ["x"]]), /x is no value of a report/);
  assert.throws(make(["where", ["c", 0], {}]), /goes round in a circle/);
  assert.throws(make(["where", ["r", [["s", 99]], {}]]), /not in the page/);
  const [deep] = [...Array(1000)].reduce((inner) => [["a", ...inner]], [1]);
  assert.throws(make(["where", deep]), /nested too deep/);
  const odd = JSON.parse(`["o", {"__proto__": {"isOdd": true}}]`);
  make(["where", ["a", odd], ["o", {}]])();
  assert.equal(({} as Row).isOdd, undefined);
});

Deno.test("a mark stands for its trial, or for all of its setting; odd ones for none", () => {
  const marked = (...all: Record<string, string>[]) =>
    trialsOfMarks(
      all.map((dataset) => ({ dataset }) as unknown as SVGElement),
      byId,
    );
  assert.deepEqual(
    marked({ trial: "made-up/7" }, { setting: '{"depth":[4],"lr":[0.001]}' }),
    { "made-up": [7, 16, 17, 18, 19] },
  );
  // What a trial does not know, such as an axis of epochs, says nothing of it.
  assert.deepEqual(marked({ setting: '{"epoch":[3],"depth":[2]}' }), {
    "made-up": Array.from({ length: 12 }, (_, i) => i),
  });
  for (const setting of ["", "null", "{", "[1]", '{"depth":2}', "{}"]) {
    assert.equal(marked({ setting }), undefined, setting);
  }
  assert.equal(marked({ trial: "__proto__" }), undefined);
});

test("a trial's command trains it again, to the last bit", async (dir) => {
  const study = lab.openStudy({ profile: "smoke", outDir: dir }, {
    name: "mixed",
    parameters: { "mixing.alpha": [0.2], lr: [1e-3] },
    recipe: { depth: 1, mixing: { kind: "mixup", alpha: 1, pairing: "roll" } },
    repeats: 2,
  });
  await study.run();
  const all = await study.trials();
  const table = packTrials(all, planOf);
  const trial = trialsIn(JSON.parse(JSON.stringify(table)))[1];
  const task = `deno run -A --no-check ${join(root, "tasks/study.ts")}`;
  const command = commandOf(trial)!.replace("deno task study", task);
  const { code, err } = await finished(
    new Deno.Command("bash", {
      args: ["-c", `${command} --dir again`],
      cwd: dir,
    }),
  );
  assert.equal(code, 0, err);
  const again = await trialsOnRecord(join(dir, "again"), "mixed-again");
  assert.deepEqual(
    again.map((t) => t.attrs.predictionsHash),
    all.map((t) => t.predictionsHash),
  );
});
