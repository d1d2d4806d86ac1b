"""Mistakes in the kernels that their tests must find: tests of the tests.

A mutant is an edit of the sources, compiled as the kernels are. Each is caught where the test of its file fails in the emulated
driver's checked mode, by a wrong result or by an access that is not allowed.
"""

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

KERNELS = Path(__file__).resolve().parents[2] / "kernels"


@dataclass(frozen=True)
class Mutant:
    name: str
    kernel: str  # the file whose test must fail
    source: str  # the file that is edited
    old: str  # which is in it at least once; each occurrence is replaced
    new: str
    chosen: str = ""  # the kernel that the test runs, where it has a choice

    def sources(self):
        """The edited files, by name. Of conv.cu only the chosen kernel is left, because others would take time."""
        files = {path.name: path.read_text() for path in sorted([*KERNELS.glob("*.cuh"), KERNELS / f"{self.kernel}.cu"])}
        assert self.old in files[self.source], f"{self.source} has changed: the mutant {self.name} cannot be made"
        files[self.source] = files[self.source].replace(self.old, self.new)
        if self.chosen:
            others = rf"^(?:MAPS|WEIGHTS)\((?!{self.chosen},).*\n"
            files["conv.cu"] = re.sub(others, "", files["conv.cu"], flags=re.MULTILINE)
        return files

    def write(self, folder):
        """Its sources, in a folder of their own that is named after their contents. Returns that of the file to be compiled."""
        files = self.sources()
        key = hashlib.sha256("\0".join([*files, *files.values()]).encode()).hexdigest()[:16]
        to = folder / key
        to.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            if not (to / name).exists():
                # Whole or not at all: it is not written again.
                whole = to / f"{name}.{os.getpid()}"
                whole.write_text(text)
                whole.replace(to / name)
        return to / f"{self.kernel}.cu"


WEIGHTS, FORWARD = "conv_weights_64x64", "conv_forward_64x64"

BARRIER, INNER_BARRIER = "    __syncthreads();\n", "        __syncthreads();\n"
STORED, STORED_NEXT = "right.store(shared + Left::floats);\n", "right.store(other + Left::floats);\n"

MUTANTS = [
    Mutant("no barrier before products", "conv", "tile.cuh", STORED + BARRIER, STORED, WEIGHTS),
    Mutant("no barrier between products", "conv", "tile.cuh", STORED_NEXT + INNER_BARRIER, STORED_NEXT, WEIGHTS),
    Mutant("no test for the halo", "conv", "sides.cuh", "is_there && Base", "(is_there || true) && Base", WEIGHTS),
    Mutant("no test for the last place", "conv", "sides.cuh", "Base::step(i) < left, s.y", "true, s.y", WEIGHTS),
    Mutant("no test for the last output", "conv", "passes.cuh", "o < outputs && tap < taps", "tap < taps", WEIGHTS),
    Mutant("no test for the end of the sum", "conv", "conv.cu", "    if (i >= s.size)\n        return;\n", "", WEIGHTS),
    Mutant("no test for the halo, forward", "conv", "sides.cuh", "row < (unsigned)from.height", "row + 1 <= (unsigned)from.height", FORWARD),
    Mutant("no barrier between eighths", "bias", "bias.cu", BARRIER, ""),
    Mutant("no test for the last row", "bias", "bias.cu", "min(first + s.strip, s.rows)", "first + s.strip"),
    Mutant("no barrier after the squares", "lrn", "lrn.cu", "squares(input);\n" + BARRIER, "squares(input);\n"),
    Mutant("no barrier after the summands", "lrn", "lrn.cu", "= summand;\n" + BARRIER, "= summand;\n"),
    Mutant("no zeros in the margins", "lrn", "lrn.cu", "    clear_margins(p, shared);\n", ""),
    Mutant("windows over the lower edge", "pool", "pool.cu", "min(q * stride + i, g.height - 1)", "(q * stride + i)"),
    Mutant("windows that do not cover", "pool", "pool.cu", " && down < size && right < size", ""),
    Mutant("no test for the last chunk", "relu", "relu.cu", "    if (i >= chunks) return;\n", ""),
    Mutant("another last bit", "tanh", "tanh.cu", "0.041814245f", "0.04181426f"),
    Mutant("one group of numbers for all lanes", "dropout", "dropout.cu", "unit / 4 != drawn", "drawn == ~0u"),
    Mutant("no barrier in reductions", "softmax", "softmax.cu", INNER_BARRIER + "        if (i %", "        if (i %"),
    Mutant("the last of equal classes", "softmax", "softmax.cu", "b.at < a.at", "b.at > a.at"),
    Mutant("into the next parameter", "sgd", "sgd.cu", "        if (at >= p.chunks) return;\n", ""),
    Mutant("no barrier after the header", "input", "input.cu", BARRIER, ""),
    Mutant("beyond the right edge", "input", "input.cu", " || v >= g.side", ""),
]
