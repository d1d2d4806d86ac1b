"""One function as C++: its registers are variables, its blocks are pieces of code between labels."""

from . import qualifiers
from .arithmetic import Arithmetic
from .comparison import Comparison
from .control import Control
from .conversion import Conversion
from .errors import Unsupported
from .memory import Memory
from .operands import Operands, cpp_name
from .scalars import SCALARS
from .warp import Warp


def declaration(function):
    """The head of a function in C++. Kernels have one piece of memory for their parameters, others a pointer for each."""
    if function.is_kernel:
        return f"static void {cpp_name(function.name)}(Warp& w, Mask m, const uint8_t* parameters)"
    passed = "".join(f", uint8_t* {cpp_name(each.name)}" for each in [*function.results, *function.parameters])
    return f"static void {cpp_name(function.name)}(Warp& w, Mask m{passed})"


class Emitter(Arithmetic, Comparison, Conversion, Memory, Warp, Control):
    u32 = SCALARS["u32"]

    def __init__(self, function, blocks, symbols, functions, confined, constants):
        self.function, self.blocks, self.functions = function, blocks, functions
        self.operands = Operands(function, symbols, confined, constants)
        self.block_of = {label: block.index for block in blocks for label in block.labels}
        self.copies = False
        self.lines = []
        self.parameter_offsets, self.parameter_bytes = {}, 0
        for variable in function.parameters if function.is_kernel else []:
            self.parameter_bytes = -(-self.parameter_bytes // variable.alignment) * variable.alignment
            self.parameter_offsets[variable.name] = self.parameter_bytes
            self.parameter_bytes += variable.bytes
        self._place_memory()

    def _place_memory(self):
        """Parameters of functions and .local variables: so many bytes a lane."""
        own = [each for each in self.function.variables if each.space in ("local", "param")]
        passed = [] if self.function.is_kernel else [*self.function.results, *self.function.parameters]
        for variable in [*own, *passed]:
            self.operands.symbols[variable.name] = f"each_own({cpp_name(variable.name)}, {variable.bytes})"
        self.memory = [f"alignas(64) uint8_t {cpp_name(each.name)}[{each.bytes} * LANES];" for each in own]
        for name, offset in self.parameter_offsets.items():
            self.operands.symbols[name] = f"all(uint64_t(parameters + {offset}))"

    def emit(self):
        for block in self.blocks:
            self.operands.here = {}
            code = self._block(block)
            registers = [f"{kind} {name};" for name, kind in sorted(self.operands.here.items())]
            self.lines += [f"block_{block.index}: {{", *(f"    {line}" for line in registers + code), "}"]
        return self

    def _block(self, block):
        following = block.index + 1
        gather = self.gather(block)
        code, ended = [gather] if gather else [], False
        for instruction in block.instructions:
            try:
                code.append(self._instruction(instruction, following))
            except (Unsupported, KeyError, IndexError, ValueError, AttributeError) as error:
                what = error.what if isinstance(error, Unsupported) and error.what is not instruction else ""
                raise Unsupported(f'the instruction "{instruction}"{f": {what}" if what else ""}', instruction.line) from error
            ended = instruction.guard is None and instruction.name in ("bra", "brx", "ret", "exit")
        if not ended:
            code.append(f"FALL({following})" if following < len(self.blocks) else "LEAVE(m, , 0)")
        return code

    def _instruction(self, instruction, following):
        qualifiers.check(instruction)
        if instruction.name in ("bra", "brx"):
            return self.branch(instruction, following)
        if instruction.name in ("ret", "exit"):
            return self.leave(instruction, following)
        if instruction.name == "trap":
            return self.trap(instruction, following)
        statement = getattr(self, f"do_{instruction.name}")(instruction)
        if instruction.guard is None:
            return statement
        return f"if (const Mask taken = m & {self._guard(instruction)}) {{ const Mask m = taken; {statement} }}"

    def shared_granule(self):
        """The smallest access to shared memory. Any access whose space is not known may be one."""
        smallest = 4
        for block in self.blocks:
            for instruction in block.instructions:
                if instruction.name in ("ld", "st") and not instruction.has("global", "param", "local", "const"):
                    smallest = min(smallest, SCALARS[instruction.qualifiers[-1]].bytes)
        return smallest

    def text(self):
        registers = [f"        {kind} {name};" for name, kind in sorted(self.operands.everywhere.items())]
        memory = [f"    {each}" for each in self.memory]
        copies = ["    AsyncCopies copies;"] if self.copies else []
        cases = [f"    case {block.index}: goto block_{block.index};" for block in self.blocks]
        body = [
            f"{declaration(self.function)} {{",
            # In memory: as variables of their own, each would have a value to be merged wherever ways meet, and g++ does not end.
            "    struct {",
            *registers,
            "    } r;",
            '    asm volatile("" : : "r"(&r) : "memory");',
            *memory, *copies,
            "    Flow flow(w, *services);",
            "    goto block_0;",
            "dispatch:",
            "    switch (const uint32_t block = flow.next(); m = flow.lanes(), block) {",
            *cases,
            "    default: return;",
            "    }",
            *self.lines,
            "}",
        ]
        return "\n".join(body)
