"""Concurrent commands: packs beside each other, two commands in one folder, signals, streams that cannot be written, and files
that change while they are read."""

import os
import random as randomness
import shutil
import signal
import threading
import time
from pathlib import Path

from . import outcome, process, strace
from .pictures import tar_of

# In seconds. Far above what any of these needs; a hang takes longer.
LIMIT = 40

STREAMS = {
    "full-stderr": ("run", "stderr", (0,)),
    "full-stdout": ("run", "stdout", (0, 1)),
    "full-inspect": ("inspect", "stdout", (1,)),
    "full-predict": ("predict", "stdout", (1,)),
    "full-check": ("check", "stdout", (1,)),
    "full-eval": ("eval", "stdout", (1,)),
    "full-pack": ("pack", "stderr", (0,)),
}


class Together:
    name = "together"

    def __init__(self, ground, subjects):
        self.ground, self.subjects = ground, subjects
        self.kinds = {
            "packs": self.packs,
            "two-runs": lambda folder, draw: self.two(folder, draw, "run"),
            "two-resumes": lambda folder, draw: self.two(folder, draw, "run --resume"),
            "two-packs": lambda folder, draw: self.two(folder, draw, "pack jpeg"),
            "two-exports": lambda folder, draw: self.two(folder, draw, "export"),
            "signal": self.signal,
            "halt": self.halt,
            "slow-metrics": self.slow_metrics,
            "rewritten": self.rewritten,
            "shortened": self.shortened,
            **{name: lambda folder, draw, name=name: self.stream(folder, name) for name in STREAMS},
        }

    def specs(self, random):
        """`KIND/NUMBER`; the number says when and how."""
        kinds = list(self.kinds)
        yield from (f"{kind}/{random.randrange(1 << 20)}" for kind in kinds)
        # Repeated often where timing matters; a full stream is always full.
        often = [kind for kind in kinds if kind not in STREAMS]
        while True:
            yield f"{random.choice([*often, 'packs', 'packs', 'packs'])}/{random.randrange(1 << 20)}"

    def smoke(self, random):
        return [f"{kind}/{random.randrange(1 << 20)}" for kind in self.kinds]

    def row(self, spec):
        return f"together: {spec.split('/')[0]}"

    def trial(self, spec, folder):
        kind, number = spec.split("/")
        return True, self.kinds[kind](folder, randomness.Random(f"{kind} {number}"))

    def packs(self, folder, draw):
        """Many small packs at once. All of their last messages must arrive."""
        mode, count = draw.choice(["jpeg", "raw", "passthrough"]), 3
        wrong = []

        def one(number):
            for i in range(4):
                place = folder / f"{number}-{i}"
                place.mkdir()
                ended = process.run(self.ground.words(*self.ground.pack_words(mode)), place, timeout=LIMIT)
                if ended.broken() or ended.code != 0:
                    wrong.append(ended.how())
                elif difference := outcome.tree_differs(place / "pack", self.ground.packs[mode]):
                    wrong.append(difference)

        threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return wrong[0] if wrong else None

    def two(self, folder, draw, name):
        """Two equal commands at once, one of them slowed down at one of its calls. One does the work, the other is told
        why it cannot."""
        subject = self.subjects[name]
        subject.prepare(folder)
        words = subject.words()
        slowed = words
        if draw.random() < 0.7:
            call = draw.choice(["flock", "mkdir", "openat", "statx", "rename", "getdents64", "unlink"])
            slowed = strace.with_fault(
                words, folder, call, f"delay_enter={draw.choice([20, 100, 400])}000:when={draw.randint(1, 12)}"
            )
        if draw.random() < 0.5:
            words, slowed = slowed, words
        ends = [None, None]

        def one(i, command):
            ends[i] = process.run(command, folder, timeout=LIMIT)

        threads = [threading.Thread(target=one, args=(i, command)) for i, command in enumerate((slowed, words))]
        threads[0].start()
        time.sleep(draw.choice([0, 0, 0.005, 0.05]))
        threads[1].start()
        for thread in threads:
            thread.join()
        broken = next((end.broken() for end in ends if end.broken()), None)
        if broken:
            return broken
        if all(end.code != 0 for end in ends):
            return f"neither has succeeded: {ends[0].how()}; {ends[1].how()}"
        return subject.judge(folder, next(end for end in ends if end.code == 0))

    def signal(self, folder, draw):
        """A run that is asked to stop, or whose terminal closes, can be resumed, whatever the moment."""
        which = draw.choice([signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
        subject = self.subjects["run"]
        running = process.start(subject.words(), folder)
        time.sleep(draw.uniform(0, 0.25))
        os.kill(running.pid, which)
        code, _ = process.wait(running, LIMIT)
        if code is None:
            process.end(running)
            process.wait(running, 10)
            return f"{which.name}: did not end"
        # Before the program handles signals, a signal has its default effect.
        if code not in (0, 3, -which):
            return f"{which.name}: ended with {code}"
        ended = process.run(subject.again(), folder, timeout=LIMIT)
        if ended.broken() or ended.code != 0:
            return f"{which.name}, then {ended.how()}"
        # There is one more checkpoint, at the step of the signal.
        return self.same_weights(folder)

    def same_weights(self, folder):
        last = f"checkpoints/{sorted(path.name for path in (self.ground.run / 'checkpoints').glob('step-*'))[-1]}"
        here, there = folder / "run" / last, self.ground.run / last
        if not here.exists():
            return f"{last} is missing"
        if here.read_bytes() != there.read_bytes():
            return f"{last} differs: {outcome.unlike(here.read_bytes(), there.read_bytes())}"
        a, b = (outcome.events((run / "metrics.jsonl").read_bytes()) for run in (folder / "run", self.ground.run))
        return None if a == b else f"different events: {[event for event in a if event not in b][:2]}"

    def halt(self, folder, draw):
        """A process that is stopped for longer than the stall limit is not stuck."""
        words = self.ground.words(
            "run",
            self.ground.toml,
            "--set",
            "run.stall_after_s=3",
            "--set",
            "run.epochs=4000",
            "--set",
            "evaluate.every_epochs=4000",
        )
        running = process.start(words, folder)
        time.sleep(draw.uniform(0.5, 1.0))
        os.killpg(running.pid, signal.SIGSTOP)
        time.sleep(draw.uniform(4.0, 5.0))
        os.killpg(running.pid, signal.SIGCONT)
        code, _ = process.wait(running, draw.uniform(1.5, 2.5))
        if code is not None:
            return f"it ended with {code} after a pause"
        os.kill(running.pid, signal.SIGTERM)
        code, _ = process.wait(running, LIMIT)
        if code is None:
            process.end(running)
            process.wait(running, 10)
        return None if code == 3 else f"it ended with {code} after a request to stop"

    def slow_metrics(self, folder, draw):
        """A checkpoint must not appear before the events that led to it."""
        subject = self.subjects["run"]
        slow = strace.with_fault(
            subject.words(),
            folder,
            "write,fsync,fdatasync",
            f"delay_enter={draw.choice([5, 20, 60])}000",
            "run/metrics.jsonl",
        )
        running = process.start(slow, folder)
        code, _ = process.wait(running, draw.uniform(0.1, 1.5))
        if code is None:
            process.end(running)
            process.wait(running, 10)
        # Whatever strace has left running.
        time.sleep(0.05)
        ended = process.run(subject.again(), folder, timeout=LIMIT)
        if ended.broken() or ended.code != 0:
            return ended.how()
        return subject.judge(folder, ended)

    def changing(self, folder, words, change):
        """Runs a command while `change` is called again and again."""
        over = threading.Event()

        def meddle():
            while not over.is_set():
                change()

        thread = threading.Thread(target=meddle)
        thread.start()
        try:
            ended = process.run(words, folder, timeout=LIMIT)
        finally:
            over.set()
            thread.join()
        return ended.broken()

    def tar(self, folder):
        root = self.ground.folder / "train"
        members = [(str(path.relative_to(root)), path.read_bytes()) for path in sorted(root.rglob("*.*"))]
        (folder / "x.tar").write_bytes(tar_of(members))
        return folder / "x.tar"

    def readers(self, draw):
        pack = ["pack", "x.tar", "--out", "pack", "--mode", draw.choice(["raw", "jpeg"]), "--on-bad-image", "skip"]
        run = ["run", self.ground.toml, "--set", "data.train=x.tar"]
        return self.ground.words(*draw.choice([pack, run, ["export", "x.tar", "--out", "exported"]]))

    def rewritten(self, folder, draw):
        """Somebody writes into a mapped tar, mostly into the headers of its images."""
        path = self.tar(folder)
        data = path.read_bytes()
        frames = [
            at for at in range(len(data)) if data[at : at + 2] in (b"\xff\xc0", b"\xff\xc2", b"\xff\xda", b"\xff\xc4")
        ]
        with open(path, "r+b", buffering=0) as file:

            def change():
                at = draw.choice(frames) + 5
                os.pwrite(file.fileno(), draw.randbytes(4), at)
                os.pwrite(file.fileno(), data[at : at + 4], at)

            return self.changing(folder, self.readers(draw), change)

    def shortened(self, folder, draw):
        """Somebody truncates a mapped tar."""
        path = self.tar(folder)
        data, wait = path.read_bytes(), draw.uniform(0, 0.1)

        def change():
            time.sleep(wait)
            os.truncate(path, draw.randrange(len(data)))

        return self.changing(folder, self.readers(draw), change)

    def stream(self, folder, name):
        """Standard output or standard error is on a full disk."""
        command, stream, codes = STREAMS[name]
        shutil.copytree(self.ground.run, folder / "trained")
        words = {
            "run": ["run", self.ground.toml],
            "inspect": ["inspect", "trained"],
            "predict": ["predict", "trained", self.ground.image],
            "check": ["check", self.ground.toml],
            "eval": ["eval", "trained"],
            "pack": self.ground.pack_words("jpeg"),
        }[command]
        with open("/dev/full", "wb") as full:
            ended = process.run(self.ground.words(*words), folder, timeout=LIMIT, **{stream: full})
        if ended.broken() or ended.code not in codes:
            return ended.how()
        if command == "run":
            return outcome.run_differs(folder / "run", self.ground.run)
        if command == "pack":
            return outcome.tree_differs(Path(folder, "pack"), self.ground.packs["jpeg"])
        return None
