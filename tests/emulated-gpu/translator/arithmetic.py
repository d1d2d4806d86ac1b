"""Arithmetic, logic and selection."""

from .errors import Unsupported
from .scalars import SCALARS, bits_type, scalar

ROUNDINGS = {"rm": "FE_DOWNWARD", "rp": "FE_UPWARD", "rz": "FE_TOWARDZERO"}
U32, S32 = SCALARS["u32"], SCALARS["s32"]
UNARY = {"ex2": "exp2", "lg2": "log2", "sin": "sine", "cos": "cosine", "tanh": "tanh", "rcp": "reciprocal",
         "sqrt": "square_root", "rsqrt": "reciprocal_square_root", "neg": "negate", "abs": "magnitude"}
BINARY = {"add": "+", "sub": "-", "mul": "*", "and": "&", "or": "|", "xor": "^"}
# Instructions on the bits of each lane, by the function in bits.h; the types of their operands; what is written.
BITWISE = {
    "bfe": ("extract_bits<{cpp}>", ("own", U32, U32), "own"),
    "bfi": ("insert_bits<{cpp}>", ("own", "own", U32, U32), "own"),
    "brev": ("reverse_bits<{cpp}>", ("own",), "own"),
    "clz": ("leading_zeros", ("own",), U32),
    "popc": ("ones<{cpp}>", ("own",), U32),
    "prmt": ("permute_bytes", (U32, U32, U32), U32),
    "lop3": ("logic_of_three", (U32, U32, U32, U32), U32),
}


class Arithmetic:
    """Each method takes an instruction and returns a statement. Mixed into the emitter, which has the operands."""

    def _own(self, instruction):
        """The type of an instruction, and its operands read as that."""
        kind = scalar(instruction.qualifiers[-1])
        flushes = instruction.has("ftz") and kind.name == "f32"

        def read(place):
            value = self.operands.read(instruction.operands[place], kind)
            return f"flush({value})" if flushes else value

        return kind, read

    def _finish(self, instruction, kind, value):
        """Writes a result, with .ftz and .sat done."""
        if instruction.has("ftz") and kind.name == "f32":
            value = f"flush({value})"
        if instruction.has("sat") and kind.is_float:
            value = f"saturate({value})"
        return self.operands.write(instruction.operands[0], kind, value)

    def _unsigned(self, kind, value):
        """Integers as what wraps."""
        return f"as<{kind.unsigned}>({value})" if kind.is_signed else value

    def _wrapping(self, kind, left, operator, right):
        value = f"{self._unsigned(kind, left)} {operator} {self._unsigned(kind, right)}"
        return f"as<{kind.cpp}>({value})" if kind.is_signed else value

    def do_add(self, instruction):
        kind, read = self._own(instruction)
        operator = BINARY[instruction.name]
        if instruction.has("cc") or (instruction.has("sat") and not kind.is_float):
            raise Unsupported(instruction)
        if kind.is_half:
            return self._half(instruction, kind, f"a {operator} b", 2)
        rounding = instruction.has(*ROUNDINGS)
        if rounding:
            function = f"[]({kind.cpp} a, {kind.cpp} b) {{ return a {operator} b; }}"
            value = f"rounded<{ROUNDINGS[rounding]}>({function}, {read(1)}, {read(2)})"
        elif kind.is_float:
            value = f"{read(1)} {operator} {read(2)}"
        else:
            value = self._wrapping(kind, read(1), operator, read(2))
        return self._finish(instruction, kind, value)

    do_sub = do_add

    def do_mul(self, instruction):
        kind, read = self._own(instruction)
        if kind.is_float or kind.is_half:
            return self.do_add(instruction)
        result, value = self._integer_product(instruction, kind, read)
        return self.operands.write(instruction.operands[0], result, value)

    def _integer_product(self, instruction, kind, read):
        """.lo, .hi or .wide: the type of the product, and the product."""
        if instruction.has("wide"):
            wide = scalar(kind.name[0] + str(2 * kind.bits))
            return wide, f"multiply_wide<{wide.cpp}>({read(1)}, {read(2)})"
        if instruction.has("hi"):
            return kind, f"multiply_high({read(1)}, {read(2)})"
        if not instruction.has("lo"):
            raise Unsupported(instruction)
        return kind, self._wrapping(kind, read(1), "*", read(2))

    def do_mad(self, instruction):
        kind, read = self._own(instruction)
        if instruction.has("cc", "sat") and not kind.is_float:
            raise Unsupported(instruction)
        if kind.is_float:
            return self.do_fma(instruction)
        result, product = self._integer_product(instruction, kind, read)
        addend = self.operands.read(instruction.operands[3], result)
        return self.operands.write(instruction.operands[0], result, self._wrapping(result, product, "+", addend))

    def do_fma(self, instruction):
        kind, read = self._own(instruction)
        if kind.is_half:
            return self._half(instruction, kind, None, 3)
        rounding = instruction.has(*ROUNDINGS)
        values = f"{read(1)}, {read(2)}, {read(3)}"
        if rounding:
            function = f"[]({kind.cpp} a, {kind.cpp} b, {kind.cpp} c) {{ return std::fma(a, b, c); }}"
            return self._finish(instruction, kind, f"rounded<{ROUNDINGS[rounding]}>({function}, {values})")
        return self._finish(instruction, kind, f"fma({values})")

    def do_div(self, instruction):
        kind, read = self._own(instruction)
        self._refuse_roundings(instruction)
        value = f"{read(1)} / {read(2)}" if kind.is_float else f"divide<{kind.cpp}>({read(1)}, {read(2)})"
        return self._finish(instruction, kind, value)

    def do_rem(self, instruction):
        kind, read = self._own(instruction)
        return self.operands.write(instruction.operands[0], kind, f"remainder<{kind.cpp}>({read(1)}, {read(2)})")

    def _refuse_roundings(self, instruction):
        if instruction.has(*ROUNDINGS):
            raise Unsupported(instruction)

    def do_ex2(self, instruction):
        """Functions of one operand."""
        kind, read = self._own(instruction)
        self._refuse_roundings(instruction)
        if kind.is_half:
            if instruction.name not in ("neg", "abs"):
                raise Unsupported(instruction)
            return self._half(instruction, kind, "-a" if instruction.name == "neg" else "std::fabs(a)", 1)
        if instruction.name == "neg" and not kind.is_float:
            value = self._wrapping(kind, f"all<{kind.cpp}>(0)", "-", read(1))
        else:
            value = f"{UNARY[instruction.name]}<{kind.cpp}>({read(1)})"
        return self._finish(instruction, kind, value)

    do_lg2 = do_sin = do_cos = do_tanh = do_rcp = do_sqrt = do_rsqrt = do_neg = do_abs = do_ex2

    def do_min(self, instruction):
        kind, read = self._own(instruction)
        if instruction.has("xorsign", "relu") or len(instruction.operands) != 3:
            raise Unsupported(instruction)
        if kind.is_half:
            return self._half(instruction, kind, f"std::f{instruction.name}(a, b)", 2)
        a, b = read(1), read(2)
        value = f"{'minimum' if instruction.name == 'min' else 'maximum'}<{kind.cpp}>({a}, {b})"
        return self._finish(instruction, kind, f"or_nan({value}, {a}, {b})" if instruction.has("NaN") else value)

    do_max = do_min

    def _half(self, instruction, kind, expression, count):
        """On one or two 16-bit numbers a register, by way of float."""
        if instruction.has("ftz", "sat", *ROUNDINGS):
            raise Unsupported(instruction)
        letters = "abc"[:count]
        form = kind.name.removesuffix("x2")
        function = f"half_fma<{form}>"
        if expression:
            floats = ", ".join(f"float {letter}" for letter in letters)
            function = f"[](auto... x) {{ return half_of<{form}>([]({floats}) {{ return float({expression}); }}, x...); }}"
        if kind.bytes == 4:
            function = f"[](auto... x) {{ return in_halves({function}, x...); }}"
        values = ", ".join(self.operands.read(operand, bits_type(kind.bits)) for operand in instruction.operands[1:])
        return self.operands.write(instruction.operands[0], bits_type(kind.bits), f"each({function}, {values})")

    def do_and(self, instruction):
        kind, read = self._own(instruction)
        return self.operands.write(instruction.operands[0], kind, f"{read(1)} {BINARY[instruction.name]} {read(2)}")

    do_or = do_xor = do_and

    def do_not(self, instruction):
        kind, read = self._own(instruction)
        return self.operands.write(instruction.operands[0], kind, f"~{read(1)}")

    def do_shl(self, instruction):
        kind, read = self._own(instruction)
        by, direction = instruction.operands[2], "left" if instruction.name == "shl" else "right"
        by = self.operands.constants.get(by, by)
        if by.isdigit() and int(by) < kind.bits:
            return self.operands.write(instruction.operands[0], kind, f"{read(1)} {'<<' if direction == 'left' else '>>'} {by}u")
        function, by = f"shift_{direction}<{kind.cpp}>", self.operands.read(by, U32)
        return self.operands.write(instruction.operands[0], kind, f"each({function}, {read(1)}, {by})")

    do_shr = do_shl

    def do_shf(self, instruction):
        low, high, by = (self.operands.read(operand, U32) for operand in instruction.operands[1:])
        limit = "wrap" if instruction.has("wrap") else "clamp"
        function = f"funnel_{'left' if instruction.has('l') else 'right'}"
        return self.operands.write(instruction.operands[0], U32, f"each({function}, {low}, {high}, each({limit}, {by}))")

    def do_bfe(self, instruction):
        """What is written in the table of functions on bits."""
        function, operands, result = BITWISE[instruction.name]
        kind = scalar(instruction.qualifiers[-1])
        types = [kind if each == "own" else each for each in operands]
        values = [self.operands.read(operand, each) for operand, each in zip(instruction.operands[1:], types, strict=True)]
        # The overloads of one name are told apart by a call.
        call = f"[](auto... x) {{ return {function.format(cpp=kind.cpp)}(x...); }}"
        written = kind if result == "own" else result
        return self.operands.write(instruction.operands[0], written, f"each({call}, {', '.join(values)})")

    do_bfi = do_brev = do_clz = do_popc = do_prmt = do_lop3 = do_bfe

    def do_bfind(self, instruction):
        kind, read = self._own(instruction)
        function = f"highest_bit<{kind.cpp}, {'true' if instruction.has('shiftamt') else 'false'}>"
        return self.operands.write(instruction.operands[0], U32, f"each({function}, {read(1)})")

    def do_dp4a(self, instruction):
        signs = [f"{'u' if each == 'u32' else ''}int8_t" for each in instruction.qualifiers[:2]]
        result = S32 if "s32" in instruction.qualifiers else U32
        values = [self.operands.read(operand, U32) for operand in instruction.operands[1:3]]
        values.append(self.operands.read(instruction.operands[3], result))
        function = f"dot_of_bytes<{signs[0]}, {signs[1]}, {result.cpp}>"
        return self.operands.write(instruction.operands[0], result, f"each({function}, {', '.join(values)})")

    def do_selp(self, instruction):
        kind, read = self._own(instruction)
        condition = self.operands.predicate(instruction.operands[3])
        return self.operands.write(instruction.operands[0], kind, f"choose({condition}, {read(1)}, {read(2)})")

    def do_copysign(self, instruction):
        kind, read = self._own(instruction)
        return self.operands.write(instruction.operands[0], kind, f"copy_sign({read(1)}, {read(2)})")
