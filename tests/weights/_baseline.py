"""The Baseline in PyTorch under the study's names, to load weights with strict=True."""
import torch
from torch import nn
from torch.nn import functional as F


class Unit(nn.Module):
    def __init__(self, cin, cout, first):
        super().__init__()
        stride = 2 if first else 1
        self.bn1, self.bn2, self.bn3 = (nn.BatchNorm2d(c) for c in (cin, cout, cout))
        self.conv1 = nn.Conv2d(cin, cout, 3, 1, 1, bias=False)
        self.prelu = nn.PReLU(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, stride, 1, bias=False)
        if first:
            self.downsample = nn.Sequential(
                nn.Conv2d(cin, cout, 1, stride, bias=False), nn.BatchNorm2d(cout)
            )
        self.first = first

    def forward(self, x):
        y = self.prelu(self.bn2(self.conv1(self.bn1(x))))
        return self.bn3(self.conv2(y)) + (self.downsample(x) if self.first else x)


class Backbone(nn.Module):
    def __init__(self, r):
        super().__init__()
        width = r["stemWidth"]
        self.conv1 = nn.Conv2d(3, width, 3, r["stemStride"], 1, bias=False)
        self.bn1, self.prelu = nn.BatchNorm2d(width), nn.PReLU(width)
        for i, (cout, count) in enumerate(zip(r["widths"], r["layers"])):
            units = [Unit(width if j == 0 else cout, cout, j == 0) for j in range(count)]
            setattr(self, f"layer{i + 1}", nn.Sequential(*units))
            width = cout

    def forward(self, x):
        x = self.prelu(self.bn1(self.conv1(x)))
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))


class Attention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.qkv, self.proj = nn.Linear(dim, 3 * dim, bias=False), nn.Linear(dim, dim)

    def forward(self, x):
        b, n, d = x.shape
        qkv = self.qkv(x).reshape(b, n, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(*qkv.unbind(0))
        return self.proj(y.transpose(1, 2).reshape(b, n, d))


class Block(nn.Module):
    def __init__(self, dim, heads, ratio):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attn = Attention(dim, heads)
        self.mlp = nn.Module()
        self.mlp.fc1, self.mlp.fc2 = nn.Linear(dim, ratio * dim), nn.Linear(ratio * dim, dim)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp.fc2(F.gelu(self.mlp.fc1(self.norm2(x))))


class Baseline(nn.Module):
    def __init__(self, r):
        super().__init__()
        dim, side = r["dim"], -(-r["size"] // r["stemStride"])
        for _ in r["widths"]:
            side = -(-side // 2)
        self.irback = Backbone(r)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, side * side + 1, dim))
        self.blocks = nn.Sequential(
            *[Block(dim, r["heads"], r["mlpRatio"]) for _ in range(r["depth"])]
        )
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.head = nn.Linear(dim, r["classes"])

    def forward(self, x):
        x = self.irback(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1) + self.pos_embed
        return self.head(self.norm(self.blocks(x))[:, 0])
