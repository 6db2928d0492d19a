/** Draws the README's pictures: drawn faces, and charts of committed results. */
import { chromium } from "playwright-core";
import sharp from "sharp";
import {
  type Chart,
  faceGridChart,
  forestChart,
  heatMapChart,
  isolationChart,
  lrSensitivityChart,
  pairedChart,
  parallelChart,
} from "../lib/charts/mod.ts";
import { syntheticFaces } from "../lib/data/mod.ts";
import { asFamily, effects } from "../lib/reports/mod.ts";
import {
  bestPer,
  noiseOf,
  published,
  publishedNoise,
  settings,
  type Trial,
  trialsOf,
} from "../lib/rows/mod.ts";
import { StudyError, trainingRows } from "../lib/study/mod.ts";
import { findChromium } from "./chromium.ts";

/** Writes a chart as it looks on a white page, to docs/. */
async function writeChart(name: string, { svg }: Chart, colours = 128) {
  // A picture of records that are not there would say nothing.
  if (svg.includes("nothing to show yet")) return;
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
    ...{ size: 48, channels: 1 },
    title: `${PER_CLASS} faces each of intensity ${INTENSITIES.join(", ")}`,
  },
);
await writeChart("synthetic-faces", faces, 64);

/** What is on record of a study under results/cpu; none where there is none. */
async function trialsOnRecord(name: string): Promise<Trial[]> {
  try {
    return trialsOf(name, await trainingRows({ dir: "results/cpu" }, name));
  } catch (error) {
    if (error instanceof StudyError) return [];
    throw error;
  }
}

const depthTest = await published("depth-test");
await writeChart(
  "charts/published-depth",
  parallelChart(depthTest.rows, {
    axes: ["depth", "lr"],
    valueLabel: "maximum test accuracy",
    title: "Published: RAF-DB, 10 epochs from scratch",
  }),
);

const search = await trialsOnRecord("lr-search");
await writeChart(
  "charts/depth-map",
  heatMapChart(settings(search), {
    x: "lr",
    y: "depth",
    xLabel: "learning rate",
    valueLabel: "test accuracy",
    noise: noiseOf(search),
    title: "Ours: mean over repeats",
  }),
);
await writeChart(
  "charts/depth-isolation",
  isolationChart(bestPer(search, "depth"), {
    x: "depth",
    runs: search,
    published: search.length > 0 ? bestPer(depthTest.rows, "depth") : [],
    yLabel: "test accuracy",
    noise: noiseOf(search),
  }),
);
const deeper = search.filter((t) => t.depth > 2);
await writeChart(
  "charts/lr-sensitivity",
  lrSensitivityChart(deeper, {
    series: "depth",
    yLabel: "test accuracy",
    noise: noiseOf(deeper),
  }),
);

const models = ["Baseline", "CLSFER"] as const;
const runs = (await published("cls-vs-baseline")).rows
  .filter((r) => models.includes(r.model));
const [mean] = effects(runs, { of: "model", base: "Baseline" });
await writeChart(
  "charts/cls-published",
  pairedChart([], {
    of: "model",
    values: models,
    bLabel: "CLS",
    published: runs,
    mean: { ...mean, label: "mean" },
    noise: publishedNoise.pretrained,
    title: "Published: RAF-DB, first sweep, 60 epochs, one run a point",
  }),
);

const ablation = await trialsOnRecord("cls-ablation");
const versus = (of: string, a: string | number, base: string | number) =>
  effects(ablation.filter((t) => [a, base].includes(t[of])), { of, base })
    .map((e) => ({ ...e, label: e.pair }));
const factors = asFamily(
  [
    ...versus("patches", "catAfterMlp", "dropped"),
    ...versus("patches", "catBeforeMlp", "dropped"),
    ...versus("patches", "catAfterMlp", "catBeforeMlp"),
  ],
  versus("scale", "right", "inverse"),
  versus("mixing.alpha", 1, 0.2),
  versus("schedule.gamma", 0.25, 1),
);
const names = ["patches", "scale of the logits", "alpha of the mixing"];
await writeChart(
  "charts/cls-effects",
  forestChart(
    Object.fromEntries(
      [...names, "decay an epoch"].map((name, i) => [name, factors[i]] as const)
        .filter(([, list]) => list.length > 0),
    ),
    { title: "Ours: main effects in the CLS block" },
  ),
);

/** The top of the report on the CLS block: title, question, answer, chart. */
const browser = await chromium.launch({
  executablePath: findChromium(),
  args: ["--no-sandbox"],
});
const page = await browser.newPage({ viewport: { width: 1360, height: 900 } });
await page.goto(
  new URL("../results/cpu/08-cls-vs-vit.html", import.meta.url).href,
);
const title = await page.locator("h1").first().boundingBox();
const lead = await page.locator(".lead").first().boundingBox();
if (title && lead) {
  const picture = await page.screenshot({
    fullPage: true,
    clip: {
      x: lead.x - 16,
      y: title.y - 16,
      width: lead.width + 32,
      height: lead.y + lead.height - title.y + 32,
    },
  });
  await sharp(picture).png({ palette: true, colours: 128 })
    .toFile(
      decodeURIComponent(
        new URL("../docs/report.png", import.meta.url).pathname,
      ),
    );
}
await browser.close();
