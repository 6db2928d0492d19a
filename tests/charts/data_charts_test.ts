/** Charts of a data set: images by class and split, and their sizes. */
import assert from "node:assert/strict";
import { parseHTML } from "linkedom";
import sharp from "sharp";
import {
  type Chart,
  classCountsChart,
  sizeHistogramChart,
} from "../../lib/charts/mod.ts";

const counts = [
  { split: "train", class: "Angry", count: 30 },
  { split: "train", class: "Happy", count: 70 },
  { split: "test", class: "Angry", count: 0 },
  { split: "test", class: "Happy", count: 20 },
];
const fewSizes = [
  { width: 48, height: 48, count: 12 },
  { width: 100, height: 80, count: 300 },
];
const manySizes = Array.from({ length: 40 }, (_, i) => ({
  width: 60 + 5 * i,
  height: 300,
  count: 1 + i,
}));

const charts: Record<string, () => Chart> = {
  "chart of class counts": () => classCountsChart(counts, { title: "Classes" }),
  "chart of one split": () => classCountsChart(counts.slice(0, 2)),
  "chart of few sizes": () => sizeHistogramChart(fewSizes),
  "chart of many sizes": () => sizeHistogramChart(manySizes),
};

// deno-lint-ignore no-explicit-any
function parse(chart: Chart): any {
  // deno-lint-ignore no-explicit-any
  const page = parseHTML(`<body>${chart.html}</body>`) as any;
  return page.document.querySelector("svg");
}

// deno-lint-ignore no-explicit-any
const all = (chart: Chart, selector: string): any[] => [
  ...parse(chart).querySelectorAll(selector),
];

for (const [name, draw] of Object.entries(charts)) {
  Deno.test(`the ${name} is one standalone, labelled SVG, the same each time`, async () => {
    const chart = draw();
    const svg = parse(chart);
    assert.equal(svg.getAttribute("role"), "img");
    assert.ok(svg.getAttribute("aria-label").length > 10);
    const { width, height } = await sharp(new TextEncoder().encode(chart.svg))
      .metadata();
    assert.equal(width, Math.round(Number(svg.getAttribute("width"))));
    assert.equal(height, Math.round(Number(svg.getAttribute("height"))));
    assert.doesNotMatch(chart.svg, /NaN|undefined|Infinity/);
    assert.match(chart.html, /fill="currentColor"/);
    assert.equal(draw().svg, chart.svg);
  });
}

Deno.test("a bar is as long as the class's share of its split", () => {
  const bars = all(classCountsChart(counts), ".ferlab-bars rect")
    .map((rect) => ({
      title: rect.querySelector("title").textContent,
      width: Number(rect.getAttribute("width")),
    }));
  const width = (title: string) => {
    const bar = bars.find((b) => b.title === title);
    assert.ok(bar, `no bar "${title}" in ${JSON.stringify(bars)}`);
    return bar.width;
  };
  const most = width("Happy, test\n20 images, 100.0 %");
  const angry = width("Angry, train\n30 images, 30.0 %");
  assert.ok(Math.abs(angry / most - 0.3) < 1e-6);
});

Deno.test("a class that a split lacks is n/a, and the legend tells each split's images", () => {
  const { svg } = classCountsChart(counts);
  assert.equal(svg.match(/>n\/a</g)?.length, 1);
  assert.match(svg, />test \(20\)</);
  assert.match(svg, />train \(100\)</);
});

Deno.test("few sizes have a bar each, the most frequent first", () => {
  const titles = all(sizeHistogramChart(fewSizes), ".ferlab-bars title")
    .map((title) => title.textContent);
  assert.deepEqual(titles, [
    "100 × 80 pixels\n300 images",
    "48 × 48 pixels\n12 images",
  ]);
});

Deno.test("many sizes are counted in steps of the shorter side", () => {
  const titles = all(sizeHistogramChart(manySizes), ".ferlab-bars title")
    .map((title) => title.textContent);
  // 60, 65, 70 and 75 pixels, of 1, 2, 3 and 4 images.
  assert.equal(titles[0], "60 to 79 pixels\n10 images");
  assert.match(sizeHistogramChart(manySizes).svg, />shorter side in pixels</);
});
