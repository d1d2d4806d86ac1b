"""What the card, its bus and its driver can do at most: the denominators of all shares."""

import ctypes as C
import time

import numpy as np
from device import INT, SIZE, UINT
from timing import Clock

ROW = 112 + 3 * 224 * 224  # of a batch of bytes


def run(context):
    gpu = context.device()
    clock, result = Clock(gpu, context.small), {}
    for name, measure in (("device", memory), ("peaks", peaks), ("host", host), ("launches", launches)):
        result[name] = {}
        try:
            measure(context, gpu, clock, result[name])
        except Exception as error:
            context.fail(f"{name}: {type(error).__name__}: {error}")
        context.save(result)
    return result


def memory(context, gpu, clock, result):
    """GB/s; a copy reads and writes."""
    size = (1 << 20) if context.small else (1 << 30)
    a, b = gpu.buffer(size), gpu.buffer(size)
    some = np.random.default_rng(0).integers(0, 256, min(size, 1 << 24), dtype=np.uint8)
    for at in range(0, size, some.nbytes):
        a.put(some, at=at)
    chunks = size // 16

    def kernel(name, grid, *buffers):
        return gpu.kernel("ceilings", name).prepared(grid, 256, 0, chunks, *buffers)

    runs = {
        "copy": (2, lambda: b.copy_from(a, size)),
        "copy, 16 bytes a thread": (2, kernel("copy_chunks", chunks // 256, a, b)),
        "copy, 64 bytes a thread": (2, kernel("copy_chunks_4", chunks // 1024, a, b)),
        "read": (1, kernel("read_chunks", gpu.multiprocessors * 8, a, b)),
        "fill": (1, lambda: b.fill(7)),
    }
    for name, (passes, run) in runs.items():
        result[name] = round(passes * size / clock.warm(run) / 1e3, 1)
        context.say(f"device, {name:24} {result[name]:9.1f} GB/s")
    small = (1 << 16) if context.small else (16 << 20)
    run = gpu.kernel("ceilings", "copy_chunks").prepared(small // 16 // 256, 256, 0, small // 16, a, b)
    many = 2 if context.small else 20
    result["copy in the cache"] = round(2 * small * many / clock.warm(lambda: [run() for _ in range(many)]) / 1e3, 1)
    context.say(f"device, {'copy in the cache':24} {result['copy in the cache']:9.1f} GB/s")


# Floating-point operations of a block in a round.
PEAKS = {
    "fma": ("fma_peak", 2 * 16 * 8 * 256, (1.0001, 0.5)),
    "tf32": ("mma_tf32_peak", 2 * 16 * 8 * 8 * 8 * 4 * 8, ()),
    "bf16": ("mma_bf16_peak", 2 * 16 * 8 * 16 * 8 * 4 * 8, ()),
}


def peaks(context, gpu, clock, result):
    """TFLOP/s of kernels that do nothing else: multiply-adds, and mma.sync of TF32 and BF16."""
    out, rounds = gpu.buffer(16), 2 if context.small else 4000
    for name, (kernel, flops, numbers) in PEAKS.items():
        # Blocks of 256 threads on a multiprocessor.
        for blocks in (1,) if context.small else (2, 4, 8):
            grid = 1 if context.small else gpu.multiprocessors * blocks
            us = clock.warm(gpu.kernel("ceilings", kernel).prepared(grid, 256, 0, rounds, *numbers, out), repeats=5)
            rate = round(flops * rounds * grid / us / 1e6, 1)
            context.say(f"{name}, {blocks} blocks a multiprocessor: {rate:9.1f} TFLOP/s ({us:.0f} µs)")
            result[name] = max(rate, result.get(name, 0.0))


def host(context, gpu, clock, result):
    """GB/s from host to device and back, of a batch of bytes and of much; and how fast the host writes such memory."""
    sizes = {"a batch": 2 * ROW} if context.small else {"a batch": 128 * ROW, "256 MiB": 256 << 20}
    device, stream = gpu.buffer(max(sizes.values())), gpu.new_stream()
    source = np.random.default_rng(1).integers(0, 256, device.size, dtype=np.uint8)
    for kind in ("pinned", "registered", "pageable", "write-combined"):
        try:
            row = result[kind] = host_memory(gpu, kind, sizes, device, stream, source)
        except Exception as error:
            context.fail(f"{kind}: {error}")
            continue
        context.say(f"host to device, {kind}: " + ", ".join(f"{name} {rate} GB/s" for name, rate in row.items()))


def host_memory(gpu, kind, sizes, device, stream, source):
    pointer = C.c_void_p()
    if kind in ("pinned", "write-combined"):
        gpu.cu("cuMemHostAlloc", C.byref(pointer), SIZE(source.nbytes), UINT(4 if kind == "write-combined" else 0))
        memory = np.frombuffer((C.c_ubyte * source.nbytes).from_address(pointer.value), np.uint8)
    else:
        # Whole pages, as the program's slots have them.
        pages = -(-source.nbytes // 4096) * 4096
        raw = np.empty(pages + 4096, np.uint8)
        memory = raw[-raw.ctypes.data % 4096 :][: source.nbytes]
        memory[:] = 1
        pointer = C.c_void_p(memory.ctypes.data)
        if kind == "registered":
            gpu.cu("cuMemHostRegister_v2", pointer, SIZE(pages), UINT(0))

    def rate(size, work, repeats=8):
        times = []
        for _ in range(repeats):
            start = time.perf_counter()
            work()
            times.append(time.perf_counter() - start)
        return round(size / float(np.median(times[2:])) / 1e9, 2)

    def copy(function, *arguments):
        gpu.cu(function, *arguments, stream)
        gpu.cu("cuStreamSynchronize", stream)

    there = C.c_uint64(device.pointer)
    row = {"written by the host": rate(source.nbytes, lambda: np.copyto(memory, source), 5)}
    for name, size in sizes.items():
        row[name] = rate(size, lambda size=size: copy("cuMemcpyHtoDAsync_v2", there, pointer, SIZE(size)))
    size = sizes["a batch"]
    row["a batch back"] = rate(size, lambda: copy("cuMemcpyDtoHAsync_v2", pointer, there, SIZE(size)))
    if kind == "registered":
        gpu.cu("cuMemHostUnregister", pointer)
    elif kind != "pageable":
        del memory
        gpu.cu("cuMemFreeHost", pointer)
    return row


def launches(context, gpu, clock, result):
    """The time from one tiny launch to the next where the host is ahead, plain and in a graph; and what a launch costs the host."""
    many, stream = 20 if context.small else 400, gpu.new_stream()
    spin = gpu.kernel("ceilings", "spin").prepared(1, 1, 0, C.c_longlong(1000 if context.small else 12_000_000))

    def measured(enqueue):
        """Microseconds on the device and on the host, behind a kernel of some milliseconds."""
        device, host = [], []
        for _ in range(2 if context.small else 7):
            spin(stream)
            start = gpu.event().record(stream)
            begin = time.perf_counter()
            enqueue()
            host.append(1e6 * (time.perf_counter() - begin))
            device.append(gpu.event().record(stream).microseconds_since(start))
        return float(np.median(device)) / many, float(np.median(host)) / many

    tiny = gpu.kernel("ceilings", "tiny")
    for label, grid, block in (("1 block", 1, 32), ("8 blocks a multiprocessor", 8 * gpu.multiprocessors, 256)):
        launch = tiny.prepared(1 if context.small else grid, block, 0, None)
        ways = {"plain": lambda launch=launch: [launch(stream) for _ in range(many)]}
        try:
            ways["graph"] = captured(gpu, stream, ways["plain"])
        except Exception as error:
            context.fail(f"graph: {error}")
        for way, enqueue in ways.items():
            device, host = measured(enqueue)
            result[f"{label}, {way}"] = {"device": round(device, 3), "host": round(host, 3)}
            context.say(f"launches of {label}, {way}: {device:.2f} µs apart, {host:.2f} µs of the host (by Python)")


def captured(gpu, stream, enqueue):
    """A function that launches the same as one graph."""
    graph, executable = C.c_void_p(), C.c_void_p()
    gpu.cu("cuStreamBeginCapture_v2", stream, INT(1))
    enqueue()
    gpu.cu("cuStreamEndCapture", stream, C.byref(graph))
    gpu.cu("cuGraphInstantiateWithFlags", C.byref(executable), graph, C.c_ulonglong(0))
    gpu.cu("cuGraphLaunch", executable, stream)
    gpu.cu("cuStreamSynchronize", stream)
    return lambda: gpu.cu("cuGraphLaunch", executable, stream)
