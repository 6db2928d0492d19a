/** Every chart draws every input, and says what it left out. */
import assert from "node:assert/strict";
import { parseHTML } from "linkedom";
import sharp from "sharp";
import * as charted from "../../lib/charts/mod.ts";
import {
  type Chart,
  confusionChart,
  confusionDifferenceChart,
  costAccuracyChart,
  faceGridChart,
  forestChart,
  heatMapChart,
  heatOverlayChart,
  isolationChart,
  lineChart,
  lrSensitivityChart,
  pairedChart,
  parallelChart,
  repeatsChart,
  throughputChart,
  timelineChart,
} from "../../lib/charts/mod.ts";

interface Row {
  lr: unknown;
  depth: unknown;
  accuracy: unknown;
}
const row = (lr: unknown, depth: unknown, accuracy: unknown): Row => ({
  lr,
  depth,
  accuracy,
});
const good = [row(1e-4, 2, 0.5), row(1e-3, 2, 0.6), row(1e-2, 4, 0.55)];
const noise = { sd: 0.01, df: 4 };

/** Rows, and what the chart says in a note under it, if it says anything. */
const inputs: Record<string, { rows: Row[]; note?: RegExp }> = {
  "no rows": { rows: [] },
  "one point": { rows: [good[0]] },
  "rows all equal": { rows: [good[0], good[0], good[0]] },
  "values null": {
    rows: [...good, row(1e-3, 4, null), row(1e-2, 2, undefined)],
    note: /2 (rows|runs)/,
  },
  "values NaN and infinite": {
    rows: [...good, row(1e-3, 4, NaN), row(1e-2, 2, -Infinity)],
    note: /2 (rows|runs)/,
  },
  "no value at all": {
    rows: good.map((r) => ({ ...r, accuracy: NaN })),
    note: /3 (rows|runs)/,
  },
  "BigInts, converted": {
    rows: good.map((r) => ({ ...r, depth: BigInt(r.depth as number) })),
  },
  "a BigInt as value": { rows: [row(1e-4, 2, 1n), row(1e-3, 2, 0n)] },
  "the largest numbers": {
    rows: [row(1e-3, 2, 1e299), row(1e-2, 2, -1e299), row(5e-324, 2, 1e308)],
  },
  "the smallest numbers": {
    rows: [row(5e-324, 1e-310, 5e-324), row(1e-323, 2e-310, 1e-323)],
  },
  "numbers of all sizes": {
    rows: [row(1e-299, 1e-299, 1e-299), row(1e299, 1e299, 1e299)],
  },
  "the largest number alone": {
    rows: [row(1e-3, 2, 1e308), row(1e-2, 2, 1e308)],
    note: /2 (rows|runs)/,
  },
  "markup in words": { rows: [row('<b> & "x"', "</svg>\0\ud800\uffff", 0.5)] },
  "1,000 series": {
    rows: Array.from(
      { length: 1000 },
      (_, i) => row(i % 2 ? 1e-3 : 1e-2, `depth ${i}`, 0.2 + i / 5000),
    ),
  },
};
/** Rates of 0 and less, for charts whose x axis is log. */
const rates = {
  rows: [...good, row(0, 2, 0.5), row(-1, 2, 0.5), row(NaN, 2, 0.5)],
  notes: [
    "2 rows left out: learning rate is 0 or negative on a log axis",
    "1 row left out: learning rate is missing or not a number",
  ],
};

interface Drawn {
  draw: (rows: Row[]) => Chart;
  /** Its x axis, of rates, is log. */
  isLog?: true;
  /** It does not take rows one by one, and counts what it leaves out itself. */
  isWhole?: true;
}

const charts: Record<string, Drawn> = {
  heatMapChart: {
    draw: (rows) => heatMapChart(rows, { x: "lr", y: "depth", noise }),
  },
  forestChart: {
    draw: (rows) =>
      forestChart({ "a group": rows }, {
        label: "depth",
        value: "accuracy",
        noise,
      }),
  },
  pairedChart: {
    draw: (rows) =>
      pairedChart(rows, {
        of: "depth",
        values: [2, 4],
        sharing: ["lr"],
        noise,
        mean: { difference: 0.01, low: null, high: null },
      }),
    isWhole: true,
  },
  repeatsChart: { draw: (rows) => repeatsChart(rows, { x: "lr", noise }) },
  throughputChart: {
    draw: (rows) =>
      throughputChart(
        rows.map((r) => ({ batchSize: r.lr, imagesPerSecond: r.accuracy })),
        { xLabel: "learning rate" },
      ),
    isLog: true,
  },
  timelineChart: {
    draw: (rows) =>
      timelineChart(
        rows.map((r) => ({ start: r.accuracy, end: r.lr, state: r.depth })),
      ),
  },
  confusionChart: {
    draw: (rows) =>
      confusionChart(
        rows.map((_, i) =>
          rows.map((r, j) => (i === j ? r.accuracy : r.lr) as number)
        ),
      ),
    isWhole: true,
  },
  confusionDifferenceChart: {
    draw: (rows) =>
      confusionDifferenceChart(
        rows.map(() => rows.map((r) => r.accuracy as number)),
        rows.map(() => rows.map((r) => r.lr as number)),
      ),
    isWhole: true,
  },
  heatOverlayChart: {
    draw: (rows) =>
      heatOverlayChart(
        ["map"],
        rows.map((r) => ({
          label: String(r.depth),
          face: new Uint8Array(4),
          maps: [new Float32Array([Number(r.accuracy)])],
          side: 1,
        })),
        { size: 2, channels: 1 },
      ),
    isWhole: true,
  },
  faceGridChart: {
    draw: (rows) =>
      faceGridChart(
        rows.map((r) => ({
          label: String(r.depth),
          faces: [new Uint8Array(12)],
        })),
        { size: 2, channels: 3 },
      ),
    isWhole: true,
  },
  isolationChart: {
    draw: (rows) =>
      isolationChart(rows, { x: "lr", runs: rows, published: rows, noise }),
    isLog: true,
  },
  lineChart: {
    draw: (rows) =>
      lineChart(rows, { x: "lr", series: "depth", published: rows, noise }),
    isLog: true,
  },
  "lineChart of losses": {
    draw: (rows) =>
      lineChart(rows, { x: "lr", series: "depth", yLabel: "loss" }),
    isLog: true,
  },
  lrSensitivityChart: {
    draw: (rows) => lrSensitivityChart(rows, { series: "depth", noise }),
    isLog: true,
  },
  costAccuracyChart: {
    draw: (rows) => costAccuracyChart(rows, { cost: "lr", label: "depth" }),
    isLog: true,
  },
  parallelChart: {
    draw: (rows) => parallelChart(rows, { axes: ["lr", "depth"] }),
  },
};

/** The chart's words; it is strict SVG and has no number that is none. */
async function check(chart: Chart): Promise<string> {
  await sharp(new TextEncoder().encode(chart.svg), { unlimited: true })
    .metadata();
  // deno-lint-ignore no-explicit-any
  const page: any = parseHTML(`<html><body>${chart.svg}</body></html>`);
  const { document } = page;
  assert.equal(document.querySelectorAll("svg[role=img]").length, 1);
  assert.doesNotMatch(chart.svg, /NaN|undefined|Infinity/);
  return [...document.querySelectorAll("text")]
    .map((t: { textContent: string }) => t.textContent).join(" ");
}

for (const [name, { draw, isLog, isWhole }] of Object.entries(charts)) {
  for (const [input, { rows, note }] of Object.entries(inputs)) {
    Deno.test(`${name} draws ${input}`, async () => {
      const text = await check(draw(rows));
      if (note && !isWhole) assert.match(text, note);
    });
  }
  if (isLog) {
    Deno.test(`${name} counts rates that a log axis cannot show`, async () => {
      const text = await check(draw(rates.rows));
      for (const note of rates.notes) assert.ok(text.includes(note), text);
    });
  }
}

Deno.test("what no axis can show is told with its range", async () => {
  const rows = [...good, row(5e-324, 2, 0.5), row(1e308, 2, 0.5)];
  const text = await check(lineChart(rows, { x: "lr" }));
  assert.match(text, /1 row left out: learning rate is less than 1e-300/);
  assert.match(
    text,
    /1 row left out: learning rate .* not a number below 1e300/,
  );
  const lost = rows.map((r) => ({ ...r, loss: 1e308 }));
  const none = await check(lineChart(lost, { x: "depth", y: "loss" }));
  assert.match(none, /5 rows without loss below 1e300 \(failed\)/);
});

Deno.test("a field that no row has is told with the fields there are", () => {
  assert.throws(() => heatMapChart(good, { x: "rate", y: "depth" }), {
    message: 'heatMapChart: no row has "rate" (channel x): ' +
      "there are lr, depth, accuracy",
  });
});

/** Every chart of its rows as they are given. */
// deno-lint-ignore no-explicit-any
const direct: Record<string, (rows: any) => Chart> = {
  heatMapChart: (rows) => heatMapChart(rows, { x: "lr", y: "depth" }),
  forestChart: (rows) => forestChart(rows, { value: "accuracy", label: "lr" }),
  pairedChart: (rows) =>
    pairedChart(rows, { of: "depth", values: [2, 3], sharing: [] }),
  repeatsChart: (rows) => repeatsChart(rows, { x: "lr" }),
  throughputChart,
  timelineChart,
  confusionChart,
  "confusionDifferenceChart, b": (rows) =>
    confusionDifferenceChart([[1]], rows, { bLabel: "b" }),
  heatOverlayChart: (rows) =>
    heatOverlayChart(["map"], rows, { size: 2, channels: 1 }),
  faceGridChart: (rows) => faceGridChart(rows, { size: 2, channels: 1 }),
  isolationChart: (rows) => isolationChart(rows, { x: "lr" }),
  "isolationChart, runs": (runs) => isolationChart([], { x: "lr", runs }),
  lineChart: (rows) => lineChart(rows, { x: "lr" }),
  "lineChart, published": (published) => lineChart([], { published }),
  lrSensitivityChart,
  costAccuracyChart: (rows) => costAccuracyChart(rows, { cost: "lr" }),
  parallelChart: (rows) => parallelChart(rows, { axes: ["lr", "depth"] }),
};
const notRows: [unknown, string][] = [
  [Promise.resolve([]), "a promise (await it)"],
  ["runs", 'the text "runs"'],
  [3, "3"],
];

for (const [name, draw] of Object.entries(direct)) {
  for (const [given, what] of notRows) {
    Deno.test(`${name} names ${what} given for rows`, () => {
      const message = `${name}: the rows are ${what}, not a list of rows`;
      assert.throws(() => draw(given), { name: "TypeError", message });
    });
  }
}

Deno.test("what is no row, no group of effects and no noise is named", () => {
  assert.throws(() => heatMapChart([good[0], null], { x: "lr", y: "depth" }), {
    message: "heatMapChart: row 2 is null, not an object with fields",
  });
  // deno-lint-ignore no-explicit-any
  const promise = Promise.resolve([]) as any;
  assert.throws(() => forestChart({ ours: promise }), {
    message: "forestChart, ours: the rows are a promise (await it), " +
      "not a list of rows",
  });
  assert.throws(() => lineChart(good, { noise: promise }), {
    message: "line: noise is a promise (await it); give { sd }",
  });
});

Deno.test("a chart without its options says which to give", () => {
  // deno-lint-ignore no-explicit-any
  const all = charted as any as Record<string, (...args: unknown[]) => unknown>;
  const names = Object.keys(all).filter((name) => name.endsWith("Chart"));
  const tested = Object.keys(direct).map((name) => name.split(",")[0]);
  assert.deepEqual([...new Set(tested)].sort(), names.toSorted());
  for (const name of names) {
    for (const o of [undefined, null, "depth", Promise.resolve({})]) {
      const given = name.startsWith("heatOverlay")
        ? [["a"], good, o]
        : [good, o];
      if (name === "confusionDifferenceChart") given.splice(1, 0, []);
      // Some have options that all may be left out.
      const isFree = o === undefined && all[name].length < given.length;
      if (isFree) continue;
      assert.throws(() => all[name](...given), {
        name: "TypeError",
        message: /^\w+: the options are [^\n]*; give \{ \w/,
      });
    }
  }
  const what = (message: string, draw: () => unknown) =>
    assert.throws(draw, { message });
  const no = {} as never;
  what(
    "parallelChart: the axes are undefined; give a list",
    () => parallelChart(good, no),
  );
  what(
    "pairedChart: the values are undefined; give a list of 2",
    () => pairedChart(good, no),
  );
  what(
    "costAccuracyChart: the channel cost is undefined; give a field's " +
      "name or a function of a row",
    () => costAccuracyChart(good, no),
  );
});

Deno.test("an option of another kind is one line that names it", () => {
  const said = (o: object, message: string) =>
    assert.throws(() => lineChart(good, { x: "lr", ...o }), { message });
  said({ title: 5 }, "line: title or caption is 5; give a text");
  said(
    { xScale: "logarithmic" },
    'lineChart: of lr the scale is the text "logarithmic"; give log, linear or ' +
      "category",
  );
  said(
    { yFormat: "%" },
    'lineChart: of accuracy the format is the text "%"; give a function',
  );
  said({ xLabel: 3 }, "lineChart: of lr the label is 3; give a text");
});

Deno.test("accuracies in percent are refused, not taken for shares", () => {
  const rows = good.map((r) => ({ ...r, accuracy: 62.4 }));
  const message = /is 62\.4: give shares from 0 to 1$/;
  for (const name of ["heatMapChart", "lineChart", "repeatsChart"]) {
    assert.throws(() => direct[name](rows), { message });
  }
  assert.throws(() => forestChart([{ label: "a", difference: 3.2 }]), {
    message: "forestChart: difference is 3.2: give shares from 0 to 1",
  });
  forestChart([{ label: "a", difference: 3.2 }], { unit: "images" });
});

Deno.test("a group of effects without any has no head", async () => {
  const of = { ours: [{ label: "a", difference: 0.1 }], "none yet": [] };
  assert.doesNotMatch(await check(forestChart(of)), /none yet/);
});

Deno.test("names that every object inherits are fields like others", async () => {
  const rows = good.map((r) => ({ ...r, constructor: r.lr, toString: 1 }));
  const text = await check(lineChart(rows, { x: "constructor" }));
  assert.match(text, /constructor/);
  assert.throws(() => lineChart(good, { x: "toString" }), {
    message: /no row has "toString"/,
  });
  timelineChart([{ start: 0, end: 1, state: "constructor" }]);
});

Deno.test("a polars frame is its records; dates, BigInts and lists are values", () => {
  const rows = good.map((r, i) => ({
    ...{ lr: r.lr, accuracy: r.accuracy, at: new Date(i), n: BigInt(i) },
    betas: [0.9, i],
  }));
  const frame = { toRecords: () => rows };
  for (const x of ["lr", "at", "n", "betas"]) {
    const { svg } = lineChart(rows, { x });
    // deno-lint-ignore no-explicit-any
    assert.equal(lineChart(frame as any, { x }).svg, svg);
    assert.equal(svg.match(/ 50\.0 %/g)?.length, 1);
  }
});

for (const name of ["heatMapChart", "lineChart", "repeatsChart"]) {
  Deno.test(`${name} names chart, channel and row of a function that fails`, () => {
    const x = (_: unknown, i: number) => {
      if (i === 2) throw new Error("no such field\nat x");
      return i;
    };
    const draw = { heatMapChart, lineChart, repeatsChart }[name]!;
    assert.throws(() => draw(good, { x, y: "accuracy" }), {
      message: `${name}: the function of the channel x fails at row 3: ` +
        "no such field",
    });
  });
}

Deno.test("what is no channel is named", () => {
  // deno-lint-ignore no-explicit-any
  const draw = (x: any) => () => heatMapChart(good, { x, y: "depth" });
  assert.throws(draw(3), {
    message: /^heatMapChart: the channel x is 3; give/,
  });
  assert.throws(draw(undefined), { message: /channel x is undefined; give a/ });
  assert.throws(draw(async () => await 1), {
    message: "heatMapChart: the function of the channel x is a promise; " +
      "await it before the chart",
  });
});

Deno.test("what was left out is told by the axis' label", async () => {
  const rows = [...good, row(1e-3, 2, null), row(0, 2, 0.5)];
  const o = { x: "lr", xLabel: "step size", yLabel: "recall" };
  const text = await check(lineChart(rows, o));
  assert.match(text, /1 row left out: step size is 0 or negative/);
  assert.match(text, /1 row without recall \(failed\)/);
});

/** Rows of as many values as there are rows, as every chart reads them. */
const very = Array.from({ length: 5000 }, (_, i) => ({
  ...{ lr: (i + 1) / 5e3, depth: i % 7, accuracy: (i * 7919 % 5e3) / 5e3 },
  ...{ batchSize: i + 1, imagesPerSecond: i, start: i, end: null, seed: i },
}));
const ofRows = Object.entries(direct)
  .filter(([name]) => !/^(confusion|heatO|face)|, runs/.test(name));

for (const [name, draw] of ofRows) {
  Deno.test(`${name} of 5,000 rows has room on a page`, () => {
    const { svg } = draw(very);
    assert.ok(svg.length < 4e6, `${svg.length} bytes`);
    assert.ok(Number(/height="(\d+)"/.exec(svg)![1]) < 12_000);
    const shapes = svg.match(/<(circle|rect|line|path|text) /g)!.length;
    assert.ok(shapes < 15_000, `${shapes} shapes`);
    if (/(drawn|left out|in the tooltips)/.test(svg)) return;
    assert.match(name, /paired|repeats/, "it does not say what it left out");
  });
}

Deno.test("a channel of objects is named", () => {
  assert.throws(
    () =>
      heatMapChart([{ lr: {}, depth: 1, mean: 1 }], { x: "lr", y: "depth" }),
    { message: /^heatMapChart: the channel x \(lr\) holds objects; name a / },
  );
});

Deno.test("a size that is none is named", () => {
  assert.throws(
    () => heatMapChart(good, { x: "lr", y: "depth", width: NaN }),
    { message: "heat-map: width is NaN; give pixels from 100 to 8000" },
  );
});

Deno.test("a channel is a key with dots, else a path, else a function", async () => {
  const rows = [{ "a.b": 1, recipe: { depth: 2 }, mean: 0.5 }];
  const text = await check(heatMapChart(rows, {
    x: "a.b",
    y: "recipe.depth",
    value: (r: { mean: number }) => r.mean / 2,
    valueLabel: "accuracy",
  }));
  assert.match(text, /best accuracy: 25\.0 % at b 1, depth 2/);
});

Deno.test("noise alone looks even: the colours span four noise floors", async () => {
  const text = await check(heatMapChart([row(1, 1, 0.5), row(2, 1, 0.51)], {
    x: "lr",
    y: "depth",
    noise: { sd: 0.02 },
  }));
  assert.match(text, /46\.5 % to 54\.5 %/);
  assert.match(text, /1 tie with the best/);
});

Deno.test("a noise in points is refused where values are shares", () => {
  const noise = { sd: 1.5 };
  const said = "noise is 1.5: give its sd as a share, 0.015 for 1.5 points";
  const message = (kind: string) => ({ message: `${kind}: ${said}` });
  assert.throws(() => lineChart(good, { x: "lr", noise }), message("line"));
  assert.throws(
    () => heatMapChart(good, { x: "lr", y: "depth", noise }),
    message("heat-map"),
  );
  assert.throws(
    () => forestChart([{ label: "a", difference: 0.1 }], { noise }),
    message("forest"),
  );
  lineChart(good, { x: "lr", yLabel: "loss", noise });
});

Deno.test("rates inside one decade have several ticks on a phone", () => {
  const rows = Array.from(
    { length: 14 },
    (_, i) => row(1.2e-3 * 1.15 ** i, 2, 0.5),
  );
  const { svg } = lineChart(rows, { x: "lr", width: 400 });
  const [, ticks] = /x-axis tick label">(.*?)<\/g>/s.exec(svg)!;
  assert.ok(ticks.match(/<text/g)!.length >= 4, ticks);
});

Deno.test("a group's name goes on in a second line where a forest is narrow", () => {
  const effect = { label: "a", difference: 0.1, low: 0.05, high: 0.2 };
  const groups = {
    "published, stage-3 models, concatenation variants": [effect],
  };
  const { svg } = forestChart(groups, { width: 320 });
  assert.match(svg, /concatenation<\/tspan><tspan[^>]*>variants</);
});

Deno.test("for narrow windows a chart is drawn again, unless its width is said", () => {
  const rows = [1, 2].map((epoch) => ({ epoch, accuracy: epoch / 4 }));
  const second = (html: string) =>
    /<div class="narrow" style="display: none"><svg[^>]* width="(\d+)"/.exec(
      html,
    )
      ?.[1];
  const { html, svg } = lineChart(rows.values(), { x: "epoch" });
  assert.equal(second(html), "320");
  assert.equal(html.match(/epoch 2: 50\.0 %/g)?.length, 2);
  assert.match(svg, /^<svg[^>]* width="720"/);
  const told = lineChart(rows, { x: "epoch", width: 500 });
  assert.equal(second(told.html), undefined);
});

Deno.test("on a phone no words are smaller than 11 pixels", () => {
  const cells = Array.from(
    { length: 60 },
    (_, i) => row(i % 12, `d ${i % 5}`, i / 99),
  );
  const counts = Array.from({ length: 12 }, () => Array(12).fill(100));
  const width = 360;
  const effect = { label: "a", difference: 0.1, low: 0.05, high: 0.2 };
  for (
    const { svg } of [
      heatMapChart(cells, { x: "lr", y: "depth", width }),
      confusionChart(counts, { width }),
      forestChart([effect], { width }),
      isolationChart([{ value: 1, mean: 0.5, nuisance: "lr 1" }], {
        x: "n",
        width,
      }),
      timelineChart([{ start: 0, end: 9, number: 1 }], { width }),
    ]
  ) {
    const sizes = [...svg.matchAll(/font-size="([\d.]+)/g)].map(([, s]) => +s);
    assert.ok(Math.min(...sizes) >= 11, sizes.join());
  }
});

Deno.test("a loss from 1e-8 to 1e-1 has a log axis, an accuracy none", () => {
  const losses = [1e-8, 1e-4, 1e-1].map((loss, i) => ({ epoch: i + 1, loss }));
  const { svg } = lineChart(losses, { x: "epoch", y: "loss" });
  const ys = [...svg.matchAll(/<circle[^>]*r="1\.5"[^>]*cy="([\d.]+)"/g)]
    .map((m) => Number(m[1]));
  // From 1e-8 to 1e-4 it is as far as four decades, and on to 1e-1 three.
  assert.ok(Math.abs((ys[0] - ys[1]) / (ys[1] - ys[2]) - 4 / 3) < 1e-6);
  const shares = losses.map((r) => ({ epoch: r.epoch, accuracy: r.loss }));
  assert.doesNotMatch(lineChart(shares, { x: "epoch" }).svg, /10⁻⁴/);
});

Deno.test("the sensitivity is the loss by the trapezium rule over log rates", () => {
  // Wortsman et al. 2023, log-uniform: (0.1 + 0) / 2 and (0 + 0.2) / 2 points.
  const rows = [[1e-4, 0.5], [1e-3, 0.6], [1e-2, 0.4], [1e-1, null]]
    .map(([lr, accuracy]) => ({ lr, accuracy }));
  const { svg } = lrSensitivityChart(rows);
  assert.match(svg, /best rate 10⁻³, sensitivity 7\.5 points/);
});

Deno.test("published rows that are no bests are drawn at their highest", () => {
  const published = [0.4, 0.7, 0.5].map((accuracy) => ({ depth: 2, accuracy }));
  const bests = [{ value: 2, mean: 0.5, n: 3 }];
  const { svg } = isolationChart(bests, { x: "depth", published });
  assert.match(svg, /published: [^<]*depth 2: 70\.0 %/);
  assert.doesNotMatch(svg, /depth 2: 40\.0 %/);
});

Deno.test("of very many runs the range is drawn, not a dot each", () => {
  const runs = Array.from(
    { length: 3000 },
    (_, i) => row(i % 2 ? 1e-4 : 1e-2, 2, i / 3000),
  );
  const dots = (chart: Chart) => chart.svg.match(/<circle/g)!.length;
  const lines = lineChart(runs, { x: "lr" });
  assert.ok(dots(lines) < 10);
  assert.match(lines.svg, /lowest to highest of 1500 repeats/);
});

Deno.test("a noise that is no number is unknown", () => {
  for (const sd of [NaN, Infinity, -1]) {
    const { svg } = lineChart(good, { x: "lr", noise: { sd } });
    assert.match(svg, /noise unknown/);
    assert.doesNotMatch(svg, /NaN|Infinity/);
  }
});

Deno.test("ticks of values that lie close have words that differ", () => {
  for (const [low, yLabel] of [[0.53121, "accuracy"], [100.001, "loss"]]) {
    const rows = [0, 1, 2].map((i) => row(10 ** -i, 2, Number(low) + i * 1e-5));
    const { svg } = lineChart(rows, { x: "lr", yLabel: String(yLabel) });
    const [, ticks] = /y-axis tick label">(.*?)<\/g>/s.exec(svg)!;
    const words = [...ticks.matchAll(/>([^<>]+)<\/text>/g)].map((m) => m[1]);
    assert.ok(words.length > 2, ticks);
    assert.equal(new Set(words).size, words.length, words.join());
  }
});

Deno.test("a forest writes all its numbers with as many decimals", () => {
  const said = (differences: number[]) => {
    const rows = differences.map((d) => ({ label: "x", difference: d }));
    const { svg } = forestChart(rows);
    return [...svg.matchAll(/>([+−]?[\d.]+)<\/text>/g)].map((m) => m[1])
      .filter((text) => /^[+−]/.test(text) || text === "0").slice(-rows.length);
  };
  assert.deepEqual(said([0.00001, 0.0123]), ["0", "+1.23"]);
  assert.deepEqual(said([0.00001, -0.00002]), ["+0.0010", "−0.0020"]);
});

Deno.test("the ids of a chart come from its content, so that equal ones are equal", () => {
  const draw = (title: string) =>
    parallelChart(good, { axes: ["lr", "depth"], title }).svg;
  const idsOf = (svg: string) =>
    [...svg.matchAll(/ id="([^"]+)"/g)].map((m) => m[1]);
  assert.equal(draw("one"), draw("one"));
  assert.ok(idsOf(draw("one")).length > 0);
  assert.notDeepEqual(idsOf(draw("one")), idsOf(draw("two")));
});
