"""Loads, stores, atomic operations and asynchronous copies."""

import re

from .errors import Unsupported
from .scalars import bits_type, scalar
from .statements import split_operands

SPACES = {"global": "Global", "shared": "Shared", "local": "Local", "const": "Global"}
ATOMIC = {"add": "add", "min": "min", "max": "max", "exch": "exch", "cas": "cas", "and": "and_", "or": "or_", "xor": "xor_",
          "inc": "inc", "dec": "dec"}


class Memory:
    """Mixed into the emitter."""

    def _space(self, instruction):
        named = instruction.has(*SPACES)
        return f"Space::{SPACES[named] if named else 'Generic'}"

    def _vector(self, instruction, operand):
        """The registers of a load or store."""
        return split_operands(operand[1:-1]) if operand.startswith("{") else [operand]

    def do_ld(self, instruction):
        kind = scalar(instruction.qualifiers[-1])
        to, address = instruction.operands
        registers = self._vector(instruction, to)
        if instruction.has("param"):
            return self._load_parameter(kind, registers, address)
        load = (
            f"load<{self._space(instruction)}, {kind.cpp}, {len(registers)}>"
            f"(w, m, {self.operands.address(address)}, {instruction.line})"
        )
        if len(registers) == 1:
            return self.operands.write(to, kind, f"{load}[0]")
        writes = (self.operands.write(each, kind, f"got[{number}]") for number, each in enumerate(registers))
        return f"{{ const auto got = {load}; {' '.join(writes)} }}"

    do_ldu = do_ld

    def _parameter(self, address):
        """The name of a parameter, and the offset in it."""
        match = re.fullmatch(r"\[\s*([\w$%]+)\s*(?:\+\s*(\d+))?\s*\]", address)
        if not match:
            raise Unsupported(f"the parameter {address}")
        return match[1], int(match[2] or 0)

    def _load_parameter(self, kind, registers, address):
        name, offset = self._parameter(address)
        if name in self.parameter_offsets:
            at = self.parameter_offsets[name] + offset
            values = (f"parameter<{kind.cpp}>(parameters, {at + number * kind.bytes})" for number in range(len(registers)))
            return " ".join(self.operands.write(each, kind, value) for each, value in zip(registers, values, strict=True))
        load = f"load<Space::Local, {kind.cpp}, {len(registers)}>(w, m, {self.operands.address(address)}, 0)"
        writes = (self.operands.write(each, kind, f"got[{number}]") for number, each in enumerate(registers))
        return f"{{ const auto got = {load}; {' '.join(writes)} }}"

    def do_st(self, instruction):
        kind = scalar(instruction.qualifiers[-1])
        address, source = instruction.operands
        values = [self.operands.read(each, kind) for each in self._vector(instruction, source)]
        space = "Space::Local" if instruction.has("param") else self._space(instruction)
        return f"store<{space}, {kind.cpp}>(w, m, {self.operands.address(address)}, {instruction.line}, {', '.join(values)});"

    def do_atom(self, instruction):
        kind = scalar(instruction.qualifiers[-1])
        operands = list(instruction.operands)
        to = operands.pop(0) if instruction.name == "atom" else "_"
        operation = instruction.has(*ATOMIC)
        if operation is None or kind.is_half or kind.bytes < 4 or operands[1].startswith("{"):
            raise Unsupported(instruction)
        values = ", ".join(self.operands.read(each, kind) for each in operands[1:])
        value = (
            f"atomic<{self._space(instruction)}, {kind.cpp}>(w, m, {self.operands.address(operands[0])}, "
            f"{instruction.line}, Atomic<{kind.cpp}>::{ATOMIC[operation]}, {values})"
        )
        return self.operands.write(to, kind, value)

    do_red = do_atom

    def do_cp(self, instruction):
        if not instruction.has("async") or instruction.has("bulk", "mbarrier"):
            raise Unsupported(instruction)
        self.copies = True
        if instruction.has("commit_group"):
            return "copies.commit(m);"
        if instruction.has("wait_group"):
            return f"copies.wait(m, {int(instruction.operands[0])});"
        if instruction.has("wait_all"):
            return "copies.commit(m); copies.wait(m, 0);"
        to, source, size = instruction.operands[:3]
        read = instruction.operands[3] if len(instruction.operands) > 3 else size
        return (
            f"copies.add(w, m, {self.operands.address(to)}, {self.operands.address(source)}, {int(size)}, "
            f"{self.operands.read(read, bits_type(32))}, {instruction.line});"
        )

    def do_membar(self, instruction):
        """Fences and hints: blocks see each other's writes at once, and there are no caches."""
        return ";"

    do_fence = do_prefetch = do_prefetchu = do_discard = do_nanosleep = do_membar
