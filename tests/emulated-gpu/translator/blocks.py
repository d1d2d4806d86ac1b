"""Cuts a function into blocks, each of which the lanes that are in it execute from its start to its end."""

import re
from dataclasses import dataclass, field

from .ptx import Instruction, Label

ENDS = ("bra", "brx", "ret", "exit", "trap")
# Operations of several lanes. All lanes that they name must have come, so that such a one begins a block: there they wait.
# The place of the operand that names them; None: it is all lanes of the warp.
TOGETHER = {"shfl": 4, "vote": -1, "match": -1, "redux": -1, "bar": None, "barrier": None, "mma": None, "ldmatrix": None}
# Instructions whose first operand is not what they write.
WRITE_NOTHING = {"st", "bra", "brx", "bar", "barrier", "red", "cp", "call", "membar", "fence", "ret", "exit", "trap"}


@dataclass
class Block:
    index: int
    labels: list[str] = field(default_factory=list)
    instructions: list[Instruction] = field(default_factory=list)


def members_of(instruction):
    """The operand with the mask of the lanes that execute an operation together: None for one lane, "-1" for all."""
    if instruction.name not in TOGETHER:
        return None
    if instruction.name in ("bar", "barrier") and instruction.has("warp"):
        return instruction.operands[0]
    place = TOGETHER[instruction.name]
    return "-1" if place is None else instruction.operands[place]


def cut(function):
    blocks = [Block(0)]

    def begin():
        if blocks[-1].instructions:
            blocks.append(Block(len(blocks)))
        return blocks[-1]

    members = None
    for item in _branching_around(function.body):
        if isinstance(item, Label):
            begin().labels.append(item.name)
            members = None
            continue
        wanted = members_of(item)
        if wanted is not None and wanted != members:
            begin()
            members = wanted
        blocks[-1].instructions.append(item)
        if item.name in ENDS or item.name == "call":
            blocks.append(Block(len(blocks)))
            members = None
    return blocks


def _branching_around(body):
    """An operation of several lanes that has a guard becomes one without, with a branch around it."""
    for number, item in enumerate(body):
        if isinstance(item, Instruction) and item.guard and (item.name in TOGETHER or item.name == "call"):
            register, negated = item.guard
            label = f"behind__{number}"
            yield Instruction(item.line, "bra", [label], (register, not negated))
            yield Instruction(item.line, item.opcode, item.operands)
            yield Label(item.line, label)
        else:
            yield item


def names_in(text):
    return re.findall(r"[%$A-Za-z_][\w$]*", text)


def written_by(instruction):
    """The names that an instruction writes."""
    if instruction.name in WRITE_NOTHING or not instruction.operands:
        return []
    return names_in(instruction.operands[0])


def confined(blocks):
    """Names that are written before they are read in the only block that has them.

    They may be written in all lanes: those that are elsewhere do not need them.
    """
    places, first = {}, {}
    for block in blocks:
        for instruction in block.instructions:
            written = written_by(instruction)
            reads = names_in(" ".join(instruction.operands[1 if written else 0 :]))
            if instruction.guard:
                reads += [instruction.guard[0], *written]
            for name in reads:
                first.setdefault(name, "read")
                places.setdefault(name, set()).add(block.index)
            for name in written:
                first.setdefault(name, "write")
                places.setdefault(name, set()).add(block.index)
    return {name for name, blocks in places.items() if len(blocks) == 1 and first[name] == "write"}


def constants(blocks):
    """Names that are written once, by a number: {name: number}."""
    times, found = {}, {}
    for block in blocks:
        for instruction in block.instructions:
            for name in written_by(instruction):
                times[name] = times.get(name, 0) + 1
            if instruction.name == "mov" and not instruction.guard and re.fullmatch(r"-?\d+", instruction.operands[1]):
                found[instruction.operands[0]] = instruction.operands[1]
    return {name: value for name, value in found.items() if times[name] == 1}
