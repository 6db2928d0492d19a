/** Draws docs/synthetic-faces.png: classes in rows, three intensities. */
import sharp from "sharp";
import { faceGridChart } from "../lib/charts/mod.ts";
import { syntheticFaces } from "../lib/data/mod.ts";

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
const { svg } = faceGridChart(
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
const file = new URL("../docs/synthetic-faces.png", import.meta.url);
await Deno.mkdir(new URL(".", file), { recursive: true });
await sharp(new TextEncoder().encode(svg.replaceAll("currentColor", "#222")))
  .flatten({ background: "white" }).png({ palette: true, colours: 64 })
  .toFile(decodeURIComponent(file.pathname));
