"""Fuzzing: libFuzzer on the targets of tests/fuzz, built on the stable compiler with coverage counters.

The compiler passes for which cargo-fuzz needs the nightly compiler are LLVM's, and the stable compiler has them too. Only
sanitizers are missing, so the Rust code runs without one. The C compiler builds libjpeg-turbo with AddressSanitizer, whose
allocator then serves Rust as well: a write by C code beyond one of our buffers is found.
"""

import os
import re
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import process

TARGET = "x86_64-unknown-linux-gnu"

# libFuzzer reads these: a counter per edge, a table of the edges, and the operands of comparisons. The flags apply to the target
# alone, so that build scripts are not affected.
COUNTERS = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
]

# Linked statically, so that its allocator takes precedence over the C library's.
SANITIZER = ["-Clink-arg=-Wl,--whole-archive", "-Clink-arg=-l:libasan.a", "-Clink-arg=-Wl,--no-whole-archive"]
OF_C = {f"CFLAGS_{TARGET.replace('-', '_')}": "-fsanitize=address -fno-omit-frame-pointer"}

# libjpeg-turbo's vector code is assembly without checks, so its C code runs half of the time.
IN_C = {"JSIMD_FORCENONE": "1"}
OF_IMAGES = ("image", "exif")

# An input that takes longer is a fault; normal inputs take milliseconds.
SLOWEST_S = 10

# The targets count their own allocations; this limit also covers those of C code.
MAX_RESIDENT_MB = 2048

# Seconds spent on finding a shorter input that also fails.
SHORTENING_S = 10

# How often a target may fail before it is dropped.
MAX_TRIES = 30


class Fuzz:
    def __init__(self, root, ledger, seed):
        self.root, self.ledger, self.seed = root, ledger, seed
        self.built = root / "target/fuzz" / TARGET / "release"
        self.corpus = root / "target/fuzz/corpus"
        self.found = root / "target/campaign/found"

    def build(self):
        print("building the fuzz targets", flush=True)
        manifest = self.root / "tests/fuzz/Cargo.toml"
        # The program's versions, plus what libFuzzer needs.
        lock, ours = manifest.with_name("Cargo.lock"), self.root / "Cargo.lock"
        if not lock.exists() or lock.stat().st_mtime < ours.stat().st_mtime:
            shutil.copyfile(ours, lock)
        words = [
            "cargo",
            "build",
            "--release",
            "--manifest-path",
            manifest,
            "--target",
            TARGET,
            "--target-dir",
            self.root / "target/fuzz",
        ]
        flags = {"RUSTFLAGS": " ".join(COUNTERS + SANITIZER), **OF_C}
        subprocess.run([str(word) for word in words], check=True, env={**os.environ, **flags})
        seeds = {"FUZZ_SEEDS": str(self.root / "target/fuzz/seeds")}
        words = ["cargo", "test", "--quiet", "--test", "fuzz", "seeds", "--", "--ignored", "--exact"]
        subprocess.run(words, check=True, cwd=self.root, env={**os.environ, **seeds}, stdout=subprocess.DEVNULL)
        self.found.mkdir(parents=True, exist_ok=True)

    def names(self):
        listed = (self.root / "tests/fuzz/fuzz_targets").glob("*.rs")
        return sorted(path.stem for path in listed)

    def run(self, seconds, jobs, only, scratch):
        """Gives each target an equal share of the time; image targets use it in two halves."""
        names = [name for name in self.names() if not only or name in only]
        tasks = [(name, {}) for name in names] + [(name, IN_C) for name in names if name in OF_IMAGES]
        each = seconds * jobs / len(tasks)
        with ThreadPoolExecutor(jobs) as pool:
            list(pool.map(lambda task: self.fuzz(*task, each, scratch), tasks))

    def fuzz(self, name, settings, seconds, scratch):
        """Runs one target until its time is over. It continues after a failure, so that one fault does not hide others."""
        deadline = time.monotonic() + seconds
        failures, runs, tries = set(), 0, 0
        (self.corpus / name).mkdir(parents=True, exist_ok=True)
        # A copy: a seed that fails is removed, so that the code behind the failure is reached.
        seeds = scratch / f"seeds-{name}-{len(settings)}"
        shutil.copytree(self.root / "target/fuzz/seeds" / name, seeds)
        while (left := deadline - time.monotonic()) > 1 and tries < MAX_TRIES:
            ran, artifact, reason = self.once(name, settings, seeds, left, scratch, self.seed + tries)
            runs, tries = runs + ran, tries + 1
            if artifact is None:
                break
            for folder in (seeds, self.corpus / name):
                forget(Path(artifact).read_bytes(), folder)
            if reason not in failures:
                failures.add(reason)
                kept = self.minimised(name, settings, artifact, scratch)
                again = " ".join(
                    [f"{key}={value}" for key, value in settings.items()] + [str(self.built / name), str(kept)]
                )
                self.ledger.failed(f"fuzzing {name}", f"fuzz:{name}/{kept.name}", reason, again)
        self.ledger.add(f"fuzzing {name}", runs)

    def once(self, name, settings, seeds, seconds, scratch, seed):
        """Fuzzes until something fails. Returns the number of inputs, the failing input and the reason."""
        place = scratch / f"fuzz-{name}"
        place.mkdir(exist_ok=True)
        words = [
            self.built / name,
            self.corpus / name,
            seeds,
            f"-max_total_time={int(seconds)}",
            f"-dict={self.root / 'target/fuzz/seeds'}/{name}.words",
            f"-seed={seed}",
            f"-timeout={SLOWEST_S}",
            f"-rss_limit_mb={MAX_RESIDENT_MB}",
            f"-artifact_prefix={place}/",
            "-print_final_stats=1",
            "-max_len=65536",
        ]
        # libFuzzer checks the clock only between inputs, and reads the corpus first.
        ended = process.run(words, scratch, timeout=seconds + 60, env=self.environment(settings, scratch))
        text = ended.errors
        ran = re.search(r"stat::number_of_executed_units:\s*(\d+)", text)
        artifact = re.search(r"Test unit written to (\S+)", text)
        if ended.code != 0 and artifact is None:
            raise RuntimeError(f"{name}: {ended.how()}")
        return int(ran.group(1)) if ran else 0, artifact and artifact.group(1), reason_of(text)

    def minimised(self, name, settings, artifact, scratch):
        kept = self.found / f"{name}-{os.path.basename(artifact)}"
        words = [self.built / name, "-minimize_crash=1", f"-exact_artifact_path={kept}", artifact]
        process.run(words, scratch, timeout=SHORTENING_S, env=self.environment(settings, scratch))
        if not kept.exists():
            shutil.copy(artifact, kept)
        return kept

    def environment(self, settings, scratch):
        # Trusting a wrong length must show up as a large allocation, not as an abort of AddressSanitizer.
        more = {"ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1", "TMPDIR": str(scratch)}
        return {**settings, **more}


def forget(input, folder):
    """Removes an input from a corpus."""
    for path in folder.iterdir():
        if path.stat().st_size == len(input) and path.read_bytes() == input:
            path.unlink()


def reason_of(text):
    """The start of the error message, which is the same for the same fault."""
    panicked = re.search(r"panicked at (.*?):\d+:\n(.*)", text)
    if panicked:
        place, message = panicked.groups()
        return f"panicked at {place}: {re.sub(r'[0-9]+', 'N', message)[:160]}"
    summary = re.search(r"SUMMARY: (.*)", text)
    return summary.group(1) if summary else text[-200:]
