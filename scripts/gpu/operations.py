"""The kernels beside the matrix products, at AlexNet's shapes: times with cold caches, and whether results are right."""

import bias
import dropout
import input as input_rows
import lrn
import numpy as np
import pool
import relu
import sgd
import softmax
from arrays import LANES, STEP, exact, f32, near, u8, u32
from shapes import network, operations
from timing import Clock


class Bench:
    """Buffers that are large enough for all operations, and a launch of each."""

    def __init__(self, gpu, small):
        self.gpu, self.small, self.keep, self.rng = gpu, small, [], np.random.default_rng(1)
        every = operations(small)
        largest = max(int(np.prod(op.sizes[:4])) for op in every if op.name.split()[0] in ("lrn", "pool"))
        some = np.resize(self.rng.standard_normal(1 << 20, dtype=f32), largest)
        self.a, self.b, self.c = self.put(some), self.put(some[::-1]), self.poisoned(4 * largest)
        self.places = self.poisoned(largest)

    def put(self, array):
        self.keep.append(self.gpu.put(array))
        return self.keep[-1]

    def poisoned(self, size):
        self.keep.append(self.gpu.poisoned(size))
        return self.keep[-1]

    def step(self, present):
        return self.put(np.array([(1e-6, 5, present)], STEP))

    def launch(self, op):
        kind, *direction = op.name.split()
        return getattr(self, kind)(op.sizes, direction[0] == "backward" if direction else False)

    def lrn(self, sizes, backward):
        n, h, w, c = sizes
        buffers = (self.c, self.a, self.b) if backward else (self.c, self.a)
        return lrn.launch(self.gpu, buffers, 2, n * h * w, c // LANES)

    def pool(self, sizes, backward):
        n, h, w, c, side = sizes
        buffers = (self.c, self.b, self.places) if backward else (self.c, self.places, self.a)
        return pool.launch(self.gpu, buffers, (n, h, w, c), side, side, 3, 2, backward)

    def relu(self, sizes, backward, name="relu"):
        buffers = (self.c, self.a) if backward else (self.c,)
        if not backward:
            self.c.copy_from(self.a, self.a.size)
        return relu.launch(self.gpu, f"{name}_{'backward' if backward else 'forward'}", buffers, int(np.prod(sizes)))

    def tanh(self, sizes, backward):
        return self.relu(sizes, backward, "tanh")

    def bias(self, sizes, _):
        rows, lanes = sizes
        strip = -(-rows // max(1, min(264, rows // 64)))
        return bias.launch(self.gpu, self.c, self.places, self.a, rows, lanes, strip)

    def dropout(self, sizes, _):
        n, units = sizes
        self.c.copy_from(self.a, self.a.size)
        return dropout.launch(self.gpu, self.c, self.step(n), n, 1, units // LANES, 0, units, 0, 7, 0, 0.5)

    def softmax(self, sizes, _):
        n, classes = sizes
        lanes = -(-classes // LANES) * LANES
        labels = self.put(self.rng.integers(0, classes, n).astype(u32))
        ones, rows, loss = self.put(np.ones(n, f32)), self.poisoned(16 * n), self.poisoned(16)
        return softmax.launch(self.gpu, self.c, rows, loss, self.a, labels, ones, self.step(n), n, classes, lanes)

    def input(self, sizes, _):
        """As real batches: the image mean, every second image reflected, no mixed colours."""
        n, side, places = sizes
        frame = side + 32
        headers = np.zeros(n, input_rows.HEADER)
        headers["scale"], headers["colour"], headers["mean_at"] = 1, 3.5, 16 * frame + 16
        headers["flags"] = input_rows.PRESENT
        headers["flags"][::2] |= input_rows.FLIP
        rows = input_rows.rows_of(headers, self.rng.integers(0, 256, (n, side, side, 3)).astype(u8))
        mean = self.put((self.rng.random((3, frame, frame)) * 255).astype(f32))
        x = self.poisoned(4 * n * places * places * 48)
        return input_rows.launch(self.gpu, x, self.put(rows), mean, n, side, rows.shape[1], frame, 4, 0, places, places)

    def sgd(self, _, __):
        lengths = network(self.small)["parameters"]
        records, floats, blocks = sgd.table(lengths)
        some = np.resize(self.rng.standard_normal(1 << 20, dtype=f32), floats)
        w, v, g = (self.put(some) for _ in range(3))
        return sgd.launch(self.gpu, w, v, g, self.put(records), self.step(1), len(records), blocks)


def run(context):
    gpu, every = context.device(), operations(context.small)
    clock, copy, result = Clock(gpu, context.small), context.before("ceilings", "device", "copy"), {}
    bench = Bench(gpu, context.small)
    for op in every:
        held = len(bench.keep)
        us = clock.cold(bench.launch(op))
        del bench.keep[held:]
        rate = op.bytes / us / 1e3
        result[str(op)] = {"µs": round(us, 2), "GB/s": round(rate, 1)}
        share = f"{100 * rate / copy:3.0f} % of a copy" if copy else ""
        context.say(f"{op!s:34} {us:9.2f} µs {rate:8.1f} GB/s {share}")
        context.save(result)
    return result


def run_right(context):
    """Indices beyond those of small shapes: batches of 128 and of 1024 of the largest maps, first and last image."""
    gpu, net, result = context.device(), network(context.small), {}
    for batch in (2,) if context.small else (128, 1024):
        result[f"lrn, batch of {batch}"] = max(large_lrn(gpu, batch, *shape) for shape in net["lrn"])
        for shape, side in net["pool"]:
            large_pool(gpu, batch, *shape, side)
        large_input(gpu, batch, net["side"], net["places"])
        context.say(f"batch of {batch}: first and last image of the largest maps are right")
        context.save(result)
    return result


def many_images(gpu, rng, batch, image):
    """A batch that repeats some random images, and a function that returns one of them."""
    several = min(batch, 32)
    some = rng.standard_normal((several, image), dtype=f32)
    buffer = gpu.buffer(4 * batch * image)
    for first in range(0, batch, several):
        buffer.put(some[: batch - first], at=4 * first * image)
    return buffer, lambda i, *shape: some[i % several].reshape(shape)


def large_lrn(gpu, batch, h, w, c):
    rng, image, worst = np.random.default_rng(5), h * w * c, 0.0
    (a, a_of), (db, db_of) = many_images(gpu, rng, batch, image), many_images(gpu, rng, batch, image)
    out = gpu.poisoned(4 * batch * image)
    for backward, buffers in ((0, (out, a)), (1, (out, a, db))):
        lrn.launch(gpu, buffers, 2, batch * h * w, c // LANES)()
        for i in (0, batch - 1):
            want = lrn.reference(a_of(i, h, w, c), db_of(i, h, w, c), 2, 1e-4, 0.75, 2.0)[backward]
            worst = max(worst, near(f"lrn of image {i}", out.get((h, w, c), at=4 * i * image), want, 2e-6))
    return worst


def large_pool(gpu, batch, h, w, c, side):
    rng, image, small = np.random.default_rng(6), h * w * c, side * side * c
    (x, x_of), (dy, dy_of) = many_images(gpu, rng, batch, image), many_images(gpu, rng, batch, small)
    y, places, dx = gpu.poisoned(4 * batch * small), gpu.poisoned(batch * small), gpu.poisoned(4 * batch * image)
    pool.launch(gpu, (y, places, x), (batch, h, w, c), side, side, 3, 2, False)()
    pool.launch(gpu, (dx, dy, places), (batch, h, w, c), side, side, 3, 2, True)()
    for i in (0, batch - 1):
        want_y, want_place = pool.forward_reference(x_of(i, 1, h, w, c), 3, 2, side, side)
        want_dx = pool.backward_reference(dy_of(i, 1, side, side, c), want_place, 3, 2, h, w)
        exact("pool forward", y.get(want_y.shape, at=4 * i * small), want_y)
        exact("argmax", places.get(want_place.shape, u8, at=i * small), want_place)
        exact("pool backward", dx.get(want_dx.shape, at=4 * i * image), want_dx)


def large_input(gpu, batch, side, places):
    rng, several, frame = np.random.default_rng(7), min(batch, 32), side + 32
    headers, mean = input_rows.random_headers(rng, several, side, frame), (rng.random((3, frame, frame)) * 255).astype(f32)
    pixels = rng.integers(0, 256, (several, side, side, 3)).astype(u8)
    rows = input_rows.rows_of(headers, pixels)
    lanes = places * places * 48
    x, there, on_mean = gpu.poisoned(4 * batch * lanes), gpu.put(np.resize(rows, (batch, rows.shape[1]))), gpu.put(mean)
    input_rows.launch(gpu, x, there, on_mean, batch, side, rows.shape[1], frame, 4, 0, places, places)()
    for i in (0, batch - 1):
        j = slice(i % several, i % several + 1)
        want = input_rows.reference(headers[j], pixels[j], mean, 4, 0, places, places)
        exact("input", x.get(want.shape, at=4 * i * lanes), want)
