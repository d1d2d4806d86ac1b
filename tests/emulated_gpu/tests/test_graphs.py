"""Capture and replay."""

import unittest
from ctypes import byref, c_int, c_size_t, c_uint64, c_void_p

from harness import ptx, run

COUNT = 1024


def captured(fork_is_joined=True, waits=True):
    """Two streams are captured: one copies, one computes. The graph is launched three times with new numbers."""
    from cuda import Gpu, Pinned, call, copy_in, launch, synchronize

    gpu = Gpu()
    add = gpu.module(ptx("faults")).function("add_into")
    origin, other = gpu.stream(), gpu.stream()
    batch, there, total = Pinned(COUNT), gpu.floats([0.0] * COUNT), gpu.floats([0.0] * COUNT)
    forked, copied = gpu.event(), gpu.event()
    call("cuStreamBeginCapture_v2", origin, 0)
    call("cuEventRecord", forked, origin)
    call("cuStreamWaitEvent", other, forked, 0)
    copy_in(there, batch, other)
    call("cuEventRecord", copied, other)
    if waits:
        call("cuStreamWaitEvent", origin, copied, 0)
    launch(add, COUNT // 256, 256, total, there, 2.0, COUNT, stream=origin)
    if fork_is_joined and not waits:
        call("cuStreamWaitEvent", origin, copied, 0)
    graph, executable, nodes = c_void_p(), c_void_p(), c_size_t()
    call("cuStreamEndCapture", origin, byref(graph))
    call("cuGraphGetNodes", graph, None, byref(nodes))
    call("cuGraphInstantiateWithFlags", byref(executable), graph, c_uint64(0))
    nothing_yet = total.read()[0]
    for step in range(3):
        batch.values[:] = [float(step + 1)] * COUNT
        call("cuGraphLaunch", executable, origin)
        synchronize(origin)
    call("cuGraphExecDestroy", executable)
    call("cuGraphDestroy", graph)
    return [nodes.value, nothing_yet, set(total.read()) == {12.0}]


def forbidden():
    """What must not be done while a stream is captured: the errors that it gives."""
    from cuda import Gpu, call, driver

    gpu = Gpu()
    stream, free, event, graph, status = gpu.stream(), gpu.stream(), gpu.event(), c_void_p(), c_int()
    call("cuStreamBeginCapture_v2", stream, 0)
    call("cuStreamIsCapturing", stream, byref(status))
    results = [status.value, driver.cuStreamSynchronize(stream), driver.cuStreamEndCapture(stream, byref(graph))]
    call("cuStreamBeginCapture_v2", stream, 0)
    call("cuEventRecord", event, stream)
    results.append(driver.cuEventSynchronize(event))
    call("cuStreamEndCapture", stream, byref(graph))
    call("cuEventRecord", event, free)
    call("cuStreamBeginCapture_v2", stream, 0)
    results += [driver.cuStreamWaitEvent(stream, event, 0), driver.cuStreamEndCapture(stream, byref(graph))]
    return results


class Graphs(unittest.TestCase):
    def test_replay_under_every_schedule(self):
        for schedule in ("eager", "threads", "lazy", "random:1", "random:2"):
            outcome = run(captured, schedule=schedule)
            self.assertEqual(outcome.value, [2, 0.0, True], f"{schedule}: {outcome.messages}")

    def test_a_fork_that_is_not_joined_is_refused(self):
        self.assertEqual(run(captured, False, False).value, {"error": 904})

    def test_a_missing_dependency_is_found(self):
        """The launch does not depend on the copy. Some order of the nodes gives another sum."""
        found = [
            run(captured, True, False, schedule=schedule).value
            for schedule in ("lazy", "random:1", "random:2", "random:3")
        ]
        self.assertIn([2, 0.0, False], found)

    def test_what_is_forbidden_while_capturing(self):
        self.assertEqual(run(forbidden).value, [1, 900, 901, 907, 905, 901])


if __name__ == "__main__":
    unittest.main()
