"""Kills: SIGKILL at the N-th system call of one kind, once or several times; then the command is resumed until it ends.

The result must be that of a command that nothing interrupts, bit for bit, with nothing left over.
"""

from . import outcome, process, strace

# How often a command may be killed before it may finish.
MAX_KILLS = 3


class Kills:
    name = "kills"

    def __init__(self, ground, subjects):
        self.ground = ground
        self.subjects = {name: subject for name, subject in subjects.items() if subject.writes}
        self.calls = {}
        for name, subject in self.subjects.items():
            folder = ground.folder / "counted" / name.replace(" ", "-")
            folder.mkdir(parents=True)
            subject.prepare(folder)
            counts = strace.counted(subject.words(), folder)
            # Sorted, so that the order does not depend on the system.
            self.calls[name] = sorted((call, count) for (call, path), count in counts.items() if path is None)

    def draw(self, random):
        """`SUBJECT/CALL.N,CALL.N…`: the first start is killed at the first call, the resumed command at the next."""
        name = random.choice(list(self.subjects))
        places = []
        for _ in range(random.choice([1, 1, 1, 2, MAX_KILLS])):
            call, count = random.choice(self.calls[name])
            places.append(f"{call}.{random.randint(1, count)}")
        return f"{name}/{','.join(places)}"

    def row(self, spec):
        return f"kills of {spec.split('/')[0]}"

    def trial(self, spec, folder):
        """Returns whether a kill took effect, and what is wrong."""
        name, places = spec.split("/")
        subject = self.subjects[name]
        subject.prepare(folder)
        words, struck = subject.words(), False
        for place in places.split(","):
            if self.is_done(name, folder):
                break
            call, at = place.split(".")
            before = outcome.steps(folder / "run")
            ended = process.run(strace.with_fault(words, folder, call, f"signal=SIGKILL:when={at}"), folder)
            if ended.signal == 9:
                struck = True
            elif ended.broken() or ended.code != 0:
                return struck, f"killed at {place}: {ended.how()}"
            else:
                break
            after = outcome.steps(folder / "run")
            if before and (not after or after[-1] < before[-1]):
                return struck, f"the newest checkpoint went from step {before[-1]} to {after[-1:]}"
            words = subject.again()
        if struck:
            if not self.is_done(name, folder):
                ended = process.run(words, folder)
                if ended.broken() or ended.code != 0:
                    return struck, f"resuming: {ended.how()}"
        return struck, subject.judge(folder, ended)

    def is_done(self, name, folder):
        """Whether a command without --resume was already done when it was killed. It would refuse to run twice."""
        return name == "export" and (folder / "exported").exists()
