// A kernel as the machine executes it: operations on the registers of a whole warp.
//
// A register has a value for each of 32 lanes, which lie side by side, and an operation works on all of them. So what
// it costs to find the next operation is little beside what the operation does, and the compiler makes vector
// instructions of its loop.
#pragma once
#include "lanes.h"
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace gpu {

struct Warp;
struct Op;

// Executes an operation; `to` is where its result goes.
using Handler = void (*)(Warp&, const Op&, void* to);

// Offsets of registers, for operations with many.
struct Registers {
    std::vector<uint32_t> to, from;
};

struct Op {
    Handler run = nullptr;
    uint32_t to = 0;                // offset of the register that is written
    uint32_t from[4] = {};          // offsets of those that are read
    uint32_t line = 0;              // of the PTX
    // Bytes a lane of a result that must be written only in the lanes that execute: others hold a value there that they
    // still need. 0 where nobody does, or where the operation itself sees to it.
    uint8_t kept_bytes = 0;
    int64_t value = 0;  // a number that is no register: an offset, a count
    const Registers* more = nullptr;
    const Op* inner = nullptr;  // what is executed under a guard
};

// How a block ends.
struct End {
    enum class Kind { Next, Jump, Branch, BranchByIndex, Leave, Barrier } kind = Kind::Next;
    uint32_t predicate = 0;  // offset; of Branch, and of Leave if `conditional`
    bool negated = false, conditional = false;
    uint32_t target = 0;
    std::vector<uint32_t> targets = {};
    uint32_t index = 0;  // offset of the register with the number of the target
    uint32_t barrier = 0, threads = 0;
    uint32_t line = 0;
};

// Operations without branches. The lanes that are in a block execute it from its start to its end.
struct BasicBlock {
    std::vector<Op> ops;
    End end;
    // A block that begins with an operation of several lanes is entered when all have come whom it names: by a number,
    // or by a register with a mask for each lane.
    bool gathers = false, members_in_register = false;
    uint32_t members = 0;
    uint32_t line = 0;
};

struct Parameter {
    uint32_t offset, bytes;
    bool is_pointer;
};

struct Program {
    // Of all programs of the process: an address may be used again.
    uint64_t serial = 0;
    std::string name;
    std::vector<Parameter> parameters;
    uint32_t parameter_bytes = 0;
    uint32_t static_shared_bytes = 0;
    uint32_t max_threads = 0;  // of __launch_bounds__; 0 where there are none
    uint32_t shared_granule = 4;  // the smallest access to shared memory, in bytes

    std::vector<BasicBlock> blocks;
    std::deque<Registers> lists;  // what Op::more points to
    std::deque<Op> inner;  // what Op::inner points to
    uint32_t register_bytes = 0;
    // Registers with the same number in all lanes, which nobody writes.
    struct Constant {
        uint32_t offset, bytes;
        uint64_t value;
    };
    std::vector<Constant> constants;
    // Registers that are set when a block begins: where a thread is, and the addresses of its local variables.
    struct Special {
        uint32_t offset;
        std::string name;  // %tid.x; empty for a local variable
        uint32_t local_offset, local_bytes;
    };
    std::vector<Special> specials;
    uint32_t local_bytes = 0;  // of all local variables of a warp
};

}  // namespace gpu
