"""kernels/pool.cu: the CPU's bits."""

import numpy as np
from arrays import LANES, Output, ceil_div, exact, f32, padded, twice, u8
from device import struct


def outputs(side, size, stride, partial):
    return 1 + (ceil_div(side - size, stride) if partial else (side - size) // stride)


def forward_reference(x, size, stride, high, wide):
    """y and the place of each maximum."""
    n, h, w, c = x.shape
    y, place = np.empty((n, high, wide, c), f32), np.zeros((n, high, wide, c), u8)
    with np.errstate(invalid="ignore"):
        for q in range(high):
            for r in range(wide):
                best, where = x[:, q * stride, r * stride].copy(), np.zeros((n, c), u8)
                for i in range(min(size, h - q * stride)):
                    for j in range(min(size, w - r * stride)):
                        value = x[:, q * stride + i, r * stride + j]
                        larger = (value > best) | (np.isnan(value) & ~np.isnan(best))
                        best, where = np.where(larger, value, best), np.where(larger, u8(i * size + j), where)
                y[:, q, r], place[:, q, r] = best, where
    return y, place


def backward_reference(dy, place, size, stride, h, w):
    n, high, wide, c = dy.shape
    dx = np.zeros((n, h, w, c), f32)
    for q in range(high):
        for r in range(wide):
            for i in range(min(size, h - q * stride)):
                for j in range(min(size, w - r * stride)):
                    dx[:, q * stride + i, r * stride + j] += np.where(place[:, q, r] == i * size + j, dy[:, q, r], f32(0))
    return dx


def launch(gpu, buffers, x_shape, high, wide, size, stride, backward, special=True):
    """Forward of y, argmax, x; backward of dx, dy, argmax. The shape of x has whole chunks."""
    n, h, w, lanes = x_shape
    chunks = lanes // LANES
    name = ("pool_backward" if backward else "pool_forward") + ("_3_2" if special and (size, stride) == (3, 2) else "")
    grid = (ceil_div((w if backward else wide) * chunks, 256), h if backward else high, n)
    values = struct("iiiiiii", h, w, high, wide, chunks, size, stride)
    return gpu.kernel("pool", name).prepared(grid, 256, 0, *buffers, values)


def random_map(rng, shape):
    """Few different values, so that a maximum is often met twice; zeros of both signs, infinities, NaN."""
    x = rng.choice(np.array([-2, -1, -0.0, 0.0, 0.5, 1, 3], f32), shape).astype(f32)
    if rng.random() < 0.6:
        x += rng.standard_normal(shape).astype(f32) * (rng.random(shape) < 0.5)
    if rng.random() < 0.4:
        for value in (np.nan, np.inf, -np.inf):
            x[rng.random(shape) < 0.05] = value
    return x


def check(gpu, rng, turn):
    size = int(rng.integers(1, 6))
    stride = int(rng.integers(1, size + 1))
    if turn % 2:
        size, stride = 3, 2
    partial = turn % 4 < 2
    n, c = int(rng.integers(1, 4)), int(rng.choice([1, 3, 8, 21, 96]))
    h, w = (int(rng.integers(size, size + 11)) for _ in range(2))
    if partial and stride > 1:  # one that is: it hangs over the edge
        h, w = (side + ((side - size) % stride == 0) for side in (h, w))
    high, wide = outputs(h, size, stride, partial), outputs(w, size, stride, partial)
    x = padded(random_map(rng, (n, h, w, c)))
    dy = padded(rng.standard_normal((n, high, wide, c)).astype(f32))
    want_y, want_place = forward_reference(x, size, stride, high, wide)
    want_dx = backward_reference(dy, want_place, size, stride, h, w)
    on_x, on_dy = gpu.put(x), gpu.put(dy)
    for special in [True, False] if (size, stride) == (3, 2) else [False]:

        def run(special=special):
            y, place, dx = Output(gpu, dy.shape), Output(gpu, dy.shape, u8), Output(gpu, x.shape)
            launch(gpu, (y, place, on_x), x.shape, high, wide, size, stride, False, special)()
            launch(gpu, (dx, on_dy, place), x.shape, high, wide, size, stride, True, special)()
            return y.read(), place.read(), dx.read()

        what = f"{x.shape} size {size} stride {stride} partial {partial}"
        for name, got, want in zip(("y", "argmax", "dx"), twice(run), (want_y, want_place, want_dx), strict=True):
            exact(f"{name} {what}", got, want)
    return 0.0
