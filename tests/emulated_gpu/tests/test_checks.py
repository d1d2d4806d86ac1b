"""Mistakes in kernels are found, with their place."""

import unittest

from harness import ptx, run


def launched(kernel, threads=32, shared=0, arguments=(), bytes_=1024):
    """What a kernel leaves in memory; the number of the error if it fails."""
    from cuda import Gpu, launch

    gpu = Gpu()
    y = gpu.memory(bytes_)
    launch(gpu.module(ptx("faults")).function(kernel), 1, threads, y, *arguments, shared=shared)
    return y.read()


def past_the_end(count, threads):
    from cuda import Gpu, launch, synchronize

    gpu = Gpu()
    y = gpu.memory(4000)
    launch(gpu.module(ptx("faults")).function("fill"), -(-count // threads), threads, y, 1.0, count)
    synchronize()
    return "nothing found"


def memory_of_another_device(kernel_on, has_access):
    from cuda import Gpu, call, launch

    first, second = Gpu(0), Gpu(1)
    y = second.use().memory(256)
    first.use()
    if has_access:
        call("cuCtxEnablePeerAccess", second.context, 0)
    launch(first.module(ptx("faults")).function("fill"), 1, 64, y, 1.0, 64)
    call("cuCtxSynchronize")
    return y.read()[:1]


def after_free():
    from cuda import Gpu, launch, synchronize

    gpu = Gpu()
    y = gpu.memory(256)
    y.free()
    launch(gpu.module(ptx("faults")).function("fill"), 1, 64, y, 1.0, 64)
    synchronize()
    return "nothing found"


def wrong_launches():
    from cuda import CudaError, Gpu, launch

    gpu = Gpu()
    module = gpu.module(ptx("faults"))
    results = []
    for threads, grid, shared in ((2048, 1, 0), (32, 0, 0), (32, 1, 60000)):
        try:
            launch(module.function("out_of_shared"), grid, threads, gpu.memory(256), 0, shared=shared)
            results.append(0)
        except CudaError as error:
            results.append(error.result)
    return results


class Checks(unittest.TestCase):
    def found(self, outcome, error, *words):
        self.assertEqual(outcome.value, {"error": error}, outcome.messages)
        for word in words:
            self.assertIn(word, outcome.messages)

    def test_right_kernels_pass(self):
        self.assertEqual(run(launched, "with_syncwarp", 32, check=1).value[:32], [float(31 - i) for i in range(32)])

    def test_races_are_found_with_both_threads(self):
        for order in ("asc", "desc", "7"):
            outcome = run(launched, "missing_barrier", 256, check=1, order=order)
            self.found(
                outcome,
                719,
                "kernel missing_barrier",
                "a race in shared memory with thread (",
                "of block (0,0,0)",
                "PTX line",
            )

    def test_a_race_changes_the_result_without_checks(self):
        self.assertNotEqual(run(launched, "missing_barrier", 256).value[:256], [float(255 - i) for i in range(256)])

    def test_a_race_within_a_warp_is_found(self):
        self.found(run(launched, "missing_syncwarp", 32, check=1), 719, "a race in shared memory", "PTX line")

    def test_a_barrier_that_some_lanes_pass_by_is_found(self):
        for check in (0, 1):
            self.found(
                run(launched, "divergent_barrier", 256, check=check), 719, "kernel divergent_barrier", "PTX line"
            )

    def test_two_barriers_are_not_one(self):
        self.found(run(launched, "two_barriers", 64, check=1), 719, "a divergent barrier", "line")

    def test_out_of_bounds(self):
        self.found(
            run(past_the_end, 1001, 256, check=1),
            700,
            "kernel fill",
            "a write of 4 bytes",
            "thread (232,0,0) of block (3,0,0)",
        )

    def test_far_out_of_bounds_ends_the_launch_and_not_the_process(self):
        self.found(run(past_the_end, 100000, 256), 700, "kernel fill", "an illegal address")

    def test_out_of_shared_memory(self):
        self.found(
            run(launched, "out_of_shared", 32, 256, (48,), check=1), 700, "out of the 256 bytes of shared memory"
        )

    def test_misaligned(self):
        self.found(run(launched, "misaligned", 1, check=1), 716, "misaligned: a write of 8 bytes")

    def test_memory_that_was_freed(self):
        self.found(run(after_free, check=1), 700, "out of bounds")
        self.found(run(after_free), 700, "an illegal address")

    def test_memory_of_another_device(self):
        self.found(run(memory_of_another_device, 0, False, count=2), 700, "argument 0 is memory of gpu 1")
        self.assertEqual(run(memory_of_another_device, 0, True, count=2, check=1).value, [1.0])

    def test_fresh_memory_is_no_number(self):
        y = run(launched, "unwritten_shared", 64).value
        self.assertTrue(all(value != value for value in y[:41]) and y[41:64] == [1.0] * 23, y[:64])

    def test_a_trap(self):
        self.found(run(launched, "trap", 32), 719, "kernel trap", "trap")

    def test_launches_that_a_driver_refuses(self):
        self.assertEqual(run(wrong_launches).value, [1, 1, 1])


if __name__ == "__main__":
    unittest.main()
