"""kernels/peak.cu: what it stores is the sum of its chains."""

import numpy as np
from arrays import Output, f32, f64, near, twice


def check(gpu, rng, turn):
    blocks, rounds = int(rng.integers(1, 9)), int(rng.integers(0, 4))
    x, y = (float(f32(rng.uniform(0.2, 0.9))) for _ in range(2))

    def run():
        out = Output(gpu, blocks)
        gpu.kernel("peak", "peak_multiply_adds").prepared(blocks, 256, 0, out, rounds, x, y)()
        return (out.read(),)

    (got,) = twice(run)
    chains = np.arange(16, dtype=f64)
    for _ in range(8 * rounds):
        chains = chains * x + y
    return near("out", got[None], np.full((1, blocks), chains.sum()), 1e-6)
