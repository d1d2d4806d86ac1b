"""Lists the system calls of a command, and injects a fault at one of them."""

import os
import re
import shutil
from collections import Counter
from pathlib import Path

from . import process

# Calls whose first arguments are paths. For the other calls, the descriptor identifies the file.
BY_PATH = frozenset(
    """openat open creat rename renameat renameat2 unlink unlinkat rmdir mkdir mkdirat link linkat statx newfstatat
    chmod statfs""".split()
)

# Calls that concern files, threads or memory maps.
CALLS = sorted(
    BY_PATH
    | set(
        """close read pread64 readv write pwrite64 writev fsync fdatasync ftruncate fallocate flock fcntl fstat getdents64
        copy_file_range sendfile fchmod fstatfs mmap munmap clone3""".split()
    )
)

LINE = re.compile(r"^(\d+)\s+(\w+)\((.*)$")
DESCRIPTOR = re.compile(r"^(?:NULL, \d+, [\w|]+, [\w|]+, )?\d+<([^>]*)>")
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


def is_usable(folder):
    """Why strace cannot be used here; None if it can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    words = [
        "strace",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        "trace=unlinkat,unlink",
        "-e",
        "inject=unlinkat,unlink:error=EIO",
        "rm",
        "x",
    ]
    (folder / "x").write_text("")
    ended = process.run(words, folder)
    if ended.code != 1 or not (folder / "x").exists():
        return f"strace does not work here ({ended.how()})"
    (folder / "x").unlink()
    return None


def counted(words, folder):
    """Counts the calls of a whole command, by call and by (call, path): for each, the count of the thread that makes
    it most often."""
    log = folder / "strace.log"
    ended = process.run(
        ["strace", "-f", "-y", "-qq", "-s", "1", "-o", log, "-e", f"trace={','.join(CALLS)}", *words], folder
    )
    if ended.broken():
        raise SystemExit(f"{' '.join(map(str, words))} under strace: {ended.how()}")
    by_thread = Counter()
    for line in log.read_text(errors="replace").splitlines():
        match = LINE.match(line)
        if not match:
            continue
        thread, call, rest = match.groups()
        by_thread[thread, call, None] += 1
        for path in paths_of(call, rest, folder):
            by_thread[thread, call, path] += 1
    log.unlink()
    most = Counter()
    for (_, call, path), count in by_thread.items():
        most[call, path] = max(most[call, path], count)
    return most


def paths_of(call, arguments, folder):
    """The paths that a call names, or the path of its descriptor. Paths inside `folder` are relative to it."""
    if call in BY_PATH:
        found = QUOTED.findall(arguments)[:2]
    else:
        descriptor = DESCRIPTOR.match(arguments)
        found = [descriptor.group(1)] if descriptor else []
    return {os.path.relpath(path, folder) if path.startswith(f"{folder}/") else path for path in found if path}


def with_fault(words, folder, call, fault, path=None):
    """The command with a fault injected into its calls `call` (on files at `path`): `signal=SIGKILL:when=7`,
    `error=EIO:when=2+`."""
    only = []
    if path is not None:
        # A call shows a path as given; a descriptor shows the absolute path.
        whole = str(Path(folder, path))
        only = [word for name in {path, whole} for word in ("-P", name)]
    return [
        "strace",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        *only,
        "-e",
        f"trace={call}",
        "-e",
        f"inject={call}:{fault}",
        *words,
    ]
