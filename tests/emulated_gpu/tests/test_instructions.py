"""Every family of instructions gives what it should, in any order of warps and blocks, checked or not."""

import ctypes
import math
import random
import struct
import unittest
from array import array
from fractions import Fraction


from harness import ptx, run

COUNT, THREADS = 1000, 96  # the last warp of each kernel is not full
ORDERS = ("asc", "desc", "5")


def inputs(kind):
    draw = random.Random(3)
    if kind == "f":
        return [single(draw.uniform(-2, 2)) for _ in range(COUNT)]
    if kind == "B":
        return [draw.randrange(256) for _ in range(COUNT)]
    return [draw.choice((draw.randrange(-(2**31), 2**31), draw.randrange(-20, 300))) for _ in range(COUNT)]


def single(x):
    """To the nearest f32."""
    return struct.unpack("f", struct.pack("f", x))[0]


def as_bits(x):
    return struct.unpack("i", struct.pack("f", x))[0]


def signed(x):
    return ctypes.c_int32(x & 0xFFFFFFFF).value


# Each kernel, with the types of what it reads and writes and the threads of a block.
KERNELS = {
    "arithmetic": "ff",
    "not_numbers": "ff",
    "integers": "ii",
    "conversions": "fi",
    "halves": "ff",
    "branches": "ii",
    "local_arrays": "ff",
    "calls": "ff",
    "vectors": "ff",
    "small_types": "BB",
    "shuffles": "ii",
    "matches": "ii",
    "block_sums": "ff",
    "reversal": "ff",
    "functions": "ff",
    "philox": "ii",
}


def all_kernels():
    """In the process with the emulated GPU: what each kernel writes."""
    from cuda import Gpu, launch

    gpu = Gpu()
    module = gpu.module(ptx("instructions"))
    results = {}
    for name, (read, write) in KERNELS.items():
        x = gpu.memory(COUNT * array(read).itemsize).write(array(read, inputs(read)))
        y = gpu.memory(COUNT * array(write).itemsize).write(array(write, [0] * COUNT))
        launch(
            module.function(name),
            -(-COUNT // THREADS),
            THREADS,
            x,
            y,
            COUNT,
            shared=4 * THREADS if name == "reversal" else 0,
        )
        results[name] = y.read(write)
    x = gpu.memory(4 * COUNT).write(array("i", inputs("i")))
    y = gpu.memory(4 * 24).write(array("i", [0] * 16 + [-(2**31), 2**31 - 1] + [0] * 6))
    launch(module.function("atomics"), -(-COUNT // THREADS), THREADS, x, y, COUNT)
    results["atomics"] = y.read("i")
    launch(module.function("read_counter"), 1, 1, x, y, 1)
    results["read_counter"] = y.read("i")[:1]
    y = gpu.memory(4 * 1440).write(array("i", [0] * 1440))
    launch(module.function("places"), (2, 3, 4), (5, 4, 3), x, y, 1440)
    results["places"] = y.read("i")
    return results


class Instructions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.results = {order: run(all_kernels, order=order) for order in ORDERS}
        cls.results["two workers"] = run(all_kernels, workers=2)
        cls.results["checked"] = run(all_kernels, check=1)
        for order, outcome in cls.results.items():
            if outcome.code != 0 or "error" in outcome.value:
                raise AssertionError(f"{order}: {outcome}")

    def expect(self, name, expected, error=0.0):
        """Of the lanes for which `expected` gives a number."""
        for order, outcome in self.results.items():
            for i, value in enumerate(outcome.value[name]):
                wanted = expected(i)
                if wanted is None:
                    continue
                close = abs(value - wanted) <= error * max(1, abs(wanted))
                self.assertTrue(close, f"{name}[{i}], {order}: {value}, not {wanted}")

    def test_arithmetic(self):
        x = inputs("f")

        def expected(i):
            a, b = x[i], x[(i + 1) % COUNT]
            exact = {
                12: Fraction(a) + Fraction(b),
                13: Fraction(a) + Fraction(b),
                14: Fraction(a) * Fraction(b),
                15: Fraction(a) * Fraction(b) + Fraction(a),
            }
            match i % 16:
                case 0:
                    return single(a + b)
                case 1:
                    return single(a - b)
                case 2:
                    return single(a * b)
                case 3:
                    return single(Fraction(a) * Fraction(b) + Fraction(a))
                case 4:
                    return single(a / b)
                case 5:
                    return single(math.sqrt(abs(a)))
                case 6:
                    return min(a, b)
                case 7:
                    return max(a, b)
                case 8:
                    return -a
                case 9:
                    return single(1 / a)
                case 10:
                    return min(max(a, 0.0), 1.0)
                case 11:
                    return math.copysign(a, b)
                case 12:
                    return towards(exact[12], -math.inf)
                case 13:
                    return towards(exact[13], math.inf)
                case case:
                    return towards(exact[case], 0.0)

        self.expect("arithmetic", expected)

    def test_not_numbers(self):
        x = inputs("f")
        self.expect("not_numbers", lambda i: single(2 * x[i] + 12) + 112, 1e-6)

    def test_integers(self):
        x = inputs("i")

        def expected(i):
            a, b = x[i], i % 17 + 1
            u, wide = a & 0xFFFFFFFF, a * 1234567891
            value = {
                0: lambda: int(Fraction(a, b)),
                1: lambda: a - b * int(Fraction(a, b)),
                2: lambda: u // b,
                3: lambda: u % b,
                4: lambda: a >> b,
                5: lambda: u >> b,
                6: lambda: a << b,
                7: lambda: wide >> 32,
                8: lambda: u * 3456789012 >> 32,
                9: lambda: min(a, b) ^ max(a, -b),
                10: lambda: 32 - u.bit_length(),
                11: lambda: u.bit_count(),
                12: lambda: int(f"{u:032b}"[::-1], 2),
                13: lambda: (u & -u).bit_length(),
                14: lambda: u & 0xFF | (b & 0xFF) << 8 | (u >> 8 & 0xFF) << 16 | (b >> 8 & 0xFF) << 24,
                15: lambda: b << 7 | u >> 25,
                16: lambda: int(Fraction(wide, 997)),
                17: lambda: wide >> 13,
                18: lambda: (wide & 2**64 - 1) % 1009,
                19: lambda: u >> 5 & 0x1FF | abs(a) << 9,
            }
            return signed(value[i % 20]())

        self.expect("integers", expected)

    def test_conversions(self):
        x = inputs("f")

        def expected(i):
            a = single(x[i] * 1000)
            value = {
                0: lambda: int(a),
                1: lambda: round(a),
                2: lambda: math.floor(a),
                3: lambda: math.ceil(a),
                4: lambda: 2**31 - 1 if a > 0 else -(2**31),
                5: lambda: 0,
                6: lambda: as_bits(math.floor(a)),
                7: lambda: as_bits(math.copysign(round(a), a)),
                8: lambda: as_bits(single(signed(i * 123456789))),
                9: lambda: ctypes.c_int8(int(a)).value,
                10: lambda: int(a) & 0xFF,
                11: lambda: as_bits(single(a / 3.0)),
                12: lambda: ctypes.c_int16(int(single(a * 100))).value,
                13: lambda: as_bits(towards(Fraction(signed(i * 123456789)), 0.0)),
            }
            return value[i % 14]()

        self.expect("conversions", expected)

    def test_halves(self):
        x = inputs("f")
        self.expect("halves", lambda i: struct.unpack("e", struct.pack("e", x[i]))[0])

    def test_branches(self):
        x = inputs("i")

        def expected(i):
            a, steps = x[i] & 0xFF, 0
            if a == 7:
                return -7
            while a not in (0, 1) and steps < 60:
                match a & 3:
                    case 0:
                        a >>= 2
                    case 1:
                        a = a * 3 + 1
                    case 2:
                        a >>= 1
                    case _:
                        steps, a = steps + (a & 7) // 2, a + 1
                steps += 1
            return steps * 1000 + a

        self.expect("branches", expected)

    def test_local_arrays_calls_and_constants(self):
        x = inputs("f")
        self.expect("local_arrays", lambda i: sorted(x[(i + 7 * j) % COUNT] for j in range(12))[i * 5 % 12])
        table = [0.5, -1, 2, 3.25, 4, -5.5, 6, 7]

        def polynomial(i):
            total = 0.0
            for k in range(5 + (i & 3)):
                total = single(Fraction(total) * Fraction(x[i]) + Fraction(table[k & 7]))
            return total

        self.expect("calls", polynomial)

    def test_memory_of_all_widths(self):
        x = inputs("f")
        four = lambda i: x[i // 4 * 4 : i // 4 * 4 + 4]
        self.expect(
            "vectors",
            lambda i: [single(four(i)[0] + four(i)[3]), four(i)[1] * 2, single(four(i)[2] - four(i)[3]), four(i)[3]][
                i % 4
            ],
        )
        bytes_ = inputs("B")

        def small(i):
            a, b, c, d = bytes_[i // 4 * 4 : i // 4 * 4 + 4]
            product = ctypes.c_int8(a).value * 3
            return [b, product >> 8 & 0xFF, product & 0xFF, (c + d) & 0xFF][i % 4]

        self.expect("small_types", small)

    def test_shuffles_votes_and_matches(self):
        x = inputs("i") + [0] * 1000

        def warp(i):
            """The numbers of the warp that thread i is in, and its lane: a block has three whole warps."""
            start = i // 32 * 32
            return [x[start + lane] if start + lane < COUNT else 0 for lane in range(32)], i % 32

        def first(i):
            a, lane = warp(i)
            odd = sum((value & 1) << at for at, value in enumerate(a))
            return [
                a[lane - 3] if lane >= 3 else a[lane],
                a[lane + 5] if lane % 16 + 5 < 16 else a[lane],
                a[lane ^ 9],
                a[lane * 7 & 31],
                odd,
                odd.bit_count(),
                lane,
            ][i % 7]

        def expected(i):
            a, lane = warp(i)
            if lane < 16:
                return signed(first(i) + (first(i ^ 1) & 0xFF))
            return signed(first(i) + (-1 in a[16:]) + 2 * all(value >= 0 for value in a[16:]))

        self.expect("shuffles", expected)

        def same(i):
            a, lane = warp(i)
            return signed(sum(1 << at for at, value in enumerate(a) if value & 3 == a[lane] & 3))

        self.expect("matches", same)

    def test_barriers_and_shared_memory(self):
        x = inputs("f") + [0.0] * THREADS
        block = lambda i: x[i // THREADS * THREADS : (i // THREADS + 1) * THREADS]
        self.expect("block_sums", lambda i: sum(block(i)), 1e-5)
        self.expect("reversal", lambda i: block(i)[THREADS - 1 - i % THREADS])

    def test_atomics(self):
        x = inputs("i")
        parity = 0
        for value in x:
            parity ^= value
        wanted = [sum(value & 15 == bucket for value in x) for bucket in range(16)]
        wanted += [max(x), min(x), parity, as_bits(COUNT / 4), 2 * COUNT]
        self.expect("atomics", lambda i: wanted[i] if i < len(wanted) else None)
        self.expect("read_counter", lambda i: COUNT)

    def test_functions(self):
        x = inputs("f")

        def expected(i):
            a = x[i]
            return [
                math.exp(a),
                math.log(abs(a) + 1),
                math.tanh(a),
                (2 + a * a) ** -0.75,
                math.sqrt(abs(a)),
                1 / math.sqrt(abs(a) + 1),
                math.exp(a),
                math.sin(a),
                1 / (1 + math.exp(-a)),
                math.hypot(a, 1) + math.exp(a),
            ][i % 10]

        self.expect("functions", expected, 1e-6)

    def test_philox_and_places(self):
        x = inputs("i")

        def philox(i):
            key, counter, mask = [1234, 5678], [i, x[i] & 0xFFFFFFFF, 0, 0], 0xFFFFFFFF
            for _ in range(10):
                first, second = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
                counter = [
                    second >> 32 ^ counter[1] ^ key[0],
                    second & mask,
                    first >> 32 ^ counter[3] ^ key[1],
                    first & mask,
                ]
                key = [key[0] + 0x9E3779B9 & mask, key[1] + 0xBB67AE85 & mask]
            return signed(counter[0])

        self.expect("philox", philox)
        place = lambda i: (
            i % 5
            + i // 5 % 4 * 10
            + i // 20 % 3 * 100
            + i // 60 % 2 * 1000
            + i // 120 % 3 * 10000
            + i // 360 * 100000
            + 1000000
        )
        self.expect("places", place)

    def test_the_same_bits_in_any_order(self):
        """But for sums by atomic operations on floats, which are exact here."""
        first = self.results["asc"].value
        for order, outcome in self.results.items():
            self.assertEqual(outcome.value, first, order)


def towards(exact, direction):
    """The f32 nearest to a fraction on one side of it: below, above, or towards zero."""
    nearest = single(exact)
    if Fraction(nearest) == exact:
        return nearest
    if direction == 0.0:
        direction = -math.inf if exact > 0 else math.inf
    if (Fraction(nearest) > exact) == (direction == math.inf):
        return nearest
    return next_single(nearest, direction)


def next_single(x, direction):
    step = 1 if (direction > x) == (x > 0) else -1
    return struct.unpack("f", struct.pack("i", as_bits(x) + step))[0]


if __name__ == "__main__":
    unittest.main()
