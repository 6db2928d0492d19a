/** Charts that compare settings: what they say, and what they do with gaps. */
import assert from "node:assert/strict";
import { parseHTML } from "linkedom";
import { costAccuracyChart } from "../../lib/charts/cost_accuracy.ts";
import { forestChart } from "../../lib/charts/forest.ts";
import { heatMapChart } from "../../lib/charts/heat_map.ts";
import { isolationChart } from "../../lib/charts/isolation.ts";
import { pairedChart } from "../../lib/charts/paired.ts";
import { parallelCoordinatesChart } from "../../lib/charts/parallel_coordinates.ts";
import { lrSensitivityChart } from "../../lib/charts/sensitivity.ts";
import { textOn } from "../../lib/charts/scales.ts";
import type { Chart } from "../../lib/charts/theme.ts";

const noise = { sd: 0.012, df: 8 };

/** Best in the middle rate and the highest of three decays. */
const cells = [1e-5, 1e-4, 1e-3].flatMap((x, i) =>
  [0, 0.01, 0.1].map((y, j) => ({
    x,
    y,
    value: x === 1e-3 && y === 0.1 ? null : 0.5 + (i === 1 ? 0.1 : 0) + j / 50,
    n: 3,
  }))
);
const heat = (rows: Parameters<typeof heatMapChart>[0] = cells) =>
  heatMapChart(rows, { xLabel: "LR", yLabel: "weight <decay>", noise });

const isolation = (points: Parameters<typeof isolationChart>[0]) =>
  isolationChart(points, {
    xLabel: "head <kind>",
    yLabel: "accuracy",
    all: points.length === 0 ? [] : [
      { value: "cls", accuracy: 0.78 },
      { value: "mean", accuracy: 0.74 },
      { value: "mean", accuracy: NaN },
    ],
    published: points.length === 0 ? [] : [{ value: "cls", accuracy: 0.8 }],
  });
const heads = [
  { value: "cls", mean: 0.79, low: 0.77, high: 0.81, n: 3, nuisance: "lr <1" },
  { value: "mean", mean: 0.76, low: null, high: null, n: 3, infeasible: 2 },
  { value: "none", mean: null, n: 0 },
];

const axes = [
  { name: "lr", label: "LR <log>", scale: "log" as const },
  { name: "head", label: "head", scale: "category" as const },
  { name: "acc", label: "accuracy, %", scale: "linear" as const },
];
const trials = [
  { lr: 1e-5, head: "cls", acc: 70 },
  { lr: 1e-4, head: "mean", acc: 85.25 },
  { lr: 1e-3, head: "cls", acc: 80 },
  { lr: 1e-2, head: null, acc: null },
];
const parallel = (rows: Parameters<typeof parallelCoordinatesChart>[0]) =>
  parallelCoordinatesChart(rows, axes, { value: "acc" });

/** The notes' five differences have the mean 0.763 points. */
const mean = { published: { estimate: 0.00763, low: 0.00013, high: 0.01513 } };
const pairs = [
  { block: "seed <1>", a: 0.86, b: 0.87, whose: "published" as const },
  { block: "seed 2", a: 0.855, b: 0.86, whose: "published" as const },
  { block: "seed 3", a: 0.85, b: NaN },
];
const paired = (rows: Parameters<typeof pairedChart>[0]) =>
  pairedChart(rows, { aLabel: "Baseline", bLabel: "CLS", mean, noise });

const effects = [
  {
    label: "CLS <first>",
    estimate: 0.76,
    low: 0.01,
    high: 1.51,
    group: "Head",
  },
  {
    label: "CLS",
    estimate: 0.3,
    low: null,
    high: null,
    group: "Head",
    whose: "published" as const,
    note: "one run",
  },
  { label: "scale", estimate: NaN, low: null, high: null },
];
const forest = (rows: Parameters<typeof forestChart>[0]) =>
  forestChart(rows, { xLabel: "difference", unit: "points" });

const curves = ["depth <4>", "depth 8"].map((series, k) => ({
  series,
  points: [1e-5, 1e-4, 1e-3].map((lr, i) => ({
    lr,
    value: k === 1 && i === 2 ? null : [0.5, 0.6, 0.55][i],
  })),
  bestLr: 1e-4,
  width: { low: 1e-4, high: 1e-3 },
  sensitivity: 0.05,
}));
const sensitivity = (rows: Parameters<typeof lrSensitivityChart>[0]) =>
  lrSensitivityChart(rows, { yLabel: "accuracy", tolerance: "0.5 point" });

const models = [
  { label: "small <s>", cost: 10, accuracy: 0.8 },
  { label: "middle", cost: 20, accuracy: 0.85, low: 0.84, high: 0.86 },
  { label: "wasteful", cost: 30, accuracy: 0.82 },
  { label: "large", cost: 40, accuracy: 0.86 },
];
const cost = (rows: Parameters<typeof costAccuracyChart>[0]) =>
  costAccuracyChart(rows, { costLabel: "time, minutes", yLabel: "accuracy" });

const charts: Record<string, { full: () => Chart; empty: () => Chart }> = {
  "heat map": { full: () => heat(), empty: () => heat([]) },
  isolation: { full: () => isolation(heads), empty: () => isolation([]) },
  parallel: { full: () => parallel(trials), empty: () => parallel([]) },
  paired: { full: () => paired(pairs), empty: () => paired([]) },
  forest: { full: () => forest(effects), empty: () => forest([]) },
  sensitivity: {
    full: () => sensitivity(curves),
    empty: () => sensitivity([]),
  },
  cost: { full: () => cost(models), empty: () => cost([]) },
};

/** The chart's SVG element. */
// deno-lint-ignore no-explicit-any
function parse(chart: Chart): any {
  // deno-lint-ignore no-explicit-any
  return (parseHTML(`<body>${chart.svg}</body>`) as any).document
    .querySelector("svg");
}

/** How many marks of class `ferlab-name` there are. */
function count(chart: Chart, name: string, tag: string): number {
  return parse(chart).querySelectorAll(`.ferlab-${name} ${tag}`).length +
    parse(chart).querySelectorAll(`${tag}.ferlab-${name}`).length;
}

function words(chart: Chart): string[] {
  // deno-lint-ignore no-explicit-any
  return [...parse(chart).querySelectorAll("text")].map((t: any) =>
    t.textContent
  );
}

const labelOf = (chart: Chart): string =>
  parse(chart).getAttribute("aria-label");

for (const [name, { full, empty }] of Object.entries(charts)) {
  Deno.test(`${name} chart is standalone, escaped and the same in every run`, () => {
    const { svg } = full();
    assert.equal(svg, full().svg);
    assert.doesNotMatch(svg, /<img|<image|NaN|undefined/);
    const links = svg.match(/https?:[^"]*/g) ?? [];
    assert.deepEqual(
      links.filter((l) => !l.startsWith("http://www.w3.org/")),
      [],
    );
    assert.doesNotMatch(svg, /<(decay|kind|log|1|first|4|s)>/);
    assert.ok(labelOf(full()).length > 20);
  });

  Deno.test(`${name} chart of nothing says that there is nothing yet`, () => {
    assert.match(empty().svg, /nothing to show yet/);
  });
}

Deno.test("heat map names its best cell and the boundary that it lies on", () => {
  const chart = heat();
  assert.equal(count(chart, "cells", "rect"), 8);
  assert.equal(count(chart, "failed", "path"), 1);
  assert.equal(count(chart, "best", "rect"), 1);
  assert.match(labelOf(chart), /64\.0 % at LR 10⁻⁴/);
  const boundary = "best on the boundary of weight <decay>";
  assert.ok(words(chart).includes(boundary));
});

Deno.test("heat map knows no boundary of words or of two values", () => {
  const two = cells.filter((c) => c.y !== 0)
    .map((c) => ({ ...c, x: `rate ${c.x}` }));
  assert.doesNotMatch(labelOf(heat(two)), /boundary/);
});

Deno.test("text on a cell has a contrast of 4.5 on every grey", () => {
  for (let v = 0; v < 256; v += 5) {
    const c = v / 255;
    const l = c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    const grey = "#" + v.toString(16).padStart(2, "0").repeat(3);
    const contrast = textOn(grey) === "white"
      ? 1.05 / (l + 0.05)
      : (l + 0.05) / 0.05;
    assert.ok(contrast >= 4.5, `${grey}: ${contrast}`);
  }
});

Deno.test("isolation plot shows best, runs, published and failures", () => {
  const chart = isolation(heads);
  assert.equal(count(chart, "best", "circle"), 2);
  assert.equal(count(chart, "runs", "circle"), 2);
  assert.equal(count(chart, "published", "path"), 1);
  assert.equal(count(chart, "failed", "path"), 2);
  assert.match(labelOf(chart), /best 79\.0 % at cls/);
});

Deno.test("parallel coordinates draw a line a row and name the best", () => {
  const chart = parallel(trials);
  assert.equal(count(chart, "trial", "path"), 2);
  assert.equal(count(chart, "best", "path"), 1);
  assert.ok(words(chart).includes("1 failed"));
  assert.match(labelOf(chart), /best 85\.3 at LR <log> 10⁻⁴, head mean/);
  assert.throws(
    () => parallelCoordinatesChart(trials, axes, { value: "loss" }),
    /no axis loss/,
  );
});

Deno.test("paired chart writes the differences and the mean in points", () => {
  const text = words(paired(pairs));
  assert.ok(text.includes("+1.00"));
  assert.ok(text.includes("+0.50"));
  assert.ok(text.includes("+0.76 [+0.01, +1.51]"));
  assert.ok(text.includes("failed"));
  assert.equal(count(paired(pairs), "slopes", "path"), 2);
});

Deno.test("forest plot writes each estimate with its interval", () => {
  const chart = forest(effects);
  assert.ok(words(chart).includes("+0.76 [+0.01, +1.51]"));
  assert.ok(words(chart).includes("+0.30"));
  assert.ok(words(chart).includes("Head"));
  assert.equal(count(chart, "ours", "circle"), 1);
  assert.equal(count(chart, "published", "path"), 1);
});

Deno.test("sensitivity chart rings the best rates and bars their widths", () => {
  const chart = sensitivity(curves);
  assert.equal(count(chart, "best", "circle"), 2);
  assert.equal(count(chart, "width", "line"), 2);
  assert.equal(count(chart, "failed", "path"), 1);
  assert.ok(words(chart).includes("sensitivity 5.0 points"));
});

Deno.test("what costs more and is worse is not on the Pareto front", () => {
  const chart = cost(models);
  assert.equal(count(chart, "points", "path"), 4);
  assert.match(
    labelOf(chart),
    /front: small <s> 80\.0 %, middle 85\.0 %, large 86\.0 %$/,
  );
});

Deno.test("a weight decay of 0 has its place beside a log scale", () => {
  const chart = isolationChart(
    [0, 1e-3, 1e-2].map((value) => ({ value, mean: 0.5, n: 1 })),
    { xLabel: "weight decay", yLabel: "accuracy", scale: "log" },
  );
  assert.equal(count(chart, "best", "circle"), 3);
  const drawn = parallel([{ lr: 0, head: "cls", acc: 1 }, ...trials]);
  assert.doesNotMatch(chart.svg + drawn.svg, /NaN|Infinity/);
});

Deno.test("charts of failures only are drawn", () => {
  assert.equal(
    count(heat(cells.map((c) => ({ ...c, value: null }))), "failed", "path"),
    9,
  );
  const drawn = [
    isolation([{ value: "cls", mean: NaN, n: 0 }]),
    parallel([{ lr: 1e-4, head: "cls", acc: null }]),
    paired([{ block: "seed 1", a: NaN, b: NaN }]),
    forest([effects[2]]),
    sensitivity([{
      series: "depth 4",
      points: [{ lr: 1e-4, value: null }],
      bestLr: null,
    }]),
  ];
  for (const { svg } of drawn) assert.doesNotMatch(svg, /NaN|Infinity/);
});

Deno.test("of values that only rounding keeps apart the first is called best", () => {
  const [first, second] = [0.3, 0.1 + 0.2];
  assert.ok(second > first);
  const map = heat([
    { x: 1, y: 1, value: first },
    { x: 2, y: 1, value: second },
  ]);
  assert.match(map.html, /best accuracy: 30\.0 % at LR 1\b/);
  const one = isolation([
    { value: "cls", mean: first, n: 1 },
    { value: "mean", mean: second, n: 1 },
  ]);
  assert.match(one.html, /best 30\.0 % at cls\b/);
});
