"""Damage: a flipped bit, a truncated file, or zeros over a part of it, in every file that a run or a pack writes.

Whoever reads such a file must report it, with an error or a warning that names the file, or reach exactly the result of the
undamaged file.
"""

import os
import re
import shutil

from . import outcome, process, strace
from .subjects import Resumed, ResumedPack


class Place:
    """A folder with files to damage, and the commands that read them.

    `commands` are argument lists, each with a check: a function of the folder, the ending, the file and its damaged contents
    that says what is wrong.
    """

    def __init__(self, name, source, commands, but=()):
        self.name, self.source, self.commands = name, source, commands
        self.files = sorted(
            str(path.relative_to(source))
            for path in source.rglob("*")
            if path.is_file()
            and path.stat().st_size > 0
            and not any(part in str(path) for part in but)
            # Nobody reads the remains of a file after a kill.
            and ".tmp" not in path.name
        )


class Flips:
    name = "flips"

    def __init__(self, ground, subjects):
        self.ground = ground
        self.places = {place.name: place for place in self._places(ground, subjects)}

    def _places(self, ground, subjects):
        run, words, toml = ground.run.parent, ground.words, ground.toml
        resumed, packing = subjects[Resumed.name], next(s for s in subjects.values() if isinstance(s, ResumedPack))
        evaluated = process.run(words("eval", "run", "--json"), run).stdout
        predicted = process.run(words("predict", "run", ground.image, "--json"), run).stdout

        def says(expected):
            return lambda folder, ended, *_: (
                None if ended.stdout == expected else f"says something else: {ended.output[:300]!r}"
            )

        # report.html is never read. config.toml is read only if a user names it, and users may change it.
        written = ("report.html", "config.toml", "lock")
        yield Place(
            "finished run",
            run,
            [
                (words("eval", "run", "--json"), says(evaluated)),
                (words("predict", "run", ground.image, "--json"), says(predicted)),
                (words("run", toml, "--resume"), self.same_run),
            ],
            but=(*written, "cache/", "metrics.jsonl"),
        )
        twice = ground.folder / "begun-twice"
        shutil.copytree(resumed.begun, twice)
        # Killed again until replay.json has hashes: those of the steps after the newest checkpoint, if there are any.
        for _ in range(6):
            kill = strace.with_fault(resumed.again(), twice, "write", "signal=SIGKILL:when=3", "run/metrics.jsonl")
            process.run(kill, twice)
            if (twice / "run" / "replay.json").exists():
                break
        else:
            raise SystemExit("a run that was interrupted several times has no replay.json")
        yield Place("interrupted run", twice, [(resumed.again(), self.same_run)], but=(*written, "cache/"))
        cached = ground.folder / "cached"
        shutil.copytree(run / "cache", cached / "cache")
        yield Place("cache", cached, [(words("run", toml), self.same_run)])
        for mode, pack in ground.packs.items():
            yield self._of_pack(mode, pack.parent)
        yield Place(
            "unfinished pack",
            packing.begun,
            [(packing.again(), lambda folder, *_: self.same_pack(folder, packing.mode))],
            but=("/lock",),
        )

    def _of_pack(self, mode, folder):
        words, toml = self.ground.words, self.ground.toml
        train = words("run", toml, "--set", "data.train=pack", "--set", "run.epochs=1")
        made = self.ground.folder / f"from-{mode}"
        shutil.copytree(folder, made)
        ended = process.run(train, made)
        if ended.code != 0:
            raise SystemExit(f"a run from the pack {mode} failed: {ended.how()}")

        def same(folder, ended, file, damaged):
            # An image that is not what was packed is skipped, as configured, and reported.
            if file.endswith(".tar") and "skipped" in ended.errors:
                return None
            return outcome.run_differs(folder / "run", made / "run")

        commands = [
            (words("inspect", "pack", "--verify"), lambda *_: "verification finds nothing"),
            (words("inspect", "pack"), None),
        ]
        # The pixels of a raw pack are not compared while they are read: docs/data.md says so.
        if mode != "raw":
            commands.append((train, same))
        return Place(f"pack {mode}", folder, commands)

    def same_run(self, folder, ended, file, damaged):
        # A damaged event costs its line and is reported, so the other events are checked separately. Leftovers are checked
        # by the kills. A checkpoint that nobody needs is not read, and stays as it is.
        unread = (
            [file.removeprefix("run/")] if (folder / file).exists() and (folder / file).read_bytes() == damaged else []
        )
        wrong = outcome.run_differs(
            folder / "run", self.ground.run, but=("metrics.jsonl", *unread), left=lambda name: True
        )
        return wrong or self.events(folder / "run")

    def events(self, folder):
        """Whether all events but one are unchanged."""
        here = outcome.events((folder / "metrics.jsonl").read_bytes())
        there = outcome.events((self.ground.run / "metrics.jsonl").read_bytes())
        missing = [event for event in there if event not in here]
        return f"{len(missing)} events are missing or differ: {missing[:2]}" if len(missing) > 1 else None

    def same_pack(self, folder, mode):
        wrong = outcome.tree_differs(folder / "pack", self.ground.packs[mode])
        if wrong is None:
            return None
        # Resuming a pack does not read a finished shard again. Verifying the pack finds the damage.
        verified = process.run(self.ground.words("inspect", "pack", "--verify"), folder)
        return f"{wrong}, but verification finds nothing" if verified.code == 0 else None

    def draw(self, random):
        """`PLACE/KIND.AT/FILE`: `flip.BIT`, `cut.LENGTH`, `zero.FROM`, which zeroes at most 512 bytes."""
        place = self.places[random.choice(list(self.places))]
        file = random.choice(place.files)
        length = (place.source / file).stat().st_size
        kind = random.choice(["flip"] * 8 + ["cut", "zero"])
        at = random.randrange(8 * length if kind == "flip" else length)
        return f"{place.name}/{kind}.{at}/{file}"

    def row(self, spec):
        return f"damage to a {spec.split('/')[0]}"

    def trial(self, spec, folder):
        name, how, file = spec.split("/", 2)
        place = self.places[name]
        damaged = damage((place.source / file).read_bytes(), *how.split("."))
        if damaged is None:
            return False, None
        for number, (words, judge) in enumerate(place.commands):
            each = folder / str(number)
            shutil.copytree(place.source, each)
            # In place, with the file's old modification time.
            time = (each / file).stat().st_mtime_ns
            (each / file).write_bytes(damaged)
            os.utime(each / file, ns=(time, time))
            ended = process.run(words, each)
            wrong = self.wrong(ended, file, damaged, judge, each)
            if wrong:
                return True, f"{' '.join(str(word) for word in words[1:])}: {wrong}"
        return True, None

    def wrong(self, ended, file, damaged, judge, folder):
        if ended.broken():
            return ended.how()
        stem = file.rsplit("/", 1)[-1].split(".")[0]
        if ended.code != 0:
            # If a manifest says something wrong about another file, that file may be blamed. Verification lists faults as its answer.
            said = ended.errors + ended.output
            named = stem in said or re.search(r"\b(run|pack|cache)/[\w.-]+", said)
            return None if named else f"the message does not name {file}: {ended.how()}"
        if stem in ended.errors and re.search("warn", ended.errors, re.IGNORECASE):
            return None
        return judge(folder, ended, file, damaged) if judge else None


def damage(data, kind, at):
    """The bytes with one kind of damage; None if they would not change."""
    at = int(at)
    if kind == "flip":
        return data[: at // 8] + bytes([data[at // 8] ^ 1 << at % 8]) + data[at // 8 + 1 :]
    if kind == "cut":
        return data[:at]
    zeroed = data[:at] + bytes(min(512, len(data) - at)) + data[at + 512 :]
    return zeroed if zeroed != data else None
