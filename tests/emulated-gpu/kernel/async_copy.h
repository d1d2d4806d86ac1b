// cp.async: copies from global to shared memory that need not be done before they are waited for.
#pragma once
#include "memory.h"
#include <vector>

namespace gpu {

// The copies are made when a kernel waits for them, as late as the hardware may make them: a wait that is missing shows.
class AsyncCopies {
public:
    // The first `from_memory` bytes are copied, the others of `bytes` are zero.
    void add(Warp& w, Mask m, Lanes<uint64_t> to, int64_t to_offset, Lanes<uint64_t> from, int64_t from_offset, uint32_t bytes,
             Lanes<uint32_t> from_memory, uint32_t line) {
        auto target = host_addresses<Space::Shared>(w, to, to_offset), source = host_addresses<Space::Global>(w, from, from_offset);
        auto sizes = array(from_memory);
        notice<Space::Shared>(w, m, target, bytes, Access::Write, line);
        Mask reading = 0;
        for_lanes(m, [&](unsigned l) { reading |= sizes[l] ? 1u << l : 0; });
        if (reading) notice<Space::Global>(w, reading, source, bytes, Access::Read, line);
        for_lanes(m, [&](unsigned l) { copies_.push_back({target[l], source[l], bytes, sizes[l], l, group_[l]}); });
    }
    void commit(Mask m) { for_lanes(m, [&](unsigned l) { ++group_[l]; }); }
    // All groups of these lanes but the last `pending` ones are done then.
    void wait(Mask m, uint32_t pending) {
        std::vector<Copy> rest;
        for (const Copy& copy : copies_) {
            if (!(m >> copy.lane & 1) || copy.group + pending >= group_[copy.lane]) {
                rest.push_back(copy);
                continue;
            }
            memcpy((void*)copy.to, (const void*)copy.from, copy.from_memory);
            memset((char*)copy.to + copy.from_memory, 0, copy.bytes - copy.from_memory);
        }
        copies_.swap(rest);
    }

private:
    struct Copy {
        uint64_t to, from;
        uint32_t bytes, from_memory, lane, group;
    };
    std::vector<Copy> copies_;
    uint32_t group_[LANES] = {};
};

}  // namespace gpu
