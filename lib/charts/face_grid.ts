/** Faces in rows, bare or with maps over them: where a model looks. */
import * as Plot from "@observablehq/plot";
import * as d3 from "d3";
import { encode } from "fast-png";
import { checkList, checkOptions, listOf } from "./channels.ts";
import { frame, type FrameOptions, type Spec } from "./frame.ts";
import { scaleItem } from "./heat.ts";
import { hiddenAxis, namesAxis, rowsAxis, widest } from "./text_layout.ts";
import type { Chart } from "./theme.ts";

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

/** A face as drawn: its place on the axes, its pixels. */
interface Picture {
  x: number;
  y: number;
  src: string;
  title: string;
}

const GAP = 4;
/** Opacity of a map's 1. */
const OPACITY = 0.8;

function checkFaces(
  what: string,
  values: ArrayLike<number>,
  ...shape: number[]
) {
  if (!shape.every(Number.isInteger)) {
    throw new TypeError(
      `${what} has no size: give the options size and channels`,
    );
  }
  if (values?.length === shape.reduce((a, b) => a * b)) return;
  throw new RangeError(
    `${what} has ${values?.length ?? "no"} values: give ${shape.join(" × ")}`,
  );
}

/** A face's pixel as [red, green, blue]. */
const colorAt = (face: Uint8Array, i: number, channels: 1 | 3) =>
  [0, 1, 2].map((c) => face[i * channels + (channels === 1 ? 0 : c)]);

/** A PNG of `size` × `size` pixels, each as [red, green, blue]. */
function pictureOf(size: number, pixel: (i: number) => number[]): string {
  const data = Uint8Array.from(d3.range(size * size).flatMap(pixel));
  const png = encode({ width: size, height: size, data, channels: 3 });
  return `data:image/png;base64,${png.toBase64()}`;
}

/** Draws pictures in rows of that many columns, each a square. */
function grid(
  kind: string,
  o: PictureOptions & { side: number },
  names: readonly string[],
  { columns, pictures, ...spec }:
    & Pick<Spec, "label" | "legend" | "x" | "marks">
    & { columns: number; pictures: Picture[] },
): Chart {
  const natural = Math.ceil(widest(names) + 30 + columns * (o.side + GAP));
  const width = o.width ??
    Math.max(spec.legend ? 320 : 200, Math.min(720, natural));
  return frame(kind, { ...o, width }, {
    ...{ ...spec, y: rowsAxis(names, { width }).y },
    isEmpty: pictures.length === 0,
    innerHeight: (inner) =>
      names.length * Math.max(16, Math.min(inner / columns, 1.5 * o.side)),
    marks: (area) => {
      const wide = (area.right - area.left) / columns;
      const tall = (area.bottom - area.top) / names.length;
      const side = Math.min(wide, tall) - GAP;
      return [
        Plot.image(pictures, {
          ...{ x: "x", y: "y", src: "src", title: "title" },
          ...{ width: side, height: side, preserveAspectRatio: "none" },
          imageRendering: "pixelated",
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
  o: PictureOptions,
): Chart {
  checkOptions("faceGridChart", o, "{ size: 48, channels: 1 }");
  const { size, channels } = o;
  const list = listOf("faceGridChart", rows, ["faces"]) as FaceRow[];
  for (const { label, faces } of list) {
    checkList(`faceGridChart: the faces of ${label}`, faces);
  }
  const columns: number = d3.max(list, (r: FaceRow) => r.faces.length) || 1;
  const pictures = list.flatMap(({ label, faces }, row) =>
    faces.map((face, x): Picture => {
      checkFaces(`face ${x + 1} of ${label}`, face, size, size, channels);
      const src = pictureOf(size, (i) => colorAt(face, i, channels));
      return { y: row, x, src, title: label };
    })
  );
  const names = list.map((r) => r.label);
  return grid("faces", { ...o, side: Math.max(48, size) }, names, {
    ...{ label: `faces: ${names.join(", ")}`, columns, pictures },
    ...{ x: hiddenAxis(-0.5, columns - 0.5), marks: () => [] },
  });
}

/** `map` at (x, y), both 0 to 1 across it: bilinear between cells' centres. */
function sample(map: Float32Array, side: number, x: number, y: number) {
  const clamp = (v: number) => Math.min(side - 1, Math.max(0, v));
  const fx = clamp(x * side - 0.5), fy = clamp(y * side - 0.5);
  const [x0, y0] = [Math.floor(fx), Math.floor(fy)];
  const at = (cx: number, cy: number) =>
    Math.min(1, Math.max(0, map[clamp(cy) * side + clamp(cx)] || 0));
  const row = (cy: number) =>
    d3.interpolateNumber(at(x0, cy), at(x0 + 1, cy))(fx - x0);
  return d3.interpolateNumber(row(y0), row(y0 + 1))(fy - y0);
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
  checkOptions("heatOverlayChart", o, "{ size: 48, channels: 1 }");
  const { size, channels } = o;
  const list = listOf("heatOverlayChart", rows, ["face", "maps"]) as HeatRow[];
  const bare: Pick<Picture, "x" | "y">[] = [];
  const pictures = list.flatMap(({ label, face, maps, side }, row) => {
    checkFaces(`face of ${label}`, face, size, size, channels);
    if (maps.length !== columns.length) {
      throw new RangeError(
        `${label} has ${maps.length} maps for ${columns.length} columns: ` +
          "give one a column",
      );
    }
    const y = row, color = (i: number) => colorAt(face, i, channels);
    const own = maps.map((map, column): Picture => {
      const x = column + 1;
      checkFaces(`a map of ${label}`, map, side, side);
      if (!map.some((v) => v > 0)) bare.push({ x, y });
      const src = pictureOf(size, (i) => {
        const [r, g, b] = color(i);
        const [px, py] = [i % size, Math.floor(i / size)]
          .map((p) => (p + 0.5) / size);
        // Luma of ITU-R BT.601.
        const gray = 0.299 * r + 0.587 * g + 0.114 * b;
        return heatOver(gray, sample(map, side, px, py));
      });
      return { x, y, src, title: `${label}, ${columns[column]}` };
    });
    const bareFace = pictureOf(size, color);
    return [{ x: 0, y, src: bareFace, title: label }, ...own];
  });
  const names = ["face", ...columns], labels = list.map((r) => r.label);
  const ramp = (t: number) => `rgb(${heatOver(150, t).join(",")})`;
  return grid("heat", { ...o, side: 112 }, labels, {
    label: `maps of ${columns.join(", ")} over ${labels.join(", ")}, 0 to 1`,
    legend: [[scaleItem("0", "1, the map's value", ramp)]],
    ...{ columns: names.length, pictures, x: namesAxis(names) },
    marks: () => [
      Plot.text(bare, {
        ...{ x: "x", y: "y", text: () => "no heat" },
        ...{ fill: "white", stroke: "black", strokeWidth: 3 },
      }),
    ],
  });
}
