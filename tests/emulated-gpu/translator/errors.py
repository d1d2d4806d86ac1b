"""What the translator does not know it refuses: it never drops a qualifier that would change a result."""


class Unsupported(Exception):
    """An instruction or declaration that is not known, with its line where that is."""

    def __init__(self, what, line=None):
        super().__init__(what)
        self.what, self.line = what, line

    def __str__(self):
        return f"{self.line}: {self.what}" if self.line else self.what
