/** A confusion matrix as a PNG, for programs that show pictures. */
import sharp from "sharp";
import { confusionChart } from "../../lib/charts/mod.ts";
import { FER_CLASSES, GENERAL } from "../../lib/data/commands.ts";
import type { Picture } from "../../lib/study/exchange/mod.ts";

/**
 * Counts by [true class][predicted class], as reports draw them; undefined
 * where there are none.
 *
 * @param data the data set's name; of those with the seven expressions the
 * classes are named, of those with classes of their own no name is on record
 */
export async function confusionPicture(
  confusion: number[][] | undefined,
  data: string | undefined,
): Promise<Picture | undefined> {
  if (!confusion) return undefined;
  const isNamed = data !== undefined &&
    !GENERAL.some(({ name }) => name === data) &&
    confusion.length === FER_CLASSES.length;
  const { svg } = confusionChart(
    { confusion },
    isNamed ? { labels: FER_CLASSES } : {},
  );
  const markup = new TextEncoder().encode(
    svg.replaceAll("currentColor", "#222"),
  );
  const { data: png, info } = await sharp(markup)
    .flatten({ background: "white" }).png({ palette: true })
    .toBuffer({ resolveWithObject: true });
  return { png, width: info.width, height: info.height };
}
