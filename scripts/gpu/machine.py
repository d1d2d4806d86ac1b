"""What this machine is."""

import os
import platform
import shutil
import subprocess

import numpy

QUERY = (
    "name,driver_version,clocks.sm,clocks.mem,clocks.max.sm,pcie.link.gen.current,pcie.link.width.current,power.limit,temperature.gpu"
)


def run(context):
    gpu = context.device()
    result = {
        "gpu": gpu.name,
        "capability": gpu.capability,
        "driver": gpu.driver,
        "multiprocessors": gpu.multiprocessors,
        "clock": gpu.clock_khz,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "torch": version_of_torch(),
        "nvidia-smi": smi(),
    }
    for key, value in result.items():
        context.say(f"{key}: {value}")
    return result


def version_of_torch():
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("torch")
    except PackageNotFoundError:
        return None


def smi():
    if shutil.which("nvidia-smi") is None:
        return None
    command = ["nvidia-smi", f"--query-gpu={QUERY}", "--format=csv,noheader"]
    return subprocess.run(command, capture_output=True, text=True, timeout=8).stdout.strip()
