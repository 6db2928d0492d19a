/** The charts of insight: their numbers, their marks and their safety. */
import assert from "node:assert/strict";
import { parseHTML } from "linkedom";
import sharp from "sharp";
import { confusionDifferenceChart } from "../../lib/charts/confusion_difference.ts";
import { curveBandsChart } from "../../lib/charts/curve_bands.ts";
import { repeatsChart } from "../../lib/charts/repeats.ts";
import type { Chart } from "../../lib/charts/theme.ts";
import {
  kneeOf,
  throughputKneeChart,
} from "../../lib/charts/throughput_knee.ts";
import { timelineChart } from "../../lib/charts/timeline.ts";

const SAVAGE = `<b> & "x"`;

const rates = [10, 20, 38, 39, 40, null];
const throughput = (series: string, times = 1) =>
  rates.map((rate, i) => ({
    series,
    batchSize: 2 ** i,
    imagesPerSecond: rate === null ? null : rate * times,
    ...(rate === null ? {} : { low: rate * times - 1, high: rate * times + 1 }),
    error: rate === null ? "CUDA out of memory" : null,
  }));

const curves = ["ours", SAVAGE].flatMap((series, s) =>
  [0, 1].flatMap((repeat) =>
    [0.2, NaN, 0.4, 0.6].map((value, i) => ({
      series,
      repeat,
      epoch: i + 1,
      value: value + 0.1 * repeat + 0.01 * s,
    }))
  )
);

const hour = 3.6e6;
const trials = [
  { number: 0, start: 0, end: hour, state: "complete" },
  { number: 1, start: 0, end: hour / 2, state: "pruned" },
  { number: 2, start: hour / 2, end: 2 * hour, state: "failed" },
  { number: 3, start: hour, end: null, state: "running", label: SAVAGE },
];

const repeats = [
  ...[0.8, 0.82, 0.84, null].map((value, repeat) => ({
    label: SAVAGE,
    value,
    repeat,
  })),
  { label: SAVAGE, value: 0.83, repeat: 0, whose: "published" as const },
];

const charts: Record<string, () => Chart> = {
  throughput: () => throughputKneeChart(throughput(SAVAGE)),
  "throughput in panels": () =>
    throughputKneeChart([...throughput("CPU"), ...throughput(SAVAGE, 50)]),
  "curve bands": () => curveBandsChart(curves, { noise: { sd: 0.01, df: 3 } }),
  "confusion difference": () =>
    confusionDifferenceChart([[3, 1], [0, 4]], [[4, 0], [1, 1]], [
      "a",
      SAVAGE,
    ], { aLabel: SAVAGE, bLabel: "after" }),
  timeline: () => timelineChart(trials),
  repeats: () => repeatsChart(repeats, { noise: null }),
};

const empty: Record<string, () => Chart> = {
  throughput: () => throughputKneeChart([]),
  "curve bands": () => curveBandsChart([]),
  "confusion difference": () =>
    confusionDifferenceChart([], [], [], { aLabel: "a", bLabel: "b" }),
  timeline: () => timelineChart([]),
  repeats: () => repeatsChart([]),
};

/** The chart's SVG element. */
// deno-lint-ignore no-explicit-any
function parse(chart: Chart): any {
  // deno-lint-ignore no-explicit-any
  const page = parseHTML(`<body>${chart.html}</body>`) as any;
  return page.document.querySelector("svg");
}

/** How many shapes the groups of this name hold. */
function countMarks(chart: Chart, name: string): number {
  return parse(chart)
    .querySelectorAll(
      ["circle", "path", "rect", "line"]
        .map((shape) => `.ferlab-${name} ${shape}`).join(", "),
    ).length;
}

for (const [name, draw] of Object.entries(charts)) {
  Deno.test(`the chart of ${name} is strict XML, safe and always the same`, async () => {
    const { svg } = draw();
    assert.equal(draw().svg, svg);
    assert.ok(!svg.includes("<b>"));
    assert.ok(!/NaN|undefined|Infinity/.test(svg));
    assert.deepEqual(
      svg.match(/https?:\/\/[^"]+/g)?.filter((url) =>
        !url.startsWith("http://www.w3.org/")
      ),
      [],
    );
    const label = parse(draw()).getAttribute("aria-label");
    assert.ok(label.length > 30, label);
    await sharp(new TextEncoder().encode(svg)).metadata();
  });
}

for (const [name, draw] of Object.entries(empty)) {
  Deno.test(`the chart of ${name} says that it has nothing to draw`, () => {
    assert.match(draw().svg, /nothing to show yet/);
  });
}

Deno.test("the knee is the smallest batch with the share of the best", () => {
  const rows = throughput("GPU");
  assert.equal(kneeOf(rows, 0.95), 4); // 38 of 40
  assert.equal(kneeOf(rows, 0.96), 8);
  assert.equal(kneeOf(rows, 1), 16);
  assert.equal(kneeOf(rows.slice(5), 0.95), null);
});

Deno.test("throughput has a ring at the knee and a cross where memory ran out", () => {
  const chart = throughputKneeChart(throughput("GPU"));
  assert.equal(countMarks(chart, "measured"), 5);
  assert.equal(countMarks(chart, "spread"), 5);
  assert.equal(countMarks(chart, "knee"), 1);
  assert.equal(countMarks(chart, "failed"), 1);
  assert.match(chart.svg, />out of memory<\/text>/);
  assert.match(chart.svg, /knee at 4</);
});

Deno.test("series that differ by more than 20 times get a panel each", () => {
  const draw = (times: number) =>
    throughputKneeChart([...throughput("CPU"), ...throughput("GPU", times)])
      .svg;
  assert.match(draw(21), /GPU: knee at 4, 798 images a second/);
  assert.ok(!draw(20).includes("GPU: knee"));
});

Deno.test("a band spans the repeats, and breaks where none is finite", () => {
  const chart = curveBandsChart(curves);
  assert.match(chart.svg, /mean 25\.0 % of 2 repeats, 20\.0 % to 30\.0 %/);
  const [line] = parse(chart).querySelectorAll(".ferlab-means path");
  // Two pieces: epoch 1, and epochs 3 and 4.
  assert.equal(line.getAttribute("d").match(/M/g).length, 2);
});

Deno.test("a cell is the difference of recall shares in points", () => {
  const a = [[3, 1], [0, 4]], b = [[4, 0], [1, 1]];
  const labels = { aLabel: "before", bLabel: "after" };
  const texts = (chart: Chart) =>
    // deno-lint-ignore no-explicit-any
    [...parse(chart).querySelectorAll("text")].map((t: any) => t.textContent);
  const shown = texts(confusionDifferenceChart(a, b, ["x", "y"], labels));
  for (const text of ["+25.0", "−25.0", "+50.0", "−50.0"]) {
    assert.ok(shown.includes(text), text);
  }
  assert.match(shown.join("\n"), /mean recall −12\.5/);
  const none = confusionDifferenceChart(
    a,
    [[1, 1], [0, 0]],
    ["x", "y"],
    labels,
  );
  assert.equal(texts(none).filter((t) => t === "n/a").length, 2);
  assert.throws(
    () => confusionDifferenceChart(a, [[1]], ["x", "y"], labels),
    /of after has 1 rows for 2 classes/,
  );
});

Deno.test("trials are packed into as few lanes as they need", () => {
  const chart = timelineChart(trials);
  assert.equal(countMarks(chart, "trials"), 4);
  // Two lanes for two hours, full but for none: 1 + 0.5 + 1.5 + 1 of 4 h.
  assert.match(
    chart.svg,
    /busy 4 hours \(100 % of 2 lanes\), 1\.5 trials an h/,
  );
  const named = trials.map((t) => ({ ...t, lane: `GPU ${t.number}` }));
  assert.match(timelineChart(named).svg, /\(50 % of 4 lanes\)/);
});

Deno.test("repeats are dots with their mean and sd, published ones hollow", () => {
  const chart = repeatsChart(repeats);
  assert.equal(countMarks(chart, "ours"), 3);
  assert.equal(countMarks(chart, "published"), 1);
  assert.equal(countMarks(chart, "means"), 2);
  assert.equal(countMarks(chart, "sd"), 1);
  assert.match(chart.svg, /82\.0 % ± 2\.0, n 3 of 4/);
  assert.match(chart.svg, /83\.0 %, n 1</);
});
