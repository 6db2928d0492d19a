/** The noise of a study: the spread between repeats of one setting. */
import { isNumber, whatIs } from "./channels.ts";

/**
 * The spread between repeats of one setting, in the values' unit: of accuracies
 * a share, 0.015 for 1.5 points.
 */
export interface Noise {
  sd: number;
  /** Its 95 % interval. */
  low?: number | null;
  high?: number | null;
  /** Degrees of freedom of `sd`. */
  df?: number;
}

/** Repeats of one setting never differ by so much of a share. */
const MOST = 0.3;

/** @throws {TypeError} for what is no noise, and for points on shares */
export function checkNoiseBar(
  kind: string,
  of: Noise | null | undefined,
  isShare: boolean,
) {
  if (!of) return;
  const wrong = !(Object(of) === of && "sd" in of)
    ? `${whatIs(of)}; give { sd }`
    : isShare && of.sd > MOST && of.sd < Infinity &&
      `${of.sd}: give its sd as a share, ${of.sd / 100} for ${of.sd} points`;
  if (wrong) throw new TypeError(`${kind}: noise is ${wrong}`);
}

/** The noise's standard deviation, 0 where there is none. */
export const sdOf = (noise: Noise | null | undefined): number =>
  noise && noise.sd > 0 && isNumber(noise.sd) ? noise.sd : 0;

/** The noise's height in a domain that has room for it: see `axisOf`. */
export const lengthOf = (noise: Noise | null | undefined) => 2.2 * sdOf(noise);

/** ± one standard deviation in words; null is unknown. */
export function noiseWords(
  noise: Noise | null | undefined,
  isShare = true,
): string {
  if (noise === undefined) return "";
  if (noise === null || !(noise.sd >= 0 && isNumber(noise.sd))) {
    return "noise unknown: no setting was repeated";
  }
  const { sd, low, high, df } = noise;
  const size = (value: number) =>
    isShare
      ? (100 * value).toFixed(value < 0.001 ? 2 : 1)
      : String(Number(value.toPrecision(2)));
  const isInterval = typeof low === "number" && typeof high === "number";
  const told =
    (isInterval ? `, 95 % interval ${size(low)} to ${size(high)}` : "") +
    (df === undefined ? "" : `, ${df} df`);
  return `noise ±${size(sd)}${isShare ? " points" : ""} (sd of repeats${told})`;
}

/** Of the bar, in pixels. */
export const BAR = 8;

/** ± one standard deviation as a bar beside the plot, two of them long. */
export function noiseBar(x: number, y: number, length: number): string {
  const high = length.toFixed(1);
  return `<g class="ferlab-noise" transform="translate(${x},${y})">` +
    `<rect width="${BAR}" height="${high}" fill-opacity="0.18"/>` +
    `<path d="M0,0h${BAR}M0,${high}h${BAR}M${BAR / 2},0V${high}" ` +
    `stroke="currentColor" stroke-width="1.5"/></g>`;
}

/** The same in a legend. */
export const BAR_MARK = `<g transform="translate(9,0)">${
  noiseBar(0, 0, 12)
}</g>`;
