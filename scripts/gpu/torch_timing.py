"""Times of PyTorch's work, as timing.py takes ours."""

import time

import numpy as np


class Clock:
    def __init__(self, context, torch):
        self.torch, self.small, self.on_gpu = torch, context.small, context.torch_device == "cuda"
        self.flushed = torch.empty((1 << 10) if self.small else (256 << 20), dtype=torch.uint8, device=context.torch_device)

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

    def warm(self, run, repeats=10):
        for _ in range(1 if self.small else 3):
            run()
        points = [self.now()]
        for _ in range(1 if self.small else repeats):
            run()
            points.append(self.now())
        return float(np.median(self.between(points)))

    def cold(self, run, repeats=11):
        for _ in range(1 if self.small else 3):
            run()
        pairs = []
        for _ in range(1 if self.small else repeats):
            # Four times, as PyTorch's operations cost the host more: it gets ahead meanwhile.
            for _ in range(4):
                self.flushed.zero_()
            start = self.now()
            run()
            pairs.append((start, self.now()))
        return float(np.median([self.between(pair)[0] for pair in pairs]))

    def precision(self, tf32):
        self.torch.backends.cuda.matmul.allow_tf32 = self.torch.backends.cudnn.allow_tf32 = tf32
