// cp.async: copies from global to shared memory that need not be done before they are waited for.
#pragma once
#include "lanes.h"
#include <vector>

namespace gpu {

// The copies are made when a kernel waits for them, as late as the hardware may make them: a wait that is missing
// shows.
class AsyncCopies {
public:
    // Of one lane. The first `from_memory` bytes are copied, the others of `bytes` are zero.
    void add(unsigned lane, uint64_t to, uint64_t from, uint32_t bytes, uint32_t from_memory) {
        copies_.push_back({to, from, bytes, from_memory, lane, group_[lane]});
    }
    void commit(Mask lanes) {
        for_lanes(lanes, [&](unsigned l) { ++group_[l]; });
    }
    // All groups of these lanes but the last `pending` ones are done then.
    void wait(Mask lanes, uint32_t pending) {
        std::vector<Copy> rest;
        for (const Copy& copy : copies_) {
            if (!(lanes >> copy.lane & 1) || copy.group + pending >= group_[copy.lane]) {
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
