"""All hostile sets by name."""

from . import archives, bombs, names, packs, texts
from .made import Made

SETS = {
    make.__name__.replace("_", "-"): make for module in (names, archives, bombs, packs, texts) for make in module.SETS
}

__all__ = ["Made", "SETS"]
