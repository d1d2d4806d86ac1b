"""The parts of a check. `check` runs each as a process:

parts.py NAME RESULT BEFORE [--small]
"""

import importlib
import json
import os
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Part:
    name: str
    limit: int  # seconds
    module: str
    function: str = "run"
    subject: str = ""  # for a function that has one


KERNELS = ("bias", "conv", "dropout", "input", "lrn", "pool", "relu", "sgd", "softmax", "tanh")

PARTS = [
    Part("machine", 15, "machine"),
    Part("load", 60, "load"),
    *(Part(f"right {name}", 30, "right", subject=name) for name in (*KERNELS, "variants/conv")),
    Part("ceilings", 45, "ceilings"),
    Part("times of convolutions", 60, "convolutions"),
    Part("times of operations", 30, "operations"),
    Part("right at size", 30, "operations", "run_right"),
    Part("torch operations", 60, "torch_operations"),
    Part("right convolutions at size", 40, "convolutions", "run_right"),
    Part("torch steps", 60, "torch_steps"),
    Part("sanitizer", 30, "sanitizer"),
    Part("torch compiled", 90, "torch_steps", "run_compiled"),
]


class Absent(Exception):
    """What a part needs is not installed."""


class Context:
    """What a part is given."""

    def __init__(self, result, report, small):
        self.folder, self.ptx, self.small = HERE, HERE / "ptx", small
        self.path, self.report = result, report
        self.found = {"failures": [], "result": None}
        self.start = time.perf_counter()

    def say(self, text):
        print(f"[{time.perf_counter() - self.start:5.1f}] {text}", flush=True)

    def save(self, result):
        """Keeps what is known, if the part does not come to its end."""
        self.found["result"] = result
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(self.found, ensure_ascii=False))
        new.replace(self.path)

    def fail(self, text):
        """Something that does not end the part."""
        self.found["failures"].append(text)
        self.say(f"!! {text}")
        self.save(self.found["result"])

    def before(self, part, *keys):
        """What an earlier part found, or None."""
        found = self.report["parts"].get(part, {}).get("result")
        for key in keys:
            found = (found or {}).get(key)
        return found

    def device(self):
        from device import Device

        return Device(self.ptx)

    def torch(self):
        try:
            import torch
        except ImportError:
            raise Absent("PyTorch is not installed") from None
        if not self.small and not torch.cuda.is_available():
            raise Absent("PyTorch has no GPU")
        torch.backends.cudnn.benchmark = True
        return torch

    @property
    def torch_device(self):
        """The emulated driver is not enough for PyTorch."""
        return "cpu" if self.small else "cuda"


def main():
    name, result, before, *words = sys.argv[1:]
    sys.path[:0] = [str(HERE), str(HERE / "kernels")]
    part = next(part for part in PARTS if part.name == name)
    context = Context(Path(result), json.loads(Path(before).read_text()), "--small" in words)
    try:
        subject = [part.subject] if part.subject else []
        context.save(getattr(importlib.import_module(part.module), part.function)(context, *subject))
    except Absent as absent:
        context.save(str(absent))
        context.say(str(absent))
    except Exception as error:
        context.fail(f"{type(error).__name__}: {error}")
        print(traceback.format_exc(limit=-4), flush=True)
    sys.stdout.flush()
    # What a device in error would do on the way out is not waited for.
    os._exit(1 if context.found["failures"] else 0)


if __name__ == "__main__":
    main()
