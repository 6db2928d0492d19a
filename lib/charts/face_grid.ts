/** Faces in rows, one row a class: pixels as one picture, words as text. */
import { png } from "./png.ts";
import {
  type Chart,
  contentClass,
  escapeMarkup,
  FONT_SIZE,
  head,
  textWidth,
  wrap,
} from "./theme.ts";

/** A row of the grid. */
export interface FaceRow {
  label: string;
  /** uint8 pixels of each face, `[size, size, channels]`. */
  faces: readonly Uint8Array[];
}

/** What faceGridChart takes beside the rows. */
export interface FaceGridOptions {
  /** Side of a face in pixels. */
  size: number;
  channels: 1 | 3;
  title?: string;
  /** Words over the columns, each over an equal part of them. */
  groups?: readonly string[];
  /** Side of a face as drawn, in pixels (`size`, at least 48). */
  side?: number;
}

const GAP = 2, GROUP_GAP = 14;

/**
 * Draws rows of faces. Faces of real people stay at home: a notebook that is
 * committed shows synthetic ones only.
 *
 * @throws {RangeError} without a face, or if one has another size than said.
 */
export function faceGridChart(
  rows: readonly FaceRow[],
  { size, channels, title, groups = [], side = Math.max(48, size) }:
    FaceGridOptions,
): Chart {
  const label = title ?? "Faces";
  const columns = Math.max(0, ...rows.map((r) => r.faces.length));
  if (columns === 0) throw new RangeError("no faces to draw: give a row some");
  const perGroup = Math.ceil(columns / Math.max(1, groups.length));

  // One picture of all faces, gaps transparent, in the faces' own pixels.
  const planes = channels === 1 ? 2 : 4, scale = size / side;
  const gap = Math.round(GAP * scale), wide = Math.round(GROUP_GAP * scale);
  const left = (column: number) =>
    column * (size + gap) + Math.floor(column / perGroup) * (wide - gap);
  const width = left(columns - 1) + size;
  const height = rows.length * (size + gap) - gap;
  const pixels = new Uint8Array(width * height * planes);
  rows.forEach(({ label, faces }, row) =>
    faces.forEach((face, column) => {
      if (face.length !== size * size * channels) {
        throw new RangeError(
          `face ${column} of ${label} has ${face.length} values: give ${size} × ${size} × ${channels}`,
        );
      }
      for (let i = 0; i < size * size; i++) {
        const y = row * (size + gap) + Math.floor(i / size);
        const at = (y * width + left(column) + i % size) * planes;
        pixels.set(face.subarray(i * channels, (i + 1) * channels), at);
        pixels[at + channels] = 255;
      }
    })
  );
  const picture = png(pixels, width, planes).toString("base64");

  const labels = Math.max(...rows.map((r) => textWidth(r.label)));
  const x = Math.ceil(labels) + 22;
  const shown = { width: width / scale, height: height / scale };
  const top = head({ title, width: x + shown.width + 8 });
  const y = top.height + (groups.length > 0 ? 22 : 4);
  const words = groups.map((text, i) => {
    const last = Math.min(columns, (i + 1) * perGroup) - 1;
    const middle = (left(i * perGroup) + left(last) + size) / 2 / scale;
    return `<text x="${x + middle}" y="${y - 8}" text-anchor="middle">${
      escapeMarkup(text)
    }</text>`;
  }).join("") + rows.map((row, i) => {
    const middle = (i * (size + gap) + size / 2) / scale;
    return `<text x="${x - 8}" y="${y + middle + 4}" text-anchor="end">${
      escapeMarkup(row.label)
    }</text>`;
  }).join("");
  const box = [Math.ceil(x + shown.width + 8), Math.ceil(y + shown.height + 8)];
  return wrap(
    `<svg xmlns="http://www.w3.org/2000/svg" class="${
      contentClass("faces", picture, title, groups, rows.map((r) => r.label))
    }" role="img" aria-label="${
      escapeMarkup(`${label}: ${rows.map((r) => r.label).join(", ")}`)
    }" width="${box[0]}" height="${box[1]}" viewBox="0 0 ${box.join(" ")}" ` +
      `fill="currentColor" font-family="system-ui, sans-serif" ` +
      `font-size="${FONT_SIZE}" style="max-width: 100%; height: auto">` +
      `${top.markup}${words}<image x="${x}" y="${y}" width="${shown.width}" ` +
      `height="${shown.height}" style="image-rendering: pixelated" ` +
      `href="data:image/png;base64,${picture}"/></svg>`,
  );
}
