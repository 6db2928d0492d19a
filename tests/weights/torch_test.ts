/** The real PyTorch reads what is written here, and is read here. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { readWeights, writeSafetensors } from "../../lib/weights/mod.ts";
import { torchPython } from "../../tasks/python.ts";
import { inFolder } from "../_folder.ts";
import { finished } from "../_run.ts";

/** Runs Python `code` in the folder, and gives what its last line says as JSON. */
async function python(dir: string, code: string): Promise<unknown> {
  const { code: exit, out, err } = await finished(
    new Deno.Command(await torchPython(), { args: ["-c", code], cwd: dir }),
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
