"""Comparisons, which make predicates."""

from .errors import Unsupported
from .scalars import SCALARS, scalar

FUNCTIONS = {"eq": "equal", "ne": "differ", "lt": "less", "le": "less_or_equal", "gt": "greater", "ge": "greater_or_equal",
             "lo": "less", "ls": "less_or_equal", "hi": "greater", "hs": "greater_or_equal"}
# True also where one is NaN: not the opposite.
UNORDERED = {"equ": "eq", "neu": "ne", "ltu": "ge", "leu": "gt", "gtu": "le", "geu": "lt"}
COMBINED = {"and": "&", "or": "|", "xor": "^"}
TESTS = {"finite": "std::isfinite(x)", "infinite": "std::isinf(x)", "number": "x == x", "notanumber": "x != x"}
FLOAT, U32, PRED = SCALARS["f32"], SCALARS["u32"], SCALARS["pred"]


class Comparison:
    """Mixed into the emitter."""

    def _comparison(self, instruction):
        """The mask of a setp or set, and that of its opposite."""
        kind = scalar(instruction.qualifiers[-1])
        a, b = (self.operands.read(operand, kind) for operand in instruction.operands[1:3])
        if kind.is_half:
            if kind.bytes == 4:
                raise Unsupported(instruction)
            a, b = (f"each({kind.name}::widen, {each})" for each in (a, b))
        if instruction.has("ftz"):
            a, b = f"flush({a})", f"flush({b})"
        how = instruction.qualifiers[0]
        floats = kind.is_float or kind.is_half
        if how in FUNCTIONS:
            truth = f"{FUNCTIONS[how]}({a}, {b})"
            if how == "ne" and floats:
                truth = f"({truth} & ordered({a}, {b}))"
        elif how == "equ":
            truth = f"(equal({a}, {b}) | ~ordered({a}, {b}))"
        elif how == "neu":
            truth = f"differ({a}, {b})"
        elif how in UNORDERED:
            truth = f"~{FUNCTIONS[UNORDERED[how]]}({a}, {b})"
        elif how in ("num", "nan"):
            truth = f"{'' if how == 'num' else '~'}ordered({a}, {b})"
        else:
            raise Unsupported(instruction)
        opposite = f"~{truth}"
        combined = instruction.has(*COMBINED)
        if combined:
            other = self.operands.predicate(instruction.operands[3])
            truth, opposite = (f"({each} {COMBINED[combined]} {other})" for each in (truth, opposite))
        return truth, opposite

    def do_setp(self, instruction):
        truth, opposite = self._comparison(instruction)
        first, _, second = instruction.operands[0].partition("|")
        if not second:
            return self.operands.write(first, PRED, truth)
        # Both before either is written: the comparison may read what is written.
        writes = self.operands.write(first.strip(), PRED, "yes") + " " + self.operands.write(second.strip(), PRED, "no")
        return f"{{ const Mask yes = {truth}, no = {opposite}; {writes} }}"

    def do_set(self, instruction):
        truth, _ = self._comparison(instruction)
        result = scalar(instruction.qualifiers[-2])
        one = "1.0f" if result.name == "f32" else "0xffffffffu"
        if result.bytes != 4:
            raise Unsupported(instruction)
        kind = FLOAT if result.name == "f32" else U32
        return self.operands.write(
            instruction.operands[0], kind, f"choose({truth}, all<{kind.cpp}>({one}), all<{kind.cpp}>(0))"
        )

    def do_testp(self, instruction):
        kind = scalar(instruction.qualifiers[-1])
        if instruction.qualifiers[0] not in TESTS:
            raise Unsupported(instruction)
        function = f"[]({kind.cpp} x) {{ return uint32_t({TESTS[instruction.qualifiers[0]]}); }}"
        value = self.operands.read(instruction.operands[1], kind)
        return self.operands.write(instruction.operands[0], PRED, f"differ(each({function}, {value}), all(0u))")
