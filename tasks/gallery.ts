/** Draws the README's pictures: drawn faces, and charts of committed results. */
import sharp from "sharp";
import { type Chart, faceGridChart } from "../lib/charts/mod.ts";
import { syntheticFaces } from "../lib/data/mod.ts";
import { openReport, reports, type Results } from "../lib/reports/mod.ts";

/** Writes a chart as it looks on a white page, to docs/. */
async function draw(name: string, { svg }: Chart, colours = 128) {
  const file = new URL(`../docs/${name}.png`, import.meta.url);
  await Deno.mkdir(new URL(".", file), { recursive: true });
  const markup = svg.replaceAll("currentColor", "#222");
  await sharp(new TextEncoder().encode(markup), { density: 108 })
    .flatten({ background: "white" }).png({ palette: true, colours })
    .toFile(decodeURIComponent(file.pathname));
}

const INTENSITIES = [0.3, 0.65, 1], PER_CLASS = 4;

const sets = INTENSITIES.map((intensity) =>
  syntheticFaces({
    train: 8 * PER_CLASS,
    validation: 1,
    test: 1,
    channels: 1,
    classes: 8,
    seed: 7,
    faces: { intensity: [intensity, intensity] },
  })
);
const width = 48 * 48;
const faces = faceGridChart(
  sets[0].classes.map((label, c) => ({
    label,
    faces: sets.flatMap(({ train }) =>
      Array.from({ length: PER_CLASS }, (_, k) => {
        const i = k * 8 + c;
        return train.images.subarray(i * width, (i + 1) * width);
      })
    ),
  })),
  {
    size: 48,
    channels: 1,
    groups: INTENSITIES.map((i) => `intensity ${i}`),
  },
);
await draw("synthetic-faces", faces, 64);

/** What is on record of a report under results/. */
const resultsOf = (name: keyof typeof reports, profile: string) =>
  openReport(reports[name].report, { profile, outDir: `results/${profile}` })
    .results();

const { depth, lrSearch, clsVsVit } = reports;
const cpu: Record<string, Results> = {
  lrSearch: await resultsOf("lrSearch", "cpu"),
  depth: await resultsOf("depth", "cpu"),
  clsVsVit: await resultsOf("clsVsVit", "cpu"),
};
await draw("charts/published-depth", await depth.publishedRuns());
await draw("charts/depth-map", depth.depthMap(cpu.depth));
await draw("charts/depth-isolation", await depth.depthIsolation(cpu.depth));
await draw("charts/lr-sensitivity", lrSearch.sensitivityChart(cpu.lrSearch));
await draw("charts/cls-published", await clsVsVit.publishedPairs("first"));
await draw("charts/cls-effects", clsVsVit.effectsForest(cpu.clsVsVit));
