"""Errors: the N-th system call of one kind on one file fails, or all calls from the N-th on, as on a full disk.

A command may tolerate it, or end with a reason that names the file. What it leaves must be good: once the error is gone, the
resumed command must reach the result that it reaches without errors.
"""

import errno
import os
import re
from pathlib import Path

from . import outcome, process, strace

# The errors with which each call may fail.
ERRORS = {
    "openat": ("EMFILE", "ENFILE", "EACCES", "EIO", "ENOMEM", "ENOSPC"),
    "read": ("EIO", "EINTR"),
    "pread64": ("EIO", "EINTR"),
    "write": ("ENOSPC", "EIO", "EDQUOT", "EINTR"),
    "pwrite64": ("ENOSPC", "EIO", "EINTR"),
    "writev": ("ENOSPC", "EIO"),
    "fsync": ("EIO", "ENOSPC", "EINTR"),
    "fdatasync": ("EIO", "ENOSPC"),
    "rename": ("EIO", "ENOSPC", "EACCES"),
    "renameat": ("EIO", "ENOSPC", "EACCES"),
    "renameat2": ("EIO", "ENOSPC", "EACCES"),
    "unlink": ("EIO", "EACCES"),
    "unlinkat": ("EIO", "EACCES"),
    "rmdir": ("EIO", "EACCES"),
    "mkdir": ("ENOSPC", "EACCES", "EIO"),
    "ftruncate": ("EIO", "ENOSPC"),
    "fallocate": ("ENOSPC", "EIO"),
    "flock": ("ENOLCK", "EIO"),
    "statx": ("EIO", "EACCES", "ENOMEM"),
    "newfstatat": ("EIO", "EACCES"),
    "getdents64": ("EIO", "ENOMEM"),
    "copy_file_range": ("EIO", "ENOSPC", "EINTR"),
    "fchmod": ("EIO",),
    "chmod": ("EIO",),
    "mmap": ("ENOMEM", "ENODEV"),
}

# Files of the loader, the C library and the system. How these handle an error is not tested here.
FOREIGN = ("/lib", "/usr/lib", "/etc/ld.so", "/dev/", "pipe:", "socket:", "anon_inode", "/proc/self/maps")

# Names that contain a process id or a random number.
PASSING = re.compile(r"/#\d+|\.tmp\w{6}$|\.\d+\.tmp$|partial-\d+")

# Stands for the folder with the data sets, whose path differs each time.
GROUND = "GROUND"

# A call on an unspecified file, for files whose names contain a process id.
ANY = "*"


class Errors:
    name = "errors"

    def __init__(self, ground, subjects):
        self.ground, self.subjects = ground, subjects
        self.places = {}
        for name, subject in subjects.items():
            folder = ground.folder / "errors" / name.replace(" ", "-")
            folder.mkdir(parents=True)
            subject.prepare(folder)
            counts = strace.counted(subject.words(), folder)
            ours = [
                (call, path.replace(str(ground.folder), GROUND), count)
                for (call, path), count in counts.items()
                if path is not None
                and call in ERRORS
                and not path.startswith(FOREIGN)
                and not PASSING.search(path)
                and path != str(ground.binary)
            ]
            # If the name of the file changes each time, the calls on its folder stand for it.
            unnamed = [
                (call, ANY, count)
                for (call, path), count in counts.items()
                if path is None and call in ("rename", "unlink", "mkdir", "fsync", "fdatasync", "unlinkat", "ftruncate")
            ]
            self.places[name] = sorted(ours + unnamed)

    def draw(self, random):
        """`SUBJECT/CALL/ERROR/N/PATH`; `N+` means all calls from the N-th on."""
        name = random.choice(list(self.places))
        # The call is drawn first, so that the few renames are tried as often as the many reads.
        call = random.choice(sorted({call for call, _, _ in self.places[name]}))
        _, path, count = random.choice([place for place in self.places[name] if place[0] == call])
        more = "+" if random.random() < 0.3 else ""
        return f"{name}/{call}/{random.choice(ERRORS[call])}/{random.randint(1, count)}{more}/{path}"

    def row(self, spec):
        return f"errors in {spec.split('/')[0]}"

    def trial(self, spec, folder):
        name, call, error, at, path = spec.split("/", 4)
        path = path.replace(GROUND, str(self.ground.folder))
        subject = self.subjects[name]
        subject.prepare(folder)
        if error == "EINTR" and at.endswith("+"):
            # A call that is interrupted forever is not an error: it never returns.
            at = at[:-1]
        before = outcome.steps(folder / "run")
        ended = process.run(
            strace.with_fault(subject.words(), folder, call, f"error={error}:when={at}", None if path == ANY else path),
            folder,
        )
        # A file that cannot be removed, or not even be listed, stays.
        spare = call in ("unlink", "unlinkat", "getdents64")
        wrong = self.ending(subject, ended, path, error) or self.lost(folder, before)
        if wrong:
            return True, wrong
        if ended.code == 0:
            wrong = subject.judge(folder, ended, spare=spare)
            if wrong and not subject.writes:
                return True, f"succeeded despite the error, but {wrong}"
        if ended.code != 0 or wrong:
            borne = wrong
            done = name == "export" and (folder / "exported").exists()
            again = ended if done else process.run(subject.again(), folder)
            if again.broken() or again.code != 0:
                return True, f"{ended.how()} and then, without the error: {again.how()}"
            wrong = self.lost(folder, before) or subject.judge(folder, again, spare=spare)
            if wrong:
                return True, f"{ended.how()} and then, without the error: {wrong}"
            if borne:
                return True, f"exit code 0 despite the error: {borne}"
        return ended.code != 0, None

    def ending(self, subject, ended, path, error):
        """Whether the command ended in a permitted way."""
        if ended.broken():
            return ended.how()
        if ended.code == 0:
            return None
        if error == "EINTR":
            return f"an interrupted call must be repeated: {ended.how()}"
        # Verification answers with a list of what is wrong.
        said = ended.errors + (ended.output if subject.name == "verify" else "")
        if not is_named(path, said):
            return f"the message does not name {path}: {ended.how()}"
        if os.strerror(getattr(errno, error)) not in said:
            return f"the message does not give the cause, {error}: {ended.how()}"
        return None

    def lost(self, folder, before):
        """Whether something good was lost."""
        damaged = sorted(path.name for path in folder.rglob("*.damaged"))
        if damaged:
            return f"good checkpoints were treated as damaged: {damaged}"
        after = outcome.steps(folder / "run")
        if before and (not after or after[-1] < before[-1]):
            return f"the newest checkpoint went from step {before[-1]} to {after[-1:]}"
        return None


def is_named(path, said):
    """Whether a message names the file, or a folder that contains it."""
    if path.startswith(("/proc", "/sys")):
        return True
    if path == ANY or "/" not in path:
        # Without a folder, it is a file in a folder that is removed as a whole.
        return re.search(r"[\w.-]+/[\w.-]+|\b(run|pack|exported|cache)(\.partial-\d+)?:", said) is not None
    # A temporary file is identified by its final name.
    name = re.sub(r"^\.|(\.\d+)?\.tmp\w*$", "", Path(path).name).split(".")[0]
    return name in said or any(f"{folder}:" in said for folder in Path(path).parents)
