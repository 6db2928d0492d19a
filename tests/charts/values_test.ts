/** What charts of rows say of their rows: numbers, words, marks. */
import { alsoNarrow } from "../../lib/charts/narrow.ts";
import { textOn, wrap } from "../../lib/charts/theme.ts";
import assert from "node:assert/strict";
import { parseHTML } from "linkedom";
import {
  type Chart,
  confusionChart,
  confusionDifferenceChart,
  heatMapChart,
  kneeOf,
  lineChart,
  pairedChart,
  repeatsChart,
  throughputChart,
  timelineChart,
} from "../../lib/charts/mod.ts";

// deno-lint-ignore no-explicit-any
const select = (chart: Chart, selector: string): any[] => {
  // deno-lint-ignore no-explicit-any
  const page = parseHTML(`<body>${chart.svg}</body>`) as any;
  return [...page.document.querySelectorAll(selector)];
};
const texts = (chart: Chart): string[] =>
  select(chart, "text").map((t) => t.textContent.replaceAll("\u00a0", " "));

/** How many shapes the groups of this name hold. */
const countMarks = (chart: Chart, name: string) =>
  select(
    chart,
    ["circle", "path", "rect", "line"]
      .map((shape) => `.ferlab-${name} ${shape}`).join(", "),
  ).length;

const throughput = (series: string, times = 1) =>
  [10, 20, 38, 39, 40, null].map((rate, i) => ({
    series,
    batchSize: 2 ** i,
    imagesPerSecond: rate === null ? null : rate * times,
    ...(rate === null ? {} : { low: rate * times - 1, high: rate * times + 1 }),
    error: rate === null ? "CUDA out of memory" : null,
  }));

Deno.test("the knee is the smallest batch with the share of the best", () => {
  const rows = throughput("GPU");
  assert.equal(kneeOf(rows), 4); // 38 of 40
  assert.equal(kneeOf(rows, { share: 0.96 }), 8);
});

Deno.test("where throughput still rises at the largest batch there is no knee", () => {
  const rows = throughput("GPU");
  assert.equal(kneeOf(rows, { share: 1 }), null);
  assert.equal(kneeOf(rows.slice(0, 1)), null);
  assert.equal(kneeOf(rows.slice(5)), null);
  assert.match(
    texts(throughputChart(rows.slice(0, 3))).join("\n"),
    /GPU: no knee in this range/,
  );
});

Deno.test("throughput has a ring at the knee and a cross where memory ran out", () => {
  const chart = throughputChart(throughput("GPU"));
  assert.equal(countMarks(chart, "values"), 5);
  assert.equal(countMarks(chart, "intervals"), 5);
  assert.equal(countMarks(chart, "knee"), 1);
  assert.equal(countMarks(chart, "failed"), 1);
  const said = texts(chart);
  assert.ok(said.includes("GPU: knee at 4, 38 per second"), said.join("\n"));
  assert.ok(said.includes("1 row without images per second (failed)"));
  assert.ok(said.includes("1 of them out of memory"));
});

Deno.test("series that differ by more than 20 times have a log axis", () => {
  const ticks = (times: number) =>
    texts(throughputChart([...throughput("CPU"), ...throughput("GPU", times)]));
  assert.ok(ticks(20).includes("0"));
  assert.ok(!ticks(21).includes("0"));
});

Deno.test("published measurements are a series of their own", () => {
  const said = texts(throughputChart(throughput("GPU"), {
    published: throughput("GPU", 2),
  }));
  assert.ok(said.includes("GPU, published: knee at 4, 76 per second"));
});

Deno.test("a class without images is n/a, and the caption names it", () => {
  const said = texts(confusionChart([[3, 1], [0, 0]], { labels: ["x", "y"] }));
  assert.ok(said.some((t) => /^3\s*75 %$/.test(t)), said.join("\n"));
  assert.equal(said.filter((t) => t === "n/a").length, 2);
  assert.ok(said.includes("no image of y"));
});

Deno.test("the confusion of several trials is their sum", () => {
  const trial = { confusion: [[1, 1], [0, 2]] };
  assert.equal(
    confusionChart([trial, trial, { confusion: undefined }]).svg,
    confusionChart([[2, 2], [0, 4]], {
      caption: "1 trial without a confusion matrix",
    }).svg,
  );
});

Deno.test("what is no count is counted, and wrong sizes are named", () => {
  const said = texts(confusionChart([[3, NaN], [-1, 4]]));
  assert.ok(said.includes("2 cells without a count, as 0"), said.join("\n"));
  assert.throws(() => confusionChart([[1]], { labels: ["x", "y"] }), {
    name: "RangeError",
    message: "confusionChart: a matrix has 1 rows for 2 classes; " +
      "give 2 rows of 2 counts",
  });
});

Deno.test("a cell is the difference of recall shares in points", () => {
  const a = [[3, 1], [0, 4]], b = [[4, 0], [1, 1]];
  const o = { labels: ["x", "y"], aLabel: "before", bLabel: "after" };
  const said = texts(confusionDifferenceChart(a, b, o));
  for (const text of ["+25.0", "−25.0", "+50.0", "−50.0"]) {
    assert.ok(said.includes(text), text);
  }
  assert.match(said.join("\n"), /mean recall −12\.5/);
  const none = confusionDifferenceChart(a, [[1, 1], [0, 0]], o);
  assert.equal(texts(none).filter((t) => t === "n/a").length, 2);
  assert.throws(() => confusionDifferenceChart(a, [[1]], o), /, after: .* 1 r/);
});

const hour = 3.6e6;
const trials = [
  { number: 0, start: 0, end: hour, state: "COMPLETE" },
  { number: 1, start: 0, end: hour / 2, state: "PRUNED" },
  { number: 2, start: hour / 2, end: 2 * hour, state: "FAIL" },
  { number: 3, start: hour, end: null, state: "RUNNING" },
];

Deno.test("trials are packed into as few lanes as they need, states in plain words", () => {
  const chart = timelineChart([...trials, { number: 4, start: undefined }]);
  assert.equal(countMarks(chart, "trials"), 4);
  const said = texts(chart).join("\n");
  // Two lanes for two hours, full but for none: 1 + 0.5 + 1.5 + 1 of 4 h.
  assert.match(said, /busy 4 hours \(100 % of 2 lanes\), 1\.5 trials per h/);
  assert.match(
    said,
    /complete \(1\)\nfailed \(1\)\npruned \(1\)\nrunning \(1\)/,
  );
  assert.match(said, /1 row left out: no start/);
});

const runs = [0.8, 0.82, 0.84, null].map((accuracy, repeat) => ({
  lr: 1e-3,
  accuracy,
  repeat,
}));

Deno.test("repeats are dots with their mean, its interval and their sd", () => {
  const chart = repeatsChart(runs, { x: "lr" });
  assert.equal(countMarks(chart, "runs"), 3);
  const said = texts(chart).join("\n");
  assert.match(said, /82\.0 % ± 2\.0, n 3 of 4/);
  assert.match(said, /1 row without test accuracy \(failed\)/);
  // t(0.975, 2) = 4.3027 (a table's value): 0.82 ± 4.3027 · 0.02 / √3.
  const [title] = select(chart, ".ferlab-intervals title");
  assert.match(title.textContent, /95 % interval 77\.0 % to 87\.0 %/);
});

Deno.test("two runs have no interval", () => {
  const chart = repeatsChart(runs.slice(0, 2), { x: "lr" });
  assert.equal(countMarks(chart, "intervals"), 0);
  assert.match(texts(chart).join("\n"), /81\.0 % ± 1\.4, n 2/);
});

const PARAMETERS = Symbol.for("ferlab.parameters");
const pairs = [1e-3, 1e-2].flatMap((lr) =>
  [0, 1].flatMap((repeat) =>
    ["baseline", "cls"].map((model, i) => ({
      ...{ lr, repeat, seed: 70 + repeat, model },
      accuracy: 0.5 + lr + 0.02 * i * (repeat + 1),
      [PARAMETERS]: ["model", "lr"],
    }))
  )
);

Deno.test("runs that differ in one parameter alone are pairs", () => {
  const o = { of: "model", values: ["baseline", "cls"] } as const;
  // Any order, and one run without its partner.
  const chart = pairedChart(pairs.slice(0, -1).reverse(), o);
  const said = texts(chart).join("\n");
  assert.equal(countMarks(chart, "ours"), 3);
  assert.match(said, /lr 10⁻³, repeat 1: 50\.1 % → 52\.1 %/);
  assert.match(said, /\+2\.00\n/);
  assert.match(said, /\+4\.00\n/);
  assert.match(said, /1 run without a partner/);
  const plain = pairs.map((r) => ({ ...r, [PARAMETERS]: undefined }));
  assert.throws(() => pairedChart(plain, o), /name those that a pair has in c/);
  assert.equal(
    pairedChart(plain, { ...o, sharing: ["lr"] }).svg,
    pairedChart(pairs, o).svg,
  );
});

Deno.test("what the compared parameter decides does not keep runs from being pairs", () => {
  // Each model at its best rate: rates differ between the models alone.
  const rows = pairs.filter((r) => (r.model === "cls") === (r.lr === 1e-2));
  const o = { of: "model", values: ["baseline", "cls"] } as const;
  assert.equal(countMarks(pairedChart(rows, o), "ours"), 2);
  const strict = pairedChart(rows, { ...o, sharing: ["lr"] });
  assert.equal(countMarks(strict, "ours"), 0);
  assert.match(strict.svg, /4 runs without a partner/);
});

Deno.test("pairs have both values, and the noise is that of a difference", () => {
  const runs = [["a", 7, 0.5], ["b", 7, 0.51], ["a", 8, null], ["b", 8, 0.6]]
    .map(([model, seed, accuracy]) => ({ model, seed, accuracy }));
  const chart = pairedChart(runs, {
    of: "model",
    values: ["a", "b"],
    sharing: [],
    noise: { sd: 0.01 },
    mean: { difference: 0.01, low: -0.02, high: 0.04 },
  });
  const said = texts(chart).join("\n");
  assert.match(said, /seed 7: 50\.0 % → 51\.0 %/);
  assert.match(said, /seed 8: failed → 60\.0 %/);
  assert.match(said, /\+1\.00 \[−2\.00, \+4\.00\]/);
  // √2 · 1 point.
  assert.match(said, /noise of a difference of two runs: ±1\.4 points/);
  assert.equal(countMarks(chart, "noise"), 1);
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

Deno.test("a cell of one row tells its interval, and its trial's other values", () => {
  const row = {
    ...{ [PARAMETERS]: ["lr", "depth", "eps"], lr: 1e-3, depth: 2, eps: 1e-8 },
    ...{ mean: 0.5, low: 0.4, high: 0.6, n: 5 },
  };
  const [title] = select(heatMapChart([row], { x: "lr", y: "depth" }), "title");
  assert.equal(
    title.textContent,
    "learning rate 10⁻³, depth 2\n50.0 %\nn = 5\n40.0 % to 60.0 %\nAdam's eps 10⁻⁸",
  );
});

Deno.test("published shares have a panel and a scale of their own, on the same x axis", () => {
  const ours = [1e-4, 1e-3].map((lr) => ({ lr, accuracy: 0.3 }));
  const theirs = [1e-5, 1e-3].map((lr) => ({ lr, accuracy: 0.6 }));
  const { svg } = lineChart(ours, { x: "lr", published: theirs });
  const panels = svg.split(/<g class="ferlab-[0-9a-f]+" transform/).slice(1);
  assert.equal(panels.length, 2);
  const ticks = (panel: string, axis: string) =>
    [
      ...panel.split(`aria-label="${axis}-axis tick label"`)[1].split("</g>")[0]
        .matchAll(/>([^<]+)<\/text>/g),
    ].map((m) => m[1]);
  assert.deepEqual(ticks(panels[0], "x"), ticks(panels[1], "x"));
  assert.ok(ticks(panels[0], "y").every((t) => parseFloat(t) < 45));
  assert.ok(ticks(panels[1], "y").every((t) => parseFloat(t) > 45));
  // What is no share stays on one axis.
  const losses = (rows: typeof ours) =>
    rows.map((r) => ({ lr: r.lr, loss: 10 * r.accuracy }));
  const one = lineChart(losses(ours), {
    ...{ x: "lr", y: "loss", published: losses(theirs) },
  });
  assert.doesNotMatch(one.svg, /-panels/);
});

Deno.test("the drawing for narrow windows is made when a page asks for it", () => {
  let drawn = 0;
  const draw = alsoNarrow((_: unknown[], o: { width?: number } = {}) => {
    drawn++;
    return wrap(`<svg width="${o.width ?? 720}"></svg>`);
  });
  const chart = draw([]);
  assert.equal(drawn, 1);
  assert.match(chart.html, /width="720".*class="narrow".*width="320"/);
  assert.equal(chart.html, chart.html);
  assert.equal(drawn, 2);
});
