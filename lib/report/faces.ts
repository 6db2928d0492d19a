/** The first faces of each class, as a chart. */
import { type Chart, faceGridChart } from "../charts/charts.ts";
import type { Dataset, SplitName } from "../data/mod.ts";

/**
 * The first faces of each class of a split. Faces of real people stay at home:
 * a notebook that is committed shows synthetic ones only.
 */
export function facesChart(
  data: Dataset,
  { split = "train", perClass = 10, title }: {
    split?: SplitName;
    perClass?: number;
    title?: string;
  } = {},
): Chart {
  const { images, labels, n } = data[split], { size, channels } = data;
  const width = images.length / n;
  const rows = data.classes.map((label) => ({
    label,
    faces: [] as Uint8Array[],
  }));
  labels.forEach((label, i) => {
    const { faces } = rows[label];
    if (faces.length < perClass) {
      faces.push(images.subarray(i * width, (i + 1) * width));
    }
  });
  return faceGridChart(rows, { size, channels, title });
}
