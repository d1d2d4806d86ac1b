"""A module of PTX, as the parser reads it."""

from dataclasses import dataclass, field

from .scalars import Scalar


@dataclass
class Variable:
    """A declaration in some state space: a parameter, shared memory, a constant."""

    line: int
    space: str
    type: Scalar
    name: str
    alignment: int
    # Elements; None for a scalar, 0 where the launch decides.
    count: int | None = None
    values: list[str] = field(default_factory=list)
    is_pointer: bool = False

    @property
    def bytes(self):
        return self.type.bytes * (1 if self.count is None else self.count)


@dataclass
class Instruction:
    line: int
    opcode: str
    operands: list[str]
    # The register of the predicate, and whether it must be false.
    guard: tuple[str, bool] | None = None

    @property
    def name(self):
        return self.opcode.split(".")[0]

    @property
    def qualifiers(self):
        return self.opcode.split(".")[1:]

    def has(self, *qualifiers):
        """The first of these that the instruction has."""
        return next((each for each in qualifiers if each in self.qualifiers), None)

    def __str__(self):
        guard = f"@{'!' if self.guard[1] else ''}{self.guard[0]} " if self.guard else ""
        return f"{guard}{self.opcode} {', '.join(self.operands)}".strip()


@dataclass
class Label:
    line: int
    name: str


@dataclass
class Function:
    line: int
    name: str
    is_kernel: bool
    parameters: list[Variable] = field(default_factory=list)
    results: list[Variable] = field(default_factory=list)
    # The type of each register, and of each family: `%r` for %r0, %r1 …
    registers: dict[str, Scalar] = field(default_factory=dict)
    variables: list[Variable] = field(default_factory=list)
    body: list[Instruction | Label] = field(default_factory=list)
    # Lists of labels that brx jumps to.
    targets: dict[str, list[str]] = field(default_factory=dict)
    max_threads: int = 0


@dataclass
class Module:
    functions: list[Function] = field(default_factory=list)
    variables: list[Variable] = field(default_factory=list)
