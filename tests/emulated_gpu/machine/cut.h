// Cuts the body of a kernel into basic blocks, and finds out what must be known of its registers.
#pragma once
#include "../ptx/ptx.h"
#include <set>

namespace gpu {

struct Piece {
    std::vector<std::string> labels = {};
    std::vector<ptx::Instruction> instructions = {};
};

// At labels and branches, and before operations of several lanes, for which lanes wait at the start of a block.
std::vector<Piece> cut(const ptx::Function&);

// The operand that names the lanes of an operation of several lanes: null if it is of one lane, a word "-1" if of all.
const ptx::Operand* members_of(const ptx::Instruction&);

// The words that an instruction writes.
std::vector<std::string> written_by(const ptx::Instruction&);
// All words that it has.
std::vector<std::string> words_of(const ptx::Instruction&);

// Registers that are written before they are read in the only block that has them. They may be written in all lanes:
// those that are elsewhere do not need them.
std::set<std::string> confined(const std::vector<Piece>&);

// Registers that are written once, by a number.
std::map<std::string, std::string> constants(const std::vector<Piece>&);

}  // namespace gpu
