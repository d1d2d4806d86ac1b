"""kernels/conv.cu: every tile, on shapes with and without groups, strides, padding and partial windows."""

import re
from dataclasses import dataclass

import numpy as np
from arrays import Output, ceil_div, f32, f64, near, padded, twice, u8, up
from device import struct

KINDS = ("forward", "data", "weights")


@dataclass(frozen=True)
class Tile:
    file: str
    kernel: str
    kind: str
    rows: int
    columns: int
    threads: int

    @property
    def name(self):
        return self.kernel.removeprefix(f"conv_{self.kind}_")


def tiles(gpu, kind, file="conv"):
    """Of a pass, as the PTX has them."""
    pattern = rf"\.entry (conv_{kind}_(\d+)x(\d+)\w*)\(.*?^\.maxntid (\d+),"
    found = re.findall(pattern, gpu.text(file), re.MULTILINE | re.DOTALL)
    return [Tile(file, name, kind, *map(int, numbers)) for name, *numbers in found if gpu.chosen.search(name)]


class Shape:
    """A convolution. Its arrays are [N][H][W][C] and [O][K][K][C/G]."""

    def __init__(self, n, c, h, w, o, k, s=1, p=0, g=1, partial=False, name="conv"):
        self.n, self.c, self.h, self.w, self.o, self.k, self.s, self.p, self.g, self.name = n, c, h, w, o, k, s, p, g, name
        self.oh, self.ow = (1 + (ceil_div(i + 2 * p - k, s) if partial else (i + 2 * p - k) // s) for i in (h, w))
        self.x_lanes, self.y_lanes = up(c), up(o)
        self.lanes = self.x_lanes if g == 1 else c // g  # of the weights
        self.scalar = g > 1 and (c // g % 4 != 0 or o // g % 4 != 0)
        self.row = k * k * self.lanes
        self.places = n * self.oh * self.ow
        self.flops = 2 * self.places * o * k * k * (c // g)

    def __str__(self):
        maps = f"{self.n} × {self.c}×{self.h}×{self.w} → {self.o}×{self.oh}×{self.ow}"
        return f"{self.name} {maps} window {self.k} stride {self.s} padding {self.p} groups {self.g}"

    def values(self, parts=1, relu=0):
        inputs, outputs = self.lanes, self.o // self.g
        x, y = (self.h, self.w, self.x_lanes, inputs, up(inputs)), (self.oh, self.ow, self.y_lanes, outputs, up(outputs, 8))
        return struct("17i", self.n, *x, *y, self.k, self.s, self.p, self.g, parts, relu)

    def takes(self, tile):
        if tile.name.endswith("_scalar"):
            return True
        return not self.scalar and (tile.kind != "data" or self.s == 1 or tile.name.endswith("_strided"))

    def grid(self, tile, parts):
        outputs = self.o // self.g
        if tile.kind == "forward":
            return ceil_div(self.places, tile.rows), ceil_div(outputs, tile.columns), self.g * parts
        if tile.kind == "data":
            return ceil_div(self.n * self.h * self.w, tile.rows), ceil_div(self.lanes, tile.columns), self.g * parts
        return ceil_div(self.k * self.k * up(self.lanes), tile.columns), ceil_div(outputs, tile.rows), self.g * parts

    def size(self, kind):
        """Floats of the result."""
        x, y = self.n * self.h * self.w * self.x_lanes, self.places * self.y_lanes
        return {"forward": y, "data": x, "weights": self.o * self.row}[kind]


def linear(rows, inputs, outputs, name="fc"):
    """A fully connected layer."""
    return Shape(1, inputs, 1, rows, outputs, 1, name=name)


def launch(gpu, tile, shape, parts, out, a, b, bias=None, relu=0, mask=None, workspace=None):
    """Of x, w; of dy, w for the data gradient; of x, dy for the weights'. Where there are parts or a mask, conv_sum ends it."""
    in_two = parts > 1 or mask is not None
    to, extra = (workspace, None) if in_two else (out, bias)
    arguments = (to, a, b) if tile.kind == "weights" else (to, a, b, extra)
    values = shape.values(parts, 0 if in_two else relu)
    kernel = gpu.kernel(tile.file, tile.kernel)
    first = kernel.prepared(shape.grid(tile, parts), tile.threads, 0, *arguments, values)
    if not in_two:
        return first
    size = shape.size(tile.kind)
    columns = {"weights": shape.row, "forward": shape.y_lanes, "data": shape.x_lanes}[tile.kind]
    values = struct("iqii", parts, size, columns, relu)
    second = gpu.kernel("conv", "conv_sum").prepared(ceil_div(size, 256), 256, 0, out, workspace, bias, mask, values)

    def both():
        first()
        second()

    return both


def reference(shape, x, w, b, dy):
    """y, dx, dw in float64, tap by tap."""
    x, w, b, dy = (array.astype(f64) for array in (x, w, b, dy))
    s, p, k, g = shape.s, shape.p, shape.k, shape.g
    high, wide = (shape.oh - 1) * s + k, (shape.ow - 1) * s + k
    frame = np.zeros((shape.n, max(high, shape.h + p), max(wide, shape.w + p), shape.c))
    frame[:, p : p + shape.h, p : p + shape.w] = x
    dframe, y, dw = np.zeros_like(frame), np.zeros(dy.shape), np.zeros(w.shape)
    inputs, outputs = shape.c // g, shape.o // g
    for i in range(k):
        for j in range(k):
            at = (slice(None), slice(i, i + (shape.oh - 1) * s + 1, s), slice(j, j + (shape.ow - 1) * s + 1, s))
            for q in range(g):
                of_x, of_y = slice(q * inputs, (q + 1) * inputs), slice(q * outputs, (q + 1) * outputs)
                patch, gradient, tap = frame[at][..., of_x], dy[..., of_y], w[of_y, i, j]
                y[..., of_y] += patch @ tap.T
                dframe[at][..., of_x] += gradient @ tap
                dw[of_y, i, j] += np.tensordot(gradient, patch, ((0, 1, 2), (0, 1, 2)))
    return y + b, dframe[:, p : p + shape.h, p : p + shape.w], dw


class Case:
    """Random values of a shape, what comes of them, and where they are on the device."""

    def __init__(self, gpu, shape, rng):
        def random(*size):
            return rng.standard_normal(size).astype(f32)

        self.shape, self.rng = shape, rng
        x, w = random(shape.n, shape.h, shape.w, shape.c), random(shape.o, shape.k, shape.k, shape.c // shape.g)
        b, dy = random(shape.o), random(shape.n, shape.oh, shape.ow, shape.o)
        self.want = dict(zip(KINDS, reference(shape, x, w, b, dy), strict=True))
        self.x, self.w = gpu.put(padded(x, shape.x_lanes)), gpu.put(padded(w, shape.lanes))
        self.b, self.dy = gpu.put(padded(b, shape.y_lanes)), gpu.put(padded(dy, shape.y_lanes))

    def check(self, gpu, tile, parts):
        """The result, which is right; its largest error; and whether it had a ReLU."""
        shape, kind, want = self.shape, tile.kind, self.want[tile.kind]
        relu = int(self.rng.integers(2)) if kind == "forward" else 0
        mask = on_mask = None
        if kind == "weights" and self.rng.integers(2):
            mask = (self.rng.random(shape.row) < 0.8).astype(u8)
            on_mask = gpu.put(mask)
            want = want * mask.reshape(shape.k, shape.k, -1)[..., : want.shape[-1]]
        if relu:
            want = np.maximum(want, 0)
        a, b = {"forward": (self.x, self.w), "data": (self.dy, self.w), "weights": (self.x, self.dy)}[kind]
        size = shape.size(kind)

        def run():
            out, workspace = Output(gpu, size), Output(gpu, size * parts)
            bias = self.b if kind == "forward" else None
            launch(gpu, tile, shape, parts, out, a, b, bias, relu, on_mask, workspace)()
            workspace.read()
            return (out.read(),)

        (got,) = twice(run)
        what = f"{tile.kernel} in {parts} parts: {shape}"
        return got, near(what, got.reshape(*want.shape[:-1], -1), want, 5e-6), relu


SHAPES = [
    Shape(2, 8, 6, 7, 16, 5, 1, 2, 2),  # as AlexNet's conv2
    Shape(2, 3, 15, 15, 8, 7, 4, 0, 1, True),  # a first layer: a stride, and a window over the edge
    Shape(1, 6, 5, 5, 9, 3, 2, 1, 3),  # groups of two and three channels
    linear(33, 300, 11),
    Shape(4, 4, 4, 4, 130, 3, 1, 1),
    Shape(5, 12, 2, 1, 8, 3, 1, 1),
    Shape(17, 8, 3, 3, 12, 3, 1, 1, 2),
    linear(128, 36, 130),
    linear(1, 1, 1),
]


def random_shape(rng):
    scalar = rng.random() < 0.2
    g = int(rng.integers(2, 4)) if scalar else int(rng.choice([1, 1, 1, 2, 2, 3]))
    unit = 1 if scalar or g == 1 else 4
    c, o = (g * unit * int(rng.integers(1, 40 // (unit * g) + 2)) for _ in range(2))
    k, s = int(rng.integers(1, 6)), int(rng.choice([1, 1, 1, 2, 3]))
    p = int(rng.integers(0, k))
    h, w = (int(rng.integers(max(1, k - 2 * p), k + 10)) for _ in range(2))
    return Shape(int(rng.integers(1, 6)), c, h, w, o, k, s, p, g, bool(rng.integers(2)))


def check(gpu, rng, turn, file="conv"):
    case = Case(gpu, SHAPES[turn] if turn < len(SHAPES) else random_shape(rng), rng)
    worst, first = 0.0, {}
    if not any(tiles(gpu, kind, file) for kind in KINDS):
        raise RuntimeError(f"no tile of {file} is called {gpu.chosen.pattern}")  # No mistake of a kernel.
    for kind in KINDS:
        for tile in tiles(gpu, kind, file):
            if not case.shape.takes(tile):
                continue
            for parts in (1, int(rng.integers(2, 6))):
                got, error, relu = case.check(gpu, tile, parts)
                worst = max(worst, error)
                if kind != "weights" and parts == 1 and not relu:
                    same = first.setdefault(kind, got)
                    assert (same == got).all(), f"{tile.kernel}: bits depend on the tile"
    if turn == 0:
        worst = max(worst, space_to_depth(gpu, rng))
    return worst


def deepened(array, blocks, s):
    """[m][h][w][3] → [m][blocks][blocks][s · s · 3]"""
    frame = np.zeros((len(array), blocks * s, blocks * s, 3), array.dtype)
    frame[:, : array.shape[1], : array.shape[2]] = array
    split = frame.reshape(-1, blocks, s, blocks, s, 3).transpose(0, 1, 3, 2, 4, 5)
    return np.ascontiguousarray(split.reshape(-1, blocks, blocks, s * s * 3))


def space_to_depth(gpu, rng):
    """A first layer by blocks of stride × stride: the plain layer's y, and its dw, with zeros where it has no tap."""
    s, k, n, side, o = 4, 11, 2, 31, 24
    plain = Shape(n, 3, side, side, o, k, s, 0, 1, True)
    x, w, dy = (rng.standard_normal(z).astype(f32) for z in ((n, side, side, 3), (o, k, k, 3), (n, plain.oh, plain.ow, o)))
    y, _, dw = reference(plain, x, w, np.zeros(o), dy)
    blocks, taps = ceil_div(side, s), ceil_div(k, s)
    deep = Shape(n, s * s * 3, blocks, blocks, o, taps, 1, 0)
    deep.oh, deep.ow, deep.places = plain.oh, plain.ow, plain.places  # the last window hangs over the edge
    mask = gpu.put(deepened(np.ones((1, k, k, 3), u8), taps, s))
    on_x, on_w, on_dy = gpu.put(deepened(x, blocks, s)), gpu.put(deepened(w, taps, s)), gpu.put(dy)
    worst = 0.0
    for kind, parts, b, want in (("forward", 1, on_w, y), ("weights", 2, on_dy, deepened(dw, taps, s))):
        for tile in [tile for tile in tiles(gpu, kind) if deep.takes(tile)][-1:]:

            def run(tile=tile, parts=parts, b=b):
                size = deep.size(tile.kind)
                out, workspace = Output(gpu, size), Output(gpu, size * parts)
                launch(gpu, tile, deep, parts, out, on_x, b, mask=mask if parts > 1 else None, workspace=workspace)()
                return (out.read(),)

            (got,) = twice(run)
            worst = max(worst, near(f"space to depth, {kind}", got.reshape(want.shape), want, 5e-6))
    return worst
