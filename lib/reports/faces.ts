/** The first faces of each class, as a chart. */
import { type Chart, faceGridChart } from "../charts/mod.ts";
import { type Dataset, gather, type SplitName } from "../data/mod.ts";

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
  const from = data[split], all = [...from.labels.keys()];
  const rows = data.classes.map((label, k) => ({
    label,
    faces: all.filter((i) => from.labels[i] === k).slice(0, perClass)
      .map((i) => gather(from, [i]).images),
  }));
  return faceGridChart(rows, { ...data, title });
}
