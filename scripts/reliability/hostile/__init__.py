"""Hostile data sets, and how each command handles them.

No command may end by a signal or a panic, hang, take unbounded memory, write outside its own folder, or pass control
characters to the terminal or tags to a web page.
"""

from .sets import SETS
from .trials import Hostile

__all__ = ["SETS", "Hostile"]
