"""Runs a command with a time limit, and says how it ended."""

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass

# The exit codes in docs/run-folder.md, except 70 (a fault in the program itself) and 130 (a second Ctrl-C).
PROMISED = (0, 1, 2, 3)


@dataclass
class Ended:
    """How a command ended and what it printed."""

    words: list
    code: int = None
    signal: int = None
    hung: bool = False
    stdout: bytes = b""
    stderr: bytes = b""
    seconds: float = 0.0
    # Peak resident memory in bytes.
    peak: int = 0
    # Processor time in seconds.
    busy: float = 0.0

    @property
    def errors(self):
        return self.stderr.decode("utf-8", "replace")

    @property
    def output(self):
        return self.stdout.decode("utf-8", "replace")

    def how(self):
        """Describes the ending briefly, with the last lines of output."""
        if self.hung:
            ending = f"did not end within {self.seconds:.0f} s"
        elif self.signal is not None:
            ending = f"ended by {signal.Signals(self.signal).name}"
        else:
            ending = f"exit code {self.code}"
        said = " | ".join(self.errors.strip().splitlines()[-3:])
        return f"{ending}: {said[-400:]}" if said else ending

    def broken(self):
        """Why no user may ever see this ending; None if it is permitted."""
        if self.hung or self.signal is not None or self.code not in PROMISED:
            return self.how()
        if b"panicked at" in self.stderr:
            return f"a panic: {self.how()}"
        if b"\nUsage: " in self.stderr:
            return f"the trial uses wrong arguments: {self.how()}"
        return None


def start(words, folder, *, stdout=None, stderr=None, env=None):
    """Starts a command in its own process group, so that its children can be ended with it."""
    full = {key: value for key, value in os.environ.items() if key not in ("RUST_LOG", "RUST_BACKTRACE")}
    full.update(COLUMNS="100", XDG_CACHE_HOME=str(folder), **(env or {}))
    null = subprocess.DEVNULL
    return subprocess.Popen(
        # File names need not be valid text.
        [word if isinstance(word, bytes) else str(word) for word in words],
        cwd=folder,
        env=full,
        stdin=null,
        stdout=null if stdout is None else stdout,
        stderr=null if stderr is None else stderr,
        start_new_session=True,
    )


def end(process):
    """Ends a command and its children."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def wait(process, timeout):
    """Waits. Returns the status and the resource usage, or None if the time is up."""
    deadline = time.monotonic() + timeout
    pause = 0.001
    while True:
        found, status, usage = os.wait4(process.pid, os.WNOHANG)
        if found:
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode, usage
        if time.monotonic() > deadline:
            return None, None
        time.sleep(pause)
        pause = min(2 * pause, 0.02)


def run(words, folder, *, timeout=60, address_space=None, stdout=None, stderr=None, env=None):
    """Runs a command in `folder` to its end. `address_space` bounds its memory; `stdout` and `stderr` may be
    the caller's files, whose contents are then not read."""
    if address_space is not None:
        words = ["prlimit", f"--as={address_space}", *words]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begin = time.monotonic()
        process = start(words, folder, stdout=stdout or out, stderr=stderr or err, env=env)
        code, usage = wait(process, timeout)
        ended = Ended(words, seconds=time.monotonic() - begin)
        if usage is not None:
            ended.peak, ended.busy = usage.ru_maxrss * 1024, usage.ru_utime + usage.ru_stime
        if code is None:
            end(process)
            wait(process, 10)
            ended.hung = True
        elif code < 0:
            ended.signal = -code
        else:
            ended.code = code
        for file, name in ((out, "stdout"), (err, "stderr")):
            file.seek(0)
            # Paths printed by strace are not the program's output.
            lines = file.read(16 << 20).splitlines(keepends=True)
            setattr(ended, name, b"".join(line for line in lines if not line.startswith(b"strace: ")))
    return ended
