/** Faces in rows, bare or with maps over them: where a model looks. */
import * as Plot from "@observablehq/plot";
import * as d3 from "d3";
import { type Axis, axisFor } from "./axis.ts";
import { frame, type FrameOptions, type Spec } from "./frame.ts";
import { scaleItem } from "./heat.ts";
import { png } from "./png.ts";
import { rowKey, rowsAxis } from "./rows_axis.ts";
import { type Chart, textWidth } from "./theme.ts";

/** A row of the grid. */
export interface FaceRow {
  label: string;
  /** uint8 pixels of each face, `[size, size, channels]`. */
  faces: readonly Uint8Array[];
}

/** One face and a map for each column. */
export interface HeatRow {
  label: string;
  /** uint8 pixels, `[size, size, channels]`. */
  face: Uint8Array;
  /** `[side, side]` each, 0 to 1; NaN is shown as 0, bare. */
  maps: readonly Float32Array[];
  side: number;
}

interface PictureOptions extends Omit<FrameOptions, "noise" | "height"> {
  /** Side of a face in its own pixels. */
  size: number;
  channels: 1 | 3;
}

export interface FaceGridOptions extends PictureOptions {
  /** Words over the columns, each over an equal part of them. */
  groups?: readonly string[];
}

/** A face as drawn. */
interface Picture {
  row: number;
  /** Of the x axis. */
  x: number | string;
  src: string;
  title: string;
}

const GAP = 4;
/** Opacity of a map's 1. */
const OPACITY = 0.8;

function check(what: string, face: Uint8Array, o: PictureOptions): void {
  const { size, channels } = o;
  if (face.length === size * size * channels) return;
  throw new RangeError(
    `${what} has ${face.length} values: give ${size} × ${size} × ${channels}`,
  );
}

/** A face's pixel as [red, green, blue]. */
function colorAt(face: Uint8Array, i: number, channels: 1 | 3) {
  const last = channels - 1;
  const [r, g, b] = [0, last && 1, last].map((c) => face[i * channels + c]);
  return [r, g, b];
}

/** A picture of `size` × `size` pixels, each as [red, green, blue]. */
function pictureOf(size: number, pixel: (i: number) => number[]): string {
  const pixels = new Uint8Array(4 * size * size);
  for (let i = 0; i < size * size; i++) pixels.set([...pixel(i), 255], 4 * i);
  return `data:image/png;base64,${png(pixels, size, 4).toString("base64")}`;
}

/** Draws pictures in rows of that many columns, each a square. */
function grid(
  kind: string,
  o: PictureOptions & { side: number },
  rows: readonly { label: string }[],
  { columns, pictures, ...spec }:
    & Pick<Spec, "label" | "legend" | "x" | "room" | "marks">
    & { columns: number; pictures: Picture[] },
): Chart {
  const names = rows.map((r) => r.label);
  const widest = Math.max(0, ...names.map((name) => textWidth(name)));
  const width = o.width ?? Math.max(
    spec.legend ? 320 : 200,
    Math.min(720, Math.ceil(widest + 30 + columns * (o.side + GAP))),
  );
  const { axis } = rowsAxis(names, { width });
  return frame(kind, { ...o, width }, {
    ...spec,
    y: { ...axis, hasNoGrid: true },
    isEmpty: pictures.length === 0,
    innerHeight: (inner) =>
      rows.length * Math.max(16, Math.min(inner / columns, 1.5 * o.side)),
    marks: (area) => {
      const side = Math.min(
        (area.right - area.left) / columns,
        (area.bottom - area.top) / rows.length,
      ) - GAP;
      return [
        Plot.image(pictures, {
          x: "x",
          y: (p: Picture) => rowKey(p.row),
          src: "src",
          width: side,
          height: side,
          preserveAspectRatio: "none",
          imageRendering: "pixelated",
          title: "title",
          className: "ferlab-faces",
        }),
        ...spec.marks(area),
      ];
    },
  });
}

/**
 * Draws rows of faces. Faces of real people stay at home: a notebook that is
 * committed shows synthetic ones only.
 *
 * @throws {RangeError} if a face has another size than said.
 */
export function faceGridChart(
  rows: readonly FaceRow[],
  o: FaceGridOptions,
): Chart {
  const { size, channels, groups = [] } = o;
  const columns = Math.max(0, ...rows.map((r) => r.faces.length));
  const perGroup = Math.ceil(Math.max(1, columns) / Math.max(1, groups.length));
  // A third of a face lies between groups.
  const at = (column: number) => column + Math.floor(column / perGroup) / 3;
  const end = at(Math.max(0, columns - 1)) + 0.5;
  const pictures = rows.flatMap(({ label, faces }, row) =>
    faces.map((face, column): Picture => {
      check(`face ${column} of ${label}`, face, o);
      return {
        row,
        x: at(column),
        src: pictureOf(size, (i) => colorAt(face, i, channels)),
        title: label,
      };
    })
  );
  return grid("faces", { ...o, side: Math.max(48, size) }, rows, {
    label: `faces: ${rows.map((r) => r.label).join(", ")}`,
    columns: end + 0.5,
    pictures,
    x: {
      ...axisFor([], { label: "", scale: "linear" }),
      domain: [-0.5, end],
      isHidden: true,
    },
    room: { top: groups.length > 0 ? 16 : 0 },
    marks: () => [
      Plot.text(groups, {
        x: (_: string, i: number) =>
          (at(i * perGroup) + at(Math.min(columns, (i + 1) * perGroup) - 1)) /
          2,
        text: (name: string) => name,
        frameAnchor: "top",
        dy: -10,
      }),
    ],
  });
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

/** Dark violet to yellow, its lightness rising, over a grey. */
function heatOver(gray: number, value: number): number[] {
  const { r, g, b } = d3.rgb(d3.interpolatePlasma(value));
  return [r, g, b].map((c) => Math.round(gray + OPACITY * value * (c - gray)));
}

/**
 * Draws a row of faces for each face: bare, then in grey under each map, whose
 * cells are blended into each other (attention maps, Grad-CAM). Where a map is
 * 0 the face is bare, and a map that is 0 throughout says so. Faces of real
 * people stay at home: a notebook that is committed shows synthetic ones only.
 *
 * @throws {RangeError} if a face or a map has another size than said.
 */
export function heatOverlayChart(
  columns: readonly string[],
  rows: readonly HeatRow[],
  o: PictureOptions,
): Chart {
  const { size, channels } = o;
  const names = ["face", ...columns];
  const bare: { row: number; x: string }[] = [];
  const pictures = rows.flatMap((row, i): Picture[] => {
    const { label, face, maps, side } = row;
    check(`face of ${label}`, face, o);
    if (maps.length !== columns.length) {
      throw new RangeError(
        `${label} has ${maps.length} maps for ${columns.length} columns: ` +
          "give one a column",
      );
    }
    const src = pictureOf(size, (p) => colorAt(face, p, channels));
    return [
      { row: i, x: rowKey(0), src, title: label },
      ...maps.map((map, j) => {
        if (map.length !== side * side) {
          throw new RangeError(
            `a map of ${label} has ${map.length} values: give ${side} × ${side}`,
          );
        }
        const x = rowKey(j + 1);
        if (!map.some((v) => v > 0)) bare.push({ row: i, x });
        const at = (p: number) => (p + 0.5) / size;
        return {
          row: i,
          x,
          title: `${label}, ${columns[j]}`,
          src: pictureOf(size, (p) => {
            const [r, g, b] = colorAt(face, p, channels);
            // Luma of ITU-R BT.601.
            const gray = 0.299 * r + 0.587 * g + 0.114 * b;
            const [px, py] = [p % size, Math.floor(p / size)];
            return heatOver(gray, sample(map, side, at(px), at(py)));
          }),
        };
      }),
    ];
  });
  const x: Axis = {
    ...axisFor(names.map((_, i) => rowKey(i)), {
      label: "",
      scale: "category",
    }),
    format: (key) => names[Number(key)],
  };
  return grid("heat", { ...o, side: 112 }, rows, {
    label: `maps of ${columns.join(", ")} over ${
      rows.map((r) => r.label).join(", ")
    }, 0 to 1`,
    legend: [[
      scaleItem(
        "0",
        "1, the map's value",
        (t) => `rgb(${heatOver(150, t).join(",")})`,
      ),
    ]],
    columns: names.length,
    pictures,
    x: { ...x, hasNoGrid: true },
    marks: () => [
      Plot.text(bare, {
        x: "x",
        y: (p: { row: number }) => rowKey(p.row),
        text: () => "no heat",
        fill: "white",
        stroke: "black",
        strokeWidth: 3,
        className: "ferlab-bare",
      }),
    ],
  });
}
