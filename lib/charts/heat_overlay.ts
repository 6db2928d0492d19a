/** Faces with maps over them: where a model looks, or what moves its logits. */
import { png } from "./png.ts";
import {
  type Chart,
  contentClass,
  emptyChart,
  escapeMarkup,
  FONT_SIZE,
  head,
  textWidth,
  wrap,
  wrapWords,
} from "./theme.ts";

/** One face and a map for each column. */
export interface HeatRow {
  label: string;
  /** uint8 pixels, `[size, size, channels]`. */
  face: Uint8Array;
  /** `[side, side]` each, 0 to 1; NaN is shown as 0, bare. */
  maps: readonly Float32Array[];
  side: number;
}

/** What heatOverlayChart takes beside columns and rows. */
export interface HeatOverlayOptions {
  /** Side of a face in its own pixels. */
  size: number;
  channels: 1 | 3;
  title?: string;
  /** Width in pixels that faces may fill; long words may make it wider. */
  width?: number;
}

/** Dark violet to yellow, its lightness rising: as plasma (Matplotlib). */
const STOPS = [
  [13, 8, 135],
  [126, 3, 168],
  [204, 71, 120],
  [248, 149, 64],
  [240, 249, 33],
];
/** Opacity of a map's 1. */
const MOST = 0.8;
const GAP = 4;

/** The colour of `value`, 0 to 1, as [red, green, blue]. */
function heat(value: number): number[] {
  const at = value * (STOPS.length - 1);
  const i = Math.min(STOPS.length - 2, Math.floor(at));
  return STOPS[i].map((c, k) => c + (at - i) * (STOPS[i + 1][k] - c));
}

/** `map` at (x, y), both 0 to 1 across it: bilinear between cells' centres. */
function sample(map: Float32Array, side: number, x: number, y: number) {
  const clamp = (v: number) => Math.min(side - 1, Math.max(0, v));
  const fx = clamp(x * side - 0.5), fy = clamp(y * side - 0.5);
  const x0 = Math.floor(fx), y0 = Math.floor(fy);
  const x1 = clamp(x0 + 1), y1 = clamp(y0 + 1);
  const at = (cx: number, cy: number) => {
    const value = map[cy * side + cx];
    return Number.isNaN(value) ? 0 : Math.min(1, Math.max(0, value));
  };
  const mix = (a: number, b: number, part: number) => a + part * (b - a);
  return mix(
    mix(at(x0, y0), at(x1, y0), fx - x0),
    mix(at(x0, y1), at(x1, y1), fx - x0),
    fy - y0,
  );
}

function check(
  row: HeatRow,
  columns: number,
  { size, channels }: HeatOverlayOptions,
): void {
  const { label, face, maps, side } = row;
  if (face.length !== size * size * channels) {
    throw new RangeError(
      `face of ${label} has ${face.length} values: give ${size} × ${size} × ${channels}`,
    );
  }
  if (maps.length !== columns) {
    throw new RangeError(
      `${label} has ${maps.length} maps for ${columns} columns: give one a column`,
    );
  }
  for (const map of maps) {
    if (map.length === side * side) continue;
    throw new RangeError(
      `a map of ${label} has ${map.length} values: give ${side} × ${side}`,
    );
  }
}

/** Writes `row` into the picture: the bare face, then one for each map. */
function paint(
  pixels: Uint8Array,
  { row, top, width, size, channels }: {
    row: HeatRow;
    top: number;
    width: number;
    size: number;
    channels: 1 | 3;
  },
): void {
  const last = channels - 1;
  for (let i = 0; i < size * size; i++) {
    const x = i % size, y = Math.floor(i / size);
    const from = row.face.subarray(i * channels, (i + 1) * channels);
    const rgb = [from[0], from[last && 1], from[last]];
    // Luma of ITU-R BT.601.
    const gray = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
    const start = (top + y) * width + x;
    pixels.set([...rgb, 255], 4 * start);
    row.maps.forEach((map, j) => {
      const v = sample(map, row.side, (x + 0.5) / size, (y + 0.5) / size);
      const mixed = heat(v).map((c) =>
        Math.round(gray + MOST * v * (c - gray))
      );
      const to = start + (j + 1) * (size + GAP);
      pixels.set([...mixed, 255], 4 * to);
    });
  }
}

/** The maps' scale over mid-grey, from 0 to 1. */
function scale(x: number, y: number): string {
  const steps = 24, step = 5, gray = 150;
  const boxes = Array.from({ length: steps }, (_, i) => {
    const v = i / (steps - 1);
    const rgb = heat(v).map((c) => Math.round(gray + MOST * v * (c - gray)));
    return `<rect x="${x + 16 + i * step}" y="${y}" width="${step + 0.5}" ` +
      `height="10" fill="rgb(${rgb.join(",")})"/>`;
  }).join("");
  return `<text x="${x}" y="${y + 9}">0</text>${boxes}<text x="${
    x + 22 + steps * step
  }" y="${y + 9}">1 (map's value over the grey face)</text>`;
}

/**
 * Draws a row of faces for each face: bare, then in grey under each map, whose
 * cells are blended into each other (attention maps, Grad-CAM). Where a map is
 * 0 the face is bare. Faces of real people stay at home: a notebook that is
 * committed shows synthetic ones only.
 *
 * @throws {RangeError} if a face or a map has another size than said.
 */
export function heatOverlayChart(
  columns: readonly string[],
  rows: readonly HeatRow[],
  o: HeatOverlayOptions,
): Chart {
  const { size, channels, title } = o;
  const label = title ?? "Maps over faces";
  if (rows.length === 0) return emptyChart("heat", label, o);
  for (const row of rows) check(row, columns.length, o);

  const names = ["face", ...columns];
  const width = names.length * (size + GAP) - GAP;
  const height = rows.length * (size + GAP) - GAP;
  const pixels = new Uint8Array(4 * width * height);
  rows.forEach((row, i) =>
    paint(pixels, { row, top: i * (size + GAP), width, size, channels })
  );
  const picture = png(pixels, width, 4).toString("base64");

  const x = Math.ceil(Math.max(...rows.map((r) => textWidth(r.label)))) + 22;
  const words = names.flatMap((name) => name.split(" "));
  const room = ((o.width ?? 720) - x - 8) / names.length - GAP;
  // A face as drawn: it fills the width within reason.
  const side = Math.ceil(Math.max(
    Math.min(112, Math.floor(room)),
    48,
    ...words.map((word) => textWidth(word)),
  ));
  const zoom = side / size, step = side + GAP * zoom;
  const shown = { width: width * zoom, height: height * zoom };
  const box = Math.ceil(Math.max(x + shown.width + 8, x + 390));
  const top = head({ title, width: box });
  const lines = names.map((name) => wrapWords(name, side, FONT_SIZE));
  const depth = Math.max(...lines.map((l) => l.length));
  const y = top.height + 15 * depth + 6;
  const over = lines.flatMap((own, i) =>
    own.map((text, line) =>
      `<text x="${x + i * step + side / 2}" y="${
        y - 8 - 15 * (own.length - 1 - line)
      }" text-anchor="middle">${escapeMarkup(text)}</text>`
    )
  );
  const left = rows.map((row, i) =>
    `<text x="${x - 8}" y="${y + i * step + side / 2 + 4}" ` +
    `text-anchor="end">${escapeMarkup(row.label)}</text>`
  );
  const bottom = Math.ceil(y + shown.height + 14);
  return wrap(
    `<svg xmlns="http://www.w3.org/2000/svg" class="${
      contentClass("heat", picture, title, columns, rows.map((r) => r.label))
    }" role="img" aria-label="${
      escapeMarkup(
        `${label}: maps of ${columns.join(", ")} over ${
          rows.map((r) => r.label).join(", ")
        }, 0 to 1`,
      )
    }" width="${box}" height="${bottom + 20}" viewBox="0 0 ${box} ${
      bottom + 20
    }" fill="currentColor" font-family="system-ui, sans-serif" ` +
      `font-size="${FONT_SIZE}" style="max-width: 100%; height: auto">` +
      `${top.markup}${over.join("")}${left.join("")}<image x="${x}" y="${y}" ` +
      `width="${shown.width}" height="${shown.height}" ` +
      `href="data:image/png;base64,${picture}"/>${scale(x, bottom)}</svg>`,
  );
}
