"""Makes tests/fixtures/weights/published/: checkpoints as training scripts save them.

Run with PyTorch 2.15, NumPy and safetensors; expected.json there is what PyTorch reads.
"""
import argparse
import collections
import datetime
import json
import pathlib

import numpy
import torch
from safetensors.torch import save_file
from torch import nn

folder = pathlib.Path(__file__).parent.parent / "fixtures" / "weights" / "published"
folder.mkdir(exist_ok=True)
torch.manual_seed(17)


class RecorderMeter:
    def __init__(self):
        self.epochs, self.best = 2, [AverageMeter(), AverageMeter()]


class AverageMeter:
    def __init__(self):
        self.sum, self.scores = 1.5, torch.ones(2)


class StateDict(collections.OrderedDict):
    pass


class Scores(list):
    pass


class Config(dict):
    pass


class Marked(torch.Tensor):
    pass


Batch = collections.namedtuple("Batch", "images labels")


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(2, 1)


expected = {}


def save(name, content, key, weights, legacy=False, stand_ins=(), left_out=()):
    torch.save(content, folder / name, _use_new_zipfile_serialization=not legacy)
    read = torch.load(folder / name, weights_only=False)
    for part in key.split(".") if key else []:
        read = read[part]
    kinds = {torch.float32: "F32", torch.float16: "F32", torch.int32: "I32", torch.int64: "I64"}
    expected[name] = {
        "key": key,
        "format": "PyTorch legacy" if legacy else "PyTorch zip",
        "standIns": sorted(stand_ins),
        "leftOut": list(left_out),
        "tensors": {
            n: {
                "dtype": kinds[read[n].dtype],
                "shape": list(read[n].shape),
                "stored": "F16" if read[n].dtype == torch.float16 else None,
                "values": read[n].flatten().tolist(),
            }
            for n in weights
        },
    }


sd = Net().state_dict()
names = list(sd)
for legacy in (False, True):
    save(
        "recorder.legacy.pth" if legacy else "recorder.pth",
        {"epoch": 3, "recorder": RecorderMeter(), "state_dict": sd},
        "state_dict", names, legacy, ["__main__.RecorderMeter", "__main__.AverageMeter"],
    )
    save(
        "beside_a_net.legacy.pth" if legacy else "beside_a_net.pth",
        {"net": Net().double(), "state_dict": sd}, "state_dict", names, legacy,
        ["__main__.Net", "torch.nn.modules.linear.Linear"],
    )
save("namespace.pth", {"state_dict": sd, "args": argparse.Namespace(lr=1, out=pathlib.PurePosixPath("a/b"))},
     "state_dict", names, stand_ins=["argparse.Namespace", "pathlib.PurePosixPath"])
save("numpy.pth", {"best": numpy.float32(0.5), "seen": numpy.int64(3), "matrix": numpy.eye(2), "state_dict": sd},
     "state_dict", names, stand_ins=["numpy._core.multiarray._reconstruct", "numpy.ndarray"])
save("defaultdict.pth", collections.defaultdict(list, {**sd, "history": [0.5]}), "", names)
save("containers.pth", {
    "history": collections.defaultdict(list, loss=[1.0]), "scores": Scores([0.5, torch.ones(1)]),
    "config": Config(lr=0.1), "when": datetime.date(2024, 2, 29), "join": ", ".join,
    "model": StateDict(sd),
}, "model", names, stand_ins=["__main__.Scores", "__main__.Config", "datetime.date", "__builtin__.getattr", "__main__.StateDict"])
save("namedtuple.pth", {**sd, "batch": Batch(torch.ones(1), torch.ones(1)), "range": range(3)},
     "", names, stand_ins=["__main__.Batch"])
count = torch.arange(6)
save("negative.pth", {
    "n": torch._neg_view(torch.arange(4.0)),
    "half": torch._neg_view(torch.tensor([0.5, -2.0]).half()),
    "int": torch._neg_view(count.int()),
    "long": torch._neg_view(count),
    "strided": torch._neg_view(torch.arange(6.0).reshape(2, 3).t()),
    "imag": torch.complex(torch.zeros(3), torch.arange(3.0)).conj().imag.clone(),
    "twice": torch._neg_view(torch._neg_view(torch.arange(2.0))),
}, "", ["n", "half", "int", "long", "strided", "imag", "twice"])
save("integer_key.pth", {"w": torch.ones(2), 3: torch.ones(1), (1, 2): torch.ones(1)}, "", ["w"],
     left_out=["the tensor under the key 3, which is no name", "the tensor under the key (an object), which is no name"])

refused = {
    "integers.pth": {3: torch.ones(1)},
    "quantised.pth": {"w": torch.ones(1), "q": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)},
    "sparse.pth": {"w": torch.ones(1), "s": torch.eye(2).to_sparse()},
    "sparse_csr.pth": {"s": torch.eye(2).to_sparse_csr()},
    "nested.pth": {"n": torch.nested.nested_tensor([torch.ones(1), torch.ones(2)])},
    "meta.pth": {"m": torch.ones(2, device="meta")},
    "subclass.pth": {"w": torch.ones(1), "m": torch.ones(2).as_subclass(Marked)},
    "parameter.pth": {"m": nn.Parameter(torch.ones(2).as_subclass(Marked))},
    "conjugate.pth": {"c": torch.tensor([1 + 2j]).conj()},
    "list.pth": [{"a": torch.ones(1)}, {"b": torch.ones(1)}],
    "float8.pth": {"f": torch.ones(2).to(torch.float8_e4m3fn)},
    "object.pth": argparse.Namespace(state_dict=sd),
}
for name, content in refused.items():
    torch.save(content, folder / name)
torch.save({"a": torch.ones(1)}, folder / "protocol1.pth", pickle_protocol=1)
# A start for a net of seven classes.
torch.save({"model": {"head.bias": torch.ones(7)}, "args": argparse.Namespace(lr=1)}, folder / "start.pth")
torch.save(refused["quantised.pth"], folder / "quantised.legacy.pth", _use_new_zipfile_serialization=False)

shards = {
    "model-00001-of-00002.safetensors": {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.ones(2).half()},
    "model-00002-of-00002.safetensors": {"b.weight": torch.tensor([[7], [8]])},
}
for name, tensors in shards.items():
    save_file(tensors, folder / name, {"format": "pt"})
index = {"metadata": {"total_size": 44}, "weight_map": {n: s for s, tensors in shards.items() for n in tensors}}
(folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n")
torch.save(shards["model-00001-of-00002.safetensors"], folder / "pytorch_model-00001-of-00001.bin")
index = {"metadata": {}, "weight_map": {n: "pytorch_model-00001-of-00001.bin" for n in ("a.weight", "a.bias")}}
(folder / "pytorch_model.bin.index.json").write_text(json.dumps(index, indent=2) + "\n")

(folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
