"""kernels/relu.cu: the CPU's bits."""

import numpy as np
from arrays import LANES, Output, ceil_div, exact, f32, twice

SPECIAL = [0.0, -0.0, np.nan, np.inf, -np.inf, 0.625, -0.625, 10, -10, 1e-30, -1e-38, 1e-42, 9.02, 3e38]


def random_values(rng, count):
    x = rng.standard_normal(count).astype(f32) * f32(rng.choice([0.3, 1, 4, 20]))
    x[rng.integers(0, count, 2 * len(SPECIAL))] = np.tile(np.array(SPECIAL, f32), 2)
    return x


def launch(gpu, name, buffers, count):
    """Forward of x, in place; backward of dy, in place, and y. The names are those of relu.cu or tanh.cu."""
    chunks = count // LANES
    return gpu.kernel(name.split("_")[0], name).prepared(ceil_div(chunks, 256), 256, 0, *buffers, chunks)


def in_place(gpu, name, changed, *others):
    """What a kernel makes of an array, given others."""
    there = [gpu.put(other) for other in others]

    def run():
        out = Output(gpu, changed.shape, contents=changed)
        launch(gpu, name, (out, *there), changed.size)()
        return (out.read(),)

    return twice(run)[0]


def check(gpu, rng, turn):
    count = LANES * int(rng.integers(20, 900))
    x, dy = random_values(rng, count), random_values(rng, count)
    with np.errstate(invalid="ignore"):
        y = np.where(x < 0, f32(0), x)
        exact("y", in_place(gpu, "relu_forward", x), y)
        exact("dx", in_place(gpu, "relu_backward", dy, y), np.where(y > 0, dy, f32(0)))
    return 0.0
