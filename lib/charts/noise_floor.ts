/** The noise floor on a chart: a scale bar of ± one sd at the plot's edge. */
import * as Plot from "@observablehq/plot";
import { type Head, textWidth } from "./old.ts";

/** The spread between repeats of one setting, in the values' unit. */
export interface Noise {
  sd: number;
  /** Degrees of freedom of `sd`. */
  df: number;
}

/** How far right of the plot the bar stands; labels there start beyond it. */
const OFFSET = 10;
export const NOISE_WIDTH = 18;

/** What is written beside the bar, or in its place where noise is unknown. */
export function noiseText(noise: Noise | null, isShare: boolean): string {
  if (noise === null) return "noise unknown: no setting was repeated";
  const size = isShare
    ? `${(100 * noise.sd).toFixed(1)} points`
    : String(Number(noise.sd.toPrecision(2)));
  return `noise ±${size} (sd of repeats, ${noise.df} df)`;
}

/** `head` with the noise's words at its right end, just above the bar. */
export function withNoise(
  head: Head,
  text: string,
  { width, marginRight, yLabel }: {
    width: number;
    marginRight: number;
    yLabel: string;
  },
): Head {
  const right = Math.max(
    8 + textWidth(text),
    Math.min(width - 8, width - marginRight + OFFSET + 6),
  );
  const isCrowded = 8 + textWidth(yLabel) + 16 + textWidth(text) > right;
  const height = head.height + (isCrowded ? 18 : 0);
  const words = `<text x="${right}" y="${height - 6}" text-anchor="end" ` +
    `fill-opacity="0.75">${text}</text>`;
  return { markup: head.markup + words, height };
}

/** A y domain that is high enough for the bar, spread evenly. */
export function domainWith(
  [low, high]: [number, number],
  noise: Noise | null | undefined,
  isShare: boolean,
): [number, number] {
  const height = 2.2 * (noise?.sd ?? 0);
  if (height <= high - low) return [low, high];
  const bottom = (low + high - height) / 2;
  const from = isShare ? Math.min(Math.max(0, bottom), 1 - height) : bottom;
  return [from, from + height];
}

/** The bar from the plot's top down: two standard deviations long. */
export function noiseMarks(
  noise: Noise | null | undefined,
  { x, top, isShare, facet = {} }: {
    /** The right end of the x domain, and the upper of the y domain. */
    x: number;
    top: number;
    isShare: boolean;
    facet?: { fx?: () => number; fy?: () => number };
  },
) {
  if (!noise) return [];
  const ends = [top - 2 * noise.sd, top];
  const middle = top - noise.sd;
  const style = {
    ...facet,
    stroke: "currentColor",
    strokeWidth: 1.5,
    className: "ferlab-noise",
  };
  return [
    Plot.ruleX([x], { ...style, y1: ends[0], y2: ends[1], dx: OFFSET }),
    Plot.ruleY(ends, {
      ...style,
      x1: x,
      x2: x,
      insetLeft: OFFSET - 4,
      insetRight: -OFFSET - 4,
    }),
    Plot.dot([middle], {
      ...facet,
      x: () => x,
      y: (v: number) => v,
      dx: OFFSET,
      r: 1.75,
      fill: "currentColor",
      title: () => noiseText(noise, isShare),
      className: "ferlab-noise",
    }),
  ];
}
