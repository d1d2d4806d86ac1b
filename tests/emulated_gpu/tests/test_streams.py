"""Streams, events and pinned memory: a right program is right under every schedule, and a wrong one is found out."""

import unittest
from ctypes import byref, c_float, c_void_p

from harness import ptx, run

COUNT = 4096
SCHEDULES = ("eager", "threads", "lazy", *(f"random:{seed}" for seed in range(1, 9)))


def overlapped(waits_for_the_copy=True, waits_before_the_refill=True):
    """Steps that add what a copy stream brings to a sum: whether the sum is right at the end.

    This is how batches come to a device: a pinned buffer is filled and copied while the device still computes.
    """
    from cuda import Gpu, Pinned, call, copy_in, launch, synchronize

    gpu = Gpu()
    add = gpu.module(ptx("faults")).function("add_into")
    copies, compute = gpu.stream(), gpu.stream()
    batch, total = Pinned(COUNT), gpu.floats([0.0] * COUNT)
    there = gpu.memory(4 * COUNT)
    copied, used = gpu.event(), gpu.event()
    for step in range(6):
        if step > 0 and waits_before_the_refill:
            call("cuEventSynchronize", copied)
        batch.values[:] = [float(step * 7 + i % 5) for i in range(COUNT)]
        if step > 0:
            call("cuStreamWaitEvent", copies, used, 0)
        copy_in(there, batch, copies)
        call("cuEventRecord", copied, copies)
        if waits_for_the_copy:
            call("cuStreamWaitEvent", compute, copied, 0)
        launch(add, -(-COUNT // 256), 256, total, there, 1.0, COUNT, stream=compute)
        call("cuEventRecord", used, compute)
    synchronize(compute)
    synchronize(copies)
    return total.read() == [sum(float(step * 7 + i % 5) for step in range(6)) for i in range(COUNT)]


def result_read_too_early(waits):
    """A copy to pinned memory is read by the program, with or without waiting for it."""
    from cuda import Gpu, Pinned, copy_out, launch, synchronize

    gpu = Gpu()
    stream, result, y = gpu.stream(), Pinned(COUNT), gpu.memory(4 * COUNT)
    result.values[:] = [0.0] * COUNT
    launch(gpu.module(ptx("faults")).function("fill"), COUNT // 256, 256, y, 3.0, COUNT, stream=stream)
    copy_out(result, y, stream)
    if waits:
        synchronize(stream)
    return list(result.values) == [3.0] * COUNT


def queries():
    """A program that polls comes to its end, and time goes forward."""
    from cuda import ERRORS, Gpu, call, driver, launch

    gpu = Gpu()
    stream, y, start, end = gpu.stream(), gpu.memory(4 * COUNT), gpu.event(), gpu.event()
    fill = gpu.module(ptx("faults")).function("fill")
    call("cuEventRecord", start, stream)
    for value in range(3):
        launch(fill, COUNT // 256, 256, y, float(value), COUNT, stream=stream)
    call("cuEventRecord", end, stream)
    while (result := driver.cuEventQuery(end)) == ERRORS["NOT_READY"]:
        pass
    while driver.cuStreamQuery(stream) == ERRORS["NOT_READY"]:
        pass
    milliseconds = c_float()
    call("cuEventElapsedTime", byref(milliseconds), start, end)
    return [result, y.read()[:3], milliseconds.value > 0]


def default_stream():
    """The default stream waits for blocking streams, and they for it; other streams do not."""
    from cuda import Gpu, call, launch

    gpu = Gpu()
    blocking = c_void_p()
    call("cuStreamCreate", byref(blocking), 0)
    module = gpu.module(ptx("faults"))
    fill, add, x, y = module.function("fill"), module.function("add_into"), gpu.memory(4 * COUNT), gpu.memory(4 * COUNT)
    launch(fill, COUNT // 256, 256, x, 1.0, COUNT, stream=blocking)
    launch(fill, COUNT // 256, 256, y, 1.0, COUNT)
    launch(add, COUNT // 256, 256, y, x, 2.0, COUNT, stream=blocking)
    launch(add, COUNT // 256, 256, y, x, 4.0, COUNT)
    return set(y.read()) == {7.0}


def two_devices():
    """Copies between devices, and memory that each has for itself."""
    from ctypes import c_size_t, c_uint64

    from cuda import Gpu, call

    first, second = Gpu(0), Gpu(1)
    x = first.use().floats([1.0] * COUNT)
    second.use()
    y = second.memory(4 * COUNT)
    call(
        "cuMemcpyPeerAsync",
        c_uint64(y.address),
        second.context,
        c_uint64(x.address),
        first.context,
        c_size_t(4 * COUNT),
        None,
    )
    return set(y.read()) == {1.0}


def registered_memory():
    """Memory of the program's own, made pinned: copies from it are asynchronous. To register it twice is an error."""
    import mmap
    from ctypes import addressof, c_size_t, c_uint64

    from cuda import Gpu, call, driver, synchronize

    gpu = Gpu()
    pages = mmap.mmap(-1, 4 * COUNT)
    values = (c_float * COUNT).from_buffer(pages)
    address = c_void_p(addressof(values))
    call("cuMemHostRegister_v2", address, c_size_t(4 * COUNT), 0)
    twice = driver.cuMemHostRegister_v2(address, c_size_t(4 * COUNT), 0)
    stream, y = gpu.stream(), gpu.memory(4 * COUNT)
    values[:] = [1.0] * COUNT
    call("cuMemcpyHtoDAsync_v2", c_uint64(y.address), address, c_size_t(4 * COUNT), stream)
    values[:] = [2.0] * COUNT  # too early: the lazy schedule copies these
    synchronize(stream)
    call("cuMemHostUnregister", address)
    return [twice, y.read()[0]]


def all_that_is_right():
    return [overlapped(), result_read_too_early(True), queries(), default_stream(), two_devices()]


class Streams(unittest.TestCase):
    def under(self, schedule, program, *arguments, **settings):
        outcome = run(program, *arguments, schedule=schedule, **settings)
        self.assertEqual(outcome.code, 0, outcome.messages)
        return outcome.value

    def test_a_right_program_is_right_under_every_schedule(self):
        for schedule in SCHEDULES:
            found = self.under(schedule, all_that_is_right, count=2)
            self.assertEqual(found, [True, True, [0, [2.0] * 3, True], True, True], schedule)

    def test_delays_change_nothing(self):
        for _ in range(3):
            self.assertTrue(self.under("threads", overlapped, jitter_us=300))

    def test_a_wait_that_is_left_out_is_a_missing_one(self):
        # The second wait of a stream is that of the second copy for the first step.
        for fault in ("unwaited:2", "unsynchronized:1"):
            self.assertFalse(run(overlapped, schedule="lazy", faults=fault).value, fault)

    def test_a_missing_event_wait_is_found(self):
        self.assertFalse(self.under("lazy", overlapped, False))

    def test_a_pinned_buffer_that_is_refilled_too_early_is_found(self):
        self.assertFalse(self.under("lazy", overlapped, True, False))

    def test_a_result_that_is_read_too_early_is_found(self):
        self.assertFalse(self.under("lazy", result_read_too_early, False))

    def test_some_seed_finds_each(self):
        for arguments in ((False, True), (True, False)):
            self.assertIn(False, [self.under(f"random:{seed}", overlapped, *arguments) for seed in range(1, 9)])

    def test_registered_memory_is_pinned(self):
        self.assertEqual(self.under("lazy", registered_memory), [712, 2.0])


if __name__ == "__main__":
    unittest.main()
