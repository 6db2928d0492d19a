/** A face with a map over it, as a PNG. */
import * as d3 from "d3";
import sharp from "sharp";

/** Side of a picture in pixels, at least. */
const SIDE = 224;
/** Opacity of a map's 1. */
const OPACITY = 0.6;

/**
 * @param face uint8, `[size, size, channels]`
 * @param map `[size, size]` from 0 to 1
 */
export async function overlay(
  face: Uint8Array,
  map: Float32Array,
  { size, channels }: { size: number; channels: 1 | 3 },
): Promise<Uint8Array> {
  const mixed = new Uint8Array(size * size * 3);
  map.forEach((heat, i) => {
    const { r, g, b } = d3.rgb(d3.interpolateInferno(heat));
    [r, g, b].forEach((value, c) => {
      const own = face[i * channels + (channels === 1 ? 0 : c)];
      mixed[3 * i + c] = own + (value - own) * OPACITY * heat;
    });
  });
  const raw = { width: size, height: size, channels: 3 as const };
  const scale = Math.max(1, Math.ceil(SIDE / size));
  return await sharp(mixed, { raw })
    .resize(size * scale, size * scale, { kernel: "cubic" }).png().toBuffer();
}
