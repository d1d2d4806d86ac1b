"""Runs each hostile set through each command."""

import inspect
import json
import os
import re
import shutil

from .. import outcome, process
from . import archives, bombs, names, packs
from .sets import SETS

# The address space that a command may use. Threads and maps reserve some; a bomb that goes off needs more.
ADDRESS_SPACE = 4 << 30

# The memory that it may use: an image may have 179 million pixels, and exists twice while it is rotated or cropped.
MAX_RESIDENT = 1200 << 20

# The processor time that it may use.
MAX_BUSY_S = 10

# Debug binaries on a busy machine are slow, but not that slow.
TIMEOUT = 40

# Characters on which a terminal acts, except newlines: C0, DEL, C1, separators and direction marks.
ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")

TOML = """[run]
out = "out/run"
epochs = 1
bad_images_max = 1000
stall_after_s = 5

[data]
train = "x"
cache = "cache"

[augment]
crop = 24

[staging]
batch = 4

[model]
layers = [{ type = "conv", name = "c", channels = 4, kernel = 5, stride = 4 }, { type = "relu" }, { type = "fc", name = "f" }]
"""

POLICIES = ("fail", "skip", "quarantine")
MODES = ("jpeg", "raw", "passthrough")


def commands():
    """All commands, by name."""
    run = ["run", "hostile.toml", "--set", "data.train=LOCATION"]
    pack = ["pack", "LOCATION", "--out", "out/pack", "--size", "40", "--bad-images-max", "1000"]
    found = {
        "inspect": ["inspect", "LOCATION"],
        "verify": ["inspect", "LOCATION", "--verify"],
        "check": ["check", "hostile.toml", "--set", "data.train=LOCATION"],
        "export": ["export", "LOCATION", "--out", "out/exported"],
        "eval": ["eval", "trained", "--data", "LOCATION", "--set", "run.on_bad_image=skip"],
        "predict": ["predict", "trained", "IMAGES"],
        "inspect-image": ["inspect", "IMAGE"],
    }
    for policy in POLICIES:
        found[f"run-{policy}"] = [*run, "--set", f"run.on_bad_image={policy}"]
    for mode in MODES:
        for policy in POLICIES:
            found[f"pack-{mode}-{policy}"] = [*pack, "--mode", mode, "--on-bad-image", policy]
    return found


COMMANDS = commands()


class Hostile:
    name = "hostile"

    def __init__(self, ground, _subjects=None):
        self.ground = ground

    def specs(self, random):
        """`SET/COMMAND`: every set through every command, in a random order; then sets of random names."""
        is_pack = {name: inspect.getmodule(make) is packs for name, make in SETS.items()}
        all_of = [f"{name}/{command}" for name in SETS for command in COMMANDS if command != "verify" or is_pack[name]]
        random.shuffle(all_of)
        yield from all_of
        while True:
            yield f"random-names.{random.randrange(1 << 32)}/{random.choice(list(COMMANDS))}"

    def smoke(self, random):
        """Every set through one command. Archives and packs, which must be refused or read completely, also go through
        `inspect`."""
        chosen = []
        for name, maker in SETS.items():
            module = inspect.getmodule(maker)
            of_files = module in (names, bombs)
            fitting = [
                command
                for command, words in COMMANDS.items()
                if (command != "verify" or module is packs) and (of_files or not {"IMAGE", "IMAGES"} & set(words))
            ]
            chosen.append(f"{name}/{random.choice(fitting)}")
            if module in (archives, packs):
                chosen.append(f"{name}/inspect")
        return chosen

    def row(self, spec):
        return f"hostile sets: {spec.split('/')[1].split('-')[0]}"

    def trial(self, spec, above):
        name, command = spec.split("/")
        # Deep enough to notice files that escape from a folder.
        folder = above / "a" / "b"
        folder.mkdir(parents=True)
        made = self.make(name, folder)
        (folder / "hostile.toml").write_text(TOML)
        words = self.words(COMMANDS[command], made)
        if words is None or (made.only and command not in made.only):
            return False, None
        writable = [folder / "out" / part for part in ("run", "pack", "exported")] + [folder / "cache"]
        before = outcome.snapshot(above, writable)
        ended = process.run(words, folder, timeout=TIMEOUT, address_space=ADDRESS_SPACE)
        wrong = self.wrong(ended, folder)
        after = outcome.snapshot(above, writable)
        if not wrong and before != after:
            changed = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
            wrong = f"written outside of its folder: {changed}"
        if not wrong and command == "inspect":
            wrong = self.misread(ended, made)
        return True, wrong

    def make(self, name, folder):
        """Makes the set in a folder, surrounded by files that must not change."""
        for path in ("canary/x.png", "out/canary.txt", "out/photos/x.png", "brick/000.png"):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text("another's")
        shutil.copytree(self.ground.run, folder / "trained")
        if name.startswith("random-names"):
            return names.random_names(folder, int(name.split(".")[1]))
        maker = SETS[name]
        if inspect.getmodule(maker) is packs:
            shutil.copytree(self.ground.packs["jpeg"], folder / packs.PACK)
        return maker(folder)

    def words(self, words, made):
        """The command on the set; None if it does not apply."""
        if ("IMAGES" in words or "IMAGE" in words) and not made.images:
            return None
        put = {"LOCATION": [made.location], "IMAGES": made.images, "IMAGE": made.images[:1]}
        full = []
        for word in words:
            if word == "data.train=LOCATION":
                # JSON and TOML share their escapes.
                full.append(f"data.train={json.dumps(made.location)}")
            else:
                full += put.get(word, [word])
        return self.ground.words(*(os.fsencode(word) if isinstance(word, str) else word for word in full))

    def wrong(self, ended, folder):
        if ended.broken():
            return ended.how()
        if ended.peak > MAX_RESIDENT:
            return f"took {ended.peak >> 20} MiB of memory"
        if ended.busy > MAX_BUSY_S:
            return f"took {ended.busy:.0f} s of processor time"
        for stream, text in (("stdout", ended.output), ("stderr", ended.errors)):
            acting = ACTING.search(text)
            if acting:
                around = text[max(0, acting.start() - 40) : acting.end() + 20]
                return f"{stream} contains a character that controls the terminal: {around!r}"
            if any(line.startswith("FORGED") for line in text.splitlines()):
                return f"{stream} contains a line forged by a name"
        report = folder / "out" / "run" / "report.html"
        if report.exists() and re.search(rb"<(script|img)", report.read_bytes()):
            return "report.html contains a tag from the data set"
        if ended.code != 0 and not ended.errors.strip():
            return f"exit code {ended.code} without a message"
        return None

    def misread(self, ended, made):
        if ended.code == 0 and made.refused:
            return f"opens: {ended.output.splitlines()[:1]}"
        found = re.search(r": (\d+) images", ended.output)
        if (
            ended.code == 0
            and made.images_found is not None
            and (not found or int(found.group(1)) != made.images_found)
        ):
            return f"{found and found.group(1)} images were found instead of {made.images_found}"
        return None
