"""Runs programs under the emulated driver.

The driver reads its settings once, so each program is a process of its own: a function of a test file, whose result
comes back.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
KERNELS = HERE / "kernels"
sys.dont_write_bytecode = True
sys.path[:0] = [str(HERE.parent), str(HERE)]

import build  # noqa: E402


@dataclass
class Outcome:
    code: int
    value: object
    messages: str


def run(program, *arguments, seconds=120, **settings):
    """Calls a function of a test file in a process. `settings` are those of the emulator: count=2, schedule="lazy"."""
    environment = dict(os.environ) | build.environment(build.build())
    for variable in [
        name for name in environment if name.startswith("EMULATED_GPU_") and name[13:] not in ("HOME", "CACHE")
    ]:
        del environment[variable]
    for name, value in settings.items():
        environment[f"EMULATED_GPU_{name.upper()}"] = str(value)
    module = Path(sys.modules[program.__module__].__file__).stem
    imports = f"import sys; sys.path.insert(0, {str(HERE)!r}); import harness, {module}"
    code = f"{imports}; harness.answer({module}.{program.__name__})"
    words = [sys.executable, "-B", "-c", code, json.dumps(arguments)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=seconds)
    lines = done.stdout.strip().splitlines()
    value = json.loads(lines[-1]) if done.returncode == 0 and lines else None
    return Outcome(done.returncode, value, done.stderr)


def answer(program):
    """In the process: calls the program, and prints what it returns. The number of a CUDA error is an answer too."""
    from cuda import CudaError

    try:
        value = program(*json.loads(sys.argv[1]))
    except CudaError as error:
        value = {"error": error.result}
    print(json.dumps(value), flush=True)
    # Nothing is waited for: a program that has met an error may leave work behind.
    os._exit(0) if os.environ.get("EMULATED_GPU_COUNTERS") is None else sys.exit(0)


def ptx(name):
    return (KERNELS / f"{name}.ptx").read_text()
