"""Times of PyTorch's work, as timing.py takes ours."""

import time

import numpy as np


class Clock:
    def __init__(self, context, torch):
        self.torch, self.small, self.on_gpu = torch, context.small, context.torch_device == "cuda"
        self.flushed = torch.empty((1 << 10) if self.small else (256 << 20), dtype=torch.uint8, device=context.torch_device)

    def flush(self, times):
        for _ in range(times):
            self.flushed.zero_()

    def now(self):
        """A point of the device's stream."""
        if not self.on_gpu:
            return time.perf_counter()
        event = self.torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def between(self, points):
        """Microseconds between one point and the next; waits for the last."""
        if not self.on_gpu:
            return [1e6 * (b - a) for a, b in zip(points, points[1:])]
        self.torch.cuda.synchronize()
        return [1000 * a.elapsed_time(b) for a, b in zip(points, points[1:])]

    # The host gets ahead for longer than with our launches, as PyTorch's operations cost it more.

    def warm(self, run, repeats=10):
        return self._median(run, repeats, lambda first: self.flush(12) if first else None)

    def cold(self, run, repeats=11):
        return self._median(run, repeats, lambda _: self.flush(4))

    def _median(self, run, repeats, before):
        for _ in range(1 if self.small else 3):
            run()
        pairs = []
        for i in range(1 if self.small else repeats):
            before(i == 0)
            start = self.now()
            run()
            pairs.append((start, self.now()))
        return float(np.median([self.between(pair)[0] for pair in pairs]))
