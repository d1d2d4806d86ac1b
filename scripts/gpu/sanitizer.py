"""NVIDIA's compute-sanitizer, where it is installed: accesses that are not allowed, and races in shared memory."""

import shutil
import subprocess
import sys

from context import Absent
from parts import KERNELS


def run(context):
    program = shutil.which("compute-sanitizer", path="/usr/local/cuda/bin") or shutil.which("compute-sanitizer")
    if program is None:
        raise Absent("compute-sanitizer is not installed")
    result = {}
    for tool in ("memcheck", "racecheck"):
        for name in KERNELS:
            words = [program, "--tool", tool, "--error-exitcode", "9", sys.executable, context.folder / "kernels/check.py"]
            # Of the convolutions a tile of each way to load and store.
            words += ["--ptx", context.ptx, "--turns", "1", "--chosen", "64x64", name]
            done = subprocess.run(list(map(str, words)), capture_output=True, text=True)
            result[f"{tool} {name}"] = done.returncode
            if done.returncode == 0:
                context.say(f"{tool} {name}: nothing found")
            else:
                context.fail(f"{tool} {name}: {(done.stdout + done.stderr)[-1500:]}")
            context.save(result)
    return result
