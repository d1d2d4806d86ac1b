"""kernels/sgd.cu: the CPU's bits."""

import numpy as np
from arrays import LANES, STEP, Output, ceil_div, exact, f32, twice, u32

PARAMETER = np.dtype(
    [("first", np.uint64), ("chunks", u32), ("block", u32), ("factor", f32), ("decay", f32), ("momentum", f32), ("frozen", u32)]
)


def table(lengths, rng=None):
    """The records of parameters of these lengths, the floats of all of them, and the blocks."""
    records, at, block = np.zeros(len(lengths), PARAMETER), 0, 0
    for i, length in enumerate(lengths):
        chunks = ceil_div(length, LANES)
        values = (1.0, 5e-4, 0.9, 0)
        if rng is not None:
            values = (rng.choice([1.0, 2.0, 0.3]), rng.choice([5e-4, 0.0]), rng.choice([0.9, 0.0]), rng.random() < 0.2)
        records[i] = (at, chunks, block, *values)
        at += chunks
        block += ceil_div(chunks, 1024)
    return records, at * LANES, block


def reference(w, v, g, records, rate):
    w, v = w.copy(), v.copy()
    for record in records[records["frozen"] == 0]:
        s = slice(int(record["first"]) * LANES, int(record["first"] + record["chunks"]) * LANES)
        step = rate * record["factor"]
        v[s] = record["momentum"] * v[s] - record["decay"] * step * w[s] - step * g[s]
        w[s] = w[s] + v[s]
    return w, v


def launch(gpu, w, v, g, records, step, count, blocks):
    return gpu.kernel("sgd", "sgd_update").prepared(blocks, 256, 0, w, v, g, records, step, count)


def check(gpu, rng, turn):
    count = (16, 70, 1, 33)[turn % 4]
    lengths = [int(rng.choice([1, 7, 1000, 4096, 4097, 9001])) for _ in range(count)]
    records, floats, blocks = table(lengths, rng)
    rate = f32(rng.choice([0.01, 1e-4]))
    w, v, g = (rng.standard_normal(floats).astype(f32) for _ in range(3))
    want_w, want_v = reference(w, v, g, records, rate)
    step, on_records, on_g = gpu.put(np.array([(rate, 0, 0)], STEP)), gpu.put(records), gpu.put(g)

    def run():
        out_w, out_v = Output(gpu, floats, contents=w), Output(gpu, floats, contents=v)
        launch(gpu, out_w, out_v, on_g, on_records, step, count, blocks)()
        return out_w.read(), out_v.read()

    got_w, got_v = twice(run)
    return exact("w", got_w, want_w) + exact("v", got_v, want_v)
