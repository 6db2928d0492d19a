/** Rows of a chart with a name each, from the top down. */
import { type Axis, axisFor } from "./axis.ts";
import { FONT_SIZE, wrapWords } from "./theme.ts";

/** No chart is higher than so many pixels by its rows. */
const MOST = 2400;

/** Names in lines as the frame sets them left of the plot. */
const linesOf = (name: string, width: number) =>
  name.split("\n").flatMap((line) => wrapWords(line, 0.38 * width, FONT_SIZE));

/**
 * An axis with a place for each name, `rowKey(i)` that of the i-th, and the
 * plot's height: `least` pixels a row, more where a name takes more lines.
 */
export function rowsAxis(
  names: readonly string[],
  { label = "", width = 720, least = 24 }: {
    label?: string;
    width?: number;
    least?: number;
  } = {},
): { axis: Axis; innerHeight: number } {
  const lines = Math.max(
    1,
    ...names.map((name) => linesOf(name, width).length),
  );
  const step = lines > 1 ? Math.max(least, 15 * lines + 7) : least;
  return {
    axis: {
      ...axisFor(names.map((_, i) => rowKey(i)).reverse(), {
        label,
        scale: "category",
      }),
      format: (key) => names[Number(key)],
    },
    innerHeight: Math.min(MOST, step * names.length),
  };
}

/** A row's place; names may be equal. */
export const rowKey = (i: number): string => String(i);
