"""kernels/bias.cu"""

from arrays import Output, ceil_div, f32, f64, near, padded, twice
from device import struct


def launch(gpu, out, workspace, dy, rows, lanes, strip):
    """The sums of strips of rows, then of the strips: [strips][lanes] in the workspace."""
    kernel, strips, across = gpu.kernel("bias", "bias_sum"), ceil_div(rows, strip), ceil_div(lanes, 128)
    to = out if strips == 1 else workspace
    first = kernel.prepared((across, strips), (32, 8), 0, to, dy, struct("iii", rows, lanes, strip))
    if strips == 1:
        return first
    second = kernel.prepared((across, 1), (32, 8), 0, out, workspace, struct("iii", strips, lanes, strips))

    def both():
        first()
        second()

    return both


def check(gpu, rng, turn):
    rows, channels = int(rng.integers(1, 300)), int(rng.choice([1, 10, 96, 130, 300]))
    dy = rng.standard_normal((rows, channels)).astype(f32)
    on_dy, lanes = gpu.put(padded(dy)), padded(dy).shape[1]
    worst = 0.0
    for strip in {1, 7, int(rng.integers(1, rows + 1)), rows}:

        def run(strip=strip):
            out, workspace = Output(gpu, lanes), Output(gpu, ceil_div(rows, strip) * lanes)
            launch(gpu, out, workspace, on_dy, rows, lanes, strip)()
            workspace.read()
            return (out.read(),)

        what = f"{rows} × {channels}, strips of {strip}"
        worst = max(worst, near(what, twice(run)[0], dy.astype(f64).sum(0), 2e-6))
    return worst
