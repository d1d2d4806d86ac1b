// The execution of one block of threads.
#pragma once
#include "counters.h"
#include "program.h"
#include "races.h"
#include "space.h"
#include "warp.h"

namespace gpu {

struct Context;

// A kernel with all that a launch gives it.
struct Launch {
    const Program* program;
    const Context* context;
    uint32_t grid[3], block[3];
    uint32_t dynamic_bytes;
    std::shared_ptr<const std::vector<uint8_t>> parameters;

    uint32_t threads() const { return block[0] * block[1] * block[2]; }
    uint64_t blocks() const { return uint64_t(grid[0]) * grid[1] * grid[2]; }
};

class Block {
public:
    // Executes one block of a launch. Throws KernelFault.
    void run(const Launch&, uint64_t index);

    const uint32_t* place() const { return place_; }
    uint8_t* shared() { return shared_; }
    uint32_t shared_bytes() const { return shared_bytes_; }
    Counters& counters() { return counters_; }

    // Whether accesses to memory are checked or counted, and what looks at them then.
    bool is_watched() const { return is_watched_; }
    void notice(Warp&, Space, const MemoryAccess&);

private:
    void run_warps(uint64_t index);
    bool open_barriers();
    void report_hang() const;
    std::string thread_name(const Warp&, unsigned lane) const;

    // checks.cpp
    void check_global(const Warp&, const MemoryAccess&);
    void check_shared(const Warp&, const MemoryAccess&);
    [[noreturn]] void fail_access(const Warp&, unsigned lane, int error, const std::string& what, uint64_t address,
                                  const MemoryAccess&) const;

    struct Range {
        uint64_t start = 0, end = 0;
    };

    const Launch* launch_ = nullptr;
    uint32_t place_[3] = {};
    std::vector<Warp> warps_;
    uint32_t warp_count_ = 0;
    std::vector<uint8_t> memory_;
    uint8_t* shared_ = nullptr;
    uint32_t shared_bytes_ = 0;
    bool is_watched_ = false;
    Races races_;
    Range known_[4];                // allocations that an access has lately been found in
    unsigned next_known_ = 0;
    Counters counters_;
};

}  // namespace gpu
