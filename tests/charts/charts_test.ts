/** Charts are standalone, the same in every run, and show every row. */
import assert from "node:assert/strict";
import { parseHTML } from "linkedom";
import sharp from "sharp";
import {
  type Chart,
  confusionMatrixChart,
  learningCurvesChart,
  lrAccuracyChart,
} from "../../lib/charts/mod.ts";

const RATES = [1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1];
const DEPTHS = [4, 6, 8];

/** Three depths at seven rates; depth 6 failed at 1e-3, in mid-line. */
const searchRows = DEPTHS.flatMap((depth) =>
  RATES.map((lr, i) => {
    const accuracy = 0.2 + 0.05 * i + 0.01 * depth;
    return depth === 6 && lr === 1e-3
      ? { lr, depth, accuracy: null }
      : { lr, depth, accuracy, low: accuracy - 0.02, high: accuracy + 0.02 };
  })
);
const published = DEPTHS.flatMap((depth) =>
  RATES.map((lr) => ({ lr, depth, accuracy: 0.4 }))
);

function curveRows(trials: number, epochs: number) {
  return Array.from({ length: trials * epochs }, (_, i) => ({
    trial: `trial ${Math.floor(i / epochs)}`,
    epoch: 1 + i % epochs,
    metric: "validation" as const,
    value: 0.3 + 0.04 * (i % epochs) + 0.001 * Math.floor(i / epochs),
  }));
}

const classes = ["angry", "happy", "sad"];
const matrix = [[80, 15, 5], [0, 10, 0], [1, 1, 2]];

const noise = { sd: 0.012, df: 8 };

const charts: Record<string, () => Chart> = {
  "LR chart": () => lrAccuracyChart(searchRows, { published, title: "LR" }),
  "chart of few curves": () => learningCurvesChart(curveRows(3, 5)),
  "chart of many curves": () => learningCurvesChart(curveRows(30, 4)),
  "LR chart with noise": () => lrAccuracyChart(searchRows, { noise }),
  "chart of few curves with noise": () =>
    learningCurvesChart(curveRows(3, 5), { noise }),
  "chart of many curves with noise": () =>
    learningCurvesChart(curveRows(30, 4), { noise }),
  "confusion matrix": () => confusionMatrixChart(matrix, classes),
  "empty LR chart": () => lrAccuracyChart([]),
  "empty curve chart": () => learningCurvesChart([]),
  "empty confusion matrix": () => confusionMatrixChart([], classes),
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
      `.ferlab-${name} circle, .ferlab-${name} path, .ferlab-${name} rect`,
    ).length;
}

for (const [name, draw] of Object.entries(charts)) {
  Deno.test(`the ${name} is one standalone, labelled SVG`, async () => {
    const chart = draw();
    assert.match(chart.svg, /^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/s/);
    const svg = parse(chart);
    assert.equal(svg.getAttribute("role"), "img");
    assert(svg.getAttribute("aria-label").length > 10);
    // A strict XML parser draws it at its own size.
    const { width, height } = await sharp(new TextEncoder().encode(chart.svg))
      .metadata();
    assert.equal(width, Math.round(Number(svg.getAttribute("width"))));
    assert.equal(height, Math.round(Number(svg.getAttribute("height"))));
    assert(!/NaN|undefined|Infinity/.test(chart.svg));
  });

  Deno.test(`the ${name} is the same when it is drawn again`, () => {
    assert.equal(draw().svg, draw().svg);
  });

  Deno.test(`the ${name} shows itself as HTML that follows the theme`, () => {
    const chart = draw();
    const shown = chart[Symbol.for("Jupyter.display")]();
    assert.deepEqual(shown, { "text/html": chart.html });
    assert.match(chart.html, /fill="currentColor"/);
    assert.doesNotMatch(chart.html, /--plot-background: white/);
  });
}

Deno.test("charts of one page share no id and no class", () => {
  const page = Object.values(charts).map((draw) => draw().html).join("");
  // deno-lint-ignore no-explicit-any
  const { document } = parseHTML(`<body>${page}</body>`) as any;
  const valuesOf = (selector: string, name: string): string[] =>
    [...document.querySelectorAll(selector)]
      // deno-lint-ignore no-explicit-any
      .map((e: any) => e.getAttribute(name));
  const ids = valuesOf("[id]", "id");
  assert.equal(new Set(ids).size, ids.length);
  const names = valuesOf("svg", "class");
  assert.equal(names.length, Object.keys(charts).length);
  assert.equal(new Set(names).size, names.length);
});

Deno.test("every trial is one mark: 20 done, 1 failed, 21 published", () => {
  const chart = lrAccuracyChart(searchRows, { published });
  assert.equal(countMarks(chart, "ours"), 20);
  assert.equal(countMarks(chart, "failed"), 1);
  assert.equal(countMarks(chart, "published"), 21);
  const failed = parse(chart).querySelector(".ferlab-failed title");
  assert.equal(failed.textContent, "ours: depth 6, LR 1e-3\nfailed");
});

Deno.test("a line breaks at a rate whose trials all failed", () => {
  const line = (rows: Parameters<typeof lrAccuracyChart>[0]) =>
    parse(lrAccuracyChart(rows)).querySelector('[aria-label="line"] path')
      .getAttribute("d") as string;
  const depth6 = searchRows.filter((r) => r.depth === 6);
  assert.equal(line(depth6).match(/M/g)?.length, 2);
  // NaN is a failure as null is; a repeat that succeeded closes the gap.
  const asNaN = depth6.map((r) => ({ ...r, accuracy: r.accuracy ?? NaN }));
  assert.equal(line(asNaN), line(depth6));
  const repeated = [...depth6, { lr: 1e-3, depth: 6, accuracy: 0.5 }];
  assert.equal(line(repeated).match(/M/g)?.length, 1);
});

Deno.test("a chart of failures only still draws them", () => {
  const chart = lrAccuracyChart([{ lr: 1e-3, depth: 4, accuracy: null }]);
  assert.equal(countMarks(chart, "failed"), 1);
  assert.equal(countMarks(chart, "ours"), 0);
});

Deno.test("the LR axis is labelled at whole decades", () => {
  const labels = [
    ...parse(lrAccuracyChart(searchRows))
      .querySelectorAll('[aria-label="x-axis tick label"] text'),
    // deno-lint-ignore no-explicit-any
  ].map((e: any) => e.textContent).filter((text: string) => text !== "");
  assert.deepEqual(
    labels,
    ["10⁻⁷", "10⁻⁶", "10⁻⁵", "10⁻⁴", "10⁻³", "10⁻²", "10⁻¹"],
  );
});

Deno.test("the legend tells ours from published, if any is published", () => {
  const both = lrAccuracyChart(searchRows, { published }).svg;
  assert.match(both, />ours</);
  assert.match(both, />published \(RAF-DB\)</);
  assert.doesNotMatch(lrAccuracyChart(searchRows).svg, /published/);
});

Deno.test("curves have one mark an epoch, and a cross where not finite", () => {
  for (const trials of [1, 3, 6, 7, 30]) {
    const rows = curveRows(trials, 4);
    rows[2].value = NaN;
    const chart = learningCurvesChart(rows);
    assert.equal(countMarks(chart, "values"), 4 * trials - 1);
    assert.equal(countMarks(chart, "failed"), 1);
    assert.match(chart.svg, new RegExp(`>trial ${trials - 1}<`));
  }
});

Deno.test("a single epoch makes a chart", () => {
  const chart = learningCurvesChart(curveRows(1, 1));
  assert.equal(countMarks(chart, "values"), 1);
  assert(!/NaN|Infinity/.test(chart.svg));
});

Deno.test("markup in a trial's name is shown, not obeyed", async () => {
  const rows = curveRows(1, 3).map((r) => ({ ...r, trial: `<b>&"x"` }));
  const chart = learningCurvesChart(rows, { title: "a < b & c" });
  assert.doesNotMatch(chart.svg, /<b>/);
  await sharp(new TextEncoder().encode(chart.svg)).metadata();
});

Deno.test("a matrix's cells carry counts and their share of the true class", () => {
  const chart = confusionMatrixChart(matrix, classes);
  assert.equal(countMarks(chart, "cells"), 9);
  assert.match(chart.svg, />80 %</);
  assert.match(
    chart.svg,
    /true sad, predicted angry\n1 images, 25\.0 % of sad/,
  );
});

Deno.test("a class that no image has is n/a in a matrix, not 0 %", () => {
  const { svg } = confusionMatrixChart([[3, 1], [0, 0]], ["happy", "sad"]);
  assert.equal(svg.match(/>n\/a</g)?.length, 2);
  assert.ok(!svg.includes(">0 %<"));
  assert.match(svg, /true sad, predicted happy\nno image is sad/);
});

Deno.test("text is white on the strong cells of a matrix only", () => {
  const chart = confusionMatrixChart(matrix, classes);
  // Shares 0.8 and 1, each with a count and a percentage.
  assert.equal(chart.svg.match(/<text[^>]*fill="white"/g)?.length, 4);
});

Deno.test("a matrix of another size than its classes is refused", () => {
  assert.throws(
    () => confusionMatrixChart(matrix, ["angry", "happy"]),
    /has 3 rows for 2 classes/,
  );
});

// deno-lint-ignore no-explicit-any
function elements(chart: Chart, selector: string): any[] {
  return [...parse(chart).querySelectorAll(selector)];
}

/** An element's place in pixels, of its transform and its parent's. */
function placeOf(element: ReturnType<typeof parse>): [number, number] {
  return [element, element.parentNode].reduce(([x, y], e) => {
    const [, dx, dy] = /translate\(([\d.]+),([\d.]+)/
      .exec(e.getAttribute("transform") ?? "") ?? [];
    return [x + Number(dx ?? 0), y + Number(dy ?? 0)];
  }, [0, 0]);
}

/** The noise bar's upright: its ends and place in pixels. */
function noiseBar(chart: Chart) {
  return elements(chart, ".ferlab-noise line").map((line) => {
    const at = (name: string) => Number(line.getAttribute(name));
    return { x: at("x1") + placeOf(line)[0], top: at("y1"), bottom: at("y2") };
  }).find(({ top, bottom }) => bottom !== top);
}

/** The pixels between two ticks of the y axis. */
function yDistance(chart: Chart, low: string, high: string): number {
  const [from, to] = [low, high].map((text) =>
    placeOf(
      elements(chart, '[aria-label="y-axis tick label"] text')
        .find((e) => e.textContent === text),
    )[1]
  );
  return from - to;
}

Deno.test("the noise is a bar of ± one sd in the chart's own scale, with its words", () => {
  const chart = lrAccuracyChart(searchRows, { noise });
  const curves = learningCurvesChart(curveRows(2, 5), { noise });
  for (
    const [drawn, tenPoints] of [
      [chart, yDistance(chart, "50 %", "60 %")],
      [curves, yDistance(curves, "30 %", "40 %")],
    ] as const
  ) {
    const { top, bottom } = noiseBar(drawn)!;
    assert.ok(Math.abs(Math.abs(bottom - top) - 0.24 * tenPoints) < 0.1);
    assert.match(drawn.svg, />noise ±1\.2 points \(sd of repeats, 8 df\)</);
  }
  const loss = learningCurvesChart(curveRows(2, 5), { noise, yLabel: "loss" });
  assert.match(loss.svg, />noise ±0\.012 \(sd of repeats, 8 df\)</);
});

Deno.test("a chart says that the noise is unknown, and nothing if not told", () => {
  for (
    const draw of [
      (noise?: null) => lrAccuracyChart(searchRows, { noise }),
      (noise?: null) => learningCurvesChart(curveRows(3, 5), { noise }),
    ]
  ) {
    const unknown = draw(null);
    assert.match(unknown.svg, />noise unknown: no setting was repeated</);
    assert.equal(noiseBar(unknown), undefined);
    assert.doesNotMatch(draw().svg, /noise/);
  }
});

Deno.test("noise larger than all differences still fits into the plot", () => {
  const noise = { sd: 0.1, df: 2 };
  for (const accuracy of [0.01, 0.5, 0.99]) {
    const value = { value: accuracy };
    for (
      const chart of [
        lrAccuracyChart([{ lr: 1e-4, depth: 4, accuracy }], { noise }),
        learningCurvesChart([{ ...curveRows(1, 1)[0], ...value }], { noise }),
      ]
    ) {
      const { top, bottom } = noiseBar(chart)!;
      const axis = elements(chart, '[aria-label="x-axis tick label"] text')[0];
      assert.ok(Math.max(top, bottom) < placeOf(axis)[1]);
    }
  }
});

Deno.test("curves' names stand clear of the noise bar", () => {
  const chart = learningCurvesChart(curveRows(6, 5), { noise });
  const { x } = noiseBar(chart)!;
  const names = elements(chart, "text")
    .filter((e) => /^(●|trial)/.test(e.textContent));
  assert.equal(names.length, 12);
  assert.ok(names.every((name) => placeOf(name)[0] > x + 8));
});

Deno.test("an empty chart says that no trial is finished", () => {
  for (const name of Object.keys(charts).filter((n) => /^empty/.test(n))) {
    assert.match(charts[name]().svg, />nothing to show yet</);
  }
});
