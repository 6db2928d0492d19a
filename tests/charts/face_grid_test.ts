/** The grid of faces shows every pixel as it is, and needs real sizes. */
import assert from "node:assert/strict";
import sharp from "sharp";
import { faceGridChart } from "../../lib/charts/mod.ts";

const face = (level: number, planes = 1) =>
  Uint8Array.from({ length: 64 * planes }, (_, i) => (level + i) % 256);
const rows = [
  { label: "Angry", faces: [face(0), face(90), face(200)] },
  { label: "R & B", faces: [face(17)] },
];

function picture(svg: string) {
  const [, base64] = /base64,([^"]+)"/.exec(svg)!;
  return sharp(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)));
}

Deno.test("the grid's picture holds each face's pixels in its place", async () => {
  for (const channels of [1, 3] as const) {
    const drawn = rows.map((r) => ({
      ...r,
      faces: r.faces.map((f) => face(f[0], channels)),
    }));
    const { svg } = faceGridChart(drawn, { size: 8, channels, side: 8 });
    const { data, info } = await picture(svg).raw()
      .toBuffer({ resolveWithObject: true });
    // Gaps of two pixels, which are transparent, as is a missing face.
    assert.equal(info.width, 3 * 8 + 2 * 2);
    assert.equal(info.height, 2 * 8 + 2);
    const at = (x: number, y: number) =>
      [...data.subarray((y * info.width + x) * info.channels)]
        .slice(0, info.channels);
    const alpha = info.channels - 1;
    drawn.forEach(({ faces }, row) =>
      faces.forEach((pixels, column) => {
        for (let i = 0; i < 64; i++) {
          const shown = at(10 * column + i % 8, 10 * row + Math.floor(i / 8));
          assert.equal(shown[0], pixels[i * channels]);
          assert.equal(shown[alpha - 1], pixels[(i + 1) * channels - 1]);
          assert.equal(shown[alpha], 255);
        }
      })
    );
    assert.equal(at(8, 0)[alpha], 0);
    assert.equal(at(20, 10)[alpha], 0);
  }
});

Deno.test("the grid is the same in every run, and names its rows and columns", () => {
  const o = { size: 8, channels: 1, groups: ["faint", "full"] } as const;
  const { svg } = faceGridChart(rows, o);
  assert.equal(faceGridChart(rows, o).svg, svg);
  for (const word of ["Angry", "R &#38; B", "faint", "full"]) {
    assert.ok(svg.includes(`>${word}</text>`), word);
  }
});

Deno.test("no faces and a face of another size are errors that say so", () => {
  const o = { size: 9, channels: 1 } as const;
  assert.throws(() => faceGridChart([], o), /no faces to draw/);
  assert.throws(
    () => faceGridChart(rows, o),
    /face 0 of Angry has 64 values: give 9 × 9 × 1/,
  );
});
