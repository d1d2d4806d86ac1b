#include "flatten.h"
#include <algorithm>
#include <set>

namespace gpu {

using namespace ptx;

const Type* register_type(const Function& function, const std::string& word) {
    auto found = function.registers.find(word);
    if (found == function.registers.end()) {
        const size_t digits = word.find_last_not_of("0123456789") + 1;
        if (digits == word.size()) return nullptr;
        found = function.registers.find(word.substr(0, digits));
    }
    return found == function.registers.end() ? nullptr : &found->second;
}

namespace {

constexpr int DEEPEST = 16;

class Flattener {
public:
    Flattener(const Module& module, const Function& kernel) : module_(module), result_(kernel) {
        result_.body.clear();
        append(kernel, "", {}, 0);
        for (const auto& parameter : kernel.parameters) of_kernel_.insert(parameter.name);
        std::vector<Item> body;
        std::swap(body, result_.body);
        for (auto& item : body) without_parameters(std::move(item));
    }
    Function take() { return std::move(result_); }

private:
    using Names = std::map<std::string, std::string>;

    // The body of a function, whose names get a prefix. `bound` has those of its parameters and results.
    void append(const Function& function, const std::string& prefix, const Names& bound, int depth) {
        if (depth > DEEPEST) throw Unsupported("a function that calls itself: " + function.name, function.line);
        Names own = bound;
        for (const auto& item : function.body)
            if (const auto* label = std::get_if<Label>(&item)) own[label->name] = prefix + label->name;
        for (auto variable : function.variables) {
            if (variable.space == "shared") continue;   // of the whole block, whoever calls
            own[variable.name] = variable.name = prefix + variable.name;
            if (!prefix.empty()) result_.variables.push_back(variable);
        }
        if (!prefix.empty()) {
            for (const auto& [name, type] : function.registers) result_.registers[prefix + name] = type;
            for (const auto& variable : function.variables)
                if (variable.space == "shared") result_.variables.push_back(variable);
        }
        for (const auto& [label, targets] : function.targets)
            for (const auto& target : targets) own_targets(prefix + label).push_back(prefix + target);
        const std::string behind = prefix + "behind";
        for (const auto& item : function.body) {
            if (const auto* label = std::get_if<Label>(&item)) {
                result_.body.push_back(Label{label->line, own.at(label->name)});
                continue;
            }
            Instruction instruction = std::get<Instruction>(item);
            rename(instruction.guard, function, prefix, own);
            for (auto& operand : instruction.operands) rename(operand, function, prefix, own);
            if (!prefix.empty() && instruction.name == "ret") {
                instruction.name = "bra";
                instruction.qualifiers.clear();
                instruction.operands = {Operand{Operand::Kind::Word, behind}};
            }
            if (instruction.name == "call") call(instruction, depth);
            else result_.body.push_back(std::move(instruction));
        }
        if (!prefix.empty()) result_.body.push_back(Label{function.line, behind});
    }

    std::vector<std::string>& own_targets(const std::string& label) {
        auto& targets = result_.targets[label];
        return targets;
    }

    static void rename(Operand& operand, const Function& function, const std::string& prefix, const Names& own) {
        for (auto& each : operand.list) rename(each, function, prefix, own);
        const auto found = own.find(operand.word);
        if (found != own.end()) operand.word = found->second;
        else if (register_type(function, operand.word)) operand.word = prefix + operand.word;
    }

    void call(const Instruction& instruction, int depth) {
        // call (results), name, (parameters)
        auto operands = instruction.operands;
        const bool has_result = operands.front().kind == Operand::Kind::List;
        const std::string name = operands[has_result].word;
        std::vector<Operand> results = has_result ? operands[0].list : std::vector<Operand>(), passed;
        if (operands.size() > has_result + 1u) passed = operands[has_result + 1].list;
        if (name == "vprintf" || name == "__assertfail") return of_library(name, instruction, results);
        const auto called = std::find_if(module_.functions.begin(), module_.functions.end(),
                                         [&](auto& each) { return each.name == name; });
        if (called == module_.functions.end() || !instruction.guard.word.empty())
            throw Unsupported("the call of " + name, instruction.line);
        Names bound;
        for (size_t i = 0; i < called->results.size(); ++i) bound[called->results[i].name] = results.at(i).word;
        for (size_t i = 0; i < called->parameters.size(); ++i) bound[called->parameters[i].name] = passed.at(i).word;
        append(*called, "call" + std::to_string(++calls_) + ":", bound, depth + 1);
    }

    // printf prints nothing and returns 0; a failed assertion is a trap with an error of its own.
    void of_library(const std::string& name, const Instruction& instruction, const std::vector<Operand>& results) {
        Instruction instead = {instruction.line, "trap", {}, {}, instruction.guard};
        if (name == "vprintf") {
            Operand to = results.at(0);
            to.kind = Operand::Kind::Address;
            instead.name = "st";
            instead.qualifiers = {"param", "b32"};
            instead.operands = {to, Operand{Operand::Kind::Word, "0"}};
        } else {
            instead.operands = {Operand{Operand::Kind::Word, "assert"}};
        }
        result_.body.push_back(instead);
    }

    // st.param and ld.param of what is passed to functions become moves of registers, one for each place in a
    // parameter.
    void without_parameters(Item item) {
        auto* instruction = std::get_if<Instruction>(&item);
        const bool stores = instruction && instruction->name == "st", loads = instruction && instruction->name == "ld";
        if (!(stores || loads) || !instruction->has("param") ||
            of_kernel_.contains(instruction->operands[loads].word)) {
            result_.body.push_back(std::move(item));
            return;
        }
        const Operand place = instruction->operands[loads], values = instruction->operands[stores];
        const Type type = instruction->type();
        const auto parts = values.kind == Operand::Kind::List ? values.list : std::vector<Operand>{values};
        for (size_t i = 0; i < parts.size(); ++i) {
            const int64_t offset = place.offset + int64_t(i * bytes_of(type));
            const std::string name = place.word + "+" + std::to_string(offset) + ";";
            const auto [known, is_new] = result_.registers.emplace(name, type);
            if (bytes_of(known->second) != bytes_of(type))
                throw Unsupported("a parameter that is read in other pieces", instruction->line);
            Instruction move = {instruction->line, "mov", {instruction->qualifiers.back()}, {}, instruction->guard};
            const Operand own = {Operand::Kind::Word, name};
            move.operands = loads ? std::vector<Operand>{parts[i], own} : std::vector<Operand>{own, parts[i]};
            result_.body.push_back(move);
        }
    }

    const Module& module_;
    Function result_;
    std::set<std::string> of_kernel_;
    int calls_ = 0;
};

}  // namespace

Function flatten(const Module& module, const Function& kernel) { return Flattener(module, kernel).take(); }

}  // namespace gpu
