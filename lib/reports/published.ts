/** The study's published figures, redrawn from `data/published/`. */
import {
  type Chart,
  type ParallelAxis,
  parallelCoordinatesChart,
} from "../charts/mod.ts";
import { readPublished } from "../study/mod.ts";

/** A figure as the study drew it: parallel coordinates, accuracy in percent. */
export async function publishedFigure(
  id: string,
  axes: ParallelAxis[],
  { value = "acc", ...options }: {
    value?: string;
    title?: string;
    width?: number;
    height?: number;
  } = {},
): Promise<Chart> {
  const { records, title } = await readPublished(id);
  return parallelCoordinatesChart(records, [
    ...axes,
    { name: value, label: "test accuracy (%)", scale: "linear" },
  ], { title: `Published: ${title}`, value, ...options });
}
