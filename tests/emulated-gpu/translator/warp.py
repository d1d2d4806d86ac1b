"""Operations between the lanes of a warp, barriers, and matrices."""

from .errors import Unsupported
from .scalars import SCALARS, bits_type, scalar
from .statements import split_operands

SHUFFLES = {"up": "Up", "down": "Down", "bfly": "Butterfly", "idx": "Index"}
REDUCTIONS = {"add": "a + b", "min": "a < b ? a : b", "max": "a > b ? a : b", "and": "a & b", "or": "a | b", "xor": "a ^ b"}
# The shapes of mma.sync that are known, by the type of A and B, with the number of products in a sum.
SHAPES = {("m16n8k8", "tf32"): 8, ("m16n8k4", "tf32"): 4, ("m16n8k16", "bf16"): 16, ("m16n8k8", "bf16"): 8,
          ("m16n8k16", "f16"): 16, ("m16n8k8", "f16"): 8}
U32, PRED = SCALARS["u32"], SCALARS["pred"]


class Warp:
    """Mixed into the emitter."""

    def do_bar(self, instruction):
        if instruction.has("warp"):
            return ";"  # The lanes have come together: that is all.
        if instruction.has("red", "arrive"):
            raise Unsupported(instruction)
        numbers = [self.operands.constants.get(each, each) for each in instruction.operands]
        if not all(number.isdigit() for number in numbers):
            raise Unsupported(instruction)
        barrier, threads = (*numbers, "0")[:2] if numbers else ("0", "0")
        return f"services->barrier(w, {barrier}, {threads}, {instruction.line});"

    do_barrier = do_bar

    def do_shfl(self, instruction):
        to, _, inside = instruction.operands[0].partition("|")
        value, by, clamp = (self.operands.read(each, U32) for each in instruction.operands[1:4])
        how = SHUFFLES[instruction.has(*SHUFFLES)]
        call = f"shuffle<Shuffle::{how}>(w, m, {value}, {by}, {clamp}, inside, {instruction.line})"
        writes = self.operands.write(to.strip(), U32, "moved")
        if inside:
            writes += " " + self.operands.write(inside.strip(), PRED, "inside")
        return f"{{ Mask inside; const auto moved = {call}; {writes} }}"

    def do_vote(self, instruction):
        to = instruction.operands[0]
        votes = f"({self.operands.predicate(instruction.operands[1])} & m)"
        if instruction.has("ballot"):
            return self.operands.write(to, U32, f"all<uint32_t>({votes})")
        how = instruction.has("any", "all")
        if how is None:
            raise Unsupported(instruction)
        return self.operands.write(to, PRED, f"predicate({votes} {'!= 0' if how == 'any' else '== m'})")

    def do_match(self, instruction):
        if not instruction.has("any"):
            raise Unsupported(instruction)
        kind = scalar(instruction.qualifiers[-1])
        value = self.operands.read(instruction.operands[1], kind)
        return self.operands.write(instruction.operands[0], U32, f"match_any(m, {value})")

    def do_redux(self, instruction):
        kind = scalar(instruction.qualifiers[-1])
        how = instruction.has(*REDUCTIONS)
        if how is None or kind.is_float:
            raise Unsupported(instruction)
        function = f"[]({kind.cpp} a, {kind.cpp} b) {{ return {kind.cpp}({REDUCTIONS[how]}); }}"
        value = self.operands.read(instruction.operands[1], kind)
        return self.operands.write(instruction.operands[0], kind, f"reduce(m, {value}, {function})")

    def do_activemask(self, instruction):
        return self.operands.write(instruction.operands[0], U32, "all<uint32_t>(m)")

    def do_mma(self, instruction):
        qualifiers = instruction.qualifiers
        shape, kinds = qualifiers[2], qualifiers[5:]
        products = SHAPES.get((shape, kinds[1]))
        if products is None or qualifiers[3:5] != ["row", "col"] or kinds != ["f32", kinds[1], kinds[1], "f32"]:
            raise Unsupported(instruction)
        to, a, b, c = (split_operands(each[1:-1]) for each in instruction.operands)
        read = self.operands.read
        arrays = ", ".join(
            f"{name}[] = {{{', '.join(f'array({read(each, U32)})' for each in registers)}}}" for name, registers in (("a", a), ("b", b))
        )
        sums = ", ".join(f"array({read(each, SCALARS['f32'])})" for each in c)
        writes = " ".join(self.operands.write(each, SCALARS["f32"], f"lanes(d[{number}])") for number, each in enumerate(to))
        return (
            f"{{ const Array<uint32_t> {arrays}; const Array<float> c[] = {{{sums}}}; Array<float> d[4]; "
            f"multiply<{kinds[1]}, {products}>(a, b, c, d); {writes} }}"
        )

    def do_ldmatrix(self, instruction):
        if not instruction.has("m8n8") or not instruction.has("b16") or not instruction.has("shared"):
            raise Unsupported(instruction)
        registers = split_operands(instruction.operands[0][1:-1])
        address = self.operands.address(instruction.operands[1])
        writes = " ".join(
            self.operands.write(each, bits_type(32), f"lanes(rows[{number}])") for number, each in enumerate(registers)
        )
        transposed = "true" if instruction.has("trans") else "false"
        return (
            f"{{ Array<uint32_t> rows[{len(registers)}]; "
            f"load_matrices<{len(registers)}, {transposed}>(w, {address}, rows, {instruction.line}); {writes} }}"
        )
