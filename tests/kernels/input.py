"""kernels/input.cu: the bits of the CPU's row writer."""

import numpy as np
from arrays import LANES, Output, ceil_div, exact, f32, twice, u8, u32, up
from device import struct

HEADER = np.dtype(
    [
        ("mix", f32, (3, 4)),
        ("mean", f32, 3),
        ("colour", f32, 3),
        ("scale", f32, 3),
        ("mean_at", np.int32),
        ("hole", np.int32, 4),
        ("flags", u32),
        ("reserved", u32),
    ]
)
assert HEADER.itemsize == 112
PRESENT, FLIP, MIX = 1, 2, 4


def rows_of(headers, pixels):
    """The bytes of a batch. Those between rows are never to be read as pixels."""
    n, side = len(pixels), pixels.shape[1]
    rows = np.full((n, up(112 + 3 * side * side, 16)), 0xA5, u8)
    rows[:, :112] = headers.view(u8).reshape(n, 112)
    rows[:, 112 : 112 + 3 * side * side] = pixels.reshape(n, -1)
    return rows


def row_reference(header, image, mean):
    """The values of an image's pixels."""
    side, v = len(image), image.astype(f32)
    if header["flags"] & MIX:
        m = header["mix"]
        mixed = [m[c, 0] * v[..., 0] + m[c, 1] * v[..., 1] + m[c, 2] * v[..., 2] + m[c, 3] for c in range(3)]
        v = np.clip(np.stack(mixed, -1), f32(0), f32(255))
    if header["mean_at"] < 0:
        v = (v + (header["colour"] - header["mean"])) * header["scale"]
    else:
        top, left = divmod(int(header["mean_at"]), mean.shape[1])
        crop = np.moveaxis(mean[:, top : top + side, left : left + side], 0, -1)
        v = ((v - crop) + header["colour"]) * header["scale"]
    assert v.dtype == f32
    v = (v[:, ::-1] if header["flags"] & FLIP else v).copy()
    x, y, width, height = header["hole"]
    v[y : y + height, x : x + width] = 0
    return v


def reference(headers, pixels, mean, s, p, height, width):
    """Space to depth by s of images with p pixels of padding."""
    n, side = len(pixels), pixels.shape[1]
    x = np.zeros((n, height, width, up(3 * s * s)), f32)
    for i, (header, image) in enumerate(zip(headers, pixels, strict=True)):
        if not header["flags"] & PRESENT:
            continue
        v = row_reference(header, image, mean)
        canvas = np.zeros((height * s + p, width * s + p, 3), f32)
        canvas[p : p + side, p : p + side] = v[: height * s, : width * s]
        blocks = canvas[: height * s, : width * s].reshape(height, s, width, s, 3).transpose(0, 2, 1, 3, 4)
        x[i, ..., : 3 * s * s] = blocks.reshape(height, width, 3 * s * s)
    return x


def launch(gpu, x, rows, mean, n, side, pitch, frame, s, p, height, width):
    chunks = up(3 * s * s) // LANES
    block = chunks, max(1, min(width, 256 // chunks))
    values = struct("iiiiiii", side, pitch, frame, s, p, height, width)
    return gpu.kernel("input", "input_rows").prepared((height, n), block, 0, x, rows, mean, values)


def random_headers(rng, n, side, frame):
    headers = np.zeros(n, HEADER)
    for header in headers:
        header["mix"] = rng.standard_normal((3, 4)) * [0.8, 0.8, 0.8, 30]
        header["mean"], header["colour"] = rng.random(3) * 200, rng.standard_normal(3) * 10
        header["scale"] = 1 / (40 + 30 * rng.random(3)) if rng.random() < 0.5 else 1
        top, left = rng.integers(0, frame - side + 1, 2)
        header["mean_at"] = -1 if rng.random() < 0.5 else top * frame + left
        if rng.random() < 0.5:
            (left, right), (top, bottom) = (sorted(rng.integers(0, side + 1, 2)) for _ in range(2))
            header["hole"] = (left, top, right - left, bottom - top)
        flags = ((PRESENT, 0.85), (FLIP, 0.5), (MIX, 0.5))
        header["flags"] = sum(flag for flag, chance in flags if rng.random() < chance)
    return headers


def check(gpu, rng, turn):
    n, side = int(rng.integers(1, 5)), int(rng.integers(4, 34))
    s = (4, 1, 3, 2)[turn % 4]
    p = int(rng.integers(0, 4)) if s > 1 else 0
    frame = side + int(rng.integers(0, 5))
    # As wide as the image and its padding, so that the reference's canvas holds it; or wider, as partial windows need.
    height = width = side if s == 1 else ceil_div(side + p, s) + int(rng.integers(0, 3))
    pixels = rng.integers(0, 256, (n, side, side, 3)).astype(u8)
    headers, mean = random_headers(rng, n, side, frame), (rng.random((3, frame, frame)) * 255).astype(f32)
    rows = rows_of(headers, pixels)
    want = reference(headers, pixels, mean, s, p, height, width)
    on_rows, on_mean = gpu.put(rows), gpu.put(mean)

    def run():
        x = Output(gpu, want.shape)
        launch(gpu, x, on_rows, on_mean, n, side, rows.shape[1], frame, s, p, height, width)()
        return (x.read(),)

    return exact(f"x {want.shape} side {side} stride {s} padding {p}", twice(run)[0], want)
