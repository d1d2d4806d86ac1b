"""kernels/tanh.cu: the bits of a processor with fused multiply-add."""

import numpy as np
from arrays import LANES, exact, f32, f64
from relu import in_place, random_values


def fused(a, b, c):
    """a · b + c, rounded once. A long double of x86 has 64 bits: the product is exact, and rounding twice next to impossible."""
    return (np.asarray(a, np.longdouble) * np.asarray(b, np.longdouble) + np.asarray(c, np.longdouble)).astype(f32)


def reference(x):
    size = np.where(f32(10) < np.abs(x), f32(10), np.abs(x)).astype(f32)
    square = size * size
    near = np.full_like(x, 0.0022927448)
    for c in [-0.008343945, 0.021768918, -0.05395926, 0.13333304, -0.33333334]:
        near = fused(near, square, f32(c))
    small = fused(size * square, near, size)
    u = size + size
    n = np.floor(u * f32(1.44269504))
    r = fused(n, f32(-0.69311523), u)
    r = fused(n, f32(-3.1946183e-5), r)
    e = np.full_like(x, 0.0018770873)
    for c in [0.00793247, 0.041814245, 0.16664238, 0.50000143, 1.0, 1.0]:
        e = fused(e, r, f32(c))
    power = ((np.nan_to_num(n).astype(np.int32) + 127) << 23).view(f32)
    y = np.where(~(size <= f32(0.625)), f32(1) - f32(2) / (e * power + f32(1)), small)
    return np.copysign(y, x).astype(f32)


def check(gpu, rng, turn):
    count = LANES * int(rng.integers(20, 900))
    x, dy = random_values(rng, count), random_values(rng, count)
    with np.errstate(all="ignore"):
        y = reference(x)
        exact("y", in_place(gpu, "tanh_forward", x), y)
        exact("dx", in_place(gpu, "tanh_backward", dy, y), dy * (f32(1) - y * y))
        number = ~np.isnan(x)
        return float(np.abs(y[number].astype(f64) - np.tanh(x[number].astype(f64))).max())
