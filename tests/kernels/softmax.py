"""kernels/softmax.cu"""

import numpy as np
from arrays import STEP, Output, f32, f64, near, padded, twice, u32
from device import struct

LOSS = np.dtype([("sum", f64), ("present", u32), ("correct", u32)])


def reference(z, labels, weights, present):
    """p, dz, the losses of the rows, and how many count and are right. Roundings to f32 are where the kernel has them."""
    rows = np.arange(len(z))
    largest = z.max(1, keepdims=True)
    e = np.exp((z - largest).astype(f64))
    rounded = e.astype(f32)
    p = rounded * (1.0 / rounded.astype(f64).sum(1, keepdims=True)).astype(f32)
    losses = np.log(e.sum(1)) + largest[:, 0].astype(f64) - z[rows, labels].astype(f64)
    dz = p.copy()
    dz[rows, labels] -= f32(1)
    counts = weights != 0
    dz = np.where(counts[:, None], dz * (f32(1) / f32(max(present, 1))), f32(0))
    return p, dz, np.where(counts, losses, 0.0), int(counts.sum()), int(((p.argmax(1) == labels) & counts).sum())


def launch(gpu, dz, rows, loss, z, labels, weights, step, n, classes, lanes):
    """The gradient and the rows' losses, then the batch's."""
    values = struct("iii", n, classes, lanes)
    first = gpu.kernel("softmax", "softmax_backward").prepared(n, 256, 0, dz, rows, z, labels, weights, step, values)
    second = gpu.kernel("softmax", "softmax_loss").prepared(1, 256, 0, loss, rows, values)

    def both():
        first()
        second()

    return both


def check(gpu, rng, turn):
    n, classes = ((1, 1000), (300, 2), (5, 257), (32, 10), (2, 1))[turn % 5]
    z = (rng.standard_normal((n, classes)) * rng.choice([0.01, 1, 20])).astype(f32)
    if turn % 2:  # the largest one several times
        z = np.minimum(np.round(z), f32(0))
    labels = np.where(rng.random(n) < 0.5, z.argmax(1), rng.integers(0, classes, n)).astype(u32)
    weights = (rng.random(n) < 0.8).astype(f32)
    present = int((weights != 0).sum()) + int(rng.choice([0, 0, 3]))
    p, dz, losses, counts, correct = reference(z, labels, weights, present)
    pz = padded(z)
    step, on_z, on_labels, on_weights = (gpu.put(a) for a in (np.array([(0, 0, present)], STEP), pz, labels, weights))

    def run():
        out_p, out_dz = Output(gpu, pz.shape), Output(gpu, pz.shape)
        rows, again, loss = Output(gpu, n, LOSS), Output(gpu, n, LOSS), Output(gpu, 1, LOSS)
        gpu.kernel("softmax", "softmax_forward")(n, 256, 0, out_p, on_z, struct("iii", n, classes, pz.shape[1]))
        for gradient, losses in ((out_dz, rows), (None, again)):
            launch(gpu, gradient, losses, loss, on_z, on_labels, on_weights, step, n, classes, pz.shape[1])()
        assert (rows.read() == again.read()).all(), "other losses without dz"
        return out_p.read(), out_dz.read(), loss.read()

    got_p, got_dz, got = twice(run)
    worst = near(f"p {n} × {classes}", got_p, p.astype(f64), 3e-7)
    if counts:
        near(f"dz {n} × {classes}", got_dz, dz.astype(f64), 3e-7)
    counted = int(got["present"][0]), int(got["correct"][0])
    assert counted == (counts, correct), f"rows and correct ones: {counted}, not {(counts, correct)}"
    error = abs(got["sum"][0] - losses.sum()) / max(1e-12, abs(losses).sum())
    assert error < 1e-12, f"the loss: {got['sum'][0]}, not {losses.sum()}"
    return worst
