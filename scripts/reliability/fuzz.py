"""Fuzzing: libFuzzer on the targets of tests/fuzz, built on the stable compiler with counters of coverage.

The compiler passes that cargo-fuzz asks the nightly one for are LLVM's own and are there in the stable one too; only sanitizers are not.
"""

import os
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

TARGET = "x86_64-unknown-linux-gnu"

# libFuzzer reads these: a counter an edge, a table of the edges, and what is compared to what. Only for the target, so that build
# scripts stay as they are.
FLAGS = " ".join(
    [
        "-Cpasses=sancov-module",
        "-Cllvm-args=-sanitizer-coverage-level=4",
        "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
        "-Cllvm-args=-sanitizer-coverage-pc-table",
        "-Cllvm-args=-sanitizer-coverage-trace-compares",
        "-Ccodegen-units=1",
    ]
)

# An input that takes longer is a fault; one costs milliseconds.
SLOWEST_S = 10

# The targets count what they allocate; this is for what C allocates beside it.
MOST_RESIDENT_MB = 2048


class Fuzz:
    def __init__(self, root, ledger, seed):
        self.root, self.ledger, self.seed = root, ledger, seed
        self.built = root / "target/fuzz" / TARGET / "release"
        self.corpus = root / "target/fuzz/corpus"
        self.found = root / "target/campaign/found"

    def build(self):
        manifest = self.root / "tests/fuzz/Cargo.toml"
        words = ["cargo", "build", "--release", "--locked", "--manifest-path", manifest, "--target", TARGET, "--target-dir", self.root / "target/fuzz"]
        print("building the fuzz targets", flush=True)
        subprocess.run([str(word) for word in words], check=True, env={**os.environ, "RUSTFLAGS": FLAGS})
        subprocess.run([self.built / "seeds", self.root / "target/fuzz/seeds"], check=True)
        self.found.mkdir(parents=True, exist_ok=True)

    def names(self):
        listed = (self.root / "tests/fuzz/fuzz_targets").glob("*.rs")
        return sorted(path.stem for path in listed)

    def run(self, seconds, jobs, only, scratch):
        """Each target gets an equal share of the time."""
        names = [name for name in self.names() if not only or name in only]
        each = seconds * jobs / len(names)
        with ThreadPoolExecutor(jobs) as pool:
            list(pool.map(lambda name: self.fuzz(name, each, scratch), names))

    def fuzz(self, name, seconds, scratch):
        """One target until its time is over. After a failure it goes on: one fault must not hide the others."""
        deadline = time.monotonic() + seconds
        failures, runs = set(), 0
        (self.corpus / name).mkdir(parents=True, exist_ok=True)
        while (left := deadline - time.monotonic()) > 1:
            ran, artifact, reason = self.once(name, left, scratch, self.seed + len(failures))
            runs += ran
            if artifact is None:
                break
            known = reason in failures
            failures.add(reason)
            if not known:
                kept = self.minimised(name, artifact, scratch)
                self.ledger.failed(f"fuzzing {name}", f"{name}: {kept.name}", reason, f"{self.built / name} {kept}")
            if len(failures) > 20:
                break
        self.ledger.add(f"fuzzing {name}", runs)

    def once(self, name, seconds, scratch, seed):
        """Fuzzes until something fails: number of inputs, the input, the reason."""
        place = scratch / f"fuzz-{name}"
        place.mkdir(exist_ok=True)
        words = [
            self.built / name, self.corpus / name, self.root / "target/fuzz/seeds" / name, f"-max_total_time={int(seconds)}",
            f"-dict={self.root / 'target/fuzz/seeds'}/{name}.words", f"-seed={seed}", f"-timeout={SLOWEST_S}", f"-rss_limit_mb={MOST_RESIDENT_MB}",
            f"-artifact_prefix={place}/", "-print_final_stats=1", "-max_len=65536",
        ]  # fmt: skip
        ended = subprocess.run([str(word) for word in words], capture_output=True, env={**os.environ, "TMPDIR": str(scratch)})
        text = ended.stderr.decode("utf-8", "replace")
        ran = re.search(r"stat::number_of_executed_units:\s*(\d+)", text)
        artifact = re.search(r"Test unit written to (\S+)", text)
        if ended.returncode != 0 and artifact is None:
            return 0, place, f"ended with {ended.returncode}: {text[-300:]}"
        return int(ran.group(1)) if ran else 0, artifact and artifact.group(1), reason_of(text)

    def minimised(self, name, artifact, scratch):
        kept = self.found / f"{name}-{os.path.basename(artifact)}"
        words = [self.built / name, "-minimize_crash=1", "-max_total_time=20", f"-exact_artifact_path={kept}", artifact]
        subprocess.run([str(word) for word in words], capture_output=True, env={**os.environ, "TMPDIR": str(scratch)})
        if not kept.exists():
            kept.write_bytes(open(artifact, "rb").read())
        return kept


def reason_of(text):
    """The first words of what went wrong, the same for the same fault."""
    panicked = re.search(r"panicked at (.*?):\d+:\n(.*)", text)
    if panicked:
        place, message = panicked.groups()
        return f"panicked at {place}: {re.sub(r'[0-9]+', 'N', message)[:160]}"
    summary = re.search(r"SUMMARY: (.*)", text)
    return summary.group(1) if summary else text[-200:]
