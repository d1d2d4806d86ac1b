"""Operands as C++ expressions, and assignments to registers."""

import re

from .errors import Unsupported
from .scalars import bits_type

AXES = {"x": 0, "y": 1, "z": 2}
# Registers that the hardware sets, as 32-bit values.
SPECIAL = {
    "%laneid": "ramp(1u)",
    "%warpid": "all(w.index)",
    "%smid": "all(0u)",
    "%nwarpid": "all((w.block_size[0] * w.block_size[1] * w.block_size[2] + 31) / 32)",
    "%dynamic_smem_size": "all(w.shared_bytes - w.static_bytes)",
    "%lanemask_eq": "each([](uint32_t l) { return 1u << l; }, ramp(1u))",
    "%lanemask_lt": "each([](uint32_t l) { return (1u << l) - 1; }, ramp(1u))",
    "%lanemask_le": "each([](uint32_t l) { return (2u << l) - 1; }, ramp(1u))",
    "%lanemask_ge": "each([](uint32_t l) { return ~((1u << l) - 1); }, ramp(1u))",
    "%lanemask_gt": "each([](uint32_t l) { return ~((2u << l) - 1); }, ramp(1u))",
}
VECTORS = {"%ntid": "block_size", "%ctaid": "block", "%nctaid": "grid"}
# Clocks of 64 bits; the others have their lower half.
CLOCKS = ("%clock64", "%globaltimer", "%clock", "%globaltimer_lo")


def cpp_name(name):
    return "v_" + re.sub(r"[^A-Za-z0-9_]", "_", name)


class Operands:
    """Reads and writes the operands of one function's instructions."""

    def __init__(self, function, module_symbols, confined, constants):
        self.function, self.symbols = function, dict(module_symbols)
        self.confined, self.constants = confined, constants
        # The registers that are written or read, by their C++ names: those of the whole function, and those of the block only.
        self.everywhere, self.here = {}, {}

    def register_type(self, name):
        registers = self.function.registers
        if name in registers:
            return registers[name]
        family = re.sub(r"\d+$", "", name)
        return registers.get(family)

    def _use(self, name):
        kind = self.register_type(name)
        if kind is None:
            raise Unsupported(f"the register {name}")
        own, cpp = cpp_name(name), "Mask" if kind.name == "pred" else f"Lanes<{_plain(kind)}>"
        if name in self.confined:
            self.here[own] = cpp
            return own
        self.everywhere[own] = cpp
        return f"r.{own}"

    def predicate(self, operand):
        """As a mask of lanes."""
        if operand.startswith("!"):
            return f"~{self.predicate(operand[1:])}"
        if re.fullmatch(r"-?\d+", operand):
            return f"predicate({int(operand) != 0:d})"
        if getattr(self.register_type(operand), "name", None) != "pred":
            raise Unsupported(f"{operand} is no predicate")
        return self._use(operand)

    def read(self, operand, kind):
        """As lanes of the type `kind`, or as a mask where that is .pred."""
        if kind.name == "pred":
            return self.predicate(operand)
        operand = self.constants.get(operand, operand)
        number = _literal(operand, kind)
        if number is not None:
            return f"all<{kind.cpp}>({number})"
        special = _special(operand)
        if special is not None:
            return f"convert<{kind.cpp}>({special})"
        own = self.register_type(operand)
        if own is not None:
            name = self._use(operand)
            if own.bytes == kind.bytes:
                return name if _plain(own) == kind.cpp else f"as<{kind.cpp}>({name})"
            if kind.bytes < own.bytes and not own.is_float:
                return _as(kind, f"convert<{kind.unsigned}>({name})")
            raise Unsupported(f"{operand} as .{kind.name}")
        return f"convert<{kind.cpp}>({self.address_of(operand)})"

    def address_of(self, symbol):
        """As 64-bit lanes: of a variable, with or without an offset."""
        match = re.fullmatch(r"([\w$%]+)(?:\+(-?\d+))?", symbol)
        if not match or match[1] not in self.symbols:
            raise Unsupported(f"the operand {symbol}")
        at = self.symbols[match[1]]
        return f"({at} + all<uint64_t>({int(match[2])}ll))" if match[2] else at

    def address(self, operand):
        """What stands between the brackets of a load or store: 64-bit lanes and an offset, as two arguments."""
        inside = operand.strip("[] ").replace(" ", "")
        match = re.fullmatch(r"([\w$%]+?)(?:\+(-?(?:0x[0-9a-fA-F]+|\d+)))?", inside)
        if not match:
            raise Unsupported(f"the address {operand}")
        base, offset = match[1], int(match[2] or "0", 0)
        kind = self.register_type(base)
        if kind is None and re.fullmatch(r"\d+", base):
            return f"all<uint64_t>({base}ull), {offset}"
        if kind is None:
            at = self.address_of(base)
        else:
            at = self.read(base, bits_type(64)) if kind.bytes == 8 else f"convert<uint64_t>({self.read(base, bits_type(32))})"
        return f"{at}, {offset}"

    def write(self, register, kind, value):
        """Assigns lanes of the type `kind`."""
        if register == "_":
            return f"(void)({value});"
        own = self.register_type(register)
        if own is None:
            raise Unsupported(f"the register {register}")
        name = self._use(register)
        if kind.name != "pred":
            if own.bytes != kind.bytes:
                # To a wider register, as numbers: with the sign, if there is one.
                value = f"convert<{own.unsigned}>({value})"
            if own.is_float != kind.is_float or own.bytes != kind.bytes or kind.is_signed:
                value = f"as<{_plain(own)}>({value})"
        if register in self.confined:
            return f"{name} = {value};"
        return f"set(m, {name}, {value});"


def _plain(kind):
    """Registers hold floats or bits."""
    return kind.cpp if kind.is_float else kind.unsigned


def _as(kind, value):
    return value if kind.cpp == kind.unsigned else f"as<{kind.cpp}>({value})"


def _literal(operand, kind):
    """A number as a C++ expression of the type `kind`."""
    match = re.fullmatch(r"0[fFdD]([0-9a-fA-F]{8}|[0-9a-fA-F]{16})", operand)
    if match:
        digits = match[1]
        single = len(digits) == 8
        if single != (kind.bytes == 4):
            raise Unsupported(f"the number {operand} as .{kind.name}")
        return f"bits<{kind.cpp}>(0x{digits}{'u' if single else 'ull'})"
    if operand == "WARP_SZ":
        return "32"
    if re.fullmatch(r"-?(0x[0-9a-fA-F]+|\d+)U?", operand):
        value = int(operand.rstrip("U"), 0) & (2**kind.bits - 1)
        return f"bits<{kind.cpp}>({kind.unsigned}({value}ull))"
    return None


def _special(operand):
    """A register that the hardware sets, as 32-bit or 64-bit lanes."""
    base, _, axis = operand.partition(".")
    if base == "%tid" and axis in AXES:
        return f"thread_index(w, {AXES[axis]})"
    if base in VECTORS and axis in AXES:
        return f"all(w.{VECTORS[base]}[{AXES[axis]}])"
    if operand in CLOCKS:
        return "all(clock_now())"
    return SPECIAL.get(operand)


