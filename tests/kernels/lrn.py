"""kernels/lrn.cu"""

import numpy as np
from arrays import LANES, Output, ceil_div, exact, f32, f64, near, padded, twice
from device import struct


def reference(a, db, half, alpha, beta, k):
    """b and da in float64."""
    a, db = a.astype(f64), db.astype(f64)

    def window(x):
        sums = np.zeros_like(x)
        for i in range(x.shape[-1]):
            sums[..., i] = x[..., max(0, i - half) : i + half + 1].sum(-1)
        return sums

    s = k + alpha * window(a * a)
    return a * s**-beta, db * s**-beta - 2 * alpha * beta * a * window(db * a * s ** (-beta - 1))


def launch(gpu, buffers, half, positions, chunks, five=True, alpha=1e-4, beta=0.75, k=2.0):
    """Forward of b, a; backward of da, a, db."""
    backward = len(buffers) == 3
    rows, margin = max(1, 256 // chunks), ceil_div(half, LANES)
    shared = 16 * rows * (chunks + 2 * margin) * (2 if backward else 1)
    name = ("lrn_backward" if backward else "lrn_forward") + ("_5" if five and half == 2 else "")
    block = chunks, rows
    values = struct("iifff", positions, half, alpha, beta, k)
    return gpu.kernel("lrn", name).prepared(ceil_div(positions, rows), block, shared, *buffers, values)


def check(gpu, rng, turn):
    shape = [int(rng.integers(1, 4)), int(rng.integers(1, 6)), int(rng.integers(1, 6)), int(rng.choice([1, 3, 8, 17, 30, 96, 300]))]
    half = 2 if turn % 2 else int(rng.choice([0, 1, 3, 4, 5, 9]))
    alpha, k = float(f32(rng.choice([1e-4, 2e-2]))), float(f32(rng.choice([1.0, 2.0])))
    beta = float(f32(rng.choice([0.75, 0.75, 0.5, 0.9])))
    a = (rng.standard_normal(shape) * 4).astype(f32)
    db = rng.standard_normal(shape).astype(f32)
    want_b, want_da = reference(a, db, half, alpha, beta, k)
    pa, pdb = padded(a), padded(db)
    positions, chunks = int(np.prod(shape[:3])), pa.shape[-1] // LANES
    on_a, on_db = gpu.put(pa), gpu.put(pdb)
    what, worst, results = f"{shape} half {half} beta {beta:.2f}", 0.0, {}
    for five in [True, False] if half == 2 else [False]:

        def run(five=five):
            b, da = Output(gpu, pa.shape), Output(gpu, pa.shape)
            launch(gpu, (b, on_a), half, positions, chunks, five, alpha, beta, k)()
            launch(gpu, (da, on_a, on_db), half, positions, chunks, five, alpha, beta, k)()
            return b.read(), da.read()

        b, da = results[five] = twice(run)
        worst = max(worst, near(f"b {what}", b, want_b, 2e-6), near(f"da {what}", da, want_da, 2e-6))
    if half == 2:
        exact("lrn_forward_5", results[True][0], results[False][0])
        exact("lrn_backward_5", results[True][1], results[False][1])
    return worst
