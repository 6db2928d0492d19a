/** Faces, bare and under maps: every pixel as it is, and sizes that are right. */
import assert from "node:assert/strict";
import sharp from "sharp";
import { faceGridChart, heatOverlayChart } from "../../lib/charts/mod.ts";

const face = (level: number, planes = 1) =>
  Uint8Array.from({ length: 64 * planes }, (_, i) => (level + i) % 256);
const rows = [
  { label: "Angry", faces: [face(0), face(90), face(200)] },
  { label: "R & B", faces: [face(17)] },
];

/** The pixels of each picture in a chart, [red, green, blue, alpha] each. */
const picturesOf = (svg: string) =>
  Promise.all(
    [...svg.matchAll(/base64,([^"]+)"/g)].map(([, base64]) =>
      sharp(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)))
        .raw().toBuffer({ resolveWithObject: true })
    ),
  );

Deno.test("a grid's pictures hold each face's pixels, gray or RGB", async () => {
  for (const channels of [1, 3] as const) {
    const drawn = rows.flatMap((r) => r.faces.map((f) => face(f[0], channels)));
    const { svg } = faceGridChart(
      rows.map((r) => ({
        ...r,
        faces: r.faces.map((f) => face(f[0], channels)),
      })),
      { size: 8, channels },
    );
    const pictures = await picturesOf(svg);
    assert.equal(pictures.length, 4);
    pictures.forEach(({ data, info }, k) => {
      assert.deepEqual([info.width, info.height], [8, 8]);
      for (let i = 0; i < 64; i++) {
        for (let c = 0; c < 3; c++) {
          const from = channels === 1 ? i : 3 * i + c;
          assert.equal(data[i * info.channels + c], drawn[k][from]);
        }
      }
    });
  }
});

Deno.test("a grid names its rows, those without a face too", () => {
  const none = { label: "Fear", faces: [] };
  const { svg } = faceGridChart([...rows, none], { size: 8, channels: 1 });
  for (const word of ["Angry", "R &amp; B", "Fear"]) {
    assert.match(svg, new RegExp(`>${word}</`), word);
  }
});

const heatRow = (label: string) => ({
  label,
  face: Uint8Array.from({ length: 64 }, (_, i) => 3 * i),
  maps: [new Float32Array(4).fill(NaN), new Float32Array(4).fill(1)],
  side: 2,
});
const heatOptions = { size: 8, channels: 1 } as const;

Deno.test("a map of 0 leaves the grey face bare and says so, a map of 1 covers it with yellow", async () => {
  const { svg } = heatOverlayChart(
    ["none", "all"],
    [heatRow("x")],
    heatOptions,
  );
  const at = (await picturesOf(svg)).map((
    { data, info },
  ) => [...data.subarray(5 * info.channels, 5 * info.channels + 3)]);
  assert.deepEqual(at, [
    [15, 15, 15],
    [15, 15, 15],
    // 80 % of (240, 249, 33), plasma's 1, and 20 % of 15.
    [195, 202, 29],
  ]);
  assert.equal(svg.match(/>no heat</g)?.length, 1);
});

Deno.test("a face or a map of another size is named", () => {
  assert.throws(
    () => faceGridChart(rows, { size: 9, channels: 1 }),
    /face 1 of Angry has 64 values: give 9 × 9 × 1/,
  );
  assert.throws(
    () => heatOverlayChart(["one"], [heatRow("x")], heatOptions),
    /x has 2 maps for 1 columns/,
  );
});
