"""A whole module as C++."""

from .blocks import confined, constants, cut
from .emitter import Emitter, declaration
from .errors import Unsupported
from .operands import cpp_name
from .parser import parse


def translate(text):
    module = parse(text)
    static = _SharedMemory()
    symbols = {}
    pieces = ['#include "kernel.h"', '#include "macros.h"', "", "namespace gpu {", ""]
    for variable in module.variables:
        if variable.space == "shared":
            symbols[variable.name] = static.place(variable)
        else:
            symbols[variable.name] = f"all(uint64_t({cpp_name(variable.name)}))"
            pieces.append(_definition(variable))
    functions = {function.name: function for function in module.functions}
    pieces += [f"{declaration(function)};" for function in module.functions if not function.is_kernel]
    tables = []
    for function in module.functions:
        own = _SharedMemory(static.bytes)
        try:
            emitted = _function(function, symbols, functions, own)
        except Unsupported as error:
            error.line = error.line or function.line
            raise
        pieces += ["", emitted.text()]
        if function.is_kernel:
            tables.append(_kernel_entry(function, emitted, own.bytes))
    globals_ = [each for each in module.variables if each.space != "shared"]
    return "\n".join([*pieces, "", *_tables(tables, globals_), "", "}  // namespace gpu", _entry()]) + "\n"


class _SharedMemory:
    """Gives static variables their places."""

    def __init__(self, used=0):
        self.bytes = used

    def place(self, variable):
        if not variable.count and variable.count is not None:
            return "all(uint64_t(w.static_bytes))"
        self.bytes = -(-self.bytes // variable.alignment) * variable.alignment
        at = self.bytes
        self.bytes += variable.bytes
        return f"all<uint64_t>({at}ull)"


def _function(function, symbols, functions, shared):
    symbols = dict(symbols)
    for variable in function.variables:
        if variable.space == "shared":
            symbols[variable.name] = shared.place(variable)
    blocks = cut(function)
    return Emitter(function, blocks, symbols, functions, confined(blocks), constants(blocks)).emit()


def _definition(variable):
    count = variable.count or 1
    values = ""
    if variable.values:
        values = f" = {{{', '.join(_value(each, variable) for each in variable.values)}}}"
    return f"alignas({max(variable.alignment, variable.type.bytes)}) static {variable.type.cpp} {cpp_name(variable.name)}[{count}]{values};"


def _value(text, variable):
    kind = variable.type
    if text[:2].lower() in ("0f", "0d"):
        return f"bits<{kind.cpp}>(0x{text[2:]}{'u' if kind.bytes == 4 else 'ull'})"
    try:
        return f"{kind.cpp}({int(text.rstrip('U'), 0) & (2**64 - 1)}ull)"
    except ValueError:
        raise Unsupported(f"the initial value {text}", variable.line) from None


def _kernel_entry(function, emitted, shared_bytes):
    parameters = ", ".join(
        f"{{{each.bytes}, {each.alignment}, {'true' if each.is_pointer else 'false'}}}" for each in function.parameters
    )
    return (
        f"static const Parameter parameters_of_{cpp_name(function.name)}[] = {{{parameters or '{0, 1, false}'}}};",
        f'{{"{function.name}", {cpp_name(function.name)}, parameters_of_{cpp_name(function.name)}, {len(function.parameters)}, '
        f"{emitted.parameter_bytes}, {shared_bytes}, {function.max_threads}, {emitted.shared_granule()}}},",
    )


def _tables(kernels, variables):
    yield from (parameters for parameters, _ in kernels)
    yield "static const Kernel kernels[] = {"
    yield from (f"    {entry}" for _, entry in kernels)
    yield "    {nullptr, nullptr, nullptr, 0, 0, 0, 0, 0}};"
    yield "static const Variable variables[] = {"
    yield from (f'    {{"{each.name}", {cpp_name(each.name)}, sizeof {cpp_name(each.name)}}},' for each in variables)
    yield "    {nullptr, nullptr, 0}};"
    yield f"static const Module module = {{CONTRACT, kernels, {len(kernels)}, variables, {len(variables)}}};"


def _entry():
    return """
extern "C" const gpu::Module* emulated_module(const gpu::Services* services) {
    gpu::services = services;
    return &gpu::module;
}"""
