"""Branches, returns and calls."""

from .blocks import members_of
from .errors import Unsupported
from .operands import cpp_name

FAILURES = {"launch": 719, "assert": 710}


class Control:
    """Mixed into the emitter, which knows the blocks."""

    def branch(self, instruction, following):
        """Ends a block: to a label, perhaps only for some lanes."""
        if instruction.has("idx"):
            return self._branch_by_index(instruction)
        target = self.block_of[instruction.operands[0]]
        if instruction.guard is None:
            return f"JUMP({target})"
        return f"BRANCH({self._guard(instruction)}, {target}, {following})"

    def _guard(self, instruction):
        register, negated = instruction.guard
        return f"{'~' if negated else ''}{self.operands.predicate(register)}"

    def _branch_by_index(self, instruction):
        if instruction.guard:
            raise Unsupported(instruction)
        targets = [self.block_of[label] for label in self.function.targets[instruction.operands[1]]]
        index = self.operands.read(instruction.operands[0], self.u32)
        parks = " ".join(
            f"if (const Mask here = m & equal(index, all({number}u))) flow.park({block}, here);"
            for number, block in enumerate(targets)
        )
        return f"{{ const auto index = {index}; {parks} }} goto dispatch;"

    def leave(self, instruction, following):
        """ret and exit."""
        leaving = f"m & {self._guard(instruction)}" if instruction.guard else "m"
        exits = instruction.name == "exit" or self.function.is_kernel
        return f"LEAVE({leaving}, {'flow.exit(left);' if exits else ''}, {following})"

    def trap(self, instruction, following):
        fail = f'services->fail(w, {FAILURES["launch"]}, "trap", {instruction.line});'
        return f"if (m & {self._guard(instruction)}) {fail}" if instruction.guard else fail

    def gather(self, block):
        """What a block begins with whose first instruction is one of several lanes."""
        first = block.instructions[0] if block.instructions else None
        members = members_of(first) if first else None
        if members is None:
            return ""
        members = self.operands.constants.get(members, members)
        mask = f"Mask({int(members, 0) & 0xFFFFFFFF:#x}u)" if members.lstrip("-")[0].isdigit() else self.operands.read(members, self.u32)
        return f"GATHER({block.index}, {mask}, {first.line})"

    def do_call(self, instruction):
        operands = list(instruction.operands)
        result = operands.pop(0).strip("() ") if operands[0].startswith("(") else None
        name = operands.pop(0)
        arguments = [each.strip() for each in operands[0].strip("() ").split(",") if each.strip()] if operands else []
        if name == "__assertfail":
            return f"fail_assertion(w, m, *(const uint64_t*){cpp_name(arguments[0])}, {instruction.line});"
        if name == "vprintf":
            return f"print(w, m, (const uint64_t*){cpp_name(arguments[0])}, (const uint64_t*){cpp_name(arguments[1])});"
        if name not in self.functions:
            raise Unsupported(instruction)
        passed = ", ".join(["w", "m", *(f"(uint8_t*){cpp_name(each)}" for each in [result, *arguments] if each)])
        return f"{cpp_name(name)}({passed}); m &= w.live; if (!m) goto dispatch;"
