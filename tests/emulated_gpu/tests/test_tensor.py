"""Matrix instructions, and copies that go on while a kernel does."""

import random
import struct
import unittest
from array import array

from harness import ptx, run

ROWS, COLUMNS, DEPTH = 32, 24, 48


def numbers(count, seed):
    draw = random.Random(seed)
    return [draw.uniform(-1, 1) for _ in range(count)]


def brain(x):
    """The bits of a number as BF16, to nearest even."""
    bits = struct.unpack("I", struct.pack("f", x))[0]
    return (bits + 0x7FFF + (bits >> 16 & 1)) >> 16


def tensor_float(x):
    """A number with the mantissa of TF32, to nearest with ties away from zero."""
    bits = struct.unpack("I", struct.pack("f", x))[0]
    return struct.unpack("f", struct.pack("I", (bits + 0x1000) & 0xFFFFE000))[0]


def of_brain(bits):
    return struct.unpack("f", struct.pack("I", bits << 16))[0]


def product(a, b):
    return [
        sum(a[row * DEPTH + k] * b[k * COLUMNS + column] for k in range(DEPTH))
        for row in range(ROWS)
        for column in range(COLUMNS)
    ]


def tf32():
    from cuda import Gpu, launch

    gpu = Gpu()
    a, b, c = (
        gpu.floats(numbers(ROWS * DEPTH, 1)),
        gpu.floats(numbers(DEPTH * COLUMNS, 2)),
        gpu.memory(4 * ROWS * COLUMNS),
    )
    launch(gpu.module(ptx("tensor")).function("tf32_product"), (COLUMNS // 8, ROWS // 16), 32, a, b, c, COLUMNS, DEPTH)
    return c.read()


def bf16(pending):
    from cuda import Gpu, launch

    gpu = Gpu()
    left = array("H", [brain(x) for x in numbers(ROWS * DEPTH, 3)])
    b = numbers(DEPTH * COLUMNS, 4)
    right = array("H", [brain(b[k * COLUMNS + column]) for column in range(COLUMNS) for k in range(DEPTH)])
    a, b, c = (
        gpu.memory(2 * len(left)).write(left),
        gpu.memory(2 * len(right)).write(right),
        gpu.memory(4 * ROWS * COLUMNS),
    )
    launch(
        gpu.module(ptx("tensor")).function("bf16_product"),
        (COLUMNS // 8, ROWS // 16),
        32,
        a,
        b,
        c,
        COLUMNS,
        DEPTH,
        pending,
    )
    return c.read()


def transposed():
    from cuda import Gpu, launch

    gpu = Gpu()
    x, y = gpu.memory(128).write(array("H", range(64))), gpu.memory(128)
    launch(gpu.module(ptx("tensor")).function("transpose"), 1, 32, x, y)
    return y.read("H")


class Tensor(unittest.TestCase):
    def near(self, found, expected, error):
        self.assertTrue(all(abs(a - b) <= error for a, b in zip(found, expected, strict=True)))

    def test_tf32(self):
        a, b = (
            [tensor_float(x) for x in numbers(count, seed)] for count, seed in ((ROWS * DEPTH, 1), (DEPTH * COLUMNS, 2))
        )
        self.near(run(tf32).value, product(a, b), 1e-5)

    def test_bf16_with_copies_and_ldmatrix(self):
        a, b = (
            [of_brain(brain(x)) for x in numbers(count, seed)]
            for count, seed in ((ROWS * DEPTH, 3), (DEPTH * COLUMNS, 4))
        )
        for settings in ({}, {"check": 1}, {"order": 3}):
            self.near(run(bf16, 0, **settings).value, product(a, b), 1e-5)

    def test_a_copy_that_is_not_waited_for_is_found(self):
        a, b = (
            [of_brain(brain(x)) for x in numbers(count, seed)]
            for count, seed in ((ROWS * DEPTH, 3), (DEPTH * COLUMNS, 4))
        )
        found = run(bf16, 1).value
        self.assertFalse(all(abs(x - y) <= 1e-5 for x, y in zip(found, product(a, b), strict=True)))

    def test_transposed_ldmatrix(self):
        self.assertEqual(run(transposed).value, [8 * column + row for row in range(8) for column in range(8)])


if __name__ == "__main__":
    unittest.main()
