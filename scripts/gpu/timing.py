"""Times of what is launched, by the device's own clock."""

import numpy as np


class Clock:
    def __init__(self, gpu, small):
        self.gpu, self.small = gpu, small
        self.flushed = gpu.buffer((1 << 16) if small else (256 << 20))  # more than the second-level cache holds

    def _median(self, run, repeats, before, stream=None):
        if self.small:
            repeats = 2
        pairs = []
        for _ in range(1 if self.small else 3):
            run()
        for _ in range(repeats):
            before()
            pairs.append((self.gpu.event().record(stream), run(), self.gpu.event().record(stream)))
        self.gpu.synchronize()
        return float(np.median([end.microseconds_since(start) for start, _, end in pairs]))

    def warm(self, run, repeats=11, stream=None):
        """Microseconds, one run after the other."""
        return self._median(run, repeats, lambda: None, stream)

    def cold(self, run, repeats=15):
        """Microseconds with empty caches. While they are emptied, the host gets ahead."""
        return self._median(run, repeats, lambda: self.flushed.fill(0))
