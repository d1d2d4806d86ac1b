"""Builds the emulated driver in target/emulated-gpu."""

import fcntl
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parent.parent / "target" / "emulated-gpu"
FLAGS = [
    "-std=c++20",
    "-march=native",
    "-fPIC",
    "-fvisibility=hidden",
    "-fno-strict-aliasing",
    "-Wall",
    "-Wextra",
    "-I",
    HERE / "driver",
]
# What executes kernels is optimised as far as it goes. Numbers are computed as PTX says and not better: one rounding
# only where it has fma, and overflow wraps.
OF_FOLDER = {"machine": ["-O3", "-ffp-contract=off", "-fno-math-errno", "-fwrapv"], "driver": ["-O1"], "ptx": ["-O1"]}


class Failure(Exception):
    """What is missing, or what the compiler says."""


def build():
    """Compiles what is older than its sources. Returns the folder with libcuda.so.1."""
    if shutil.which("g++") is None:
        raise Failure("g++ is needed to build the emulated GPU (Debian: apt-get install g++)")
    FOLDER.mkdir(parents=True, exist_ok=True)
    # Tests build it side by side.
    with open(FOLDER / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _build()
    return FOLDER


def environment(folder):
    """The variables with which a program finds it."""
    path = os.environ.get("LD_LIBRARY_PATH")
    return {
        "LD_LIBRARY_PATH": f"{folder}:{path}" if path else str(folder),
    }


def _build():
    library = FOLDER / "libcuda.so.1"
    headers = max(file.stat().st_mtime for file in [*HERE.glob("*/*.h"), Path(__file__)])
    sources = list(HERE.glob("*/*.cpp"))
    # Code for one processor may not run on another.
    stamp, processor = FOLDER / "processor", _processor()
    same = stamp.exists() and stamp.read_text() == processor
    stale = [source for source in sources if not same or _age(_object(source)) < max(headers, source.stat().st_mtime)]
    if not stale and library.exists():
        return
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(
            pool.map(
                lambda source: _run("g++", *FLAGS, *OF_FOLDER[source.parent.name], "-c", source, "-o", _object(source)),
                stale,
            )
        )
    stamp.write_text(processor)
    objects = [_object(source) for source in sources]
    made = FOLDER / "libcuda.so.new"
    # Bound within itself: a program that has loaded another libcuda would otherwise mix the two.
    _run("g++", "-shared", "-Wl,-soname,libcuda.so.1", "-Wl,-Bsymbolic", *objects, "-o", made, "-ldl", "-lpthread")
    made.replace(library)
    # The names under which programs look.
    link = FOLDER / "libcuda.so"
    if not link.is_symlink():
        link.symlink_to("libcuda.so.1")


def _processor():
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line for line in lines if line.startswith("flags")), "")


def _object(source):
    return FOLDER / f"{source.parent.name}-{source.stem}.o"


def _age(file):
    return file.stat().st_mtime if file.exists() else 0


def _run(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(f"the emulated GPU does not build:\n{done.stderr[-4000:]}")
