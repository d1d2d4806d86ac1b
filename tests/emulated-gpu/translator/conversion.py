"""mov and cvt: values that change their place or their type."""

from .arithmetic import ROUNDINGS
from .errors import Unsupported
from .scalars import SCALARS, bits_type, scalar
from .statements import split_operands

TO_INTEGER = {"rni": "round_even", "rzi": "round_zero", "rmi": "round_down", "rpi": "round_up"}
F32 = SCALARS["f32"]


class Conversion:
    """Mixed into the emitter."""

    def do_mov(self, instruction):
        kind = scalar(instruction.qualifiers[-1])
        to, source = instruction.operands
        if to.startswith("{"):
            return self._unpack(split_operands(to[1:-1]), source, kind)
        if source.startswith("{"):
            parts = split_operands(source[1:-1])
            part = bits_type(kind.bits // len(parts))
            shifted = [
                f"(convert<{kind.unsigned}>({self.operands.read(each, part)}) << {part.bits * number}u)"
                for number, each in enumerate(parts)
            ]
            return self.operands.write(to, bits_type(kind.bits), " | ".join(shifted))
        return self.operands.write(to, kind, self.operands.read(source, kind))

    def _unpack(self, parts, source, kind):
        whole, part = bits_type(kind.bits), bits_type(kind.bits // len(parts))
        writes = [
            self.operands.write(to, part, f"convert<{part.cpp}>(whole >> {part.bits * number}u)")
            for number, to in enumerate(parts)
        ]
        return f"{{ const auto whole = {self.operands.read(source, whole)}; {' '.join(writes)} }}"

    def do_cvta(self, instruction):
        """Addresses of any space are those of the host; those of shared memory count from its start."""
        to, source = instruction.operands
        kind = scalar(instruction.qualifiers[-1])
        value = self.operands.read(source, kind)
        if instruction.has("shared"):
            value = f"{value} {'-' if instruction.has('to') else '+'} all(uint64_t(w.shared))"
        return self.operands.write(to, kind, value)

    def do_cvt(self, instruction):
        if len(instruction.operands) == 3:
            return self._pack(instruction)
        to, source = scalar(instruction.qualifiers[-2]), scalar(instruction.qualifiers[-1])
        if instruction.has("relu", "satfinite"):
            raise Unsupported(instruction)
        if to.name == "tf32":
            return self._to_tf32(instruction)
        value = self.operands.read(instruction.operands[1], source)
        if source.is_half:
            value = f"each({source.name}::widen, {value})"
        if instruction.has("ftz") and source.name == "f32":
            value = f"flush({value})"
        from_number, to_number = source.is_float or source.is_half, to.is_float or to.is_half
        if from_number and to_number:
            return self._between_floats(instruction, to, source, value)
        if from_number:
            rounding = next((each for each in TO_INTEGER if instruction.has(each)), None)
            if rounding is None:
                raise Unsupported(instruction)
            held = "float" if source.is_half else source.cpp
            function = f"[]({held} x) {{ return to_integer<{to.cpp}>({TO_INTEGER[rounding]}(x)); }}"
            return self.operands.write(instruction.operands[0], to, f"each({function}, {value})")
        if to_number:
            return self._from_integer(instruction, to, source, value)
        if instruction.has("sat"):
            function = f"[]({source.cpp} x) {{ return clamp_to<{to.cpp}>(x); }}"
            return self.operands.write(instruction.operands[0], to, f"each({function}, {value})")
        return self.operands.write(instruction.operands[0], to, f"convert<{to.cpp}>({value})")

    def _pack(self, instruction):
        """Two floats into the halves of a register."""
        to = instruction.qualifiers[-2]
        if to not in ("f16x2", "bf16x2") or instruction.has("relu", "satfinite", "rz"):
            raise Unsupported(instruction)
        high, low = (self.operands.read(operand, F32) for operand in instruction.operands[1:])
        value = f"each(narrow_two<{to.removesuffix('x2')}>, {high}, {low})"
        return self.operands.write(instruction.operands[0], bits_type(32), value)

    def _to_tf32(self, instruction):
        function = {"rna": "tf32_away", "rn": "tf32_even"}.get(instruction.has("rna", "rn"))
        if function is None:
            raise Unsupported(instruction)
        value = self.operands.read(instruction.operands[1], F32)
        return self.operands.write(instruction.operands[0], bits_type(32), f"each({function}, {value})")

    def _between_floats(self, instruction, to, source, value):
        rounding = next((each for each in TO_INTEGER if instruction.has(each)), None)
        if instruction.has(*ROUNDINGS) and to.bytes < source.bytes:
            raise Unsupported(instruction)
        if rounding:
            held = "float" if source.is_half else source.cpp
            value = f"each({TO_INTEGER[rounding]}<{held}>, {value})"
        if to.is_half:
            if source.name == "f64":
                raise Unsupported(instruction)
            if instruction.has("sat"):
                value = f"saturate({value})"
            return self.operands.write(instruction.operands[0], bits_type(16), f"each({to.name}::narrow, {value})")
        value = f"convert<{to.cpp}>({value})"
        if instruction.has("ftz") and to.name == "f32":
            value = f"flush({value})"
        if instruction.has("sat"):
            value = f"saturate({value})"
        return self.operands.write(instruction.operands[0], to, value)

    def _from_integer(self, instruction, to, source, value):
        if to.is_half:
            value = f"each({to.name}::narrow, convert<float>({value}))"
            return self.operands.write(instruction.operands[0], bits_type(16), value)
        rounding = instruction.has(*ROUNDINGS)
        if rounding:
            function = f"[]({source.cpp} x) {{ return {to.cpp}(x); }}"
            value = f"rounded_from<{ROUNDINGS[rounding]}, {to.cpp}>({function}, {value})"
        else:
            value = f"convert<{to.cpp}>({value})"
        if instruction.has("sat"):
            value = f"saturate({value})"
        return self.operands.write(instruction.operands[0], to, value)
