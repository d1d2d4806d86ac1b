// Makes a program of a kernel's PTX.
#pragma once
#include "../ptx/ptx.h"
#include "cut.h"
#include "op.h"
#include "program.h"
#include "space.h"

#include <optional>

namespace gpu {

// Addresses of variables: of the module, and those of shared memory, which count from its start.
using Symbols = std::map<std::string, uint64_t>;

// Throws ptx::Unsupported with the line.
std::unique_ptr<Program> decode(const ptx::Module&, const ptx::Function& kernel, const Symbols& of_module,
                                uint32_t shared_bytes_of_module);

// Gives registers their places, and instructions their handlers. Each family of instructions is in a file of its own.
class Decoder {
public:
    Decoder(const ptx::Function& flat, const Symbols&, Program&);
    void decode();

private:
    using Instruction = ptx::Instruction;
    using Operand = ptx::Operand;
    using Type = ptx::Type;

    // decode_arithmetic.cpp, …
    void arithmetic(const Instruction&);
    void half_arithmetic(const Instruction&);
    void multiply_add(const Instruction&);
    void divide(const Instruction&);
    uint32_t number_of(const Instruction&, size_t place);
    void finish(const Instruction&, Handler, std::initializer_list<uint32_t> from);
    void function_of_one(const Instruction&);
    void logic(const Instruction&);
    void shift(const Instruction&);
    void on_bits(const Instruction&);
    void compare(const Instruction&);
    void test(const Instruction&);
    void select(const Instruction&);
    void move(const Instruction&);
    void convert(const Instruction&);
    void convert_address(const Instruction&);
    void load(const Instruction&);
    void store(const Instruction&);
    void load_parameter(const Instruction&);
    void atomic(const Instruction&);
    void copy_async(const Instruction&);
    void synchronize_warp(const Instruction&);
    void shuffle(const Instruction&);
    void vote(const Instruction&);
    void match(const Instruction&);
    void reduce(const Instruction&);
    void active_mask(const Instruction&);
    void multiply_matrices(const Instruction&);
    void load_matrices(const Instruction&);
    void trap(const Instruction&);
    void nothing(const Instruction&) {}
    using Family = void (Decoder::*)(const Instruction&);
    static const std::map<std::string, Family> FAMILIES;

    // decoder.cpp: blocks
    void block(const Piece&, uint32_t number);
    void instruction(const Instruction&);
    void end(const Instruction&, BasicBlock&);
    void gather(const Instruction&, BasicBlock&);

    // decode_operands.cpp: the offset of an operand's register, as lanes of a type. Numbers and addresses have
    // registers too.
    uint32_t read(const Operand&, Type);
    uint32_t read_predicate(const Operand&);
    uint32_t address(const Operand&);
    uint32_t constant(uint64_t value, uint32_t bytes);
    std::optional<uint64_t> number(const Operand&, Type) const;
    uint32_t special(const std::string& name);
    uint32_t own(const std::string& word);
    uint32_t temporary(uint32_t bytes);
    uint32_t place(uint32_t bytes);
    uint32_t cast(uint32_t from, Type source, Type target);
    void release();

    // Adds an operation. `to` is a register that has this type or is wider.
    Op& emit(Handler, const Operand& to, Type, std::initializer_list<uint32_t> from);
    // One whose result is needed by this instruction only: returns its offset.
    uint32_t emit_temporary(Handler, Type, std::initializer_list<uint32_t> from);
    // One that sees itself to the lanes in which it writes.
    Op& emit_plain(Handler, std::initializer_list<uint32_t> from = {});
    void write(const Operand& to, Type, uint32_t from);
    Registers& list() { return program_.lists.emplace_back(); }
    uint32_t destination(const Operand& to, Type);
    uint32_t register_bytes_of(const Operand&) const;

    const ptx::Function& function_;
    const Symbols& symbols_;
    Program& program_;
    std::vector<Piece> pieces_;
    std::set<std::string> confined_;
    std::map<std::string, std::string> constants_;
    std::map<std::string, uint32_t> block_of_;
    std::map<std::string, uint32_t> parameter_offsets_;

    BasicBlock* current_ = nullptr;
    uint32_t line_ = 0;
    bool guarded_ = false;
    std::map<std::string, uint32_t> places_;            // of registers that several blocks have
    struct Temporary {
        uint32_t offset, bytes;
    };
    std::map<std::string, Temporary> here_;             // of registers of this block
    std::map<std::string, size_t> last_use_;            // of these, as the number of an instruction
    std::vector<Temporary> of_instruction_;             // given back when the instruction is decoded
    std::map<uint32_t, std::vector<uint32_t>> free_;    // temporaries by their bytes
    size_t at_ = 0;                                     // the number of the instruction in its block
    std::map<std::pair<uint64_t, uint32_t>, uint32_t> constant_places_;
    std::map<std::string, uint32_t> special_places_;
};

}  // namespace gpu
