"""Cuts PTX into statements, with the lines that they begin on."""

import re
from dataclasses import dataclass


@dataclass
class Statement:
    """`text` up to its semicolon. A label ends with a colon. `body` has the statements between braces that follow it."""

    line: int
    text: str
    body: list["Statement"] | None = None


def without_comments(text):
    """Keeps the ends of lines, which are counted."""
    text = re.sub(r"/\*.*?\*/", lambda comment: "\n" * comment.group().count("\n"), text, flags=re.S)
    return re.sub(r"//[^\n]*", "", text)


def split(text):
    """The statements of a text without comments."""
    statements, _ = _block(text, 0, 1)
    return statements


def _block(text, at, line):
    """Reads up to the end, or to the brace that closes a block. Returns the statements and where they end, with its line."""
    found, current, start = [], "", line
    while at < len(text):
        letter = text[at]
        line += letter == "\n"
        if not current.strip():
            start = line
        if letter == ";":
            found.append(Statement(start, _joined(current)))
            current = ""
        elif letter == "}":
            return found, (at, line)
        elif letter == "{" and _opens_a_block(current):
            body, (at, line) = _block(text, at + 1, line)
            found.append(Statement(start, _joined(current), body))
            current = ""
        elif letter == "{":
            end = text.index("}", at)
            current += text[at : end + 1]
            line += text.count("\n", at, end)
            at = end
        elif letter == ":" and re.fullmatch(r"\s*[\w$%]+\s*", current):
            found.append(Statement(start, _joined(current) + ":"))
            current = ""
        elif letter == "\n" and re.match(r"\s*\.(version|target|address_size|file|loc)\b", current):
            found.append(Statement(start, _joined(current)))
            current = ""
        else:
            current += letter
        at += 1
    return found, (at, line)


def _opens_a_block(before):
    """Braces stand around bodies and scopes, and around lists of registers and values."""
    return not before.strip() or re.search(r"\.(entry|func)\b", before) is not None


def _joined(text):
    return " ".join(text.split())


def split_operands(text):
    """At the commas that stand outside of brackets."""
    found, depth, current = [], 0, ""
    for letter in text:
        depth += (letter in "{[(") - (letter in "}])")
        if letter == "," and depth == 0:
            found.append(current.strip())
            current = ""
        else:
            current += letter
    return [*found, current.strip()] if current.strip() else found
