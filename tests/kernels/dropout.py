"""kernels/dropout.cu: the CPU's masks, bit for bit."""

import numpy as np
from arrays import LANES, STEP, Output, ceil_div, exact, f32, padded, twice
from device import struct

DROPOUT = 5  # the purpose of these random numbers (src/rng.rs)


def philox(counter, key):
    """Philox4x32-10 of arrays of four words."""
    low = np.uint64(0xFFFFFFFF)
    c = np.broadcast_arrays(*(np.asarray(word, np.uint64) & low for word in counter))
    k0, k1 = key
    for _ in range(10):
        p0, p1 = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        high = np.uint64(32)
        c = [(p1 >> high) ^ c[1] ^ np.uint64(k0), p1 & low, (p0 >> high) ^ c[3] ^ np.uint64(k1), p0 & low]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c


def known_answer():
    """From the authors' own tests."""
    got = philox([0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344], (0xA4093822, 0x299F31D0))
    assert [int(word) for word in got] == [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1], got


def threshold(p):
    return int(float(f32(p)) * 4294967296.0)


def kept(seed, step, layer, p, rows, units, of):
    """Whether each unit of each row is kept; `of` units has the whole layer."""
    row, unit = np.asarray(rows, np.uint64)[:, None], np.asarray(units, np.uint64)[None]
    group = (row * np.uint64(ceil_div(of, 4)) + unit // np.uint64(4)) & np.uint64(0xFFFFFFFF)
    words = philox([group, DROPOUT, step, layer], (seed & 0xFFFFFFFF, seed >> 32))
    bits = np.choose((unit % np.uint64(4)).astype(int) + np.zeros(group.shape, int), words)
    return bits >= np.uint64(threshold(p))


def launch(gpu, x, step, rows, plane, chunks, first, units, first_row, seed, layer, p):
    values = struct("iiiiiIIIQ", plane, chunks, first, units, first_row, seed & 0xFFFFFFFF, seed >> 32, layer, threshold(p))
    return gpu.kernel("dropout", "dropout_train").prepared((ceil_div(plane * chunks, 256), rows), 256, 0, x, step, values)


def check(gpu, rng, turn):
    known_answer()
    side = (1, 2, 1, 3)[turn % 4]
    n, c, plane = int(rng.integers(1, 5)), int(rng.choice([1, 5, 10, 64] + [257, 1030] * (side == 1))), side * side
    # A device may have only some of the layer's channels, or some of its rows.
    before, after = (0, 0) if rng.random() < 0.6 else (int(rng.integers(0, 9)), int(rng.integers(0, 9)))
    first_row, units = int(rng.choice([0, 0, 7])), (before + c + after) * plane
    seed, step, layer = int(rng.integers(0, 2**63)), int(rng.integers(0, 2**32)), int(rng.integers(0, 3))
    p = float(rng.choice([0.5, 0.1, 0.9, 1.0, 0.0]))
    x = rng.standard_normal((n, side, side, c)).astype(f32)
    px = padded(x)
    chunks = px.shape[-1] // LANES
    numbers = (before + np.arange(c)) * plane + np.arange(plane).reshape(side, side, 1)
    keep = kept(seed, step, layer, p, first_row + np.arange(n), numbers.reshape(-1), units).reshape(x.shape)
    on_step = gpu.put(np.array([(0.0, step, n)], STEP))

    def train():
        y = Output(gpu, px.shape, contents=px)
        launch(gpu, y, on_step, n, plane, chunks, before * plane, units, first_row, seed, layer, p)()
        return (y.read(),)

    exact(f"dropout {x.shape} first {before} of {units}", twice(train)[0], padded(np.where(keep, x, f32(0))))
    factor = f32(1) - f32(p)

    def evaluate():
        y = Output(gpu, px.shape, contents=px)
        all_chunks = px.size // LANES
        gpu.kernel("dropout", "dropout_evaluate")(ceil_div(all_chunks, 256), 256, 0, y, float(factor), all_chunks)
        return (y.read(),)

    return exact("evaluation", twice(evaluate)[0], px * factor)
