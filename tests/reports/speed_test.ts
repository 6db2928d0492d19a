/** Studies of speed: what is refused, ratios in pairs, settings in numbers. */
import assert from "node:assert/strict";
import {
  claims,
  protocol,
  ratios,
  ratioText,
  speedTable,
  startOf,
  timed,
} from "../../lib/reports/mod.ts";
import { published, type Row, speeds, speedText } from "../../lib/rows/mod.ts";
import { withParameterNames } from "../../lib/rows/mod.ts";
import { folderTest as test } from "../_folder.ts";

const html = async (cell: unknown) =>
  // deno-lint-ignore no-explicit-any
  (await (cell as any)[Symbol.for("Jupyter.display")]())["text/html"];

/** A row a rate, each a repeat; null is one that failed. */
const repeated = (params: Row, rates: (number | null)[]): Row[] =>
  rates.map((imagesPerSecond, repeat) =>
    withParameterNames({
      ...params,
      repeat,
      imagesPerSecond,
      secondsPerStep: imagesPerSecond && params.batchSize / imagesPerSecond,
      ...imagesPerSecond === null ? { reason: "out of memory" } : {},
    }, Object.keys(params))
  );
const of = (model: string, rates: (number | null)[]) =>
  repeated({ net: "full", batchSize: 4, model }, rates);
const cls = { of: "model", base: "Baseline" };

Deno.test("a ratio is paired by repeat, so that a slow minute hits both", () => {
  // The machine halves its speed in the second repeat; the ratio does not.
  const rows = [...of("Baseline", [10, 5, 10]), ...of("CLS", [12, 6.1, 12])];
  const [found] = ratios(rows, cls);
  // By hand: exp(mean ± 4.3027 sd / √3) of the logarithms.
  assert.equal(ratioText(found), "1.207 (1.178 to 1.236, 3 repeats)");
  const [back] = ratios(rows, { of: "model", base: "CLS" });
  assert.ok(Math.abs(back.ratio * found.ratio - 1) < 1e-12);
});

Deno.test("a ratio of two repeats has no interval, one without pairs is none", () => {
  const [two] = ratios(
    [...of("Baseline", [10, 10]), ...of("CLS", [12, 13])],
    cls,
  );
  assert.deepEqual([two.low, two.high, two.n], [null, null, 2]);
  assert.equal(ratioText({ ...two, n: 1 }), "1.249 (1 repeat)");
  for (
    const rows of [
      [],
      of("CLS", [12]),
      [...of("Baseline", [10, null]), ...of("CLS", [null, 12])],
    ]
  ) assert.deepEqual(ratios(rows, cls), []);
  assert.throws(
    () => ratios(of("CLS", [12]), { of: "modle", base: "Baseline" }),
    /ratios: no row has "modle": there are .*model/,
  );
});

Deno.test("pairs of a ratio share all other parameters, and a repeat counts once", () => {
  const at = (net: string, model: string, rates: number[]) =>
    repeated({ net, batchSize: 4, model }, rates);
  const [found] = ratios([
    ...at("tiny", "Baseline", [100, 100, 100]),
    ...at("tiny", "CLS", [200, 200, 200]),
    ...at("full", "Baseline", [10, 10, 10]),
    ...at("full", "CLS", [80, 80, 80]),
  ], cls);
  assert.equal(found.ratio.toFixed(6), "4.000000");
  assert.equal(found.n, 3);
});

Deno.test("a setting's speed is its repeats' median, from the slowest to the fastest", async () => {
  const rows = [
    ...repeated({ net: "a", batchSize: 8 }, [10, 40, 20]),
    ...repeated({ net: "a", batchSize: 16 }, [null]),
  ];
  const [good, failed] = speeds(rows);
  assert.deepEqual(
    [good.imagesPerSecond, good.low, good.high, good.n, good.secondsPerStep],
    [20, 10, 40, 3, 0.4],
  );
  assert.deepEqual([failed.imagesPerSecond, failed.low, failed.n], [
    null,
    null,
    0,
  ]);
  assert.equal(failed.error, "out of memory");
  assert.match(
    await html(speedTable(rows)),
    /batch size.*20.*10 to 40.*out of memory/,
  );
  assert.deepEqual([1594.4, 159.44, 0.012345].map(speedText), [
    "1594",
    "159",
    "0.0123",
  ]);
  assert.deepEqual(speeds([]), []);
  assert.match(await html(speedTable([])), /Measured on no machine on record/);
});

const smoke = (
  o: { net?: string; batchSize?: number; mode?: "forward" } = {},
) => ({
  name: "speed",
  nets: { tiny: startOf("smoke").recipe },
  steps: { tiny: { warmUp: 1, least: 2, most: 2 } },
  points: [{ net: "tiny", batchSize: 2, ...o }],
  repeats: 1,
});

Deno.test("a net or a batch size that is none is refused in one line", () => {
  const where = { profile: "smoke" };
  assert.throws(
    () => timed(where, smoke({ net: "large" })),
    /^StudyError: timed: points\[0\] has net "large": nets and steps have tiny$/,
  );
  for (const batchSize of [0, 1.5, NaN]) {
    assert.throws(() => timed(where, smoke({ batchSize })), /batchSize/);
  }
  assert.throws(
    () => timed(where, smoke({ mode: "backward" as "forward" })),
    /points\[0\] has mode "backward": give forward or training step/,
  );
  assert.throws(() => timed(where, { ...smoke(), points: [] }), /points/);
  assert.throws(
    () =>
      timed(where, {
        ...smoke(),
        nets: { tiny: { ...startOf("smoke").recipe, depth: -1 } },
      }),
    /depth/,
  );
});

test("trials of speed have rates and no accuracy, and settle claims on synthetic faces", async (dir) => {
  const at = { profile: "smoke", outDir: dir };
  const both = [
    { net: "tiny", batchSize: 2, mode: "forward" as const },
    { net: "tiny", batchSize: 4, mode: "training step" as const },
  ];
  const study = timed(at, { ...smoke(), points: both });
  const trials = await study.run();
  assert.equal(trials.length, 2);
  for (const t of trials) {
    assert(!Object.hasOwn(t, "accuracy"));
    assert.ok(t.imagesPerSecond > 0);
    const step = t.batchSize / t.secondsPerStep;
    assert.ok(Math.abs(step / t.imagesPerSecond - 1) < 1e-9);
  }
  assert.match(
    await html(speedTable(trials)),
    /<p>Measured on .*threads, TensorFlow 2\.\d+/,
  );
  const about = await html(study);
  assert.match(about, /<td>settings<\/td><td>2, listed<\/td>/);
  assert.doesNotMatch(about, /synthetic|search/);
  const one = timed(at, { ...smoke(), points: [both[0]] });
  assert.equal((await one.trials()).length, 1);
  const shown = await html(
    await claims(one, [
      { claim: "c", published: "–", ours: "1", verdict: "holds", why: "w" },
    ]),
  );
  assert.match(shown, /✓ holds<\/span><\/summary>.*\bw\b/);
});

Deno.test("a protocol of speed has the notes' lines and ours", async () => {
  const shown = await html(
    protocol(
      await published("efficiency"),
      timed({ profile: "smoke" }, smoke()),
    ),
  );
  assert.match(shown, /<td>steps<\/td><td>30, after 50 of warm-up<\/td>/);
  assert.match(shown, /tiny: 2, after 1 of warm-up/);
  assert.match(shown, /<td>memory<\/td><td>max_memory_allocated<\/td><td>–/);
});
