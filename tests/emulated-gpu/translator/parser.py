"""Reads PTX into ptx.Module."""

import re

from .errors import Unsupported
from .ptx import Function, Instruction, Label, Module, Variable
from .scalars import scalar
from .statements import split, split_operands, without_comments

# A declaration of one variable: `.shared .align 16 .b8 name[64]`, `.param .u64 .ptr .global name`.
DECLARATION = re.compile(
    r"(?:\.(?:visible|extern|weak|common)\s+)*\.(?P<space>param|shared|local|global|const)"
    r"(?:\s+\.align\s+(?P<alignment>\d+))?\s+\.(?P<type>\w+)"
    r"(?P<pointer>\s+\.ptr)?(?:\s+\.(?:global|const|shared|local))?(?:\s+\.align\s+\d+)?"
    r"\s+(?P<name>[\w$%]+)\s*(?P<array>\[\s*(?P<count>\d*)\s*\])?(?:\s*=\s*(?P<values>.*))?$"
)
IGNORED = re.compile(r"\.(version|target|address_size|file|loc|pragma|section)\b")


def parse(text):
    module = Module()
    for statement in split(without_comments(text)):
        if IGNORED.match(statement.text):
            continue
        if statement.body is not None or re.search(r"\.(entry|func)\b", statement.text):
            function = _header(statement)
            if statement.body is not None:
                _Body(function).read(statement.body)
                module.functions.append(function)
        else:
            module.variables.append(_variable(statement.text, statement.line))
    return module


def _variable(text, line):
    match = DECLARATION.match(text)
    if not match:
        raise Unsupported(f'the declaration "{text}"', line)
    kind = scalar(match["type"])
    count = None if not match["array"] else int(match["count"] or 0)
    values = [value.strip() for value in (match["values"] or "").strip("{} ").split(",") if value.strip()]
    alignment = int(match["alignment"] or kind.bytes)
    return Variable(line, match["space"], kind, match["name"], alignment, count, values, bool(match["pointer"]))


def _header(statement):
    """`.visible .entry name(parameters) .maxntid 256, 1, 1` or `.func (result) name(parameters)`."""
    text, line = statement.text, statement.line
    match = re.search(r"\.(entry|func)\s*(?:\(([^)]*)\))?\s*([\w$]+)\s*(?:\(([^)]*)\))?(.*)$", text)
    if not match:
        raise Unsupported(f'the function "{text}"', line)
    kind, results, name, parameters, directives = match.groups()
    function = Function(line, name, kind == "entry")
    function.parameters = [_variable(each, line) for each in split_operands(parameters or "")]
    function.results = [_variable(each, line) for each in split_operands(results or "")]
    bound = re.search(r"\.(?:maxntid|reqntid)\s+([\d, ]+)", directives)
    if bound:
        function.max_threads = 1
        for extent in bound[1].split(","):
            function.max_threads *= int(extent)
    return function


class _Body:
    """Reads the statements of a function. What is declared in an inner scope gets a name of its own."""

    def __init__(self, function):
        self.function, self.scopes, self.label = function, 0, None

    def read(self, statements, outer=None):
        names = dict(outer or {})
        if outer is not None:
            self.scopes += 1
            self._rename(statements, names)
        for statement in statements:
            if statement.body is not None:
                self.read(statement.body, names)
                continue
            text = re.sub(r"[%$\w.]+", lambda word: names.get(word.group(), word.group()), statement.text)
            try:
                self._statement(text, statement.line)
            except Unsupported as error:
                error.line = error.line or statement.line
                raise

    def _rename(self, statements, names):
        """Finds the names that this scope declares. Labels may be used before they are declared."""
        for statement in statements:
            label = re.fullmatch(r"([\w$%]+):", statement.text)
            declared = re.match(r"\.(?:reg|param|shared|local)\b.*", statement.text)
            if label:
                names[label[1]] = f"{label[1]}__{self.scopes}"
            elif declared and statement.text.startswith(".reg"):
                for name in statement.text.split(None, 2)[2].split(","):
                    names[name.strip()] = f"{name.strip()}__{self.scopes}"
            elif declared:
                name = _variable(statement.text, statement.line).name
                names[name] = f"{name}__{self.scopes}"

    def _statement(self, text, line):
        function = self.function
        if text.endswith(":"):
            self.label = text[:-1]
            function.body.append(Label(line, self.label))
        elif text.startswith(".reg"):
            _, kind, names = text.split(None, 2)
            for name in names.split(","):
                function.registers[re.sub(r"<\d+>$", "", name.strip())] = scalar(kind[1:])
        elif text.startswith(".branchtargets"):
            function.targets[self.label] = split_operands(text.split(None, 1)[1])
        elif IGNORED.match(text):
            pass
        elif text.startswith("."):
            function.variables.append(_variable(text, line))
        else:
            function.body.append(_instruction(text, line))


def _instruction(text, line):
    match = re.match(r"(?:@(!?)([%\w$]+)\s+)?([\w.:]+)\s*(.*)$", text)
    if not match:
        raise Unsupported(f'the statement "{text}"', line)
    negated, register, opcode, operands = match.groups()
    if "::cluster" in opcode:
        raise Unsupported(f'clusters: "{text}"', line)
    # .shared::cta is .shared, and hints for caches change no result.
    opcode = re.sub(r"::\w+", "", opcode)
    return Instruction(line, opcode, split_operands(operands), (register, bool(negated)) if register else None)
