// A module of PTX, as the parser reads it.
#pragma once
#include "type.h"
#include <map>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

namespace gpu::ptx {

// What is not known is refused: nothing is dropped that might change a result.
struct Unsupported : std::runtime_error {
    explicit Unsupported(const std::string& what, uint32_t at = 0) : std::runtime_error(what), line(at) {}
    uint32_t line;
};

struct Operand {
    enum class Kind {
        Word,       // a register, a number or a variable, perhaps with an offset
        Address,    // between brackets
        List,       // between braces, or two registers with a bar between
    } kind = Kind::Word;
    std::string word = {};
    bool negated = false;
    int64_t offset = 0;
    std::vector<Operand> list = {};
};

struct Instruction {
    uint32_t line = 0;
    std::string name = {};                      // ld
    std::vector<std::string> qualifiers = {};   // global, v4, f32
    std::vector<Operand> operands = {};
    Operand guard = {};                         // a predicate; its word is empty where there is none

    bool has(std::string_view qualifier) const;
    // The type that stands last, and the one before it.
    Type type() const { return type_at(0); }
    Type type_before() const { return type_at(1); }
    std::string text() const;

private:
    Type type_at(size_t from_the_end) const;
};

struct Label {
    uint32_t line;
    std::string name;
};

using Item = std::variant<Instruction, Label>;

struct Variable {
    uint32_t line = 0;
    std::string space = {};     // param, shared, local, global, const
    Type type = Type::B8;
    std::string name = {};
    uint32_t alignment = 1;
    uint32_t count = 1;         // elements
    bool sized_by_launch = false;
    bool is_pointer = false;
    std::vector<std::string> values = {};

    uint32_t bytes() const { return bytes_of(type) * count; }
};

struct Function {
    uint32_t line = 0;
    std::string name = {};
    bool is_kernel = false;
    std::vector<Variable> parameters = {}, results = {};
    // The type of each register, and of each family: %r for %r0, %r1 …
    std::map<std::string, Type> registers = {};
    std::vector<Variable> variables = {};
    std::vector<Item> body = {};
    // The lists of labels that brx jumps to.
    std::map<std::string, std::vector<std::string>> targets = {};
    uint32_t max_threads = 0;
};

struct Module {
    std::vector<Function> functions = {};
    std::vector<Variable> variables = {};
};

// Throws Unsupported.
Module parse(const std::string& text);

}  // namespace gpu::ptx
