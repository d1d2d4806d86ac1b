"""Times of what is launched, by the device's own clock."""

import numpy as np


class Clock:
    def __init__(self, gpu, small):
        self.gpu, self.small = gpu, small
        self.flushed = gpu.buffer((1 << 16) if small else (256 << 20))  # more than the second-level cache holds

    def flush(self, times=1):
        """Empties the caches. Meanwhile the host gets ahead of the device, by about 90 µs each time."""
        for _ in range(times):
            self.flushed.fill(0)

    def warm(self, run, repeats=11):
        """Microseconds, one run after the other."""
        return self._median(run, repeats, lambda first: self.flush(4) if first else None)

    def cold(self, run, repeats=15):
        """Microseconds with empty caches."""
        return self._median(run, repeats, lambda _: self.flush())

    def _median(self, run, repeats, before):
        repeats = 2 if self.small else repeats
        for _ in range(1 if self.small else 3):
            run()
        pairs = [(self.gpu.event(), self.gpu.event()) for _ in range(repeats)]
        for i, (start, end) in enumerate(pairs):
            before(i == 0)
            start.record()
            run()
            end.record()
        return float(np.median([end.microseconds_since(start) for start, end in pairs]))
