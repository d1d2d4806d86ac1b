"""Counts what was tried and what failed, and prints a table at the end."""

import threading
from collections import defaultdict

# Failures per row that are printed at once. The rest is counted, and written to the file of --log.
MAX_TOLD = 6


class Ledger:
    def __init__(self, command, log=None):
        # The command that reproduces a trial, up to the name of the trial.
        self.command, self.log = command, log
        self.lock = threading.Lock()
        self.trials = defaultdict(int)
        self.struck = defaultdict(int)
        self.failures = defaultdict(list)
        self.skipped = []

    def passed(self, row, struck=True):
        with self.lock:
            self.trials[row] += 1
            self.struck[row] += struck

    def failed(self, row, spec, reason, again=None):
        again = again or f"{self.command} --trial '{spec}'"
        with self.lock:
            self.trials[row] += 1
            self.struck[row] += 1
            self.failures[row].append((spec, reason))
            text = f"FAILED {spec}\n    {reason}\n    reproduce: {again}"
            if self.log:
                print(text, file=self.log, flush=True)
            if len(self.failures[row]) <= MAX_TOLD:
                print(text, flush=True)
            elif len(self.failures[row]) == MAX_TOLD + 1:
                print(f"further failures of {row} are only counted", flush=True)

    def add(self, row, trials):
        """Adds trials that were counted elsewhere."""
        with self.lock:
            self.trials[row] += trials
            self.struck[row] += trials

    def skip(self, what):
        with self.lock:
            self.skipped.append(what)
            print(f"SKIPPED {what}", flush=True)

    def is_clean(self):
        return not any(self.failures.values())

    def table(self):
        """The rows in order of first appearance."""
        width = max([len(row) for row in self.trials] + [8])
        lines = [f"| {'trials of'.ljust(width)} | number | struck | failed |", f"|{'-' * (width + 2)}|---:|---:|---:|"]
        for row, number in self.trials.items():
            lines.append(f"| {row.ljust(width)} | {number} | {self.struck[row]} | {len(self.failures[row])} |")
        totals = (sum(self.trials.values()), sum(self.struck.values()), sum(map(len, self.failures.values())))
        lines.append(f"| {'all'.ljust(width)} | {totals[0]} | {totals[1]} | {totals[2]} |")
        lines += [f"skipped: {what}" for what in self.skipped]
        return "\n".join(lines)
