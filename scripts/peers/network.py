"""Builds our network in PyTorch from the output of `pipeline bench compute --layers`."""

import json
import math
import struct
from collections import OrderedDict

import torch
from torch import nn


def build(description):
    """Builds the same layers under the same names, in training mode."""
    layers = OrderedDict()
    for layer in description["layers"]:
        for name, module in modules(layer):
            layers[name] = module
    net = nn.Sequential(layers).train()
    check(net, description)
    return net


def modules(layer):
    name, kind, channels = layer["name"], layer["kind"], layer["input"][0]
    if kind == "conv":
        kernel, stride, padding = layer["kernel"], layer["stride"], layer["padding"]
        # Windows that extend beyond the right and bottom edge read zeros there.
        sides = zip(layer["output"][1:], layer["input"][1:])
        down, right = [max(0, (out - 1) * stride + kernel - size - 2 * padding) for out, size in sides]
        if down or right:
            yield f"{name}_edge", nn.ZeroPad2d((0, right, 0, down))
        yield name, nn.Conv2d(channels, layer["output"][0], kernel, stride, padding, groups=layer["groups"])
    elif kind == "fc":
        # Does nothing if the input is already flat.
        yield f"{name}_flat", nn.Flatten()
        yield name, nn.Linear(math.prod(layer["input"]), layer["output"][0])
    elif kind == "relu":
        yield name, nn.ReLU(inplace=True)
    elif kind == "tanh":
        yield name, nn.Tanh()
    elif kind == "lrn":
        # PyTorch divides its alpha by the number of channels in a window; ours multiplies the plain sum.
        size = 2 * layer["half_window"] + 1
        yield name, nn.LocalResponseNorm(size, layer["alpha"] * size, layer["beta"], layer["k"])
    elif kind == "maxpool":
        whole = [(size - layer["size"]) // layer["stride"] + 1 for size in layer["input"][1:]]
        yield name, nn.MaxPool2d(layer["size"], layer["stride"], ceil_mode=whole != layer["output"][1:])
    elif kind == "dropout":
        yield name, nn.Dropout(layer["p"])
    else:
        raise ValueError(f"{name}: no twin for a layer of kind {kind}")


def check(net, description):
    """Checks that every layer has our shape."""
    shapes = {layer["name"]: layer["output"] for layer in description["layers"]}
    with torch.no_grad():
        x = torch.zeros(1, *description["input"])
        for name, module in net.named_children():
            x = module(x)
            if name in shapes and list(x.shape[1:]) + [1] * (4 - x.dim()) != shapes[name]:
                raise ValueError(f"{name} gives {list(x.shape[1:])} in PyTorch and {shapes[name]} in ours")


def solver(net, description):
    """SGD with our numbers: biases are decayed only if ours are."""
    ours = description["solver"]
    named = list(net.named_parameters())
    bias_decay = ours["weight_decay"] if ours["decay_biases"] else 0.0
    groups = [
        {"params": [p for name, p in named if not name.endswith("bias")], "weight_decay": ours["weight_decay"]},
        {"params": [p for name, p in named if name.endswith("bias")], "weight_decay": bias_decay},
    ]
    return torch.optim.SGD(groups, lr=ours["lr"], momentum=ours["momentum"])


def tensors(path):
    """The tensors of a safetensors file by name."""
    kinds = {"F32": torch.float32, "I64": torch.int64}
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        body = bytearray(file.read())
    found = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        start, end = entry["data_offsets"]
        flat = torch.frombuffer(body, dtype=kinds[entry["dtype"]], offset=start, count=math.prod(entry["shape"]))
        found[name] = flat.reshape(entry["shape"]).clone()
    return found

