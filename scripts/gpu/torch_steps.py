"""PyTorch's whole training steps on the presets `alexnet` (two groups, response normalisation) and `alexnet-one-tower`.

A step: zero_grad, forward, cross-entropy, backward, fused SGD with momentum and weight decay, on data that lies on the device. The
paper's network gets 227 × 227 images, so that no padding is needed: our preset lets windows of 224 hang over the edge, which gives the
same maps.
"""

import time

import numpy as np
from torch_timing import Clock

PARAMETERS = {"alexnet": 60_965_224, "alexnet-one-tower": 61_100_840}

# Whether TF32, BF16 by autocast, channels_last.
MODES = {
    "f32": (False, False, False),
    "tf32": (True, False, False),
    "tf32, channels_last": (True, False, True),
    "bf16, channels_last": (True, True, True),
}


def network(torch, name):
    """Modules, and the side of images."""
    nn = torch.nn

    def conv(*sizes, **more):
        return [nn.Conv2d(*sizes, **more), nn.ReLU(inplace=True)]

    def linear(*sizes):
        return [nn.Linear(*sizes), nn.ReLU(inplace=True)]

    def lrn():
        return nn.LocalResponseNorm(5, 5e-4, 0.75, 2.0)  # PyTorch divides alpha by 5

    def pool():
        return nn.MaxPool2d(3, 2)

    if name == "alexnet":
        modules = [*conv(3, 96, 11, 4), lrn(), pool(), *conv(96, 256, 5, padding=2, groups=2), lrn(), pool()]
        modules += [*conv(256, 384, 3, padding=1), *conv(384, 384, 3, padding=1, groups=2)]
        modules += [*conv(384, 256, 3, padding=1, groups=2), pool(), nn.Flatten()]
        modules += [*linear(9216, 4096), nn.Dropout(), *linear(4096, 4096), nn.Dropout(), nn.Linear(4096, 1000)]
        return modules, 227
    modules = [*conv(3, 64, 11, 4, 2), pool(), *conv(64, 192, 5, padding=2), pool(), *conv(192, 384, 3, padding=1)]
    modules += [*conv(384, 256, 3, padding=1), *conv(256, 256, 3, padding=1), pool(), nn.Flatten(), nn.Dropout()]
    modules += [*linear(9216, 4096), nn.Dropout(), *linear(4096, 4096), nn.Linear(4096, 1000)]
    return modules, 224


class Steps:
    def __init__(self, context):
        self.context, self.torch, self.rows = context, context.torch(), []
        self.device, self.clock = context.torch_device, Clock(context, self.torch)

    def stepper(self, name, batch, mode, compiled=False):
        """A function that trains one step and returns the loss."""
        torch, (tf32, bf16, last) = self.torch, MODES[mode]
        self.clock.precision(tf32)
        torch.manual_seed(1)
        with torch.device(self.device):
            modules, side = network(torch, name)
            net = torch.nn.Sequential(*modules).train()
        assert sum(p.numel() for p in net.parameters()) == PARAMETERS[name]
        x, labels = torch.randn(batch, 3, side, side, device=self.device), torch.randint(0, 1000, (batch,), device=self.device)
        if last:
            net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
        optimiser = torch.optim.SGD(net.parameters(), lr=0.001, momentum=0.9, weight_decay=5e-4, fused=True)
        forward = torch.compile(net, dynamic=False) if compiled else net

        def step():
            optimiser.zero_grad(set_to_none=True)
            with torch.autocast(self.device, torch.bfloat16, enabled=bf16):
                loss = torch.nn.functional.cross_entropy(forward(x), labels)
            loss.backward()
            optimiser.step()
            return loss

        return step

    def measure(self, name, batch, mode, step):
        few = self.context.small
        for _ in range(1 if few else 6):
            step()
        self.synchronize()
        points, begin = [self.clock.now()], time.perf_counter()
        count = 1 if few else 12
        for _ in range(count):
            step()
            points.append(self.clock.now())
        host = 1000 * (time.perf_counter() - begin) / count
        ms = float(np.median(self.clock.between(points))) / 1000
        # Without an event after each step.
        begin, count = time.perf_counter(), 1 if few else 20
        for _ in range(count):
            loss = step()
        loss = float(loss.detach())
        in_a_row = 1000 * (time.perf_counter() - begin) / count
        rate = round(1000 * batch / min(ms, in_a_row))
        row = {"network": name, "batch": batch, "mode": mode, "ms": round(ms, 3), "ms in a row": round(in_a_row, 3)}
        self.rows.append(row | {"host ms": round(host, 3), "images/s": rate, "loss": round(loss, 4)})
        times = f"{ms:8.3f} ms ({in_a_row:.3f} in a row, host {host:.3f})"
        self.context.say(f"{name:18} batch {batch:4} {mode:32} {times} {rate:7} images/s, loss {loss:.3f}")
        self.context.save(self.rows)
        self.synchronize()
        if self.device == "cuda":
            self.torch.cuda.empty_cache()

    def synchronize(self):
        if self.device == "cuda":
            self.torch.cuda.synchronize()

    def try_(self, name, batch, mode, make):
        """What fails in PyTorch is no failure of ours."""
        try:
            self.measure(name, batch, mode, make())
        except Exception as error:
            self.context.say(f"{name} batch {batch} {mode}: {type(error).__name__}: {error}")

    def captured(self, name, batch):
        """A whole step as one graph: what is left without the host."""
        torch, step, stream = self.torch, self.stepper(name, batch, "bf16, channels_last"), self.torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(8):
                step()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            loss = step()

        def replay():
            graph.replay()
            return loss

        return replay


def batches(context):
    return (2,) if context.small else (128, 256)


def run(context):
    steps = Steps(context)
    for batch in batches(context):
        for name in PARAMETERS:
            for mode in MODES:
                steps.try_(name, batch, mode, lambda name=name, batch=batch, mode=mode: steps.stepper(name, batch, mode))
                if context.small:
                    return steps.rows
            steps.try_(name, batch, "bf16, channels_last, graph", lambda name=name, batch=batch: steps.captured(name, batch))
    return steps.rows


def run_compiled(context):
    steps = Steps(context)
    if context.small:
        return steps.rows
    for batch in batches(context):
        for name in PARAMETERS:
            steps.torch._dynamo.reset()

            def make(name=name, batch=batch):
                begin = time.perf_counter()
                step = steps.stepper(name, batch, "bf16, channels_last", compiled=True)
                step()
                steps.synchronize()
                context.say(f"torch.compile took {time.perf_counter() - begin:.1f} s")
                return step

            steps.try_(name, batch, "bf16, channels_last, compiled", make)
    return steps.rows
