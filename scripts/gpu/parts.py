"""The parts of a check. `check` runs each as a process:

parts.py NAME RESULT BEFORE [--small]
"""

import importlib
import json
import os
import sys
import tomllib
import traceback
from dataclasses import dataclass
from pathlib import Path

from context import Absent, Context

HERE = Path(__file__).resolve().parent
ABSENT = 4  # exit status of a part that needs what is not installed


@dataclass(frozen=True)
class Part:
    name: str
    limit: int  # seconds
    module: str
    function: str = "run"
    subject: str = ""  # for a function that has one


KERNELS = tuple(sorted(tomllib.loads((HERE / "budget.toml").read_text())))

PARTS = [
    Part("machine", 15, "machine"),
    Part("load", 60, "load"),
    *(Part(f"right {name}", 30, "right", subject=name) for name in (*KERNELS, "variants/conv")),
    Part("program devices", 15, "program", "run_devices"),
    Part("program losses", 60, "program", "run_losses"),
    Part("program killed", 60, "program", "run_killed"),
    Part("ceilings", 45, "ceilings"),
    Part("program bench", 40, "program", "run_bench"),
    Part("program input", 60, "program", "run_input"),
    Part("times of convolutions", 60, "convolutions"),
    Part("times of operations", 30, "operations"),
    Part("right at size", 30, "operations", "run_right"),
    Part("torch operations", 60, "torch_operations"),
    Part("right convolutions at size", 40, "convolutions", "run_right"),
    Part("torch steps", 60, "torch_steps"),
    Part("program cores", 60, "program", "run_cores"),
    Part("sanitizer", 30, "sanitizer"),
    Part("torch compiled", 90, "torch_steps", "run_compiled"),
]


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
        os._exit(ABSENT)
    except Exception as error:
        context.fail(f"{type(error).__name__}: {error}")
        print(traceback.format_exc(limit=-4), flush=True)
    sys.stdout.flush()
    # What a device in error would do on the way out is not waited for.
    os._exit(1 if context.found["failures"] else 0)


if __name__ == "__main__":
    main()
