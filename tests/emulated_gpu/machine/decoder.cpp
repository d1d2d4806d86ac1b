#include "decoder.h"
#include "../ptx/qualifiers.h"
#include "errors.h"
#include "flatten.h"
#include <algorithm>
#include <atomic>

namespace gpu {

using namespace ptx;

void run_guarded(Warp&, const Op&, void*);

const std::map<std::string, Decoder::Family> Decoder::FAMILIES = {
    {"add", &Decoder::arithmetic},
    {"sub", &Decoder::arithmetic},
    {"mul", &Decoder::arithmetic},
    {"min", &Decoder::arithmetic},
    {"max", &Decoder::arithmetic},
    {"mad", &Decoder::multiply_add},
    {"fma", &Decoder::multiply_add},
    {"div", &Decoder::divide},
    {"rem", &Decoder::divide},
    {"neg", &Decoder::function_of_one},
    {"abs", &Decoder::function_of_one},
    {"rcp", &Decoder::function_of_one},
    {"sqrt", &Decoder::function_of_one},
    {"rsqrt", &Decoder::function_of_one},
    {"ex2", &Decoder::function_of_one},
    {"lg2", &Decoder::function_of_one},
    {"sin", &Decoder::function_of_one},
    {"cos", &Decoder::function_of_one},
    {"tanh", &Decoder::function_of_one},
    {"copysign", &Decoder::arithmetic},
    {"and", &Decoder::logic},
    {"or", &Decoder::logic},
    {"xor", &Decoder::logic},
    {"not", &Decoder::logic},
    {"shl", &Decoder::shift},
    {"shr", &Decoder::shift},
    {"shf", &Decoder::shift},
    {"bfe", &Decoder::on_bits},
    {"bfi", &Decoder::on_bits},
    {"brev", &Decoder::on_bits},
    {"clz", &Decoder::on_bits},
    {"popc", &Decoder::on_bits},
    {"bfind", &Decoder::on_bits},
    {"prmt", &Decoder::on_bits},
    {"lop3", &Decoder::on_bits},
    {"dp4a", &Decoder::on_bits},
    {"setp", &Decoder::compare},
    {"set", &Decoder::compare},
    {"testp", &Decoder::test},
    {"selp", &Decoder::select},
    {"mov", &Decoder::move},
    {"cvt", &Decoder::convert},
    {"cvta", &Decoder::convert_address},
    {"ld", &Decoder::load},
    {"ldu", &Decoder::load},
    {"st", &Decoder::store},
    {"atom", &Decoder::atomic},
    {"red", &Decoder::atomic},
    {"cp", &Decoder::copy_async},
    {"bar", &Decoder::synchronize_warp},
    {"shfl", &Decoder::shuffle},
    {"vote", &Decoder::vote},
    {"match", &Decoder::match},
    {"redux", &Decoder::reduce},
    {"activemask", &Decoder::active_mask},
    {"mma", &Decoder::multiply_matrices},
    {"ldmatrix", &Decoder::load_matrices},
    {"trap", &Decoder::trap},
    // Blocks see each other's writes at once, and there are no caches.
    {"membar", &Decoder::nothing},
    {"fence", &Decoder::nothing},
    {"prefetch", &Decoder::nothing},
    {"prefetchu", &Decoder::nothing},
    {"discard", &Decoder::nothing},
    {"nanosleep", &Decoder::nothing},
};

Decoder::Decoder(const Function& flat, const Symbols& symbols, Program& program)
    : function_(flat), symbols_(symbols), program_(program), pieces_(cut(flat)), confined_(confined(pieces_)),
      constants_(constants(pieces_)) {
    for (size_t i = 0; i < pieces_.size(); ++i)
        for (const auto& label : pieces_[i].labels) block_of_[label] = uint32_t(i);
    for (size_t i = 0; i < flat.parameters.size(); ++i)
        parameter_offsets_[flat.parameters[i].name] = program.parameters[i].offset;
}

void Decoder::decode() {
    program_.blocks.resize(pieces_.size());
    for (size_t i = 0; i < pieces_.size(); ++i) block(pieces_[i], uint32_t(i));
    // Where the text ends, the kernel does.
    if (program_.blocks.back().end.kind == End::Kind::Next) program_.blocks.back().end.kind = End::Kind::Leave;
}

void Decoder::block(const Piece& piece, uint32_t number) {
    current_ = &program_.blocks[number];
    here_.clear();
    last_use_.clear();
    for (size_t i = 0; i < piece.instructions.size(); ++i)
        for (const auto& word : words_of(piece.instructions[i])) last_use_[word] = i;
    if (!piece.instructions.empty()) gather(piece.instructions.front(), *current_);
    for (at_ = 0; at_ < piece.instructions.size(); ++at_) {
        const Instruction& each = piece.instructions[at_];
        line_ = each.line;
        try {
            check_qualifiers(each);
            instruction(each);
        } catch (const std::exception& error) {
            throw Unsupported("the instruction \"" + each.text() + "\": " + error.what(), each.line);
        }
        release();
    }
}

void Decoder::instruction(const Instruction& each) {
    static const std::set<std::string> ends = {"bra", "brx", "ret", "exit", "barrier"};
    if (ends.contains(each.name) || (each.name == "bar" && !each.has("warp"))) return end(each, *current_);
    const Family family = FAMILIES.at(each.name);
    if (each.guard.word.empty()) return (this->*family)(each);
    // Its operations are decoded as ever, and then each is put under the guard.
    const uint32_t predicate = read_predicate(Operand{Operand::Kind::Word, each.guard.word});
    const size_t first = current_->ops.size();
    guarded_ = true;
    (this->*family)(each);
    guarded_ = false;
    for (size_t i = first; i < current_->ops.size(); ++i) {
        Op& op = current_->ops[i];
        Op guarded;
        guarded.run = run_guarded;
        guarded.from[0] = predicate;
        guarded.value = each.guard.negated;
        guarded.line = op.line;
        guarded.inner = &program_.inner.emplace_back(op);
        op = guarded;
    }
}

void Decoder::gather(const Instruction& first, BasicBlock& entered) {
    const Operand* members = members_of(first);
    if (!members) return;
    entered.gathers = true;
    entered.line = first.line;
    const auto value = number(*members, Type::U32);
    entered.members_in_register = !value;
    entered.members = value ? uint32_t(*value) : read(*members, Type::U32);
}

void Decoder::end(const Instruction& each, BasicBlock& ended) {
    End& how = ended.end;
    how.line = each.line;
    how.conditional = !each.guard.word.empty();
    if (how.conditional) {
        how.predicate = read_predicate(Operand{Operand::Kind::Word, each.guard.word});
        how.negated = each.guard.negated;
    }
    if (each.name == "ret" || each.name == "exit") {
        how.kind = End::Kind::Leave;
    } else if (each.name == "bra") {
        how.kind = how.conditional ? End::Kind::Branch : End::Kind::Jump;
        how.target = block_of_.at(each.operands.at(0).word);
    } else if (each.name == "brx") {
        if (how.conditional) throw Unsupported("a guard");
        how.kind = End::Kind::BranchByIndex;
        how.index = read(each.operands.at(0), Type::U32);
        for (const auto& label : function_.targets.at(each.operands.at(1).word))
            how.targets.push_back(block_of_.at(label));
    } else {
        how.kind = End::Kind::Barrier;
        const auto at = [&](size_t i) {
            if (each.operands.size() <= i) return uint64_t(0);
            const auto value = number(each.operands[i], Type::U32);
            if (!value) throw Unsupported("a barrier whose number is in a register");
            return *value;
        };
        how.barrier = uint32_t(at(0));
        how.threads = uint32_t(at(1));
    }
}

void Decoder::trap(const Instruction& each) {
    const bool asserts = !each.operands.empty();
    emit_plain([](Warp& warp, const Op& op, void*) {
        warp.fail(int(op.value), op.value == ASSERT ? "an assertion has failed" : "trap", op.line);
    }).value = asserts ? ASSERT : LAUNCH_FAILED;
}

namespace {

uint32_t aligned(uint32_t offset, uint32_t to) { return (offset + to - 1) / to * to; }

// The smallest access to shared memory. One whose space is not known may be one.
uint32_t granule(const Function& function) {
    uint32_t smallest = 4;
    for (const auto& item : function.body) {
        const auto* each = std::get_if<Instruction>(&item);
        if (!each || (each->name != "ld" && each->name != "st")) continue;
        if (each->has("global") || each->has("param") || each->has("local") || each->has("const")) continue;
        smallest = std::min(smallest, bytes_of(each->type()));
    }
    return smallest;
}

}  // namespace

std::unique_ptr<Program> decode(const Module& module, const Function& kernel, const Symbols& of_module,
                                uint32_t shared_bytes_of_module) {
    const Function flat = flatten(module, kernel);
    auto program = std::make_unique<Program>();
    static std::atomic<uint64_t> programs;
    program->serial = ++programs;
    program->name = kernel.name;
    program->max_threads = kernel.max_threads;
    program->shared_granule = granule(flat);
    Symbols symbols = of_module;
    for (const auto& parameter : kernel.parameters) {
        program->parameter_bytes = aligned(program->parameter_bytes, parameter.alignment);
        program->parameters.push_back({program->parameter_bytes, parameter.bytes(), parameter.is_pointer});
        program->parameter_bytes += parameter.bytes();
    }
    program->static_shared_bytes = shared_bytes_of_module;
    std::vector<std::string> sized_by_launch;
    for (const auto& variable : flat.variables) {
        if (variable.space != "shared") continue;
        if (variable.sized_by_launch) {
            sized_by_launch.push_back(variable.name);
            continue;
        }
        if (symbols.contains(variable.name)) continue;
        program->static_shared_bytes = aligned(program->static_shared_bytes, variable.alignment);
        symbols[variable.name] = program->static_shared_bytes;
        program->static_shared_bytes += variable.bytes();
    }
    // Behind the static variables. Those of the module that the launch sizes are marked by the largest number.
    program->static_shared_bytes = aligned(program->static_shared_bytes, 16);
    for (const auto& name : sized_by_launch) symbols[name] = program->static_shared_bytes;
    for (auto& [name, address] : symbols)
        if (address == UINT64_MAX) address = program->static_shared_bytes;
    Decoder(flat, symbols, *program).decode();
    return program;
}

}  // namespace gpu
