/** The real PyTorch reads what is written here, and is read here. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { readWeights, writeSafetensors } from "../../lib/weights/mod.ts";
import { loadCheckpoint, train, TrainingRun } from "../../lib/train/mod.ts";
import { distance } from "../models/_tiny.ts";
import { tinyData, tinyRecipe } from "../train/_tiny.ts";
import { pythonWith } from "../../tasks/python.ts";
import { inFolder } from "../_folder.ts";
import { finished, ran } from "../_run.ts";

/** Runs Python `code` in the folder, and gives what its last line says as JSON. */
async function python(dir: string, code: string): Promise<unknown> {
  const { code: exit, out, err } = await finished(
    new Deno.Command(await pythonWith("torch"), {
      args: ["-c", code],
      cwd: dir,
    }),
  );
  assert.equal(exit, 0, err);
  return JSON.parse(out.trim().split("\n").at(-1)!);
}

const NET = `
import json, torch
from torch import nn
def net():
    return nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.PReLU(4), nn.Flatten(), nn.Linear(16, 7))
torch.manual_seed(3)
model = net()
model(torch.randn(5, 3, 4, 4))
x = torch.randn(2, 3, 4, 4)
`;

// PyTorch is a download of gigabytes, which nobody expects of a test run.
const wanted = Deno.env.has("CI") || Deno.env.has("FERLAB_PYTHON_TORCH");

Deno.test({
  name:
    "PyTorch loads written safetensors with strict=True and computes the same logits",
  ignore: !wanted,
  fn: () =>
    inFolder(async (dir) => {
      await python(
        dir,
        `${NET}
torch.save({"model": nn.DataParallel(model).state_dict(), "x": x}, "a.pth")
torch.save(model.to(memory_format=torch.channels_last).state_dict(), "b.pth", _use_new_zipfile_serialization=False)
print(1)`,
      );
      const zip = (await readWeights(join(dir, "a.pth"))).tensors;
      const unwrapped = new Map(
        [...zip].map(([name, t]) => [name.replace("module.", ""), t]),
      );
      assert.equal(unwrapped.get("1.num_batches_tracked")!.data[0], 1n);
      await writeSafetensors(join(dir, "a.safetensors"), unwrapped);
      const legacy = (await readWeights(join(dir, "b.pth"))).tensors;
      await writeSafetensors(join(dir, "b.safetensors"), legacy);
      const same = await python(
        dir,
        `${NET}
from safetensors.torch import load_file
same = []
for name in ["a", "b"]:
    other = net()
    other.load_state_dict(load_file(name + ".safetensors"), strict=True)
    states = zip(model.state_dict().items(), other.state_dict().items())
    same += [k == j and torch.equal(a, b) and a.dtype == b.dtype for (k, a), (j, b) in states]
    same.append(torch.equal(model.eval()(x), other.eval()(x)))
print(json.dumps(same))`,
      );
      assert.deepEqual(same, new Array(20).fill(true));
    }),
});

Deno.test({
  name:
    "a training's checkpoint, converted, gives PyTorch's Baseline the same logits with strict=True",
  ignore: !wanted,
  fn: () =>
    inFolder(async (dir) => {
      const recipe = tinyRecipe({
        epochs: 1,
        ema: { decay: 0.5 },
        normalise: { mean: 0.5, std: 0.25 },
      });
      for await (const _ of train(recipe, tinyData, { checkpointDir: dir }));
      const { tensors } = (await loadCheckpoint(dir))!;
      const { trainer } = await new TrainingRun(recipe, tinyData).start();
      trainer.load(tensors);
      const images = tinyData.test.images.subarray(0, 5 * 256 * 3);
      // With a running mean, evaluation is by that.
      const ours = await trainer.logits(images, [5, 16, 16, 3]);
      trainer.dispose();
      const converted = await ran("tasks/weights.ts", [
        ...["convert", join(dir, "checkpoint.safetensors")],
        ...[join(dir, "mean.safetensors"), "--average"],
      ]);
      assert.equal(converted.code, 0, converted.err);
      const here = new URL(".", import.meta.url).pathname;
      const theirs = await python(
        dir,
        `
import json, sys, torch
sys.path.insert(0, ${JSON.stringify(here)})
from _baseline import Baseline
from safetensors.torch import load_file
net = Baseline(json.loads(${JSON.stringify(JSON.stringify(recipe))}))
net.load_state_dict(load_file("mean.safetensors"), strict=True)
x = torch.tensor(${JSON.stringify([...images])}).reshape(5, 16, 16, 3)
x = (x.permute(0, 3, 1, 2) / 255 - 0.5) / 0.25
with torch.no_grad():
    print(json.dumps(net.eval()(x).flatten().tolist()))`,
      );
      const d = distance(ours, theirs as number[]);
      assert(d < 1e-5, `logits differ by ${d}`);
    }),
});
