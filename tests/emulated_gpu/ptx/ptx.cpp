#include "ptx.h"
#include <algorithm>

namespace gpu::ptx {

bool Instruction::has(std::string_view qualifier) const {
    return std::find(qualifiers.begin(), qualifiers.end(), qualifier) != qualifiers.end();
}

Type Instruction::type_at(size_t from_the_end) const {
    if (qualifiers.size() <= from_the_end) throw Unsupported("it has no type");
    const std::string& name = qualifiers[qualifiers.size() - 1 - from_the_end];
    const auto type = type_of(name);
    if (!type) throw Unsupported("." + name + " is no type");
    return *type;
}

namespace {

std::string text_of(const Operand& operand) {
    std::string text = operand.negated ? "!" : "";
    if (operand.kind == Operand::Kind::List) {
        for (const auto& each : operand.list) text += (text.empty() ? "{" : ", ") + text_of(each);
        return text + "}";
    }
    text += operand.word;
    if (operand.offset) text += "+" + std::to_string(operand.offset);
    return operand.kind == Operand::Kind::Address ? "[" + text + "]" : text;
}

}  // namespace

std::string Instruction::text() const {
    std::string text = guard.word.empty() ? "" : "@" + text_of(guard) + " ";
    text += name;
    for (const auto& each : qualifiers) text += "." + each;
    for (size_t i = 0; i < operands.size(); ++i) text += (i ? ", " : " ") + text_of(operands[i]);
    return text;
}

}  // namespace gpu::ptx
