"""Checks kernels on the device that the CUDA driver shows: each against a reference, twice for equal bits.

    check.py [--ptx FOLDER] [--turns N] [--seed N] [--chosen PATTERN] NAME…

NAME       a file of kernels/: lrn, conv
--turns    how many random shapes
--chosen   only kernels with such names, where a test has a choice

Exits with 1 if a kernel is wrong.
"""

import argparse
import importlib
import sys
import time
from pathlib import Path

import numpy as np
from device import CudaError, Device


def check(gpu, name, turns, seed):
    """The largest error. An error says how to repeat it."""
    module, worst = importlib.import_module(name), 0.0
    for turn in range(turns):
        try:
            worst = max(worst, module.check(gpu, np.random.default_rng([seed, turn]), turn))
        except (AssertionError, CudaError) as error:
            raise type(error)(f"{name}, seed {seed}, turn {turn}: {error}") from error
    return worst


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ptx", type=Path, default=Path(__file__).resolve().parents[2] / "kernels/ptx")
    parser.add_argument("--turns", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--chosen", default="")
    parser.add_argument("names", nargs="+", metavar="NAME")
    options = parser.parse_args()
    gpu = Device(options.ptx, options.chosen)
    for name in options.names:
        start = time.perf_counter()
        try:
            worst = check(gpu, name, options.turns, options.seed)
        except (AssertionError, CudaError) as error:
            sys.exit(f"WRONG: {error}")
        print(f"{name}: {options.turns} shapes, largest error {worst:.1e}, {time.perf_counter() - start:.1f} s", flush=True)


if __name__ == "__main__":
    main()
