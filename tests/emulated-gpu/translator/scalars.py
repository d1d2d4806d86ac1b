"""The types of PTX."""

from dataclasses import dataclass

from .errors import Unsupported


@dataclass(frozen=True)
class Scalar:
    """A type of one value."""

    name: str
    bytes: int
    cpp: str

    @property
    def bits(self):
        return 8 * self.bytes

    @property
    def is_float(self):
        """Whether the host computes in this type."""
        return self.cpp in ("float", "double")

    @property
    def is_signed(self):
        return self.name[0] == "s"

    @property
    def is_half(self):
        return self.name in ("f16", "bf16", "f16x2", "bf16x2")

    @property
    def unsigned(self):
        """The integer type of this size, in which overflow wraps."""
        return f"uint{self.bits}_t"


def _all():
    yield Scalar("pred", 4, "Mask")
    for bits in (8, 16, 32, 64):
        yield Scalar(f"b{bits}", bits // 8, f"uint{bits}_t")
        yield Scalar(f"u{bits}", bits // 8, f"uint{bits}_t")
        yield Scalar(f"s{bits}", bits // 8, f"int{bits}_t")
    yield Scalar("f32", 4, "float")
    yield Scalar("f64", 8, "double")
    # Numbers that the host has no type for are bits.
    for name in ("f16", "bf16"):
        yield Scalar(name, 2, "uint16_t")
    for name in ("f16x2", "bf16x2", "tf32"):
        yield Scalar(name, 4, "uint32_t")


SCALARS = {scalar.name: scalar for scalar in _all()}


def scalar(name):
    if name not in SCALARS:
        raise Unsupported(f"the type .{name}")
    return SCALARS[name]


def bits_type(count):
    return SCALARS[f"b{count}"]
