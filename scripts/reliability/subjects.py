"""Commands that are killed or given errors, how each resumes, and the expected result."""

import shutil

from . import outcome, process, strace


# How often a run may be interrupted until the moment is right.
MAX_ATTEMPTS = 8


class Subject:
    """A command in a folder. `prepare` sets up the folder; `words` is the command to interrupt, `again` the one to resume."""

    # Whether it writes files, of which an interruption may lose none.
    writes = True

    def __init__(self, ground):
        self.ground = ground

    def prepare(self, folder):
        pass

    def words(self):
        raise NotImplementedError

    def again(self):
        return self.words()

    def judge(self, folder, ended, spare=False):
        """What is wrong with the result of a successful command. `spare`: files that could not be removed may still exist."""
        raise NotImplementedError


class Run(Subject):
    """A complete run."""

    name = "run"

    def words(self):
        return self.ground.words("run", self.ground.toml)

    def again(self):
        return self.ground.words("run", self.ground.toml, "--resume")

    def judge(self, folder, ended, spare=False):
        left = {path.name for path in (folder / "cache").glob("*")} if (folder / "cache").exists() else set()
        known = {path.name for path in (self.ground.run.parent / "cache").glob("*")}
        if left - known:
            return f"files left in the cache: {sorted(left - known)}"
        old = (".safetensors", "replay.json") if spare else ()
        return outcome.run_differs(folder / "run", self.ground.run, left=lambda name: name.endswith(old))


class Resumed(Run):
    """A run that was killed halfway and is resumed."""

    name = "run --resume"

    def __init__(self, ground):
        super().__init__(ground)
        for attempt in range(MAX_ATTEMPTS):
            self.begun = ground.folder / f"begun-run-{attempt}"
            if self.begin():
                return
        raise SystemExit("no run was interrupted in the middle")

    def begin(self):
        """Interrupts a run. Returns whether that was halfway through."""
        self.begun.mkdir()
        # After the checkpoint of step 8, with events past it.
        kill = strace.with_fault(Run.words(self), self.begun, "write", "signal=SIGKILL:when=12", "run/metrics.jsonl")
        process.run(kill, self.begun)
        if not 4 <= (outcome.steps(self.begun / "run") or [0])[-1] < 15:
            return False
        tried = self.begun.with_name(f"{self.begun.name}-tried")
        shutil.copytree(self.begun, tried)
        ended = process.run(self.again(), tried)
        wrong = outcome.run_differs(tried / "run", self.ground.run, left=lambda name: True)
        if ended.code != 0 or wrong:
            raise SystemExit(f"a killed run cannot be resumed: {wrong or ended.how()}")
        return True

    def prepare(self, folder):
        shutil.copytree(self.begun, folder, dirs_exist_ok=True)

    def words(self):
        return self.again()


class Pack(Subject):
    """A complete pack."""

    def __init__(self, ground, mode):
        super().__init__(ground)
        self.mode = mode
        self.name = f"pack {mode}"

    def words(self):
        return self.ground.words(*self.ground.pack_words(self.mode))

    def again(self):
        return [*Pack.words(self), "--resume"]

    def judge(self, folder, ended, spare=False):
        return outcome.tree_differs(folder / "pack", self.ground.packs[self.mode])


class ResumedPack(Pack):
    """A pack that was killed halfway and is resumed."""

    def __init__(self, ground, mode="jpeg"):
        super().__init__(ground, mode)
        self.name = f"pack {mode} --resume"
        self.begun = ground.folder / f"begun-pack-{mode}"
        self.begun.mkdir()
        # Two shards are finished and the third is not.
        shard = "pack/.partial/train-000002.tar"
        kill = strace.with_fault(Pack.words(self), self.begun, "write", "signal=SIGKILL:when=1", shard)
        process.run(kill, self.begun)
        if len(list((self.begun / "pack").glob("*.tar"))) != 2:
            raise SystemExit("no pack was interrupted in the middle")

    def prepare(self, folder):
        shutil.copytree(self.begun, folder, dirs_exist_ok=True)

    def words(self):
        return self.again()


class Export(Subject):
    """An export: complete or absent."""

    name = "export"

    def words(self):
        return self.ground.words(*self.ground.export_words())

    def judge(self, folder, ended, spare=False):
        left = sorted(path.name for path in folder.iterdir() if path.name != "exported")
        if left:
            return f"files left next to the export: {left}"
        return outcome.tree_differs(folder / "exported", self.ground.exported)


class Reader(Subject):
    """A command that writes nothing: its output is the same each time, and no file changes."""

    writes = False

    def __init__(self, ground, name, *words):
        super().__init__(ground)
        self.name, self.more = name, words
        self.expected = steady(process.run(self.words(), ground.run.parent).output)
        self.before = outcome.files(ground.run)

    def prepare(self, folder):
        shutil.copytree(self.ground.run, folder / "run")

    def words(self):
        return self.ground.words(*self.more)

    def judge(self, folder, ended, spare=False):
        # If a data set is missing, `check` says so and prints the rest of the plan.
        if steady(ended.output) != self.expected and "missing: " not in ended.output:
            other = set(self.expected) ^ set(steady(ended.output))
            return f"the output differs: {sorted(other)[:4]}"
        if outcome.files(folder / "run") != self.before:
            return "has changed the run's files"
        return None


def steady(text):
    """The output of `check` without its measurements."""
    return [line for line in text.splitlines() if not line.strip().startswith(("time ", "limit ", "that allows up to "))]


def all_of(ground):
    """The subjects by name."""
    subjects = [
        Run(ground),
        Resumed(ground),
        *(Pack(ground, mode) for mode in ground.packs),
        ResumedPack(ground),
        Export(ground),
    ]
    pack = ground.packs["jpeg"]
    subjects += [
        Reader(ground, "eval", "eval", "run", "--json"),
        Reader(ground, "predict", "predict", "run", ground.image),
        Reader(ground, "inspect", "inspect", "run"),
        Reader(ground, "verify", "inspect", pack, "--verify"),
        Reader(ground, "check", "check", ground.toml, "--set", "compute.threads=1"),
    ]
    return {subject.name: subject for subject in subjects}
