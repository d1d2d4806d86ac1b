"""PyTorch's own times of what convolutions.py and operations.py measure: eager, its libraries' best algorithm."""

import math

from conv import KINDS
from shapes import is_first, is_linear, layers, network, operations
from torch_timing import Clock


def run(context):
    torch = context.torch()
    clock, result = Clock(context, torch), {"layers": {}, "operations": {}}
    # In the order of what is wanted most, because time may run out.
    for kind in ("f32", "operations", "bf16", "tf32"):
        if kind == "operations":
            for op in operations(context.small):
                result["operations"][str(op)] = measured(context, str(op), theirs(context, torch, op), clock.cold)
                context.save(result)
            continue
        clock.precision(kind == "tf32")
        for shape in layers(context.small):
            if kind != "f32" and not shape.name.startswith("alexnet "):
                continue
            passes = layer(context, torch, shape, kind)
            if is_first(shape):
                del passes["data"]
            for name, us in measured(context, f"{kind} {shape.name}", passes, clock.warm).items():
                result["layers"].setdefault(f"{shape.name} {name}", {})[kind] = us
            context.save(result)
        if not context.small:
            torch.cuda.empty_cache()
    return result


def measured(context, what, works, time):
    """Microseconds of each. What fails in PyTorch is no failure of ours."""
    times = {}
    for name, work in works.items():
        try:
            times[name] = round(time(work), 2)
        except Exception as error:
            context.say(f"{what}, {name}: {type(error).__name__}: {error}")
    context.say(f"{what:36} " + ", ".join(f"{name} {us:.1f} µs" for name, us in times.items()))
    return times


def layer(context, torch, shape, kind):
    """The three passes of a layer, each a function."""
    dtype = torch.bfloat16 if kind == "bf16" else torch.float32

    def random(*size):
        return torch.randn(*size, device=context.torch_device, dtype=dtype)

    if is_linear(shape):
        x, w, b, dy = random(shape.w, shape.c), random(shape.o, shape.c), random(shape.o), random(shape.w, shape.o)
        passes = lambda: torch.nn.functional.linear(x, w, b), lambda: dy @ w, lambda: dy.t() @ x
        return dict(zip(KINDS, passes, strict=True))
    side, c, k, s, p, g = shape.h, shape.c, shape.k, shape.s, shape.p, shape.g
    if shape.c == 48 and is_first(shape):  # PyTorch would compute the plain layer
        side, c, k, s, p, g = 4 * shape.oh + 7, 3, 11, 4, 0, 1
    form = torch.channels_last if kind == "bf16" else torch.contiguous_format
    x, w = random(shape.n, c, side, side).to(memory_format=form), random(shape.o, c // g, k, k).to(memory_format=form)
    b, dy = random(shape.o), random(shape.n, shape.o, shape.oh, shape.ow).to(memory_format=form)

    def back(*wanted):
        return lambda: torch.ops.aten.convolution_backward(dy, x, w, None, [s, s], [p, p], [1, 1], False, [0, 0], g, wanted)

    passes = lambda: torch.nn.functional.conv2d(x, w, b, s, p, 1, g), back(True, False, False), back(False, True, False)
    return dict(zip(KINDS, passes, strict=True))


def theirs(context, torch, op):
    """What PyTorch has for an operation, by name. Maps in both of its layouts."""
    device, functional, aten = context.torch_device, torch.nn.functional, torch.ops.aten
    kind, *direction = op.name.split()
    backward = direction == ["backward"]

    def random(*size):
        return torch.randn(*size, device=device)

    if kind in ("lrn", "pool"):
        n, h, w, c = op.sizes[:4]
        found = {}
        for name, form in (("nhwc", torch.channels_last), ("nchw", torch.contiguous_format)):
            x = random(n, c, h, w).to(memory_format=form)
            found[name] = {"lrn": lrn, "pool": pool}[kind](torch, x, backward)
        return found
    if kind in ("relu", "tanh"):
        x, dy = random(math.prod(op.sizes)), random(math.prod(op.sizes))
        if not backward:
            return {"in place": (lambda: torch.relu_(x)) if kind == "relu" else (lambda: torch.tanh_(x))}
        return {"aten": (lambda: aten.threshold_backward(dy, x, 0)) if kind == "relu" else (lambda: aten.tanh_backward(dy, x))}
    if kind == "bias":
        dy = random(*op.sizes)
        return {"sum": lambda: dy.sum(0)}
    if kind == "dropout":
        x = random(*op.sizes)
        return {"dropout": lambda: functional.dropout(x, 0.5, True)}
    if kind == "softmax":
        z, labels = random(*op.sizes).requires_grad_(), torch.randint(0, op.sizes[1], op.sizes[:1], device=device)
        return {"cross_entropy": lambda: torch.autograd.grad(functional.cross_entropy(z, labels), z)}
    if kind == "input":
        n, side, _ = op.sizes
        pixels, mean = torch.zeros(n, side, side, 3, dtype=torch.uint8, device=device), random(side, side, 3)
        return {"less the mean": lambda: (pixels.float() - mean) * 0.017}
    return solver(context, torch)


def lrn(torch, x, backward):
    def forward(x):
        return torch.nn.functional.local_response_norm(x, 5, 5e-4, 0.75, 2.0)  # PyTorch divides alpha by 5

    if not backward:
        return lambda: forward(x)
    x = x.requires_grad_()
    y = forward(x)
    dy = torch.randn_like(y)
    return lambda: torch.autograd.grad(y, x, dy, retain_graph=True)


def pool(torch, x, backward):
    y, places = torch.nn.functional.max_pool2d(x, 3, 2, ceil_mode=True, return_indices=True)
    if not backward:
        return lambda: torch.nn.functional.max_pool2d(x, 3, 2, ceil_mode=True, return_indices=True)
    dy = torch.randn_like(y)
    sizes = [3, 3], [2, 2], [0, 0], [1, 1], True
    return lambda: torch.ops.aten.max_pool2d_with_indices_backward(dy, x, *sizes, places)


def solver(context, torch):
    found = {}
    for name in ("fused", "foreach"):
        sizes = network(context.small)["parameters"]
        parameters = [torch.nn.Parameter(torch.randn(size, device=context.torch_device)) for size in sizes]
        for parameter in parameters:
            parameter.grad = torch.randn_like(parameter)
        optimiser = torch.optim.SGD(parameters, lr=1e-6, momentum=0.9, weight_decay=5e-4, **{name: True})
        optimiser.step()
        found[name] = optimiser.step
    return found
