"""The study's models in PyTorch, trained as `deno task bench train` trains them.

Takes one JSON argument (the recipe, batch, variant), prints one JSON line when
it is ready, and then one for each number of steps that it reads: their times in
milliseconds. A variant is "eager" or "channels-last", perhaps followed by
"bf16" and "torch.compile".
"""
import json
import re
import resource
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F


def unit(cin, cout, stride, first):
    body = nn.Sequential(
        nn.BatchNorm2d(cin),
        nn.Conv2d(cin, cout, 3, 1, 1, bias=False),
        nn.BatchNorm2d(cout),
        nn.PReLU(cout),
        nn.Conv2d(cout, cout, 3, stride, 1, bias=False),
        nn.BatchNorm2d(cout),
    )
    shortcut = (
        nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=False), nn.BatchNorm2d(cout))
        if first
        else nn.Identity()
    )
    return nn.ModuleList([body, shortcut])


class Block(nn.Module):
    def __init__(self, dim, heads, ratio):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.proj = nn.Linear(dim, dim)
        self.fc1 = nn.Linear(dim, int(ratio * dim))
        self.fc2 = nn.Linear(int(ratio * dim), dim)

    def forward(self, x):
        b, n, d = x.shape
        qkv = self.qkv(self.norm1(x)).reshape(b, n, 3, self.heads, d // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, d)
        x = x + self.proj(y)
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))


class ClsBlock(nn.Module):
    """The cls token alone asks, and the patches are dropped, as published."""

    def __init__(self, dim, heads, ratio):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.wq = nn.Linear(dim, dim, bias=False)
        self.wk = nn.Linear(dim, dim, bias=False)
        self.wv = nn.Linear(dim, dim, bias=False)
        self.proj = nn.Linear(dim, dim)
        self.fc1 = nn.Linear(dim, int(ratio * dim))
        self.fc2 = nn.Linear(int(ratio * dim), dim)

    def forward(self, x):
        b, n, d = x.shape
        h = self.norm1(x)

        def split(y):
            return y.reshape(b, -1, self.heads, d // self.heads).transpose(1, 2)

        q, k, v = split(self.wq(h[:, :1])), split(self.wk(h)), split(self.wv(h))
        # The published slip: logits divided by head_dim ** -0.5.
        y = F.scaled_dot_product_attention(q, k, v, scale=(d // self.heads) ** 0.5)
        x = x[:, :1] + self.proj(y.transpose(1, 2).reshape(b, 1, d))
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))


class Net(nn.Module):
    def __init__(self, r):
        super().__init__()
        block = {"baseline": Block, "cls": ClsBlock}[r["model"]]
        width = r["stemWidth"]
        self.stem = nn.Sequential(
            nn.Conv2d(3, width, 3, r["stemStride"], 1, bias=False),
            nn.BatchNorm2d(width),
            nn.PReLU(width),
        )
        units, side = [], -(-r["size"] // r["stemStride"])
        for cout, count in zip(r["widths"], r["layers"]):
            for i in range(count):
                units.append(unit(width, cout, 2 if i == 0 else 1, i == 0))
                width = cout
            side = -(-side // 2)
        self.units = nn.ModuleList(units)
        dim = r["dim"]
        self.cls = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos = nn.Parameter(torch.zeros(1, side * side + 1, dim))
        self.blocks = nn.ModuleList(
            [block(dim, r["heads"], r["mlpRatio"]) for _ in range(r["depth"])]
        )
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.head = nn.Linear(dim, r["classes"])

    def forward(self, x):
        x = self.stem(x)
        for body, shortcut in self.units:
            x = body(x) + shortcut(x)
        x = x.flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(len(x), -1, -1), x], 1) + self.pos
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)[:, 0])


def peak_kib():
    """Peak memory; Linux's own ru_maxrss would begin at the parent's."""
    try:
        with open("/proc/self/status") as status:
            return int(re.search(r"VmHWM:\s+(\d+)", status.read())[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def measure(r):
    name = r["variant"]
    channels_last = "channels-last" in name
    bf16, compiled = "bf16" in name, "torch.compile" in name
    torch.manual_seed(0)
    net = Net(r)
    x = torch.rand(r["batch"], 3, r["size"], r["size"])
    y = torch.arange(r["batch"]) % r["classes"]
    if channels_last:
        net = net.to(memory_format=torch.channels_last)
        x = x.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-5)
    model = torch.compile(net) if compiled else net

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    def timed(n):
        times = []
        for _ in range(n):
            start = time.perf_counter()
            step()
            times.append(round(1000 * (time.perf_counter() - start), 3))
        return times

    [first] = timed(1)
    timed(1)
    engine = f"torch {torch.__version__}"
    say({"engine": engine, "variant": name, "firstStepMs": first})
    for line in sys.stdin:
        say({"times": timed(int(line)), "peakRssMb": round(peak_kib() / 1024)})


def say(message):
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    recipe = json.loads(sys.argv[1])
    try:
        measure(recipe)
    except Exception as error:  # torch.compile needs a C++ compiler
        line = str(error).strip().splitlines()[0]
        print(f"{recipe['variant']}: {line}", file=sys.stderr)
