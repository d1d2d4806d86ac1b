"""Arrays as the kernels have them, and how their results are judged."""

import numpy as np

f32, f64, u8, u32 = np.float32, np.float64, np.uint8, np.uint32

LANES = 4  # floats of a chunk (kernels/chunk.cuh)
GUARD = 256  # poisoned bytes behind each output, which must stay

# kernels/step.cuh
STEP = np.dtype([("rate", f32), ("number", u32), ("present", u32)])


def ceil_div(a, b):
    return -(-a // b)


def up(n, to=LANES):
    return ceil_div(n, to) * to


def padded(array, lanes=None):
    """The last axis filled up with zeros, to whole chunks or to so many lanes."""
    extra = (lanes or up(array.shape[-1])) - array.shape[-1]
    return np.pad(array, [(0, 0)] * (array.ndim - 1) + [(0, extra)]) if extra else array


class Output:
    """Device memory for a result: poisoned, or with contents that the kernel changes in place."""

    def __init__(self, gpu, shape, dtype=f32, contents=None):
        self.shape, self.dtype = shape, np.dtype(dtype)
        self.size = int(np.prod(shape)) * self.dtype.itemsize
        self.buffer = gpu.poisoned(self.size + GUARD)
        self.pointer = self.buffer.pointer
        if contents is not None:
            self.buffer.put(contents)

    def read(self):
        guard = self.buffer.get(GUARD, u8, at=self.size)
        assert (guard == 0xFF).all(), "written behind the end"
        return self.buffer.get(self.shape, self.dtype)


def twice(run):
    """The arrays that a function returns; a second run must return the same bits."""
    first, second = run(), run()
    for a, b in zip(first, second, strict=True):
        assert different(a, b) == 0, "other bits the second time"
    return first


def different(a, b):
    """How many elements differ in bits. All NaN are the same."""
    a, b = np.ascontiguousarray(a), np.ascontiguousarray(b)
    assert a.shape == b.shape and a.dtype == b.dtype, (a.shape, b.shape, a.dtype, b.dtype)
    if a.dtype == f32:
        return int(((a.view(u32) != b.view(u32)) & ~(np.isnan(a) & np.isnan(b))).sum())
    return int((a != b).sum())


def exact(what, got, want):
    """The same bits."""
    wrong = different(got, want)
    if wrong == 0:
        return 0.0
    places = np.argwhere(~((got == want) | ((got != got) & (want != want))))
    where = tuple(int(i) for i in places[0]) if len(places) else None
    first = f"the first at {where}: {got[where]}, not {want[where]}" if where is not None else "by signs of zero"
    raise AssertionError(f"{what}: {wrong} of {got.size} differ, {first}")


def near(what, got, want, bound, lanes=None):
    """The largest error as a share of the largest value. `lanes` of the last axis count, the others must be zero."""
    lanes = want.shape[-1] if lanes is None else lanes
    assert not np.isnan(got).any(), f"{what}: {np.isnan(got).sum()} of {got.size} are NaN: not written, or from outside"
    assert not got[..., lanes:].any(), f"{what}: added lanes are not zero"
    error = float(np.abs(got[..., :lanes].astype(f64) - want).max() / max(np.abs(want).max(), 1e-30))
    assert error <= bound, f"{what}: error {error:.1e} of the largest value, {bound:.0e} is allowed"
    return error
