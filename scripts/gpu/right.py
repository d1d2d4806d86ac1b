"""Kernels against their references on random small shapes, twice for equal bits."""

import importlib
import time

import numpy as np
from device import CudaError


def run(context, name):
    """`name` is a file of kernels."""
    gpu = context.device()
    module, extra = importlib.import_module(name.split("/")[-1]), {}
    if "/" in name:
        extra["file"] = name
    turns = {"conv": 40, "variants/conv": 25}.get(name, 30)
    turns, worst, wrong = (1 if context.small else turns), 0.0, 0
    start = time.perf_counter()
    for turn in range(turns):
        try:
            worst = max(worst, module.check(gpu, np.random.default_rng([1, turn]), turn, **extra))
        except AssertionError as error:
            wrong += 1
            context.fail(f"turn {turn}: {error}")
        except CudaError as error:
            raise CudaError(f"turn {turn}: {error}") from error
    context.say(f"{name}: {turns} shapes, {wrong} wrong, largest error {worst:.1e}, {time.perf_counter() - start:.1f} s")
    return {"turns": turns, "wrong": wrong, "error": worst}
