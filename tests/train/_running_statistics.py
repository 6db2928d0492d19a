"""Makes tests/fixtures/running_statistics.safetensors: what batch norm is left with.

A tiny Baseline takes five SGD steps over 38 images in batches of 8, so that the
last has 6; once whole and once in pieces of 4 (the last piece: 2), with a running
mean of all that evaluation reads. Run with PyTorch 2.15 and safetensors; all is
computed in float64.
"""
import copy
import pathlib
import sys

import torch
from safetensors.torch import save_file
from torch.nn import functional as F

tests = pathlib.Path(__file__).parent.parent
sys.path.insert(0, str(tests / "weights"))
from _baseline import Baseline  # noqa: E402

torch.manual_seed(19)
recipe = dict(size=16, widths=[4, 4, 8, 8], layers=[1, 1, 1, 1], stemWidth=4)
recipe |= dict(stemStride=1, depth=1, dim=8, heads=2, mlpRatio=4, classes=7)
net = Baseline(recipe).double()
with torch.no_grad():
    for name, value in net.state_dict().items():
        if name.endswith("running_mean"):
            value.normal_()
        if name.endswith("running_var"):
            value.uniform_(0.5, 2)
images = torch.randint(0, 256, (38, 16, 16, 3), dtype=torch.uint8)
labels = torch.randint(0, 7, (38,), dtype=torch.int32)
x = (images.double() / 255).permute(0, 3, 1, 2)
saved = {"images": images, "labels": labels}


def keep(prefix, tensors):
    for name, value in tensors.items():
        if value.is_floating_point():
            saved[f"{prefix}.{name}"] = value.detach().float().contiguous().clone()


def train(prefix, size):
    """Five steps, each batch in pieces of `size`."""
    own = copy.deepcopy(net)
    average = copy.deepcopy(net)
    optimizer = torch.optim.SGD(own.parameters(), lr=0.05)
    for step, at in enumerate(range(0, 38, 8), 1):
        optimizer.zero_grad()
        batch = slice(at, at + 8)
        pieces = zip(x[batch].split(size), labels[batch].long().split(size))
        for part, wanted in pieces:
            loss = F.cross_entropy(own(part), wanted, reduction="sum")
            (loss / len(x[batch])).backward()
        optimizer.step()
        # As timm's ModelEmaV2: buffers too, once a step has set them.
        decay = min(0.9, (1 + step) / (10 + step))
        with torch.no_grad():
            for a, b in zip(average.state_dict().values(), own.state_dict().values()):
                if a.is_floating_point():
                    a.copy_(decay * a + (1 - decay) * b)
        buffers = {k: v for k, v in own.state_dict().items() if "running_" in k}
        keep(f"{prefix}.{step}", buffers)
    keep(f"{prefix}.ema", {k: v for k, v in average.state_dict().items() if "running_" in k})
    for name, model in {"logits": own, "ema_logits": average}.items():
        model.eval()
        keep(prefix, {name: model(x[:10])})


keep("start", net.state_dict())
train("whole", 8)
train("pieces", 4)
save_file(saved, tests / "fixtures" / "running_statistics.safetensors")
