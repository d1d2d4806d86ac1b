"""Each layer's three passes by every tile, and the depth cut into some numbers of parts."""

import numpy as np
from arrays import f32
from conv import KINDS, launch, tiles
from shapes import is_first, layers
from timing import Clock

FILES = ("conv", "variants/conv")


class Layer:
    """A layer's tensors on the device, random. Lanes that are added are not zero: times do not depend on that."""

    def __init__(self, gpu, shape):
        def fill(floats):
            some = np.random.default_rng(floats).standard_normal(min(floats, 1 << 20), dtype=f32)
            return gpu.put(np.resize(some, floats))

        self.shape = shape
        self.x, self.w = fill(shape.n * shape.h * shape.w * shape.x_lanes), fill(shape.o * shape.row)
        self.b, self.dy = fill(shape.y_lanes), fill(shape.places * shape.y_lanes)

    def sides(self, kind):
        return {"forward": (self.x, self.w), "data": (self.dy, self.w), "weights": (self.x, self.dy)}[kind]

    def kinds(self):
        return [kind for kind in KINDS if kind != "data" or not is_first(self.shape)]


def parts_of(shape, tile):
    """Into how many parts the depth may sensibly be cut: for about 132 multiprocessors."""
    x, y, z = shape.grid(tile, 1)
    blocks = x * y * z
    if tile.kind == "weights":
        if shape.n == 1:
            return [1]
        return sorted({p for p in (1, 4, 8, 16, 32, 64, 128) if p <= shape.n and 100 <= blocks * p <= 2500} or {shape.n})
    if blocks >= 264:
        return [1]
    depth = shape.k * shape.k * (shape.o // shape.g if tile.kind == "data" else shape.lanes)
    return sorted({1} | {p for p in (2, 3, 4, 6, 8, 12, 16, 32) if blocks * p <= 700 and depth // p >= 48})


def candidates(context, gpu, shape, kind):
    """Tiles that take a shape, and into how many parts of the depth. The emulator is slow, so it gets one number of parts."""
    found = [tile for file in FILES for tile in tiles(gpu, kind, file)]
    special = ("_scalar", "_strided")
    found = [tile for tile in found if not tile.name.endswith(special) and shape.takes(tile)]
    return [(tile, parts_of(shape, tile)[-1 if context.small else 0 :]) for tile in found]


def run(context):
    gpu = context.device()
    clock, fma, result = Clock(gpu, context.small), context.before("ceilings", "peaks", "fma"), {}
    for shape in layers(context.small):
        layer = Layer(gpu, shape)
        for kind in layer.kinds():
            size, (a, b) = shape.size(kind), layer.sides(kind)
            choices = candidates(context, gpu, shape, kind)
            most = max(parts[-1] for _, parts in choices)
            out, workspace = gpu.buffer(4 * size), gpu.buffer(4 * size * most)
            end = {"bias": layer.b, "relu": 1} if kind == "forward" else {}
            rows = []
            for tile, every in choices:
                for parts in every:
                    us = clock.warm(launch(gpu, tile, shape, parts, out, a, b, workspace=workspace, **end), 10)
                    rows.append({"µs": round(us, 2), "tile": tile.name, "file": tile.file, "parts": parts})
            rows.sort(key=lambda row: row["µs"])
            rate = shape.flops / rows[0]["µs"] / 1e6
            result[f"{shape.name} {kind}"] = {"TFLOP/s": round(rate, 2), "tiles": rows}
            share = f"{100 * rate / fma:3.0f} %" if fma else ""
            best = f"{rows[0]['tile']} in {rows[0]['parts']}"
            context.say(f"{shape.name:20} {kind:8} {rows[0]['µs']:9.1f} µs {rate:6.1f} TFLOP/s {share} {best}")
            context.say("    " + ", ".join(f"{row['tile']}/{row['parts']} {row['µs']:.0f}" for row in rows[1:]))
            context.save(result)
    return result


def run_right(context):
    """At full size, each tile beside PyTorch in float64. Random shapes are tests of their own."""
    torch = context.torch()
    gpu, result = context.device(), {}
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    for shape in layers(context.small):
        if shape.x_lanes != shape.c or shape.y_lanes != shape.o:
            continue  # the random added lanes are not zero
        layer, errors = Layer(gpu, shape), {}
        for kind, want in expected(context, torch, layer).items():
            a, b = layer.sides(kind)
            for tile, every in candidates(context, gpu, shape, kind):
                out, workspace = gpu.poisoned(4 * shape.size(kind)), gpu.buffer(4 * shape.size(kind) * every[-1])
                bias = layer.b if kind == "forward" else None
                launch(gpu, tile, shape, every[-1], out, a, b, bias, workspace=workspace)()
                got = torch.from_numpy(out.get(tuple(want.shape))).to(want)
                error = float((got - want).abs().max() / want.abs().max())
                errors[kind] = max(errors.get(kind, 0.0), error if error == error else 9e9)
                if not error < 1e-4:
                    context.fail(f"{tile.kernel} is wrong: {shape}: error {error:.1e}")
        result[shape.name] = errors
        context.say(f"{shape.name}: " + ", ".join(f"{kind} {error:.1e}" for kind, error in errors.items()))
        context.save(result)
    return result


def expected(context, torch, layer):
    shape = layer.shape

    def there(buffer, *size):
        return torch.from_numpy(buffer.get(size)).to(context.torch_device).double().permute(0, 3, 1, 2).contiguous()

    x, w = there(layer.x, shape.n, shape.h, shape.w, shape.c), there(layer.w, shape.o, shape.k, shape.k, shape.lanes)
    dy = there(layer.dy, shape.n, shape.oh, shape.ow, shape.o)
    b = torch.from_numpy(layer.b.get(shape.o)).to(context.torch_device).double()
    both = [not is_first(shape), True, False]
    steps = [shape.s] * 2, [shape.p] * 2, [1, 1], False, [0, 0], shape.g
    dx, dw, _ = torch.ops.aten.convolution_backward(dy, x, w, None, *steps, both)
    y = torch.nn.functional.conv2d(x, w, b, shape.s, shape.p, 1, shape.g)
    found = {"forward": y, "weights": dw} | ({"data": dx} if both[0] else {})
    return {kind: array.permute(0, 2, 3, 1).contiguous() for kind, array in found.items()}
