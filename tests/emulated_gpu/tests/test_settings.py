"""What the emulator pretends, what fails on purpose, and what it writes down."""

import tempfile
import unittest
from ctypes import byref, c_int, c_size_t, create_string_buffer
from pathlib import Path

from harness import ptx, run

COUNT = 256


def steps(launches, read=True):
    """Launches of one kernel, each followed by a wait; how many went well, and the error that ended them."""
    from cuda import CudaError, Gpu, launch, synchronize

    gpu = Gpu()
    y = gpu.memory(4 * COUNT)
    fill = gpu.module(ptx("faults")).function("fill")
    for done in range(launches):
        try:
            launch(fill, 1, COUNT, y, float(done), COUNT)
            synchronize()
        except CudaError as error:
            try:
                gpu.memory(256)
                return [done, error.result, 0]
            except CudaError as later:
                return [done, error.result, later.result]
    return [launches, 0, 0]


def allocations(count, bytes_):
    from cuda import CudaError, Gpu, call

    gpu = Gpu()
    held = []
    try:
        for _ in range(count):
            held.append(gpu.memory(bytes_))
    except CudaError as error:
        free, total = c_size_t(), c_size_t()
        call("cuMemGetInfo_v2", byref(free), byref(total))
        return [len(held), error.result, free.value, total.value]
    return [len(held), 0]


def identity():
    from cuda import call, driver

    call("cuInit", 0)
    count, version, major, minor, name = c_int(), c_int(), c_int(), c_int(), create_string_buffer(64)
    call("cuDeviceGetCount", byref(count))
    call("cuDriverGetVersion", byref(version))
    call("cuDeviceGetAttribute", byref(major), 75, 0)
    call("cuDeviceGetAttribute", byref(minor), 76, 0)
    call("cuDeviceGetName", name, 64, 0)
    return [
        count.value,
        version.value,
        major.value,
        minor.value,
        name.value.decode(),
        driver.cuDeviceGet(byref(c_int()), 7),
    ]


def load(text_from, text_to):
    from cuda import Gpu

    Gpu().module(ptx("faults").replace(text_from, text_to))
    return "loaded"


def logged():
    from cuda import Gpu, Pinned, copy_in, launch, synchronize

    gpu = Gpu()
    stream, batch, y = gpu.stream(), Pinned(COUNT), gpu.memory(4 * COUNT)
    copy_in(y, batch, stream)
    launch(gpu.module(ptx("faults")).function("fill"), 1, COUNT, y, 1.0, COUNT, stream=stream)
    synchronize(stream)
    return y.read()[0]


def counted(*kernels):
    from cuda import Gpu, launch, synchronize

    gpu = Gpu()
    module = gpu.module(ptx("faults"))
    for kernel in kernels:
        launch(module.function(kernel), 1, 32, gpu.memory(4096))
    synchronize()


class Faults(unittest.TestCase):
    def test_a_launch_that_fails(self):
        outcome = run(steps, 5, faults="launch:3")
        self.assertEqual(outcome.value, [2, 719, 719])
        self.assertIn("kernel fill on gpu 0 fails", outcome.messages)

    def test_a_launch_that_is_refused_leaves_the_context_alone(self):
        self.assertEqual(run(steps, 5, faults="refusal:2").value, [1, 701, 0])

    def test_an_illegal_address_names_the_kernel(self):
        outcome = run(steps, 5, faults="illegal:fill:4")
        self.assertEqual(outcome.value, [3, 700, 700])
        self.assertIn("kernel fill on gpu 0: an illegal address", outcome.messages)

    def test_a_device_that_vanishes(self):
        for schedule in ("threads", "lazy"):
            self.assertEqual(run(steps, 5, faults="vanish:2", schedule=schedule).value, [2, 999, 999])

    def test_an_allocation_that_fails(self):
        self.assertEqual(run(allocations, 5, 1000, faults="allocation:3").value[:2], [2, 2])

    def test_memory_has_its_limit(self):
        self.assertEqual(run(allocations, 5, 400 << 10, memory="1M").value, [2, 2, 224 << 10, 1 << 20])

    def test_settings_that_make_no_sense(self):
        for settings in ({"schedule": "quick"}, {"faults": "launch"}, {"memory": "much"}, {"capability": "8"}):
            outcome = run(identity, **settings)
            self.assertEqual(outcome.code, 2)
            self.assertIn("makes no sense", outcome.messages)


class Pretended(unittest.TestCase):
    def test_identity(self):
        outcome = run(identity, count=3, capability="9.0", driver="12.8", name="Pretended H100")
        self.assertEqual(outcome.value, [3, 12080, 9, 0, "Pretended H100", 101])

    def test_no_device(self):
        self.assertEqual(run(identity, count=0).value, {"error": 100})

    def test_a_driver_too_old_for_the_ptx(self):
        outcome = run(load, "", "", driver="12.3")
        self.assertEqual(outcome.value, {"error": 222})
        self.assertIn("PTX 8.4, which a driver of CUDA 12.3 does not know", outcome.messages)
        self.assertEqual(run(load, "", "", driver="12.4").value, "loaded")

    def test_a_device_too_old_for_the_ptx(self):
        self.assertEqual(run(load, "", "", capability="6.1").value, {"error": 209})

    def test_an_unknown_instruction_is_a_loud_error(self):
        for known, unknown in (
            ("fma.rn.f32", "tanh.sudden.f32"),
            ("st.global.f32", "st.global.relu.f32"),
            (".reg .pred", ".reg .q8"),
        ):
            outcome = run(load, known, unknown)
            self.assertEqual(outcome.value, {"error": 218}, unknown)
            self.assertRegex(
                outcome.messages,
                r"PTX line \d+ cannot be executed: .*is not known|PTX line \d+ cannot be executed: the type .q8",
            )


class Written(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.file = Path(self.folder.name) / "out"

    def test_the_log_has_calls_and_what_the_device_does(self):
        run(logged, log=self.file, schedule="lazy")
        lines = self.file.read_text().splitlines()
        copy = lines.index("call cuMemcpyHtoDAsync_v2 gpu=0 stream=2 bytes=1024 host=pinned")
        launch = lines.index("call cuLaunchKernel kernel=fill gpu=0 stream=2 grid=1,1,1 block=256,1,1 shared=0")
        wait = lines.index("call cuStreamSynchronize gpu=0 stream=2")
        copied = lines.index("run cuMemcpyHtoDAsync_v2 bytes=1024 gpu=0 stream=2")
        filled = lines.index("run kernel=fill gpu=0 stream=2")
        self.assertEqual(sorted((copy, launch, wait, copied, filled)), [copy, launch, wait, copied, filled])

    def test_bank_conflicts_and_sectors_are_counted(self):
        run(counted, "columns", "padded_columns", "strided", counters=self.file)
        report = {}
        for line in self.file.read_text().splitlines():
            fields = dict(field.split("=") for field in line.split())
            report.setdefault(fields["kernel"], []).append(fields)
        self.assertEqual(report["columns"][0]["bank_conflicts"], "62")
        self.assertEqual([fields["bank_conflicts"] for fields in report["columns"][1:]], ["31", "31"])
        self.assertEqual(report["padded_columns"][0]["bank_conflicts"], "0")
        self.assertEqual(report["columns"][0]["excess_sectors"], "0")
        self.assertEqual(report["strided"][0]["excess_sectors"], "28")


if __name__ == "__main__":
    unittest.main()
