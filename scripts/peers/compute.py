"""Runs training steps of our network in PyTorch, for scripts/bench-compute and scripts/check-torch.

    compute.py --layers FILE [--batch N] [--threads N] [--steps N] [--warmup N] [--channels-last] [--start SAFETENSORS]

--layers   what `pipeline bench compute --layers` prints: the network and its solver
--start    images, labels and initial weights that `pipeline bench compute --dump` wrote; otherwise random ones

Prints one JSON object. The median of the timed steps counts.
"""

import argparse
import json
import resource
import time
from pathlib import Path

import torch
from torch import nn

from network import build, solver, tensors


def resident():
    """The peak of resident memory so far. After the imports, that is what they take."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def batch_of(options, description, net, layout):
    """Images and labels, and the initial weights if they are given."""
    if options.start:
        start = tensors(options.start)
        images, labels = start.pop("images"), start.pop("labels")
        net.load_state_dict(start)
    else:
        images = torch.randn(options.batch or description["batch"], *description["input"])
        labels = torch.randint(0, description["classes"], (len(images),))
    return images.contiguous(memory_format=layout), labels


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", type=Path, required=True)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--warmup", type=int, default=1)
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--start", type=Path)
    options = parser.parse_args()
    imported = resident()
    torch.manual_seed(1)
    torch.set_num_threads(options.threads)
    description = json.loads(options.layers.read_text())
    layout = torch.channels_last if options.channels_last else torch.contiguous_format
    net = build(description)
    images, labels = batch_of(options, description, net, layout)
    net = net.to(memory_format=layout)
    update, loss_of = solver(net, description), nn.CrossEntropyLoss()
    times, losses = [], []
    for step in range(options.warmup + options.steps):
        start = time.perf_counter()
        update.zero_grad()
        loss = loss_of(net(images), labels)
        loss.backward()
        update.step()
        losses.append(loss.item())
        if step >= options.warmup:
            times.append(time.perf_counter() - start)
    # As in ours: for an even number of steps, the faster of the two middle ones.
    seconds = sorted(times)[(len(times) - 1) // 2]
    print(json.dumps({
        "images_per_s": len(images) / seconds,
        "step_ms": 1e3 * seconds,
        "peak_resident_bytes": resident(),
        "imported_bytes": imported,
        "losses": losses,
        "batch": len(images),
        "threads": options.threads,
        "torch": torch.__version__,
    }))


main()
