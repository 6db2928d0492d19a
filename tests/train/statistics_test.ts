/** What evaluation reads, the running statistics and means, against PyTorch. */
import assert from "node:assert/strict";
import { modelOf } from "../../lib/models/mod.ts";
import { initialise } from "../../lib/nn/mod.ts";
import { Trainer } from "../../lib/train/mod.ts";
import { readSafetensors } from "../../lib/weights/mod.ts";
import { finished } from "../_run.ts";
import { distance } from "../models/_tiny.ts";
import { tinyRecipe } from "./_tiny.ts";

const { tensors } = await readSafetensors(
  new URL("../fixtures/running_statistics.safetensors", import.meta.url)
    .pathname,
);
const images = tensors.get("images")!.data as Uint8Array;
const labels = tensors.get("labels")!.data as Int32Array;
const [n, side, , channels] = tensors.get("images")!.shape;
const pixels = side * side * channels;

/** What the fixture has under `prefix.`, by the names behind it. */
const under = (prefix: string) =>
  [...tensors].filter(([name]) => name.startsWith(`${prefix}.`))
    .map(([name, tensor]) => [name.slice(prefix.length + 1), tensor] as const);

function assertNear(
  found: ReadonlyMap<string, { data: ArrayLike<unknown> }>,
  prefix: string,
  named = (name: string) => name,
) {
  const wanted = under(prefix);
  assert(wanted.length > 20);
  for (const [name, { data }] of wanted) {
    const ours = found.get(named(name))!.data as Float32Array;
    const d = distance(ours, data as Float32Array);
    assert(d < 1e-5, `${prefix}: ${named(name)} differs by ${d}`);
  }
}

/** A trainer at the fixture's start. */
function started(fields: Record<string, unknown>): Trainer {
  const recipe = tinyRecipe({
    ...{ optimizer: "sgd", momentum: 0, lr: 0.05, flip: 0 },
    erasing: { probability: 0 },
    ...fields,
  });
  const forward = modelOf(recipe);
  const state = initialise(forward, [side, side, channels], 0);
  const trainer = new Trainer(forward, state, recipe);
  const start = under("start");
  const means = start.map(([name, tensor]) => [`ema.${name}`, tensor] as const);
  trainer.load(new Map([...start, ...means]));
  return trainer;
}

for (
  const [prefix, what, accumulate] of [
    ["whole", "five steps, the last on a short batch,", 1],
    ["pieces", "five steps in pieces, the last of two images,", 2],
  ] as const
) {
  Deno.test(`${what} leave PyTorch's running statistics, and evaluation gives its logits`, async () => {
    const plain = started({ accumulate });
    const averaged = started({ accumulate, ema: { decay: 0.9 } });
    for (let at = 0, step = 1; at < n; at += 8, step++) {
      const end = Math.min(at + 8, n);
      for (const trainer of [plain, averaged]) {
        await trainer.trainBatch(
          images.subarray(at * pixels, end * pixels),
          labels.subarray(at, end),
          [end - at, side, side, channels],
        );
        assertNear(trainer.save(), `${prefix}.${step}`);
      }
    }
    // As timm's ModelEmaV2: the mean of a step has that step's statistics.
    assertNear(averaged.save(), `${prefix}.ema`, (name) => `ema.${name}`);
    for (
      const [trainer, name] of [[plain, "logits"], [
        averaged,
        "ema_logits",
      ]] as const
    ) {
      const wanted = tensors.get(`${prefix}.${name}`)!;
      const [count] = wanted.shape;
      const ours = await trainer.logits(
        images.subarray(0, count * pixels),
        [count, side, side, channels],
      );
      const d = distance(ours, wanted.data as Float32Array);
      assert(d < 1e-5, `${prefix}: ${name} differ by ${d}`);
      trainer.dispose();
    }
  });
}

if (Deno.env.get("FERLAB_KERNELS") !== "off") {
  Deno.test("the same by TensorFlow's own ops", async () => {
    const { code, out, err } = await finished(
      new Deno.Command(Deno.execPath(), {
        args: ["test", "-A", "--no-check", import.meta.filename!],
        env: { FERLAB_KERNELS: "off" },
      }),
    );
    assert.equal(code, 0, out + err);
  });
}
