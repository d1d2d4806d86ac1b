// What the driver and a translated module know of each other. Both include this file; nothing else is shared.
//
// A module is a shared library that the translator and g++ have made from PTX. It exports `emulated_module`, which takes the
// services of the driver and returns the kernels and variables of the module.
#pragma once
#include <cstddef>
#include <cstdint>

namespace gpu {

constexpr unsigned LANES = 32;
// Changes whenever this file does: a module that was compiled against another one is refused.
constexpr uint32_t CONTRACT = 1;

// One bit for each lane of a warp.
using Mask = uint32_t;
constexpr Mask EVERY_LANE = 0xffffffff;

enum class Access : uint32_t { Read, Write, Atomic };

// One warp of a block, as its kernel sees it. All of its lanes execute an instruction together.
struct Warp {
    uint32_t thread[3][LANES];  // %tid of each lane
    uint32_t block_size[3], block[3], grid[3];
    uint32_t index;             // of this warp in its block
    Mask live;                  // the lanes that there are and that have not exited
    uint32_t order;             // 0, or the seed by which diverged lanes take turns
    uint8_t* shared;            // the block's shared memory: static variables first, dynamic memory behind them
    uint32_t static_bytes, shared_bytes;
    uint8_t* local_low;         // where .local variables of its functions lie: the warp's stack
    uint8_t* local_high;
    uint32_t syncs;             // how often its lanes have synchronised, for the detector of races
    void* owner;                // the driver's record of the warp
};

// What a kernel may ask of the driver. Addresses are those of the host; a `line` is a line of the PTX.
struct Services {
    void (*barrier)(Warp&, uint32_t barrier, uint32_t threads, uint32_t line);
    // Ends the launch with a CUDA error and does not return.
    void (*fail)(Warp&, int error, const char* message, uint32_t line);
    void (*check_global)(Warp&, Mask, const uint64_t* addresses, uint32_t bytes, Access, uint32_t line);
    void (*check_shared)(Warp&, Mask, const uint64_t* addresses, uint32_t bytes, Access, uint32_t line);
    void (*count_global)(Warp&, Mask, const uint64_t* addresses, uint32_t bytes, uint32_t line);
    void (*count_shared)(Warp&, Mask, const uint64_t* addresses, uint32_t bytes, uint32_t line);
};

struct Parameter {
    uint32_t bytes, alignment;
    bool is_pointer;            // declared as .ptr: only newer compilers say so
};

struct Kernel {
    const char* name;
    void (*run)(Warp&, Mask, const uint8_t* parameters);
    const Parameter* parameters;
    uint32_t parameter_count, parameter_bytes, static_shared_bytes;
    uint32_t max_threads;       // of __launch_bounds__; 0 where there are none
    uint32_t shared_granule;    // the smallest access to shared memory, in bytes: 1, 2 or 4
};

// A .global or .const variable.
struct Variable {
    const char* name;
    void* address;
    size_t bytes;
};

struct Module {
    uint32_t contract;
    const Kernel* kernels;
    uint32_t kernel_count;
    const Variable* variables;
    uint32_t variable_count;
};

using ModuleEntry = const Module* (*)(const Services*);

}  // namespace gpu
