"""The result of making a hostile set."""

from dataclasses import dataclass, field

from .. import pictures


@dataclass
class Made:
    """A data set in a trial's folder."""

    # As given on the command line.
    location: str
    # Files for `predict` and `inspect`.
    images: list = field(default_factory=list)
    # Whether `inspect` must refuse it.
    refused: bool = False
    # How many images `inspect` must find if it does not refuse it.
    images_found: int = None
    # The commands to run on it; None for all.
    only: tuple = None


def good_images(folder, each=3):
    """Class folders in which to hide something."""
    pictures.class_folders(folder, each)


def good_png(number=0):
    return pictures.png(pictures.CLASSES["sky"], number)
