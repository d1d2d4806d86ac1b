// Counts, for each kernel and line of its PTX, what its accesses to memory cost: EMULATED_GPU_COUNTERS names the
// report.
#pragma once
#include "space.h"
#include <map>
#include <string>

namespace gpu {

// Of one line. A wavefront is what shared memory serves at once, a sector 32 bytes of global memory.
struct Cost {
    uint64_t accesses = 0;      // of warps
    uint64_t ideal = 0;         // wavefronts or sectors, were the addresses as good as they can be
    uint64_t actual = 0;
};

class Counters {
public:
    void count_shared(const MemoryAccess&);
    void count_global(const MemoryAccess&);
    // Adds to what is reported of a kernel when the process ends, and begins anew.
    void hand_in(const std::string& kernel);

    struct Line {
        uint32_t line;
        bool shared;
        auto operator<=>(const Line&) const = default;
    };
    using Costs = std::map<Line, Cost>;

private:
    Costs costs_;
};

}  // namespace gpu
